import test from 'ava';
import { faultsOfPage } from './page.ts';
import { counted, refused } from './support-devices.ts';

const NOT_LOADED = 0x1800;

test('a blank EEPROM is told by the name of its device, and no PDI works', async (t) => {
  const { machine, error, changes } = await refused(t, faultsOfPage(import.meta.url));
  t.like(error, { code: 'ECAT_ERR_EEPROM_INVALID', position: 3, subDevice: 'drive' });
  const drive = machine.device('drive');
  t.is(Number(await drive.register(0x0502, 2).read()) & 0x7800, NOT_LOADED);
  t.is(Number(await drive.register(0x0110, 2).read()) & 1, 0);
  t.is(await drive.state.read(), 'INIT');
  t.deepEqual(counted(changes), []);
  t.like(machine.hits().hits, [{ fault: 'blank', device: 'drive', change: 'began' }]);
});

test('a wrong checksum names the device too', async (t) => {
  const { machine, error, changes } = await refused(t, [{ on: { device: 'drive' }, effect: { kind: 'sii-checksum' } }]);
  t.like(error, { code: 'ECAT_ERR_BRING_UP', position: 3, subDevice: 'drive' });
  t.is(Number(await machine.device('drive').register(0x0502, 2).read()) & 0x7800, NOT_LOADED);
  t.deepEqual(counted(changes), []);
});

import type { ExecutionContext } from 'ava';
import test from 'ava';
import { faultOfPage } from './page.ts';
import { counted, refused } from './support.ts';

const NOT_LOADED = 0x1800;

/** With this fault, open fails with an error of this code, and the drive has loaded nothing. */
async function isRefused(t: ExecutionContext, name: string, code: string): Promise<void> {
  const { machine, error, changes, hits } = await refused(t, { faults: [faultOfPage(import.meta.url, name)] });
  t.like(error, { code, position: 3, subDevice: 'drive' });
  const drive = machine.device('drive');
  t.is(Number(await drive.register(0x0502, 2).read()) & 0x7800, NOT_LOADED);
  t.is(Number(await drive.register(0x0110, 2).read()) & 1, 0);
  t.is(await drive.state.read(), 'INIT');
  t.deepEqual(counted(await changes()), []);
  t.deepEqual(hits(), [`${name} drive: began`]);
}

test('a blank EEPROM is told by the name of its device, and no PDI works', async (t) => {
  await isRefused(t, 'blank', 'ECAT_ERR_EEPROM_INVALID');
});

test('so is a wrong checksum, by a code of its own', async (t) => {
  await isRefused(t, 'half-written', 'ECAT_ERR_EEPROM_CHECKSUM');
});

import test from 'ava';
import { MainDevice } from '../../src/index.ts';
import { simulate } from '../../src/simulator/index.ts';
import { faultsOfPage } from './page.ts';
import { configuration, counted, refused, segment } from './support-devices.ts';

test('an EEPROM that never acknowledges is given up, by name', async (t) => {
  const { machine, error, changes } = await refused(t, faultsOfPage(import.meta.url));
  t.like(error, { code: 'ECAT_ERR_EEPROM_ACCESS', position: 3, subDevice: 'drive' });
  t.is(Number(await machine.device('drive').register(0x0502, 2).read()) & 0x6000, 0x2000);
  t.deepEqual(counted(changes), []);
  const { hits } = machine.hits();
  t.true(hits.length > 1 && hits.every(({ fault, change }) => fault === 'solder joint' && change === 'done'));
});

test('one command that fails is repeated', async (t) => {
  const [fault] = faultsOfPage(import.meta.url);
  const machine = await simulate({ ...segment, faults: [{ ...fault!, when: { count: 1 } }] });
  await using bus = await MainDevice.open(configuration(), { segment: machine });
  t.is(bus.state, 'OP');
  t.is(machine.hits().hits.length, 1);
});

test('an interface that stays busy is given up, by name', async (t) => {
  const { machine, error, changes } = await refused(t, [{ on: { device: 'drive' }, effect: { kind: 'eeprom-busy' } }]);
  t.like(error, { code: 'ECAT_ERR_SUBDEVICE_LOST', position: 3, subDevice: 'drive' });
  t.is(Number(await machine.device('drive').register(0x0502, 2).read()) & 0x8000, 0x8000);
  t.deepEqual(counted(changes), []);
});

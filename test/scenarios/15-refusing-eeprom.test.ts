import test from 'ava';
import { MainDevice } from '../../src/index.ts';
import { faultOfPage } from './page.ts';
import { configuration, counted, powered, refused } from './support.ts';

test('an EEPROM that never acknowledges is given up, by name', async (t) => {
  const faults = [faultOfPage(import.meta.url, 'solder joint')];
  const { machine, error, changes, hits } = await refused(t, { faults });
  t.like(error, { code: 'ECAT_ERR_EEPROM_ACCESS', position: 3, subDevice: 'drive' });
  t.is(Number(await machine.device('drive').register(0x0502, 2).read()) & 0x6000, 0x2000);
  t.deepEqual(counted(await changes()), []);
  const commands = hits();
  t.true(commands.length > 1 && commands.every((hit) => hit === 'solder joint drive: done'));
});

test('an interface that stays busy is given up, by name, and the device is not taken for lost', async (t) => {
  const faults = [faultOfPage(import.meta.url, 'stuck')];
  const { machine, error, changes, hits } = await refused(t, { faults });
  t.like(error, { code: 'ECAT_ERR_EEPROM_BUSY', position: 3, subDevice: 'drive' });
  t.is(Number(await machine.device('drive').register(0x0502, 2).read()) & 0x8000, 0x8000);
  t.deepEqual(counted(await changes()), []);
  t.deepEqual(hits(), ['stuck drive: began']);
});

test('one command that fails is repeated', async (t) => {
  const { machine, changes, hits } = await powered(t, { faults: [faultOfPage(import.meta.url, 'cold joint')] });
  await using bus = await MainDevice.open(configuration(), { segment: machine });
  t.is(bus.state, 'OP');
  t.deepEqual(counted(await changes()), []);
  t.deepEqual(hits(), ['cold joint drive: done']);
});

test('a slow interface is waited for', async (t) => {
  const { machine, changes, hits } = await powered(t, { faults: [faultOfPage(import.meta.url, 'slow')] });
  await using bus = await MainDevice.open(configuration(), { segment: machine });
  t.is(bus.state, 'OP');
  t.true(machine.nowMs >= 400, `${machine.nowMs} ms`);
  t.deepEqual(counted(await changes()), []);
  t.deepEqual(hits(), ['slow drive: began', 'slow drive: ended']);
});

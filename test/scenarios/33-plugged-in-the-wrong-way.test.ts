import test from 'ava';
import { MainDevice } from '../../src/index.ts';
import { simulate } from '../../src/simulator/index.ts';
import { changed, counters } from './counters.ts';
import { yamlOfPage } from './page.ts';

const SEGMENT = yamlOfPage(import.meta.url);
const CONFIGURATION = { ethercat: { master: { interface: 'none0' }, devices: [] } };

test('one box that is plugged in by its OUT works, and its DL status tells', async (t) => {
  const machine = await simulate({ ...SEGMENT, devices: SEGMENT.devices!.slice(0, 2) });
  const before = await counters(machine);
  await using bus = await MainDevice.open(CONFIGURATION, { segment: machine });
  t.deepEqual([bus.state, bus.subDevices.length], ['OP', 2]);
  // Link and loop of port 0: bits 4 and 8; of port 2: bits 6 and 12.
  const status = Number(await machine.device('left box').register(0x0110, 2).read());
  t.deepEqual([status & 0x0010, status & 0x0100, status & 0x0040, status & 0x1000], [0, 0x0100, 0x0040, 0]);
  t.deepEqual(
    changed(before, await counters(machine)).filter((change) => !/status/.test(change)),
    [],
  );
});

test('behind a second one no frame comes back, and it counts each', async (t) => {
  const machine = await simulate(SEGMENT);
  const before = await counters(machine);
  const open = MainDevice.open(CONFIGURATION, { segment: machine });
  await t.throwsAsync(open, { code: 'ECAT_ERR_NO_SUBDEVICES' });
  const changes = changed(before, await counters(machine));
  t.is(changes.length, 1, `${changes}`);
  t.regex(changes[0]!, /^right box processing unit: 0 to \d+$/);
});

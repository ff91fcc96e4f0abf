import test from 'ava';
import { MainDevice } from '../../src/index.ts';
import { simulate } from '../../src/simulator/index.ts';
import { changed, counters } from './counters.ts';
import { faultsOfPage } from './page.ts';
import { configuration, counted, refused, segment } from './support-devices.ts';

test('a slow device is waited for', async (t) => {
  const machine = await simulate({ ...segment, faults: faultsOfPage(import.meta.url) });
  const before = await counters(machine);
  const begun = machine.nowMs;
  await using bus = await MainDevice.open(configuration(), { segment: machine });
  t.is(bus.state, 'OP');
  t.true(machine.nowMs - begun >= 300);
  t.deepEqual(counted(changed(before, await counters(machine))), []);
  t.like(machine.hits(), { hits: [{ fault: 'charging', device: 'drive', change: 'done' }], lost: 0, refused: 0 });
});

test('one that never comes is told by name', async (t) => {
  const [fault] = faultsOfPage(import.meta.url);
  const { error } = await refused(t, [
    { ...fault!, effect: { kind: 'slow-transition', to: 'SAFE-OP', delay_ms: 60_000 } },
  ]);
  t.like(error, { code: 'ECAT_ERR_STATE_TIMEOUT', position: 3, subDevice: 'drive', requestedState: 4, state: 2 });
});

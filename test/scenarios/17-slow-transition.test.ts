import test from 'ava';
import { MainDevice } from '../../src/index.ts';
import { faultOfPage } from './page.ts';
import { configuration, counted, powered, refused } from './support.ts';

test('a slow device is waited for', async (t) => {
  const { machine, changes, hits } = await powered(t, { faults: [faultOfPage(import.meta.url, 'charging')] });
  const begunMs = machine.nowMs;
  await using bus = await MainDevice.open(configuration(), { segment: machine });
  t.is(bus.state, 'OP');
  t.true(machine.nowMs - begunMs >= 300);
  t.deepEqual(counted(await changes()), []);
  t.deepEqual(hits(), ['charging drive: done']);
});

test('one that never comes is told by name', async (t) => {
  const { error, changes, hits } = await refused(t, { faults: [faultOfPage(import.meta.url, 'no supply')] });
  t.like(error, { code: 'ECAT_ERR_STATE_TIMEOUT', position: 3, subDevice: 'drive', requestedState: 4, state: 2 });
  t.deepEqual(counted(await changes()), ['out SM watchdog: 0 to 1']);
  t.deepEqual(hits(), ['no supply drive: done']);
});

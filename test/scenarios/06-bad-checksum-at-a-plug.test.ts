import test from 'ava';
import { faultOfPage } from './page.ts';
import { plant } from './support.ts';

test('the RX error counter points at the plug, and all behind it count a forwarded error', async (t) => {
  const { machine, cycles, changes, errors, hits, faults, states, write } = await plant(t);
  machine.inject(faultOfPage(import.meta.url, 'plug'));
  t.deepEqual(await cycles(3), ['stale stale', 'good good', 'good good']);
  t.deepEqual(await changes(), [
    'coupler forwarded 1: 0 to 1',
    'in forwarded 1: 0 to 1',
    'out invalid frames 0: 0 to 1',
    'out RX errors 0: 0 to 1',
    'out forwarded 1: 0 to 1',
    'out processing unit: 0 to 1',
    'axis forwarded 0: 0 to 1',
    'axis processing unit: 0 to 1',
  ]);
  t.deepEqual(errors(), { lostFrames: 1, workingCounterErrors: 0 });
  t.deepEqual([faults, states], [['frames-lost'], ['frames lost', 'frames restored']]);
  t.deepEqual(hits(), ['plug out port 0: done']);
  t.is(await write(4), 'written');
});

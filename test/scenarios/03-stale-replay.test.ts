import test from 'ava';
import { faultOfPage } from './page.ts';
import { plant } from './support.ts';

test('an old answer is never taken for a new one', async (t) => {
  const { machine, cycles, changes, errors, hits, faults, states, write } = await plant(t);
  machine.inject(faultOfPage(import.meta.url, 'old'));
  t.deepEqual(await cycles(4), ['good good good', 'good good good', 'stale stale stale', 'good good good']);
  t.deepEqual(await changes(), []);
  t.deepEqual(errors(), { lostFrames: 1, workingCounterErrors: 0 });
  t.deepEqual([faults, states], [['frames-lost'], ['frames lost', 'frames restored']]);
  t.deepEqual(hits(), ['old: done']);
  t.is(await write(4), 'written');
});

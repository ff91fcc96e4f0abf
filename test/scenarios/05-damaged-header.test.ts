import test from 'ava';
import { faultOfPage } from './page.ts';
import { plant } from './support.ts';

test('an answer with another index is none', async (t) => {
  const { machine, cycles, changes, errors, hits, faults, states, write } = await plant(t);
  machine.inject(faultOfPage(import.meta.url, 'index'));
  t.deepEqual(await cycles(3), ['stale stale', 'good good', 'good good']);
  t.deepEqual(await changes(), []);
  t.deepEqual(errors(), { lostFrames: 1, workingCounterErrors: 0 });
  t.deepEqual([faults, states], [['frames-lost'], ['frames lost', 'frames restored']]);
  t.deepEqual(hits(), ['index: 0 to 5', 'index: 0 to 5', 'index: 0 to 5']);
  t.is(await write(4), 'written');
});

test('an answer whose lengths do not fit is none', async (t) => {
  const { machine, cycles, changes, errors, hits, faults, states, write } = await plant(t);
  machine.inject(faultOfPage(import.meta.url, 'length'));
  t.deepEqual(await cycles(3), ['stale stale', 'good good', 'good good']);
  t.deepEqual(await changes(), []);
  t.deepEqual(errors(), { lostFrames: 1, workingCounterErrors: 0 });
  t.deepEqual([faults, states], [['frames-lost'], ['frames lost', 'frames restored']]);
  t.deepEqual(hits(), ['length: 8 to 10', 'length: 2 to 4', 'length: 13 to 15']);
  t.is(await write(4), 'written');
});

test('a frame that is malformed on its way out is counted by the first device, and as forwarded by all others', async (t) => {
  const { machine, cycles, changes, errors, hits, faults, states, write } = await plant(t);
  machine.inject(faultOfPage(import.meta.url, 'flip'));
  t.deepEqual(await cycles(3), ['stale stale', 'good good', 'good good']);
  t.deepEqual(await changes(), [
    'coupler forwarded 1: 0 to 1',
    'coupler processing unit: 0 to 1',
    'in forwarded 0: 0 to 1',
    'in forwarded 1: 0 to 1',
    'in processing unit: 0 to 1',
    'out forwarded 0: 0 to 1',
    'out forwarded 1: 0 to 1',
    'out processing unit: 0 to 1',
    'axis forwarded 0: 0 to 1',
    'axis processing unit: 0 to 1',
  ]);
  t.deepEqual(errors(), { lostFrames: 1, workingCounterErrors: 0 });
  t.deepEqual([faults, states], [['frames-lost'], ['frames lost', 'frames restored']]);
  t.deepEqual(hits(), ['flip: 59 to 43']);
  t.is(await write(4), 'written');
});

import test from 'ava';
import { faultOfPage } from './page.ts';
import { plant } from './support.ts';

for (const name of ['late', 'overtaken'])
  test(`an answer that is ${name} counts as lost, and does not disturb the next`, async (t) => {
    const { machine, cycles, changes, errors, hits, faults, states, write } = await plant(t);
    machine.inject(faultOfPage(import.meta.url, name));
    t.deepEqual(await cycles(3), ['stale stale stale', 'good good good', 'good good good']);
    t.deepEqual(await changes(), []);
    t.deepEqual(errors(), { lostFrames: 1, workingCounterErrors: 0 });
    t.deepEqual([faults, states], [['frames-lost'], ['frames lost', 'frames restored']]);
    t.deepEqual(hits(), [`${name}: done`]);
    t.is(await write(4), 'written');
  });

test('an answer that comes twice is taken once', async (t) => {
  const { machine, cycles, changes, errors, hits, faults, states, write } = await plant(t);
  machine.inject(faultOfPage(import.meta.url, 'twice'));
  t.deepEqual(await cycles(3), ['good good good', 'good good good', 'good good good']);
  t.deepEqual([await changes(), faults, states], [[], [], []]);
  t.deepEqual(errors(), { lostFrames: 0, workingCounterErrors: 0 });
  t.deepEqual(hits(), ['twice: done']);
  t.is(await write(4), 'written');
});

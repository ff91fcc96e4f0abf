import test from 'ava';
import { faultOfPage } from './page.ts';
import { plant } from './support.ts';

const ANSWERS = [
  ['index', 'with another index', ['index: 0 to 5', 'index: 0 to 5', 'index: 0 to 5']],
  ['length', 'whose lengths do not fit', ['length: 8 to 10', 'length: 2 to 4', 'length: 13 to 15']],
  ['short', 'that ends too early', ['short: 75 to 40']],
] as const;

for (const [name, which, log] of ANSWERS)
  test(`an answer ${which} is none`, async (t) => {
    const { machine, cycles, changes, errors, hits, faults, states, write } = await plant(t);
    machine.inject(faultOfPage(import.meta.url, name));
    t.deepEqual(await cycles(3), ['stale stale stale', 'good good good', 'good good good']);
    t.deepEqual(await changes(), []);
    t.deepEqual(errors(), { lostFrames: 1, workingCounterErrors: 0 });
    t.deepEqual([faults, states], [['frames-lost'], ['frames lost', 'frames restored']]);
    t.deepEqual(hits(), log);
    t.is(await write(4), 'written');
  });

for (const [name, which, log] of [
  ['flip', 'malformed', ['flip: 59 to 43']],
  ['cut off', 'too short', ['cut off: 75 to 40']],
] as const)
  test(`a frame that is ${which} on its way out is counted by the first device, and as forwarded by all others`, async (t) => {
    const { machine, cycles, changes, errors, hits, faults, states, write } = await plant(t);
    machine.inject(faultOfPage(import.meta.url, name));
    t.deepEqual(await cycles(3), ['stale stale stale', 'good good good', 'good good good']);
    t.deepEqual(await changes(), [
      'coupler forwarded 1: 0 to 1',
      'coupler processing unit: 0 to 1',
      'in forwarded 0: 0 to 1',
      'in forwarded 1: 0 to 1',
      'in processing unit: 0 to 1',
      'out forwarded 0: 0 to 1',
      'out forwarded 1: 0 to 1',
      'out processing unit: 0 to 1',
      'drive forwarded 0: 0 to 1',
      'drive processing unit: 0 to 1',
    ]);
    t.deepEqual(errors(), { lostFrames: 1, workingCounterErrors: 0 });
    t.deepEqual([faults, states], [['frames-lost'], ['frames lost', 'frames restored']]);
    t.deepEqual(hits(), log);
    t.is(await write(4), 'written');
  });

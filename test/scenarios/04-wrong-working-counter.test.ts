import test from 'ava';
import { faultOfPage } from './page.ts';
import { plant } from './support.ts';

test('values are uncertain while the working counter is wrong', async (t) => {
  const { machine, cycles, changes, errors, hits, faults, states, write } = await plant(t);
  machine.inject(faultOfPage(import.meta.url, 'counter'));
  t.deepEqual(await cycles(3), ['uncertain uncertain uncertain', 'uncertain uncertain uncertain', 'good good good']);
  t.deepEqual([await changes(), faults, states], [[], ['working-counter'], []]);
  t.deepEqual(errors(), { lostFrames: 0, workingCounterErrors: 2 });
  t.deepEqual(hits(), ['counter: 6 to 5', 'counter: 6 to 5']);
  t.is(await write(4), 'written');
});

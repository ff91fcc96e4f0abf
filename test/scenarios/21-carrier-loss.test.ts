import test from 'ava';
import { faultOfPage } from './page.ts';
import { plant } from './support.ts';

test('while the carrier is gone values are stale, and no device counts anything', async (t) => {
  const { machine, cycles, changes, faults } = await plant(t);
  machine.inject(faultOfPage(import.meta.url, 'unplugged'));
  // The cycle at the end of its 10 ms finds the carrier back.
  t.deepEqual(await cycles(10), [...Array<string>(9).fill('stale stale stale'), 'good good good']);
  t.true(faults.includes('link-down'));
  t.deepEqual(new Set(await cycles(40)), new Set(['good good good']));
  t.deepEqual(await changes(), []);
});

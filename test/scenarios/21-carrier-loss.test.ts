import test from 'ava';
import { faultOfPage, plant } from './support.ts';

test('while the carrier is gone nothing is good, and no device counts anything', async (t) => {
  const { machine, cycles, changes, faults } = await plant(t);
  machine.inject(faultOfPage(import.meta.url, 'unplugged'));
  const seen = await cycles(10);
  t.false(seen.includes('good good'));
  t.true(faults.includes('link-down'));
  await cycles(40);
  t.deepEqual(await cycles(1), ['good good']);
  t.deepEqual(await changes(), []);
});

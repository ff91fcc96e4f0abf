import test from 'ava';
import { faultOfPage } from './page.ts';
import { plant } from './support.ts';

test('every bad frame is counted at the plug, and lost to the MainDevice', async (t) => {
  const { machine, cycles, changes, errors, hits, faults, write } = await plant(t);
  const fault = machine.inject(faultOfPage(import.meta.url, 'loose'));
  const seen = await cycles(300);
  fault.clear();
  const { lostFrames: n, workingCounterErrors } = errors();
  t.true(n >= 3);
  t.is(workingCounterErrors, 0);
  t.deepEqual(await changes(), [
    `coupler forwarded 1: 0 to ${n}`,
    `in forwarded 1: 0 to ${n}`,
    `out forwarded 1: 0 to ${n}`,
    `drive invalid frames 0: 0 to ${n}`,
    `drive RX errors 0: 0 to ${n}`,
    `drive processing unit: 0 to ${n}`,
  ]);
  t.is(seen.filter((quality) => quality === 'stale stale stale').length, n);
  t.is(seen.filter((quality) => quality === 'good good good').length, 300 - n);
  const rows = seen.filter((quality, cycle) => quality === 'stale stale stale' && seen[cycle - 1] !== quality).length;
  t.deepEqual(
    faults,
    Array.from({ length: rows }, () => 'frames-lost'),
  );
  t.deepEqual(
    hits(),
    Array.from({ length: n }, () => 'loose drive port 0: done'),
  );
  t.is(await write(4), 'written');
});

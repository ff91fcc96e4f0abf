// SOEM reads by SoE what the telegrams of drives carry.

import { soemFinds } from '../support/pysoem.ts';

const promise = soemFinds<{
  refused: number;
  sizes: readonly (readonly number[])[];
  safeOp: number;
  op: number;
  counted: boolean;
  input: string;
  switch: readonly string[];
}>('drives');

promise(
  'SOEM finds the lengths of telegrams by S-0-0016 and S-0-0024 and the attributes of what they name',
  (t, found) => {
    // A word and what the list names, for two axes; by SoE alone where the SII says otherwise.
    t.deepEqual(found.sizes, [
      [0, 0],
      [0, 0],
      [12, 12],
      [2 + 4 + 2 + 6, 2 + 4 + 4 + 2 + 4 + 6],
    ]);
  },
);

promise('SOEM is told of each drive that is not there', (t, found) => {
  // Two devices, six drives, two lists.
  t.is(found.refused, 24);
});

promise('SOEM takes drives with telegrams of any length to OP and exchanges them', (t, found) => {
  t.deepEqual([found.safeOp, found.op, found.counted], [4, 8, true]);
  // The first axis is where it is told to be.
  t.is(found.input, '00000a0b0c0d000000000000');
});

promise('SOEM reads objects of a switch', (t, found) => {
  t.deepEqual(found.switch, ['EL6614-like', '5230d619']);
});

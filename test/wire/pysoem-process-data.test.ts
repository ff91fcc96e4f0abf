// SOEM exchanges process data with simulated terminals and a drive.

import { soemFinds } from '../support/pysoem.ts';

interface Work {
  readonly imageBytes: number;
  readonly watchdogMs: number;
  readonly safeOp: number;
  readonly inSafeOp: readonly unknown[];
  readonly op: number;
  readonly inOp: readonly unknown[];
  readonly inputs: readonly string[];
  readonly released: readonly string[];
  readonly init: number;
}

const promise = soemFinds<{ whole: Work; overlapping: Work }>('process-data');

for (const [kind, imageBytes] of [
  ['whole', 28],
  // Outputs and inputs begin at the same address; SOEM adds both up.
  ['overlapping', 44],
] as const) {
  promise(`SOEM takes every kind of device to OP, with a process image that is ${kind}`, (t, { [kind]: work }) => {
    t.is(work.imageBytes, imageBytes);
    t.is(work.watchdogMs, 3000);
    t.deepEqual([work.safeOp, work.op, work.init], [4, 8, 1]);
    // Two with inputs, four with outputs, one with both; outputs count twice.
    t.deepEqual(work.inSafeOp, [13, '0100', '2efb0000']);
    t.deepEqual(work.inOp, [true, 13]);
  });

  promise(`outputs that SOEM sets come back by wires, ${kind}`, (t, { [kind]: work }) => {
    // Bits 1, 2 and 12 of the first; −1234 and what the second set point is; the drive's position.
    t.deepEqual(work.inputs, ['0708', '2efb3384', '0000785634f2']);
    t.deepEqual(work.released, ['0100', '2efb0000', '0000785634f2']);
  });
}

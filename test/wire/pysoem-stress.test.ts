// SOEM with the stress device: whatever it does wrong, SOEM says so and goes on.

import { soemFinds } from '../support/pysoem.ts';

interface Found {
  readonly initial: boolean;
  readonly kept: readonly boolean[];
  readonly tooLong: number | null;
  readonly tiny: readonly [kept: boolean, last: string];
  readonly objects: readonly [count: number, inOrder: boolean, last: number];
  readonly name: string;
  readonly types: readonly string[];
  readonly holes: readonly (number | null)[];
  readonly op: number;
  readonly bits: readonly [outputs: number, inputs: number, same: boolean];
  readonly toggles: boolean;
  readonly late: readonly (number | null)[];
  readonly waited: readonly (number | null)[];
  readonly silent: readonly (number | null)[];
  readonly repeated: readonly (number | null)[];
  readonly outOfOrder: readonly (number | null)[];
  readonly storm: readonly [many: boolean, inOrder: boolean, after: number, value: number | null];
  readonly left: readonly [state: number, alStatusCode: number];
  readonly backInOp: number;
}

const promise = soemFinds<Found>('stress');

const NO_SUBINDEX = 0x0609_0011;

promise('SOEM reads and writes values above 64 KB, byte by byte', (t, found) => {
  t.true(found.initial);
  t.deepEqual(found.kept, [true, true, true, true]);
  t.is(found.tooLong, 0x0607_0012);
});

promise('mailboxes of 16 bytes carry values of any length', (t, found) => {
  t.deepEqual(found.tiny, [true, 'e7030000']);
});

promise('a thousand objects are listed, and those of odd types and subindices read', (t, found) => {
  t.deepEqual(found.objects, [1018, true, 0x7000]);
  // SOEM has room for forty characters.
  t.is(found.name, 'Object 999, with a name that is longer t');
  // Bytes 1, 2, 3 … as far as the bits of the types go.
  const bits = [24, 40, 48, 56, 24, 40, 48, 56, 1, 2, 3, 4, 5, 6, 7, 8, 8, 16, 32, 128, 48, 48, 128, 64];
  t.deepEqual(
    found.types,
    bits.map((length) => {
      const bytes = Uint8Array.from({ length: Math.ceil(length / 8) }, (_, n) => n + 1);
      return Buffer.from(bytes).toString('hex');
    }),
  );
  t.deepEqual(found.holes, [255, 1, NO_SUBINDEX, 3, 7, NO_SUBINDEX, 200, 255]);
});

promise('process data that are packed bit by bit come back as they were sent', (t, found) => {
  t.is(found.op, 8);
  t.deepEqual(found.bits, [26, 26, true]);
  t.true(found.toggles);
});

promise('answers that are late, missing, counted wrong or in the wrong order harm no other', (t, found) => {
  t.deepEqual(found.late, [null, 2]);
  t.deepEqual(found.waited, [3, 4, 5]);
  t.deepEqual(found.silent, [null, null, 8]);
  t.deepEqual(found.repeated, [9, 10, 11]);
  t.deepEqual(found.outOfOrder, [null, 13, 14]);
});

promise('a storm of emergencies comes in order, and ends when it is told to', (t, found) => {
  t.deepEqual(found.storm, [true, true, 0, 15]);
});

promise('it leaves OP by itself with the code that was commanded, and comes back', (t, found) => {
  t.deepEqual(found.left, [0x14, 0x0050]);
  t.is(found.backInOp, 8);
});

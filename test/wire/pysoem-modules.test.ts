// SOEM with couplers whose modules are pulled and exchanged.

import { soemFinds } from '../support/pysoem.ts';

interface Found {
  readonly detected: readonly number[];
  readonly configured: readonly number[];
  readonly distance: readonly number[];
  readonly objects: readonly number[];
  readonly op: number;
  readonly bytes: readonly (readonly [outputs: number, inputs: number])[];
  readonly workingCounter: readonly [found: number, expected: number];
  readonly inputs: readonly [station: string, swapping: string];
  readonly count: number;
  readonly swapped: readonly [state: number, inputs: string, emergencies: readonly (readonly number[])[]];
  readonly back: readonly [inputs: string, emergencies: readonly (readonly number[])[]];
  readonly pulled: readonly unknown[];
  readonly acknowledged: number;
  readonly refused: readonly [state: number, alStatusCode: number];
  readonly unknown: number | null;
  readonly exchanged: readonly unknown[];
  readonly bytesThen: readonly number[];
}

const promise = soemFinds<Found>('modules');

const EIGHT_INPUTS = 0x0801;
const FOUR_OUTPUTS = 0x0402;
const EIGHT_OUTPUTS = 0x0802;
const COUNTER = 0x0105;
const TWO_INPUTS = 0x0203;
const PRE_OP_WITH_ERROR = 0x12;
const OTHER_MODULES = 0x0070;

promise('SOEM reads which modules are plugged, and the objects of each at its slot', (t, found) => {
  t.deepEqual(found.detected, [4, EIGHT_INPUTS, FOUR_OUTPUTS, 0, COUNTER]);
  t.deepEqual(found.configured, found.detected);
  t.deepEqual(found.distance, [16, 8]);
  t.deepEqual(
    found.objects,
    // PDOs and assignment; inputs, outputs and settings of slots 1, 2 and 4; the coupler's own.
    [
      0x1601, 0x1603, 0x1a00, 0x1a03, 0x1aff, 0x1c12, 0x1c13, 0x6000, 0x6030, 0x7010, 0x7030, 0x8030, 0xf000, 0xf030,
      0xf050, 0xf100,
    ],
  );
});

promise('it takes couplers to OP and exchanges the process data of all modules', (t, found) => {
  t.is(found.op, 8);
  t.deepEqual(found.bytes, [
    [6, 8],
    [4, 6],
  ]);
  t.is(found.workingCounter[0], found.workingCounter[1]);
  t.deepEqual(found.inputs, ['00008001', '000000003412']);
  t.true(found.count >= 50_000 && found.count < 50_100, String(found.count));
});

promise('a coupler with hot swap stays in OP while a module is missing, and says which', (t, found) => {
  t.deepEqual(found.swapped, [8, '400000000000', [[0xff00, 0x80, 2, 0, 0]]]);
  t.deepEqual(found.back, ['000000003412', [[0, 0, 2, TWO_INPUTS, 0]]]);
});

promise('another one goes to PRE-OP, and no further without the module', (t, found) => {
  t.deepEqual(found.pulled, [
    [PRE_OP_WITH_ERROR, OTHER_MODULES],
    [[0xff00, 0x80, 2, 0, 0]],
    [4, EIGHT_INPUTS, 0, 0, COUNTER],
    [4, EIGHT_INPUTS, FOUR_OUTPUTS, 0, COUNTER],
  ]);
  t.is(found.acknowledged, 2);
  t.deepEqual(found.refused, [PRE_OP_WITH_ERROR, OTHER_MODULES]);
});

promise('a module of another kind is configured by its number and comes to OP with its own PDOs', (t, found) => {
  t.is(found.unknown, 0x0609_0030);
  t.deepEqual(found.exchanged, [
    [4, EIGHT_INPUTS, FOUR_OUTPUTS, 0, COUNTER],
    [4, EIGHT_INPUTS, EIGHT_OUTPUTS, 0, COUNTER],
    '08',
    8,
    [8, 0],
  ]);
  t.deepEqual(found.bytesThen, [6, 8]);
});

// SOEM with devices of an ESI file that is odd in the ways of real ones.

import { soemFinds } from '../support/pysoem.ts';

interface Found {
  readonly names: readonly string[];
  readonly mapping: readonly string[];
  readonly bytes: readonly (readonly [outputs: number, inputs: number])[];
  readonly safeOp: number;
  readonly op: number;
  readonly workingCounter: readonly [found: number, expected: number];
  readonly inputs: readonly string[];
  readonly mappingInOp: readonly string[];
}

const promise = soemFinds<Found>('odd');

promise('SOEM takes devices of an odd file to OP, with as many bytes as their PDOs have', (t, found) => {
  t.deepEqual(found.names, ['ODD-SELF', 'ODD-OFF', 'ODD-AXES', 'ODD-PINS', 'ODD-DRIVE', 'ODD-FOUND']);
  t.deepEqual(found.bytes, [
    [3, 5],
    [2, 2],
    [12, 12],
    [2, 1],
    [3, 2],
    [3, 2],
  ]);
  t.deepEqual([found.safeOp, found.op], [4, 8]);
  t.is(found.workingCounter[0], found.workingCounter[1]);
});

promise('telegrams of two drives and outputs of two SyncManagers reach the wires', (t, found) => {
  t.is(found.inputs[0], '5a00000000');
  t.is(found.inputs[2], '000078563412000001020304');
  t.is(found.inputs[3], 'a5');
});

promise('a PDO that carries itself says what it carries, before and in OP', (t, found) => {
  t.deepEqual(found.mapping, ['02', '08010016', '10020016']);
  t.deepEqual(found.mappingInOp, found.mapping);
});

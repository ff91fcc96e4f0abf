// SOEM with devices of ESI files.

import { soemFinds } from '../support/pysoem.ts';

interface Found {
  readonly names: readonly string[];
  readonly identities: readonly (readonly number[])[];
  readonly alias: string;
  readonly objects: Readonly<Record<string, unknown>>;
  readonly aborts: Readonly<Record<string, number | null>>;
  readonly dictionary: readonly number[];
  readonly bytes: readonly (readonly [outputs: number, inputs: number])[];
  readonly safeOp: number;
  readonly op: number;
  readonly workingCounter: readonly [found: number, expected: number];
  readonly inputs: readonly string[];
  readonly init: number;
}

const promise = soemFinds<Found>('esi');

const BOGUS = 0x00b0_90c0;
const SIMULATED = 0xe0b1_f057;

promise('SOEM finds devices of ESI files with the names and identities that those give', (t, found) => {
  t.deepEqual(found.names, [
    'EK1100',
    'B090.IO.3.0',
    'B090.JU_BOX.3.0',
    'B090.SO.3.1',
    'SIM-DRIVE',
    'SIM-SPLIT',
    'SIM-DO4',
    'SIM-COUPLER',
  ]);
  t.deepEqual(found.identities, [
    [2, 0x044c_2c52, 0x0012_0000],
    [BOGUS, 0xb090_1030, 42],
    [BOGUS, 0xb090_8030, 2],
    [BOGUS, 0xb090_5031, 13],
    [SIMULATED, 0x4553_0002, 1],
    [SIMULATED, 0x4553_0003, 1],
    [SIMULATED, 0x4553_0004, 0x0011_0000],
    [SIMULATED, 0x4553_0001, 0x0001_0000],
  ]);
  t.is(found.alias, '0700');
});

promise('SOEM takes them to OP, with as many bytes as their PDOs have', (t, found) => {
  t.deepEqual(found.bytes, [
    [0, 0],
    [1, 1],
    [0, 0],
    [6, 6],
    [6, 6],
    [3, 3],
    [1, 0],
    [4, 4],
  ]);
  t.deepEqual([found.safeOp, found.op, found.init], [4, 8, 1]);
  // SOEM does not count outputs of less than a byte, as the image of a real EL2004 has them, too.
  t.deepEqual(found.workingCounter, [17, 15]);
});

promise('process data of ESI devices reaches wires and signals by the order of their entries', (t, found) => {
  t.deepEqual(found.inputs, [
    '',
    '5a',
    '',
    // What a wire brings back is the second entry of each.
    '000078563412',
    '000001020384',
    '00007f',
    '',
    // The first module: input 2 by a signal, input 4 by a wire; the second one's state by a signal.
    '0a0000aa',
  ]);
});

promise('SOEM reads the objects of dictionaries and of modules at their slots', (t, found) => {
  t.deepEqual(found.objects, {
    modules: ['04', '140d0000', '00000000', '020a0000'],
    filter: '0a00',
    filters: '040001000200ff000004',
    deviceType: '92010200',
    serial: '67120000',
    target: 'fbffffff',
    assigned: '0016',
  });
  for (const index of [0x1018, 0x1c12, 0x6000, 0x7020, 0x8000, 0x8030, 0xf000, 0xf030, 0xf050, 0xf100, 0xf200])
    t.true(found.dictionary.includes(index), index.toString(16));
});

promise('what a device of an ESI file does not allow is aborted with the code for it', (t, found) => {
  t.deepEqual(found.aborts, { assignment: 0x0601_0002, exclusion: 0x0604_0043, range: 0x0609_0031 });
});

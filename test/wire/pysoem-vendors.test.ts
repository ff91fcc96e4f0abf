// SOEM with devices and modules of vendors' ESI files, which must not be distributed.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { soemFinds } from '../support/pysoem.ts';

interface Found {
  readonly names: readonly string[];
  readonly revisions: readonly number[];
  readonly modules: readonly string[];
  readonly safeOp: number;
  readonly op: number;
  readonly workingCounter: readonly [found: number, expected: number];
  readonly identification: string;
  readonly firstInput: number;
  readonly inputBytes: number;
}

const folder = join(import.meta.dirname, '../../../shared/data/esi');

if (existsSync(folder)) {
  const promise = soemFinds<Found>('vendors');

  promise('SOEM finds couplers in the revision that was chosen, and the newest one by default', (t, found) => {
    t.deepEqual(found.names, ['EK1100', 'EK1101', 'EK1100', 'SIM-COUPLER']);
    t.is(found.revisions[0], 0x0012_0000);
    t.is(found.revisions[2], 0);
  });

  promise("a vendor's modules stand in their slots and are taken to OP", (t, found) => {
    t.deepEqual(found.modules, ['841f0900', '841f1b00', 'c11f1300', '00000000', found.modules[4]!]);
    t.not(found.modules[4], '00000000');
    t.deepEqual([found.safeOp, found.op], [4, 8]);
    t.is(found.workingCounter[0], found.workingCounter[1]);
    // 4 inputs, a gap, a state: two bytes a module, three for one with eight.
    t.is(found.firstInput, 1);
    t.true(found.inputBytes >= 8);
  });

  promise('a coupler tells its identification by an input that no SyncManager guards', (t, found) => {
    t.is(found.identification, '3412');
  });
} else {
  process.stderr.write(`test/wire/pysoem-vendors: skipped, ${folder} is not there\n`);
  test.skip("devices of vendors' ESI files", () => undefined);
}

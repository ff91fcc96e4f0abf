// SOEM reads and writes EEPROMs of simulated devices.

import { readFileSync } from 'node:fs';
import { soemFinds } from '../support/pysoem.ts';

const promise = soemFinds<Record<string, unknown>>('eeprom');
const image = (name: string): Buffer => readFileSync(new URL(`../fixtures/eeprom/${name}`, import.meta.url));

promise('SOEM reads an image byte by byte, by ESCs that give it four or eight bytes at once', (t, found) => {
  t.is(found['valves'], image('el2889.bin').subarray(0, 0xc0).toString('hex'));
  // Words 8 to 11: the identity.
  t.deepEqual(found['fourBytes'], ['57f0b1e0', '08000100']);
  t.deepEqual(found['names'], ['EK1100', 'EL1008-like', 'EL2889', '? M:00000001 I:00000000']);
});

promise('an EEPROM without a checksum that fits is readable, and its device not loaded', (t, found) => {
  t.deepEqual(found['blank'], [image('empty.bin').subarray(0, 16).toString('hex'), 0x1840, 0]);
});

promise('what SOEM writes is there, and its alias after the next power-on', (t, found) => {
  t.deepEqual(found['written'], [true, 0]);
  t.deepEqual(found['afterPowerOn'], [0x1234, 0]);
});

promise('a checksum that SOEM spoils is told after the next power-on', (t, found) => {
  t.deepEqual(found['wrongChecksum'], [0, 0x1800, 'EL2889']);
});

promise('a word behind the end is not acknowledged', (t, found) => {
  t.is(found['behindTheEnd'], 'EEPROM write error');
});

// SOEM receives emergencies of a simulated device.

import { soemFinds } from '../support/pysoem.ts';

const promise = soemFinds<Record<string, unknown>>('emergencies');

// Code, register, first data byte, and the other four as two words.
const PRE_OP = [0x1000, 0x01, 0, 0, 0x0100];
const SAFE_OP = [0x8130, 0x11, 1, 0x0302, 0x0504];
const OP = [
  [0x2310, 0x03, 9, 0x0708, 0x0506],
  [0x4210, 0x09, 255, 0xfdfe, 0xfbfc],
];

promise('an emergency that stands in the mailbox does not disturb an SDO', (t, found) => {
  t.deepEqual(found['during'], [[PRE_OP], true]);
});

promise('emergencies come with the state that they belong to, each once and in their order', (t, found) => {
  t.deepEqual(found['safeOp'], [SAFE_OP]);
  t.deepEqual(found['op'], [8, OP]);
  // The fourth message of the history; the first one has subindex 6.
  t.is(found['remembered'], 9);
});

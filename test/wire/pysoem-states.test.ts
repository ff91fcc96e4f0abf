// SOEM asks simulated devices for states that they refuse.

import { soemFinds } from '../support/pysoem.ts';

const promise = soemFinds<Record<string, unknown>>('states');

const [INIT, PRE_OP, SAFE_OP, OP, ERROR] = [1, 2, 4, 8, 0x10];

promise('SOEM takes everything to SAFE-OP but the device that refuses it', (t, found) => {
  const good = [SAFE_OP, 0];
  t.deepEqual(found['afterMap'], [good, good, [PRE_OP | ERROR, 0x0029], good, good, good]);
});

promise('a refusal stays until SOEM acknowledges it', (t, found) => {
  t.deepEqual(found['acknowledged'], [PRE_OP, 0]);
  t.deepEqual(found['refusedAgain'], [PRE_OP | ERROR, 0x0029]);
  t.deepEqual(found['ignoredUntilAcknowledged'], [PRE_OP | ERROR, 0x0029]);
});

promise('every wrong request has its AL status code', (t, found) => {
  t.deepEqual(found['refusesOp'], [SAFE_OP | ERROR, 0x0050]);
  t.deepEqual(found['invalidChange'], [SAFE_OP | ERROR, 0x0011]);
  t.deepEqual(found['back'], [SAFE_OP, 0]);
  t.deepEqual(found['unknown'], [SAFE_OP | ERROR, 0x0012]);
  t.deepEqual(found['backAgain'], [SAFE_OP, 0]);
  t.deepEqual(found['initToSafeOp'], [
    [INIT, 0],
    [INIT | ERROR, 0x0011],
  ]);
  t.deepEqual(found['noBoot'], [
    [INIT, 0],
    [INIT | ERROR, 0x0013],
  ]);
});

promise('a SyncManager that does not fit is refused until it does', (t, found) => {
  t.deepEqual(found['wrongMailbox'], [INIT | ERROR, 0x0016]);
  t.deepEqual(found['rightMailbox'], [PRE_OP, 0]);
  t.deepEqual(found['wrongOutputs'], [PRE_OP | ERROR, 0x001d]);
  t.deepEqual(found['rightOutputs'], [SAFE_OP, 0]);
});

promise(
  'without exchanges the watchdog takes a program to SAFE-OP with 0x001B, and only the outputs of a terminal',
  (t, found) => {
    t.deepEqual(found['op'], [OP, OP]);
    t.is(found['driven'], 0xa5);
    t.deepEqual(found['watchdog'], [
      [SAFE_OP | ERROR, 0x001b],
      [OP, 0],
    ]);
    t.deepEqual(found['watchdogExpired'], [0, 0]);
    t.true(found['watchdogCount']);
    // The outputs of the program are locked.
    t.is(found['fewerCount'], 2);
  },
);

promise('acknowledged, it comes back to OP and counts in full', (t, found) => {
  t.deepEqual(found['recovered'], [SAFE_OP, 0]);
  t.deepEqual(found['opAgain'], [OP, 0]);
});

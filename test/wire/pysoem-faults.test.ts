// SOEM on a simulated line that loses frames, cables and power.

import { soemFinds } from '../support/pysoem.ts';

const promise = soemFinds<Record<string, unknown>>('faults');

promise('a lost frame costs SOEM one exchange', (t, found) => {
  t.is(found['op'], 8);
  // EC_NOFRAME.
  t.deepEqual(found['lost'], [-1, true]);
});

promise('mail survives lost frames: SOEM has the device repeat it', (t, found) => {
  t.true(found['mailSurvives']);
});

promise('behind a cut cable nobody answers, and the port says so', (t, found) => {
  t.deepEqual(found['cut'], [2, null]);
  // Port 1: no link, loop closed; then link and communication. The values are those of recordings.
  t.deepEqual([found['cutSeen'], found['mended']], [0x5613, [0, 0x5a33]]);
});

promise('SOEM finds a device whose power returns, sets it up anew and takes it to OP', (t, found) => {
  t.deepEqual(found['unplugged'], [3, 0]);
  t.deepEqual(found['plugged'], [3, 1]);
  // Station address, alias and INIT.
  t.deepEqual(found['recovered'], [0x1002, 7, 1]);
  t.is(found['reconfigured'], 4);
  t.deepEqual(found['opAgain'], [8, 0]);
  t.true(found['mail']);
});

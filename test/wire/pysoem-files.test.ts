// SOEM reads and writes files of a simulated device.

import { soemFinds } from '../support/pysoem.ts';

const promise = soemFinds<Record<string, unknown>>('files');

promise('SOEM reads back files of every size around a packet and its multiples', (t, found) => {
  t.is(found['read'], '010203');
  t.deepEqual(found['wrong'], []);
});

promise('SOEM is refused what a file does not allow', (t, found) => {
  t.deepEqual(found['errors'], {
    // It says nothing of a read that fails but an empty file.
    'no such file': '',
    'wrong password': '',
    'write only': '',
    // EC_ERR_TYPE_FOE_FILE_NOTFOUND is 10, EC_ERR_TYPE_FOE_ERROR 5.
    'no such file to write': -10,
    'wrong password to write': -5,
    'read only': -5,
    'firmware in PRE-OP': -5,
  });
  t.is(found['password'], '0405');
});

promise('SOEM repeats packets while the device is busy', (t, found) => {
  t.deepEqual(found['slow'], [1, true]);
});

promise('SOEM writes firmware in BOOT, and comes back to the other files', (t, found) => {
  t.is(found['boot'], 3);
  t.deepEqual(found['firmware'], [1, true]);
  t.deepEqual(found['back'], [2, true]);
});

// Mail to a simulated device from SOEM, which nobody here wrote.

import { soemFinds } from '../support/pysoem.ts';

const promise = soemFinds('mailbox');

promise('SOEM reads and writes objects and files of every size, and takes a changed mapping to OP', (t, found) => {
  t.deepEqual(found, {
    subDevices: 2,
    gain: '3412',
    text: 'simulated',
    sdos: Array.from({ length: 18 }, () => true),
    complete: ['02000178563412', '0178563412'],
    aborts: [0x0602_0000, 0x0609_0011, 0x0601_0002],
    objects: [
      0x1000, 0x1001, 0x1008, 0x1009, 0x100a, 0x1018, 0x10f3, 0x1600, 0x1601, 0x1a00, 0x1c00, 0x1c12, 0x1c13, 0x2000,
      0x2001, 0x2002, 0x2003, 0x6040, 0x6041, 0x607a,
    ],
    record: [
      'Record',
      9,
      [
        ['SubIndex 000', 5, 8, 0x07],
        ['Byte', 5, 8, 0x3f],
        ['Long', 7, 32, 0x3f],
      ],
    ],
    data: '010203',
    files: Array.from({ length: 7 }, () => true),
    // SOEM's EC_ERR_TYPE_FOE_ERROR.
    firmwareInPreOp: -5,
    imageBytes: 6,
    safeOp: 4,
    emergency: 'Slave 2:  8130, 11, (01,02,03,04,05)',
    workingCounter: 3,
    op: 8,
    position: '78563412',
    boot: 3,
    firmwareInBoot: 1,
    firmware: true,
  });
});

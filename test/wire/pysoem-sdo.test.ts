// SOEM reads and writes objects of simulated devices.

import { soemFinds } from '../support/pysoem.ts';

interface Found {
  readonly wrongSizes: readonly number[][];
  readonly values: Readonly<Record<string, string>>;
  readonly identity: readonly number[];
  readonly complete: readonly string[][];
  readonly completeWritten: readonly string[];
  readonly completeWrittenFromOne: string;
  readonly aborts: Readonly<Record<string, number | null>>;
  readonly stillThere: string;
}

const promise = soemFinds<Found>('sdo');

promise(
  'SOEM reads back what it wrote, expedited, with the first mail, and in segments, by mailboxes of any size',
  (t, found) => {
    t.deepEqual(found.wrongSizes, [[], [], []]);
  },
);

promise('SOEM reads values of every type', (t, found) => {
  t.deepEqual(found.values, {
    [0x2001]: Buffer.from('written by the segment file').toString('hex'),
    [0x2002]: 'fbff',
    [0x2005]: '0000c03f',
    [0x2006]: '00000000000002c0',
    [0x2007]: 'bc9a785634120000',
    [0x2008]: '01',
    [0x2009]: 'ff',
  });
  t.deepEqual([found.identity[0], found.identity[1], found.identity[3]], [4, 0xe0b1_f057, 1]);
});

promise('SOEM reads and writes whole objects, from subindex 0 and from subindex 1', (t, found) => {
  const whole = [
    '0400113322776655446162636465666768',
    '113322776655446162636465666768',
    '0300010002000300',
    '010002000300',
  ];
  t.deepEqual(found.complete, [whole, whole]);
  t.deepEqual(found.completeWritten, ['04', 'aa', 'bbcc', 'ddeeff00', Buffer.from('12345678').toString('hex')]);
  t.is(found.completeWrittenFromOne, '03000a000b000c00');
});

promise('what SOEM may not do ends with the abort code of ETG1000.6', (t, found) => {
  t.deepEqual(found.aborts, {
    'no object': 0x0602_0000,
    'no object to write': 0x0602_0000,
    'no subindex': 0x0609_0011,
    'read only': 0x0601_0002,
    'write only': 0x0601_0001,
    'too long': 0x0607_0012,
    'too short': 0x0607_0013,
    'too high': 0x0609_0031,
    'too low': 0x0609_0032,
    'read only in segments': 0x0601_0002,
    'no complete access': 0x0601_0000,
    'complete access to a value': 0x0601_0000,
    'not in SAFE-OP': 0x0800_0022,
  });
  t.is(found.stillThere, '0800');
});

// SOEM scans a tree of simulated devices.

import { soemFinds } from '../support/pysoem.ts';

const promise = soemFinds<Record<string, unknown>>('scan');

const SIMULATED = 0xe0b1_f057;

promise(
  'SOEM finds every device in the order of the wire, with the name and the identity of its EEPROM',
  (t, found) => {
    t.is(found['count'], 8);
    // At the junction, frames pass port 1 before port 2.
    t.deepEqual(found['names'], [
      'EK1100',
      'EL1012-like',
      'EL2010-like',
      'EK1100',
      'EL3102-like',
      'EK1100',
      'EL2889',
      'drive',
    ]);
    const coupler = [0x2, 0x044c_2c52, 0x0012_0000];
    t.deepEqual(found['identities'], [
      coupler,
      [SIMULATED, 0x0001_000c, 1],
      [SIMULATED, 0x0002_000a, 1],
      coupler,
      [SIMULATED, 0x0003_0002, 1],
      coupler,
      [0x2, 0x0b49_3052, 0x0011_0000],
      [0x6a, 0x1234_5678, 0x0002_0003],
    ]);
    t.deepEqual(found['serials'], [0, 0, 0, 0, 0, 0, 0, 4711]);
  },
);

promise('SOEM gives every device a station address, and reads aliases', (t, found) => {
  t.deepEqual(found['stations'], [0x1001, 0x1002, 0x1003, 0x1004, 0x1005, 0x1006, 0x1007, 0x1008]);
  t.deepEqual(found['aliases'], [0, 0, 0, 0x4711, 0, 0, 0, 7]);
  t.is(found['preOp'], 2);
});

promise('SOEM makes process images of the sizes that the EEPROMs say', (t, found) => {
  t.deepEqual(found['outputBytes'], [0, 0, 2, 0, 0, 0, 2, 4]);
  t.deepEqual(found['inputBytes'], [0, 2, 0, 0, 4, 0, 0, 6]);
  t.is(found['imageBytes'], 20);
  // Inputs count once, outputs twice: two, three, and a drive that has both.
  t.is(found['workingCounter'], 9);
});

promise('SOEM works out the tree and its delays from the receive times', (t, found) => {
  t.is(found['clocks'], 1);
  // Those of terminals without a clock are not written. 150 ns a hop on the E-bus and 500 ns by MII; the way to the
  // junction is 500 + 50 there and 150 + 50 back, of which SOEM takes the half. The far coupler's frames pass the
  // branch before it (300 ns there and back), and 100 m of cable.
  t.deepEqual(found['delaysNs'], [0, null, null, 300 + 375, null, 675 + 300 + 1000, 2125, 2450]);
});

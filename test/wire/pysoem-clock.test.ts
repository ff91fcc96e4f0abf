// SOEM and the distributed clocks of simulated devices.

import { soemFinds } from '../support/pysoem.ts';

interface Found {
  readonly clocks: readonly number[];
  readonly delaysNs: readonly number[];
  readonly op: number;
  readonly timeGoesOn: boolean;
  readonly differencesNs: readonly number[];
  readonly sync0: readonly number[][];
  readonly sync1: readonly number[];
  readonly off: number;
}

const promise = soemFinds<Found>('clock');

promise('SOEM finds the clocks, and measures delays that fit the cables', (t, { clocks, delaysNs }) => {
  t.deepEqual(clocks, [1, 5]);
  // Two hops on the E-bus. To the coupler 500 ns of cable, and one hop by E-bus or MII each way; then 500 ns by MII
  // and 20 m (100 ns) a hop, the first from an E-bus port.
  t.deepEqual(delaysNs, [0, 300, 300 + 500 + 325, 1125 + 100 + 325, 1550 + 100 + 500]);
});

promise('with SOEM sending the time on, the clocks come together', (t, { op, timeGoesOn, differencesNs }) => {
  t.is(op, 8);
  t.true(timeGoesOn);
  t.is(differencesNs.length, 5);
  for (const difference of differencesNs) t.true(Math.abs(difference) < 100, String(differencesNs));
});

promise('SOEM sets SYNC0 and SYNC1 up, and off', (t, { sync0, sync1, off }) => {
  // Activation, cycle, and where in the cycle it starts.
  t.deepEqual(sync0, [
    [0x03, 1_000_000, 50_000],
    [0x03, 1_000_000, 50_000],
  ]);
  t.deepEqual(sync1, [0x07, 1_000_000, 500_000]);
  t.is(off, 0);
});

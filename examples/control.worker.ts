/** A PI controller in a thread of its own: one step a cycle, without the event loop, and without any other thread. */

import { parentPort, workerData } from 'node:worker_threads';
import { attach, type BusHandle } from '../src/index.ts';

const { handle, setPoint } = workerData as { handle: BusHandle; setPoint: number };
const PROPORTIONAL = 0.1;
const INTEGRAL_PER_S = 50;
const CYCLE_S = 0.001;
const WAIT_MS = 1000;

const bus = attach(handle, { lane: 'controller' });
let integral = 0;
let steps = 0;
let last = 0;
while (!bus.isClosed) {
  const cycle = bus.waitCycle(WAIT_MS);
  if (cycle === undefined || bus.readQuality('speed.actual') !== 'good') continue;
  if (bus.isLaneLost) {
    // This thread was away for longer than its deadline, and its output is at its loss value: begins anew from there.
    bus.resume().catch(() => undefined);
    [integral, last] = [0, 0];
    continue;
  }
  // Where cycles were missed, the integral takes the time that has really passed.
  const passedS = last === 0 ? CYCLE_S : (cycle - last) * CYCLE_S;
  last = cycle;
  const error = setPoint - Number(bus.read('speed.actual'));
  integral += INTEGRAL_PER_S * error * passedS;
  const output = Math.max(-30_000, Math.min(30_000, PROPORTIONAL * error + integral));
  // What becomes of one write is of no interest where the next follows in a millisecond.
  bus.write({ 'speed.target': Math.round(output) }).catch(() => undefined);
  steps += 1;
  if (steps % 100 === 0) parentPort?.postMessage({ steps, cycle });
}

/**
 * A PI control loop at 1 kHz in a worker, which survives what happens elsewhere: here the main thread is blocked for a
 * second. Run: `npx node examples/control.ts`
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { MainDevice } from '../src/index.ts';

const SET_POINT_RPM = 1500;
const BLOCKED_MS = 1000;

await using bus = await MainDevice.open(new URL('control.yaml', import.meta.url));
const worker = new Worker(new URL('control.worker.ts', import.meta.url), {
  workerData: { handle: bus.handle, setPoint: SET_POINT_RPM },
});
let steps = 0;
worker.on('message', (message: { steps: number }) => {
  steps = message.steps;
});
while (steps === 0) await sleep(20);
const before = bus.statistics().commits;
const beganMs = performance.now();
while (performance.now() - beganMs < BLOCKED_MS);
const written = bus.statistics().commits - before;
console.log(`while the main thread was blocked for ${BLOCKED_MS} ms the controller wrote ${written} times`);
console.log(`speed: ${String(bus.snapshot().value('speed.actual'))} of ${SET_POINT_RPM} rpm`);

// Keeps the processors out of sleep states while it measures, as cyclictest does: waking a sleeping processor takes longer
// than everything that is measured here, in a virtual machine most of all.

import { closeSync, openSync, writeSync } from 'node:fs';

const DEVICE = '/dev/cpu_dma_latency';

let descriptor: number | undefined;

/** Holds the wake-up latency at 0; returns whether the system lets it. */
export function keepAwake(): boolean {
  if (descriptor !== undefined) return true;
  try {
    descriptor = openSync(DEVICE, 'r+');
    // A signed 32-bit number of µs, which holds as long as the file is open.
    writeSync(descriptor, new Uint8Array(4));
    return true;
  } catch {
    letSleep();
    return false;
  }
}

/** Lets the processors sleep as the system would. */
export function letSleep(): void {
  if (descriptor !== undefined) closeSync(descriptor);
  descriptor = undefined;
}

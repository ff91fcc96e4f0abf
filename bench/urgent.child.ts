// A process that writes urgently: it says when it called, and the other end of the wire when frames came.

import { setTimeout as sleep } from 'node:timers/promises';
import type { ConfigurationDocument } from '../src/core/configuration/types.ts';
import { MainDevice } from '../src/main-device.ts';

/** What it is told, as JSON, by its only argument. */
export interface UrgentWrites {
  readonly plant: ConfigurationDocument;
  /** Output of 8 bits. */
  readonly tag: string;
  readonly count: number;
  readonly repeats: number;
}

/** Longest pause between two writes, which come at any moment of a cycle. */
const PAUSE_MS = 4;

const { plant, tag, count, repeats } = JSON.parse(process.argv[2] ?? '') as UrgentWrites;
await using bus = await MainDevice.open(plant);
let value = 0;
// The first round only warms up.
for (let round = 0; round <= repeats; round += 1) {
  const called: number[] = [];
  for (let n = 0; n < count; n += 1) {
    await sleep(Math.random() * PAUSE_MS);
    // Timers fire at whole milliseconds, which is the cycle: the rest is spun.
    const moment = performance.now() + Math.random();
    while (performance.now() < moment);
    value = (value + 1) % 256;
    const values = { [tag]: value };
    const calledNs = process.hrtime.bigint();
    await bus.writeUrgent(values);
    called.push(Number(calledNs));
  }
  if (round > 0) process.stdout.write(`${JSON.stringify(called)}\n`);
}

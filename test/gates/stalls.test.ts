/** The main thread is away: blocked, or collecting garbage. The bus goes on, and what was missed is told once. */

import test from 'ava';
import { type ChangeBatch, MainDevice, type Sample } from '../../src/index.ts';
import { plant } from '../support/plant.ts';

/** Blocks this thread and its event loop. */
function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** One turn of the event loop. */
async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

for (const [seconds, partitions] of [
  [1, 1],
  [5, 2],
] as const) {
  test(`after ${seconds} s in which the main thread was blocked each tag emits once, with the exact number missed`, async (t) => {
    await using bus = await MainDevice.open(plant({ partitions, output_deadline_ms: 0 }));
    const batches: ChangeBatch[] = [];
    const samples = new Map<string, Sample[]>();
    bus.changes$.subscribe((batch) => batches.push(batch));
    for (const tag of bus.tags)
      tag.value$.subscribe((sample) => samples.set(tag.name, [...(samples.get(tag.name) ?? []), sample]));
    while (batches.length < 5) await turn();
    block(seconds * 1000);
    batches.length = 1;
    samples.clear();
    const last = bus.tag('count').sample;
    // All that waits comes in one delivery.
    while (batches.length === 1) await turn();
    const [, batch] = batches;
    t.true(batch!.missed >= seconds * 500, `${batch!.missed}`);
    for (const [name, emitted] of samples) {
      const [sample, ...others] = emitted.filter(({ cycle }) => cycle <= batch!.cycle);
      t.deepEqual(others, [], name);
      if (sample !== undefined) t.deepEqual([sample.cycle, sample.missed], [batch!.cycle, batch!.missed], name);
    }
    // Every cycle changes `count`: this thread had seen the cycle before the first that it missed, or a few later ones.
    const unaccounted = batch!.cycle - batch!.missed - 1 - last.cycle;
    t.true(unaccounted >= 0 && unaccounted <= 64, `${unaccounted}`);
    t.is(samples.get('count')![0]!.value, batch!.get('count')!.value as never);
  });
}

/** Makes garbage for a while, some of which lives for several collections. */
function storm(hoard: unknown[]): void {
  for (let n = 0; n < 2000; n += 1) hoard.push({ n, text: `${n}`, list: [n, n, n] });
  if (hoard.length > 200_000) hoard.length = 0;
}

test('in a storm of garbage the bus goes on, and what was missed is not told twice', async (t) => {
  await using bus = await MainDevice.open(plant({ output_deadline_ms: 0 }));
  const batches: { cycle: number; missed: number }[] = [];
  bus.changes$.subscribe(({ cycle, missed }) => batches.push({ cycle, missed }));
  while (batches.length < 5) await turn();
  const { cycles } = bus.statistics();
  const hoard: unknown[] = [];
  for (const endMs = performance.now() + 1500; performance.now() < endMs; ) {
    storm(hoard);
    await turn();
  }
  t.true(bus.statistics().cycles > cycles);
  const periods = batches.slice(1).reduce((sum, { missed }) => sum + missed + 1, 0);
  // Less by the cycles in which nothing changed: of two that come together, when the machine was away.
  t.true(periods <= batches.at(-1)!.cycle - batches[0]!.cycle);
});

test('deliveries and what they missed add up to the schedule, in a storm of garbage too', async (t) => {
  await using bus = await MainDevice.open(plant({ time: 'virtual', output_deadline_ms: 0, partitions: 2 }));
  const batches: { cycle: number; missed: number }[] = [];
  bus.changes$.subscribe(({ cycle, missed }) => batches.push({ cycle, missed }));
  const first = await bus.advance(0);
  const hoard: unknown[] = [];
  for (let n = 0; n < 300; n += 1) {
    const advanced = bus.advance(1 + ((n * 37) % 100));
    storm(hoard);
    await turn();
    storm(hoard);
    await advanced;
  }
  const last = await bus.advance(0);
  t.is(batches.at(-1)!.cycle, last);
  const periods = batches.reduce((sum, { missed }) => sum + missed + 1, 0);
  t.is(periods, last - first);
});

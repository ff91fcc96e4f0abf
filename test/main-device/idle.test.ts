/** What a bus costs while nobody watches: seen at the mechanism, and not by what is told. */

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import test from 'ava';
import type { Observable } from 'rxjs';
import { BATCH_HEADER_RECORDS } from '../../src/core/change-log.ts';
import {
  HEADER_LOG_OFFSET_I32,
  HEADER_LOG_STRIDE_BYTES_I32,
  LOG_CURSOR_HEAD_I32,
} from '../../src/core/generated/layout.ts';
import { native } from '../../src/core/native.ts';
import { attach, type BusHandle, MainDevice } from '../../src/index.ts';
import { plant } from '../support/plant.ts';

const PARTITIONS = 2;
const open = (): Promise<MainDevice> =>
  MainDevice.open(plant({ time: 'virtual', output_deadline_ms: 0, partitions: PARTITIONS }));

/** Wake-ups that nobody's watching causes: one every 25 ms, what a busy machine reports, and what a test itself waits for. */
const wakeUpsAtRest = (sinceMs: number): number => 100 + (performance.now() - sinceMs) / 20;

/** Records that the decode workers have published so far. */
function published({ memory }: BusHandle): number {
  const words = new Int32Array(memory);
  const log = words[HEADER_LOG_OFFSET_I32]!;
  const stride = words[HEADER_LOG_STRIDE_BYTES_I32]!;
  let records = 0;
  for (let partition = 0; partition < PARTITIONS; partition += 1) {
    records += Atomics.load(words, (log + partition * stride) / 4 + LOG_CURSOR_HEAD_I32);
  }
  return records;
}

/** Whether any thread has asked to be told of changes. */
function isFollowed({ engineId, memory }: BusHandle): boolean {
  const attachment = new (native().BindingAttachment)(engineId, new Uint8Array(memory), null);
  try {
    return attachment.isFollowed();
  } finally {
    attachment.release();
  }
}

test('while nobody watches, the workers publish no change and wake nobody, and the last to unsubscribe leaves it so', async (t) => {
  await using bus = await open();
  let wakeUps = 0;
  bus.cycles$.subscribe(() => (wakeUps += 1));
  /** What a thousand cycles cost in which two tags change each. */
  const cost = async (): Promise<{ records: number; wakeUps: number }> => {
    const before = { records: published(bus.handle), wakeUps };
    for (let n = 0; n < 10; n += 1) await bus.advance(100);
    return { records: published(bus.handle) - before.records, wakeUps: wakeUps - before.wakeUps };
  };
  // Ten times this thread waits for a cycle, and is woken for that by each partition.
  const atRest = { records: 10 * PARTITIONS * BATCH_HEADER_RECORDS };
  const check = async (when: string): Promise<void> => {
    t.false(isFollowed(bus.handle), when);
    const beganMs = performance.now();
    const { records, wakeUps: woken } = await cost();
    t.true(records <= 2 * atRest.records, `${when}: ${records} records`);
    t.true(woken <= wakeUpsAtRest(beganMs), `${when}: ${woken} wake-ups`);
  };
  await check('before the first');
  const streams: Record<string, Observable<unknown>> = {
    value$: bus.tag('count').value$,
    watch: bus.tag('count').watch({ minIntervalMs: 1000 }),
    edges$: bus.tag('pulse').edges$,
    tags$: bus.tags$(['count', 'pulse']),
    changes$: bus.changes$,
  };
  for (const [name, stream] of Object.entries(streams)) {
    const subscriptions = [stream.subscribe(), stream.subscribe()];
    t.true(isFollowed(bus.handle), name);
    const before = published(bus.handle);
    for (let n = 0; n < 20; n += 1) await bus.advance(1);
    // A batch a cycle, with a head of two records and one for the tag that changed.
    const records = published(bus.handle) - before;
    t.true(records >= 20 * (BATCH_HEADER_RECORDS + 1), `${name}: ${records} records`);
    subscriptions[0]!.unsubscribe();
    t.true(isFollowed(bus.handle), name);
    subscriptions[1]!.unsubscribe();
    await check(`after ${name}`);
  }
  // What goes by slots needs no worker at all.
  const others = [
    bus.every(10).subscribe(),
    bus.windows({ tags: ['count'], window: 8 }).subscribe(),
    bus.states$.subscribe(),
    bus.faults$.subscribe(),
  ];
  t.false(isFollowed(bus.handle));
  for (const subscription of others) subscription.unsubscribe();
});

test('in lockstep too no change is published while nobody watches: each cycle is told, and nothing of it', async (t) => {
  await using bus = await open();
  const before = published(bus.handle);
  await bus.advance(200, { lockstep: true });
  const records = published(bus.handle) - before;
  t.true(records <= 200 * PARTITIONS * BATCH_HEADER_RECORDS, `${records}`);
});

test('whoever reads without watching has the newest value, and whoever begins to watch misses nothing from there on', async (t) => {
  await using bus = await open();
  using attached = attach(bus.handle);
  for (let round = 0; round < 20; round += 1) {
    await bus.advance(1 + (round % 3));
    const now = bus.snapshot();
    for (const { name, value, sample } of bus.tags) {
      t.deepEqual([value, sample.value, sample.quality], [now.value(name), now.value(name), 'good'], name);
    }
    t.is(attached.tag('count').value, now.value('count'));
    const seen: number[] = [];
    const subscription = bus.tag<number>('count').value$.subscribe(({ value }) => seen.push(value));
    for (let n = 0; n < 3; n += 1) await bus.advance(1);
    subscription.unsubscribe();
    const first = now.value('count') as number;
    t.deepEqual(seen, [first, first + 1, first + 2, first + 3]);
  }
});

test('a thread that watches wakes itself, and no other', async (t) => {
  await using bus = await open();
  const counted = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(new URL('fixtures/watching.worker.ts', import.meta.url), {
    workerData: { handle: bus.handle, counted },
  });
  const told = async (): Promise<void> => {
    const samples = Atomics.load(counted, 0);
    while (Atomics.load(counted, 0) === samples) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  await told();
  let wakeUps = 0;
  bus.cycles$.subscribe(() => (wakeUps += 1));
  const other = told();
  for (let n = 0; n < 10; n += 1) await bus.advance(100);
  await other;
  // What it waits for itself, as at rest: every one of the thousand cycles has a change.
  t.true(wakeUps <= 200, `${wakeUps} wake-ups`);
  await bus.close();
  await worker.terminate();
});

test('a thread that watches has the workers work, and its end lets them rest, however it comes', async (t) => {
  await using bus = await open();
  using attached = attach(bus.handle);
  const subscription = attached.tag('count').value$.subscribe();
  t.true(isFollowed(bus.handle));
  attached.close();
  t.false(isFollowed(bus.handle));
  subscription.unsubscribe();
  t.false(isFollowed(bus.handle));
  const worker = new Worker(new URL('fixtures/attached.worker.ts', import.meta.url), {
    workerData: { handle: bus.handle, cycles: 1 },
  });
  // It says what it sees, and then each change of a tag.
  await once(worker, 'message');
  await once(worker, 'message');
  t.true(isFollowed(bus.handle));
  await worker.terminate();
  while (isFollowed(bus.handle)) await new Promise((resolve) => setTimeout(resolve, 5));
  t.pass();
});

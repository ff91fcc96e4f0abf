/** Decode workers, their logs and a consumer in one thread, as the native side would put them together. */

import { BatchWriter } from '../../src/core/change-log.ts';
import { type ChangeSource, Consumer, type SlotReader } from '../../src/core/consumer.ts';
import { CycleNumber, cyclesBetween } from '../../src/core/cycle-number.ts';
import { Decoder, SlotBuffer } from '../../src/core/decode.ts';
import { ChangeDetector } from '../../src/core/detect.ts';
import { LOG_BATCH_FULL, RECORD_BYTES } from '../../src/core/generated/layout.ts';
import { Direction, type TagRow, TagTable } from '../../src/core/tag-table.ts';
import { Kind, type TagValue } from '../../src/core/tag-types.ts';

// A slot of these tests: cycle u32, 4 bytes of quality, 64 bytes of inputs, 16 of outputs.
export const sections = { quality: 4, inputs: 8, outputs: 72 };
const SLOT_BYTES = 88;
const reader: SlotReader = {
  cycle: (slot) => slot.view.getUint32(0, true),
  times: (slot, out) => out.set([slot.view.getUint32(0, true), 1, 2, 3]),
};

export function row(kind: number, bitOffset: number, bitLength: number, more: Partial<TagRow> = {}): TagRow {
  return { kind, direction: Direction.input, bitOffset, bitLength, subDevice: 0, scale: 1, offset: 0, ...more };
}

export const rows: TagRow[] = [
  row(Kind.bool, 0, 1),
  row(Kind.bool, 1, 1, { subDevice: 1 }),
  row(Kind.int16, 16, 16),
  row(Kind.int32, 32, 32, { scale: 0.5 }),
  row(Kind.uint64, 64, 64),
  row(Kind.bytes, 131, 40, { subDevice: 1 }),
  row(Kind.float32, 190, 32),
  row(Kind.uint16, 3, 12, { direction: Direction.output, subDevice: 1 }),
  ...Array.from({ length: 16 }, (_, i) => row(Kind.uint8, 256 + 8 * i, 8)),
];

/** The decode worker of one partition, and its log. */
interface Worker {
  readonly detector: ChangeDetector;
  readonly size: number;
  log: { head: number; words: Uint32Array }[];
  previous: SlotBuffer | undefined;
  decoded: number;
  hasDecoded: boolean;
  published: number;
  awaited: number | undefined;
  /** Whether nobody followed when it looked last. */
  idle: boolean;
}

/** A bus, its workers and their logs in one thread, as the native side would have them. */
export class Bench implements ChangeSource {
  readonly table: TagTable;
  readonly decoder: Decoder;
  readonly workers: Worker[];
  readonly slots: Map<number, Uint8Array> = new Map();
  readonly image: SlotBuffer = new SlotBuffer(SLOT_BYTES);
  readonly delivered: { cycle: number; missed: number; tags: number[]; values: TagValue[]; quality: number[] }[] = [];
  readonly consumer: Consumer;
  cycle: number;
  /** Whether a worker that was asleep looks at every cycle that the ring has, or only at the newest. */
  stepwise = false;
  ringSlots = 8;
  lapAfter: number = Number.POSITIVE_INFINITY;
  overtaken = 0;
  followed = false;

  constructor(start = 1, of: readonly TagRow[] = rows) {
    this.cycle = start - 1;
    this.table = TagTable.build(of, 2);
    this.decoder = new Decoder(this.table, sections);
    this.workers = Array.from({ length: this.table.partitionCount }, (_, partition) => {
      const tags = this.table.tagsOf(partition);
      return {
        detector: new ChangeDetector(this.table, this.decoder, sections, SLOT_BYTES, tags),
        size: tags.length,
        log: [],
        previous: undefined,
        decoded: start - 1,
        hasDecoded: false,
        published: 0,
        awaited: undefined,
        idle: false,
      };
    });
    this.consumer = new Consumer({
      table: this.table,
      decoder: this.decoder,
      reader,
      source: this,
      cycleNumber: new CycleNumber(),
      slot: new SlotBuffer(SLOT_BYTES),
      leavesOut: true,
      deliver: (batch) => {
        const tags = [...batch.tags.subarray(0, batch.count)];
        this.delivered.push({
          cycle: batch.cycle,
          missed: batch.missed,
          tags,
          values: tags.map((tag) => this.value(tag)),
          quality: tags.map((tag) => this.consumer.quality[tag]!),
        });
      },
    });
    this.consumer.follow(true);
  }

  latestCycle(): number {
    return this.cycle;
  }

  /** A worker that nobody follows compares nothing. */
  follow(on: boolean): void {
    this.followed = on;
  }

  get log(): { head: number; words: Uint32Array }[] {
    return this.workers[0]!.log;
  }

  value(tag: number): TagValue {
    return this.consumer.value(tag);
  }

  /** One cycle: changes the image, publishes the slot, and lets the workers see it unless they sleep. */
  run(change: (bytes: Uint8Array) => void = () => undefined, asleep: boolean | readonly number[] = false): void {
    this.cycle = (this.cycle + 1) >>> 0;
    change(this.image.bytes);
    this.image.view.setUint32(0, this.cycle, true);
    this.slots.set(this.cycle, this.image.bytes.slice());
    this.slots.delete((this.cycle - this.ringSlots) >>> 0);
    for (const partition of this.workers.keys()) {
      if (asleep === false || (asleep !== true && !asleep.includes(partition))) this.work(false, partition);
    }
  }

  /** What a decode worker does with every slot that the ring still has, or with the newest where it was overtaken. */
  work(restarted = false, partition = 0): void {
    const worker = this.workers[partition]!;
    for (let cycle = (worker.decoded + 1) >>> 0; ; cycle = (cycle + 1) >>> 0) {
      const isNewest = cycle === this.cycle || cyclesBetween(cycle, this.cycle) > 0;
      if (isNewest || (this.stepwise && this.slots.has(cycle)))
        this.#look(worker, isNewest ? this.cycle : cycle, restarted);
      if (isNewest) return;
    }
  }

  #look(worker: Worker, cycle: number, restarted: boolean): void {
    const current = new SlotBuffer(SLOT_BYTES);
    current.bytes.set(this.slots.get(cycle)!);
    const missed = cyclesBetween(cycle, worker.decoded) - 1;
    const batch = new BatchWriter(worker.size);
    let full = restarted || worker.previous === undefined || missed > 0;
    if (!this.followed) {
      [worker.previous, worker.decoded, worker.hasDecoded, worker.idle] = [current, cycle, true, true];
      return;
    }
    if (worker.idle) {
      full = restarted;
      worker.detector.tellAll(worker.previous!);
      worker.idle = false;
    }
    if (full) worker.detector.tellAll(current);
    const count = full ? LOG_BATCH_FULL : worker.detector.compare(worker.previous!, current, cycle, batch);
    if (count !== 0) {
      const bytes = batch.finish(cycle, count, Math.max(0, missed), Uint32Array.of(cycle, 1, 2, 3));
      const words = batch.words.slice(0, bytes / 4);
      worker.published += bytes / RECORD_BYTES;
      worker.log.push({ head: worker.published, words });
    }
    worker.previous = current;
    worker.decoded = cycle;
    worker.hasDecoded = true;
  }

  drain(partition: number, tail: Uint32Array, records: Uint8Array): number {
    const { published, log } = this.workers[partition]!;
    const from = tail[0]!;
    if (published - from > this.lapAfter) {
      tail[0] = published;
      return -1;
    }
    // As much as fits: a batch may be cut anywhere between two records.
    const all = log.flatMap((batch) => [...batch.words]).slice(from * 4);
    const words = all.slice(0, records.length / 4);
    tail[0] = from + words.length / 4;
    records.set(new Uint8Array(Uint32Array.from(words).buffer));
    return words.length / 4;
  }

  copyNewest(slot: Uint8Array): number {
    if (this.overtaken > 0) {
      this.overtaken -= 1;
      return 3;
    }
    slot.set(this.image.bytes);
    return 0;
  }

  copyCycle(cycle: number, slot: Uint8Array): number {
    const bytes = this.slots.get(cycle);
    if (bytes === undefined) return 3;
    slot.set(bytes);
    return 0;
  }

  decodedCycle(partition: number): number | undefined {
    const { hasDecoded, decoded } = this.workers[partition]!;
    return hasDecoded ? decoded : undefined;
  }

  awaitDecoded(partition: number, cycle: number): void {
    this.workers[partition]!.awaited = cycle;
  }
}

export function opened(start?: number, of?: readonly TagRow[]): Bench {
  const bench = new Bench(start, of);
  bench.run();
  bench.consumer.pump();
  bench.delivered.length = 0;
  return bench;
}

import { testProp } from '@fast-check/ava';
import test from 'ava';
import fc from 'fast-check';
import { BATCH_HEADER_RECORDS, BatchWriter, entriesMax, logRecords } from '../../src/core/change-log.ts';
import { BACKLOG_CYCLES_MAX, type ChangeSource, Consumer, type SlotReader } from '../../src/core/consumer.ts';
import { CycleNumber, cyclesBetween } from '../../src/core/cycle-number.ts';
import { Decoder, SlotBuffer } from '../../src/core/decode.ts';
import { ChangeDetector } from '../../src/core/detect.ts';
import { LOG_BATCH_FULL, RECORD_BYTES } from '../../src/core/generated/layout.ts';
import { Direction, type TagRow, TagTable } from '../../src/core/tag-table.ts';
import { Kind, type TagValue } from '../../src/core/tag-types.ts';

// A slot of these tests: cycle u32, 4 bytes of quality, 64 bytes of inputs, 16 of outputs.
const sections = { quality: 4, inputs: 8, outputs: 72 };
const SLOT_BYTES = 88;
const RING_SLOTS = 8;
const reader: SlotReader = {
  cycle: (slot) => slot.view.getUint32(0, true),
  times: (slot, out) => out.set([slot.view.getUint32(0, true), 1, 2, 3]),
};

function row(kind: number, bitOffset: number, bitLength: number, more: Partial<TagRow> = {}): TagRow {
  return { kind, direction: Direction.input, bitOffset, bitLength, subDevice: 0, scale: 1, offset: 0, ...more };
}

const rows: TagRow[] = [
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

/** A bus, a worker and a log in one thread, as the native side would have them. */
class Bench implements ChangeSource {
  readonly table: TagTable = TagTable.build(rows, 2);
  readonly decoder: Decoder = new Decoder(this.table, sections);
  readonly detector: ChangeDetector = new ChangeDetector(
    this.table,
    this.decoder,
    sections,
    SLOT_BYTES,
    this.table.tagsOf(0),
  );
  readonly log: { head: number; words: Uint32Array }[] = [];
  readonly slots: Map<number, Uint8Array> = new Map();
  readonly image: SlotBuffer = new SlotBuffer(SLOT_BYTES);
  readonly delivered: { cycle: number; missed: number; tags: number[]; values: TagValue[]; quality: number[] }[] = [];
  readonly consumer: Consumer;
  cycle: number;
  previous: SlotBuffer | undefined;
  decoded = 0;
  published = 0;
  lapAfter: number = Number.POSITIVE_INFINITY;
  overtaken = 0;

  constructor(start = 1) {
    this.cycle = start - 1;
    this.decoded = start - 1;
    this.consumer = new Consumer({
      table: this.table,
      decoder: this.decoder,
      reader,
      source: this,
      cycleNumber: new CycleNumber(),
      slot: new SlotBuffer(SLOT_BYTES),
      logRecords: 4096,
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
  }

  value(tag: number): TagValue {
    return this.consumer.value(tag);
  }

  /** One cycle: changes the image, publishes the slot, and lets the worker see it unless it sleeps. */
  run(change: (bytes: Uint8Array) => void = () => undefined, workerSleeps = false): void {
    this.cycle = (this.cycle + 1) >>> 0;
    change(this.image.bytes);
    this.image.view.setUint32(0, this.cycle, true);
    this.slots.set(this.cycle, this.image.bytes.slice());
    this.slots.delete((this.cycle - RING_SLOTS) >>> 0);
    if (!workerSleeps) this.work();
  }

  /** What a decode worker does with the newest slot. */
  work(restarted = false): void {
    const current = new SlotBuffer(SLOT_BYTES);
    current.bytes.set(this.image.bytes);
    const missed = cyclesBetween(this.cycle, this.decoded) - 1;
    const batch = new BatchWriter(rows.length);
    const full = restarted || this.previous === undefined || missed > 0;
    const count = full ? LOG_BATCH_FULL : this.detector.compare(this.previous!, current, this.cycle, batch);
    if (count !== 0) {
      const bytes = batch.finish(this.cycle, count, Math.max(0, missed), Uint32Array.of(this.cycle, 1, 2, 3));
      const words = batch.words.slice(0, bytes / 4);
      this.published += bytes / RECORD_BYTES;
      this.log.push({ head: this.published, words });
    }
    this.previous = current;
    this.decoded = this.cycle;
  }

  drain(tail: Uint32Array, records: Uint8Array): number {
    const from = tail[0]!;
    tail[0] = this.published;
    if (this.published - from > this.lapAfter) return -1;
    const words = this.log.filter(({ head }) => head > from).flatMap((batch) => [...batch.words]);
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

  decodedCycle(): number {
    return this.decoded;
  }
}

function opened(start?: number): Bench {
  const bench = new Bench(start);
  bench.run();
  bench.consumer.pump();
  bench.delivered.length = 0;
  return bench;
}

test('the first slot fills every tag', (t) => {
  const bench = new Bench();
  bench.run((bytes) => bytes.fill(0xff, 8));
  t.true(bench.consumer.pump());
  t.is(bench.delivered[0]!.tags.length, rows.length);
  t.is(bench.value(3), -0.5);
  t.is(bench.value(4), 0xffff_ffff_ffff_ffffn);
  t.is(bench.value(7), 0xfff);
});

test('a changed word makes exactly its changed tags into entries', (t) => {
  const bench = opened();
  bench.run((bytes) => {
    bytes[8] = 0b10;
  });
  bench.run((bytes) => {
    bytes[10] = 7;
    bytes[73] = 0x10;
  });
  bench.run();
  bench.consumer.pump();
  t.deepEqual(
    bench.delivered.map(({ cycle, tags, values, missed }) => ({ cycle, tags, values, missed })),
    [
      { cycle: 2, tags: [1], values: [true], missed: 0 },
      { cycle: 3, tags: [2, 7], values: [7, 0x200], missed: 0 },
    ],
  );
});

test('a changed quality marks every tag of the SubDevice', (t) => {
  const bench = opened();
  bench.run((bytes) => {
    bytes[5] = 3;
  });
  bench.consumer.pump();
  t.deepEqual(bench.delivered[0]!.tags, [1, 5, 7]);
  t.deepEqual(bench.delivered[0]!.quality, [3, 3, 3]);
});

test('whoever gets the bytes of a byte string may change them', (t) => {
  const bench = opened();
  bench.run((bytes) => bytes.fill(0x11, 24, 30));
  bench.consumer.pump();
  (bench.value(5) as Uint8Array).fill(0);
  t.deepEqual(bench.value(5), new Uint8Array(5).fill(0x22));
});

test('byte strings carry the bytes of the very cycle of their batch', (t) => {
  const bench = opened();
  bench.run((bytes) => bytes.fill(0x11, 24, 30));
  bench.run((bytes) => bytes.fill(0x22, 24, 30));
  bench.consumer.pump();
  t.deepEqual(
    bench.delivered.map(({ values }) => values[0]),
    [new Uint8Array(5).fill(0x22), new Uint8Array(5).fill(0x44)],
  );
});

test('a batch with more changes than a quarter of the tags is FULL and carries no entries', (t) => {
  const bench = opened();
  bench.run((bytes) => bytes.fill(0xff, 8));
  t.is(bench.log.at(-1)!.words[2], LOG_BATCH_FULL);
  bench.consumer.pump();
  t.is(bench.delivered.length, 1);
  t.is(bench.delivered[0]!.missed, 0);
  t.is(bench.delivered[0]!.tags.length, rows.length);
});

test('after a lapped log each changed tag is delivered once with its newest value, and the missed cycles are counted', (t) => {
  const bench = opened();
  for (let i = 1; i <= 1000; i += 1) {
    bench.run((bytes) => {
      bytes[10] = i;
      bytes[11] = i >>> 8;
    });
  }
  bench.lapAfter = 100;
  bench.consumer.pump();
  t.deepEqual(bench.delivered, [{ cycle: 1001, missed: 999, tags: [2], values: [1000], quality: [0] }]);
});

test('a backlog of more than the limit is delivered as one, a shorter one cycle by cycle', (t) => {
  for (const cycles of [BACKLOG_CYCLES_MAX, BACKLOG_CYCLES_MAX + 1]) {
    const bench = opened();
    for (let i = 1; i <= cycles; i += 1) {
      bench.run((bytes) => {
        bytes[10] = i;
      });
    }
    bench.consumer.pump();
    t.is(bench.delivered.length, cycles === BACKLOG_CYCLES_MAX ? cycles : 1);
    t.is(
      bench.delivered.reduce((sum, { missed }) => sum + missed + 1, 0),
      cycles,
    );
    t.is(bench.value(2), cycles);
  }
});

test('cycles in which nothing changed are not missed', (t) => {
  const bench = opened();
  for (let i = 0; i < 500; i += 1) bench.run();
  bench.run((bytes) => bytes.fill(0xff, 8));
  bench.consumer.pump();
  t.is(bench.delivered[0]!.missed, 0);
});

test('a worker that skipped cycles says so with a FULL batch', (t) => {
  const bench = opened();
  for (let i = 0; i < 4; i += 1) bench.run((bytes) => (bytes[10] = i), true);
  bench.run((bytes) => (bytes[10] = 9));
  bench.consumer.pump();
  t.deepEqual(
    bench.delivered.map(({ missed, values }) => ({ missed, values })),
    [{ missed: 4, values: [9] }],
  );
});

test('batches that are older than the slot last compared are left out', (t) => {
  const bench = opened();
  bench.run((bytes) => bytes.fill(0xff, 8));
  bench.run((bytes) => (bytes[10] = 1), true);
  bench.consumer.pump();
  t.is(bench.delivered[0]!.cycle, 3);
  t.is(bench.delivered[0]!.missed, 1);
  bench.work();
  bench.consumer.pump();
  t.is(bench.delivered.length, 1);
});

test('a replaced worker brings every consumer up to date, also about changes that nobody published', (t) => {
  const bench = opened();
  bench.run((bytes) => (bytes[10] = 5), true);
  bench.run(undefined, true);
  bench.work(true);
  bench.consumer.pump();
  t.deepEqual(bench.delivered, [{ cycle: 3, missed: 1, tags: [2], values: [5], quality: [0] }]);
});

test('when the ring overtakes every copy the consumer says so and catches up later', (t) => {
  const bench = opened();
  bench.run((bytes) => bytes.fill(0xff, 8));
  bench.overtaken = 100;
  t.false(bench.consumer.pump());
  t.false(bench.consumer.pump());
  bench.overtaken = 0;
  t.true(bench.consumer.pump());
  t.is(bench.delivered.length, 1);
});

test('every tag keeps number and times of the cycle in which it changed last', (t) => {
  const bench = opened(2 ** 32 - 1);
  for (let i = 1; i <= 3; i += 1) bench.run((bytes) => (bytes[10] = i));
  bench.run();
  bench.consumer.pump();
  const { cycles, times } = bench.consumer;
  t.deepEqual([cycles[2], ...times.subarray(8, 12)], [2 ** 32 + 2, 2, 1, 2, 3]);
  t.deepEqual([cycles[3], ...times.subarray(12, 16)], [2 ** 32 - 1, 2 ** 32 - 1, 1, 2, 3]);
});

test('at the end every tag has its newest value, and is bad', (t) => {
  const bench = opened();
  bench.run((bytes) => (bytes[10] = 1));
  bench.run((bytes) => {
    bytes[5] = 3;
    bytes[10] = 2;
  }, true);
  bench.consumer.end();
  bench.consumer.end();
  bench.consumer.pump();
  t.is(bench.delivered.length, 1);
  t.like(bench.delivered[0], { cycle: 4, missed: 2 });
  t.is(bench.delivered[0]!.tags.length, rows.length);
  t.true(bench.consumer.quality.every((quality) => quality === 3));
  t.is(bench.value(2), 2);
});

test('cycle numbers may wrap between any two cycles', (t) => {
  const bench = opened(2 ** 32 - 100);
  for (let i = 1; i <= 300; i += 1) {
    bench.run((bytes) => (bytes[10] = i & 0xff));
    if (i % 30 === 0) bench.consumer.pump();
  }
  t.is(bench.delivered.length, 300);
  t.is(
    bench.delivered.every(({ missed }) => missed === 0),
    true,
  );
  const long = new CycleNumber();
  t.is(long.extend(2 ** 32 - 2), 2 ** 32 - 2);
  t.is(long.extend(3), 2 ** 32 + 3);
  t.is(long.extend(2 ** 32 - 1), 2 ** 32 - 1);
  t.is(long.extend(4), 2 ** 32 + 4);
});

testProp(
  'two consumers at any speed end with the same values as the newest slot',
  [
    fc.array(
      fc.record({ at: fc.integer({ min: 4, max: 87 }), byte: fc.nat(255), sleep: fc.boolean(), pump: fc.boolean() }),
      { maxLength: 80 },
    ),
  ],
  (t, steps) => {
    const bench = opened();
    for (const { at, byte, sleep, pump } of steps) {
      bench.run((bytes) => (bytes[at] = at < 8 ? byte & 3 : byte), sleep);
      if (pump) bench.consumer.pump();
    }
    bench.run();
    bench.consumer.pump();
    for (let tag = 0; tag < rows.length; tag += 1) {
      t.deepEqual(bench.value(tag), bench.decoder.read(bench.image, tag));
      t.is(bench.consumer.quality[tag], bench.decoder.quality(bench.image, tag));
    }
  },
);

test('the log holds several of the largest batches, in a power of two', (t) => {
  for (const tags of [0, 1, 24, 5_000, 10_000, 100_000]) {
    const records = logRecords(tags);
    t.is(Math.log2(records) % 1, 0);
    t.true(records >= 4 * (entriesMax(tags) + BATCH_HEADER_RECORDS));
  }
});

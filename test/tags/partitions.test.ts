import { fc, testProp } from '@fast-check/ava';
import test from 'ava';
import { BACKLOG_CYCLES_MAX } from '../../src/core/consumer.ts';
import { cyclesBetween } from '../../src/core/cycle-number.ts';
import { assignPartitions } from '../../src/core/partitions.ts';
import type { ResolvedTag } from '../../src/core/resolve-tags.ts';
import { Band, type TagRow } from '../../src/core/tag-table.ts';
import { Kind } from '../../src/core/tag-types.ts';
import { type Bench, opened, row, rows } from '../support/log-bench.ts';

/** The tags of the first SubDevice in one partition, those of the second in another. */
const halves: TagRow[] = rows.map((tag) => ({ ...tag, partition: tag.subDevice }));
const STALE = 1;

function cyclesOf(bench: Bench): unknown[] {
  return bench.delivered.map(({ cycle, tags, values }) => [cycle, tags, values]);
}

test('a cycle is delivered once, with the changes of all partitions, when each of them has looked at it', (t) => {
  const bench = opened(1, halves);
  const both = (bytes: Uint8Array): void => {
    bytes[8] = 0b11;
  };
  bench.run(both, [1]);
  bench.consumer.pump();
  t.deepEqual(cyclesOf(bench), []);
  t.is(bench.workers[1]!.awaited, 2);
  bench.work(false, 1);
  bench.consumer.pump();
  t.deepEqual(cyclesOf(bench), [[2, [0, 1], [true, true]]]);
  t.is(bench.consumer.seenCycle, 2);
});

test('cycles of several partitions come in their order, whichever worker is ahead', (t) => {
  const bench = opened(1, halves);
  bench.stepwise = true;
  bench.ringSlots = 64;
  for (let n = 1; n <= 6; n += 1) {
    // Tag 2 belongs to the first partition, tag 7 (an output) to the second.
    const change = (bytes: Uint8Array): void => {
      bytes[n % 2 === 0 ? 10 : 72] = n % 2 === 0 ? n : n << 3;
    };
    bench.run(change, [n % 3 === 0 ? 0 : 1]);
    bench.consumer.pump();
  }
  bench.work(false, 0);
  bench.consumer.pump();
  bench.work(false, 1);
  bench.consumer.pump();
  t.deepEqual(cyclesOf(bench), [
    [2, [7], [1]],
    [3, [2], [2]],
    [4, [7], [3]],
    [5, [2], [4]],
    [6, [7], [5]],
    [7, [2], [6]],
  ]);
  t.true(bench.delivered.every(({ missed }) => missed === 0));
});

test('a partition that is too far behind is left out as stale, and good again once it has caught up', (t) => {
  const bench = opened(1, halves);
  bench.stepwise = true;
  bench.ringSlots = 64;
  for (let n = 1; n <= BACKLOG_CYCLES_MAX; n += 1) {
    bench.run((bytes) => (bytes[10] = n), [1]);
    bench.consumer.pump();
  }
  t.deepEqual(bench.delivered, []);
  bench.run(
    (bytes) => {
      bytes[10] = 99;
      bytes[72] = 8;
    },
    [1],
  );
  bench.consumer.pump();
  const [stale, ...none] = bench.delivered;
  t.deepEqual(none, []);
  t.like(stale, { cycle: 34, missed: 32, tags: [1, 2, 5, 7], values: [false, 99, new Uint8Array(5), 0] });
  t.deepEqual(stale!.quality, [STALE, 0, STALE, STALE]);
  // Nobody waits for it any more.
  bench.run((bytes) => (bytes[10] = 100), [1]);
  bench.consumer.pump();
  t.deepEqual(cyclesOf(bench).at(-1), [35, [2], [100]]);
  bench.work(false, 1);
  bench.consumer.pump();
  t.like(bench.delivered.at(-1), { cycle: 35, tags: [1, 5, 7], quality: [0, 0, 0] });
  t.is(bench.value(7), 1);
  bench.run((bytes) => (bytes[72] = 16));
  bench.consumer.pump();
  t.deepEqual(cyclesOf(bench).at(-1), [36, [7], [2]]);
});

test('in a partition that is left out a worse quality stays, and the end makes everything bad', (t) => {
  const bench = opened(1, halves);
  bench.run((bytes) => (bytes[5] = 2));
  bench.consumer.pump();
  for (let n = 1; n <= 40; n += 1) bench.run((bytes) => (bytes[10] = n), [1]);
  bench.consumer.pump();
  t.is(bench.consumer.quality[1], 2);
  bench.consumer.end();
  t.true(bench.consumer.quality.every((quality) => quality === 3));
});

test('a partition whose log was lapped, or that says FULL, brings all of them to the newest slot', (t) => {
  const bench = opened(1, halves);
  bench.run((bytes) => bytes.fill(0xff, 12, 64), [1]);
  bench.consumer.pump();
  t.is(bench.delivered.length, 1);
  t.is(bench.consumer.seenCycle, 2);
  // What the other partition says later of cycles up to that one is known already.
  bench.work(false, 1);
  bench.run((bytes) => (bytes[72] = 8));
  bench.consumer.pump();
  t.deepEqual(cyclesOf(bench).slice(1), [[3, [7], [1]]]);
});

testProp(
  'workers and consumers at any speed end with the newest slot, and deliver cycles in order, each once',
  [
    fc.array(
      fc.record({
        at: fc.integer({ min: 4, max: 87 }),
        byte: fc.nat(255),
        asleep: fc.subarray([0, 1, 2]),
        pump: fc.boolean(),
      }),
      { maxLength: 100 },
    ),
    fc.array(fc.nat(2), { minLength: rows.length, maxLength: rows.length }),
    fc.boolean(),
  ],
  (t, steps, partitions, stepwise) => {
    const of = rows.map((tag, n) => ({ ...tag, partition: partitions[n]! }));
    const bench = opened(2 ** 32 - 20, of);
    bench.stepwise = stepwise;
    bench.ringSlots = stepwise ? 64 : 8;
    for (const { at, byte, asleep, pump } of steps) {
      bench.run((bytes) => (bytes[at] = at < 8 ? byte & 3 : byte), asleep);
      if (pump) bench.consumer.pump();
    }
    bench.run();
    // Once more for a partition that was left out until now.
    bench.consumer.pump();
    bench.run();
    bench.consumer.pump();
    for (let tag = 0; tag < rows.length; tag += 1) {
      t.deepEqual(bench.value(tag), bench.decoder.read(bench.image, tag));
      t.is(bench.consumer.quality[tag], bench.decoder.quality(bench.image, tag));
    }
    bench.delivered.forEach(({ cycle, tags, missed }, n) => {
      t.true(n === 0 || cyclesBetween(cycle, bench.delivered[n - 1]!.cycle) >= 0);
      t.is(new Set(tags).size, tags.length);
      t.true(missed >= 0);
    });
  },
);

test('a dead band holds in the comparison with the newest slot too', (t) => {
  const bench = opened(1, [
    row(Kind.int16, 16, 16, { band: Band.absolute, deadBand: 5 }),
    row(Kind.int64, 64, 64, { band: Band.relative, deadBand: 0.1 }),
    ...rows.slice(8),
  ]);
  const values = (n: number, wide: bigint): void => {
    bench.run((bytes) => {
      bytes.fill(n, 40, 56);
      new DataView(bytes.buffer).setInt16(10, n, true);
      new DataView(bytes.buffer).setBigInt64(16, wide, true);
    });
    bench.consumer.pump();
  };
  values(6, -100n);
  values(11, -109n);
  values(12, -111n);
  // Each cycle is FULL: every other tag changes.
  t.deepEqual(
    bench.delivered.map(({ tags, values: told }) => tags.flatMap((tag, i) => (tag < 2 ? [told[i]] : []))),
    [[6, -100n], [], [12, -111n]],
  );
});

function tagsOf(counts: readonly number[]): ResolvedTag[] {
  return counts.flatMap((count, subDevice) =>
    Array.from({ length: count }, (_, n) => ({
      name: `${subDevice}.${n}`,
      type: 'bool' as const,
      direction: 'input' as const,
      onLoss: 'zero' as const,
      row: row(Kind.bool, n, 1, { subDevice }),
    })),
  );
}

function assigned(
  counts: readonly number[],
  partitions: number | undefined,
  named: readonly (number | undefined)[] = [],
  processors = 16,
): number[] {
  const devices = named.map((partition, position) => ({ name: `${position}`, position, partition }) as never);
  const tags = assignPartitions(tagsOf(counts), { devices, partitions }, processors);
  return counts.map((_, subDevice) => tags.find(({ row: of }) => of.subDevice === subDevice)?.row.partition ?? 0);
}

test('partitions are whole SubDevices, neighbours together, and as even as that goes', (t) => {
  t.deepEqual(assigned([10, 10, 10, 10], 2), [0, 0, 1, 1]);
  t.deepEqual(assigned([10, 10, 10, 10], 4), [0, 1, 2, 3]);
  t.deepEqual(assigned([100, 1, 1, 1], 2), [0, 1, 1, 1]);
  t.deepEqual(assigned([10, 0, 10], 8), [0, 0, 1]);
  t.deepEqual(assigned([], 3), []);
});

test('there is one for every 20,000 tags, and a processor left for the application', (t) => {
  t.deepEqual(assigned([10_000, 10_000], undefined), [0, 0]);
  t.deepEqual(assigned([10_000, 10_001], undefined), [0, 1]);
  t.deepEqual(assigned([10_000, 10_001], undefined, [], 2), [0, 0]);
});

test('devices may name their partition; those that do not are in the first', (t) => {
  t.deepEqual(assigned([1, 1, 1, 1], undefined, [5, undefined, 2, 5]), [2, 0, 1, 2]);
  t.deepEqual(assigned([1, 1], undefined, [3, 3]), [0, 0]);
});

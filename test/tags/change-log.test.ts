import { fc, testProp } from '@fast-check/ava';
import test from 'ava';
import { BATCH_HEADER_RECORDS, entriesMax, logRecords } from '../../src/core/change-log.ts';
import { BACKLOG_CYCLES_MAX } from '../../src/core/consumer.ts';
import { CycleNumber } from '../../src/core/cycle-number.ts';
import { LOG_BATCH_FULL } from '../../src/core/generated/layout.ts';
import { Bench, opened, rows } from '../support/log-bench.ts';

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
  const { heads } = bench.consumer;
  t.deepEqual([heads.cycle(2), ...heads.times(2)], [2 ** 32 + 2, 2, 1, 2, 3]);
  t.deepEqual([heads.cycle(3), ...heads.times(3)], [2 ** 32 - 1, 2 ** 32 - 1, 1, 2, 3]);
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

test('the log holds three of the largest batches, in a power of two', (t) => {
  for (const tags of [0, 1, 24, 5_000, 10_000, 100_000]) {
    const records = logRecords(tags);
    t.is(Math.log2(records) % 1, 0);
    t.true(records >= 3 * (entriesMax(tags) + BATCH_HEADER_RECORDS));
  }
});

test('while nobody is to be told the log is neither written nor read, and whoever reads has the newest slot', (t) => {
  const bench = opened();
  bench.consumer.follow(false);
  for (let n = 1; n <= 3; n += 1) {
    bench.run((bytes) => {
      bytes[10] = n;
    });
    bench.consumer.pump();
    t.is(bench.consumer.seenCycle, bench.cycle);
    bench.consumer.refresh();
    t.deepEqual([bench.value(2), bench.consumer.heads.cycle(2)], [n, bench.cycle]);
  }
  t.deepEqual([bench.log.length, bench.delivered.length], [1, 0], 'the first slot alone');
  bench.consumer.follow(true);
  bench.run((bytes) => {
    bytes[10] = 9;
  });
  bench.consumer.pump();
  t.deepEqual(
    bench.delivered.map(({ cycle, missed, tags, values }) => ({ cycle, missed, tags, values })),
    [{ cycle: bench.cycle, missed: 0, tags: [2], values: [9] }],
  );
});

testProp(
  'whoever begins to follow misses nothing and is told nothing twice, however often, and whatever the workers do',
  [
    fc.array(
      fc.oneof(
        fc.record({ do: fc.constant('run' as const), byte: fc.integer({ min: 8, max: 63 }), asleep: fc.boolean() }),
        fc.record({ do: fc.constantFrom('follow' as const, 'leave' as const, 'pump' as const, 'work' as const) }),
      ),
      { minLength: 1, maxLength: 60 },
    ),
  ],
  (t, steps) => {
    const bench = opened();
    bench.stepwise = true;
    let follows = true;
    const right = (): void => {
      for (let tag = 0; tag < rows.length; tag += 1)
        t.deepEqual(bench.value(tag), bench.decoder.read(bench.image, tag), `tag ${tag}`);
    };
    for (const [n, step] of steps.entries()) {
      if (step.do === 'run') {
        bench.run((bytes) => {
          bytes[step.byte] = n + 1;
        }, step.asleep);
      } else if (step.do === 'work') bench.work();
      else if (step.do === 'pump') bench.consumer.pump();
      else {
        follows = step.do === 'follow';
        bench.consumer.follow(follows);
        if (follows) bench.delivered.length = 0;
      }
      if (follows) continue;
      bench.consumer.refresh();
      right();
    }
    bench.work();
    bench.consumer.pump();
    bench.consumer.refresh();
    right();
    const cycles = bench.delivered.map(({ cycle }) => cycle);
    t.deepEqual(
      cycles,
      [...new Set(cycles)].toSorted((a, b) => a - b),
    );
    for (const { tags } of bench.delivered) t.is(new Set(tags).size, tags.length);
  },
);

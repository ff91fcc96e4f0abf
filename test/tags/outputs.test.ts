import test from 'ava';
import type { OnLoss } from '../../src/core/configuration/types.ts';
import { CycleNumber } from '../../src/core/cycle-number.ts';
import { EtherCatError } from '../../src/core/errors/ethercat-error.ts';
import { type Claims, claimsOf, LossPolicy } from '../../src/core/loss-policy.ts';
import { type LanePort, OutputLane, WRITES_OUTSTANDING_MAX } from '../../src/core/outputs.ts';
import type { ResolvedTag } from '../../src/core/resolve-tags.ts';
import { TagDirectory } from '../../src/core/tag-directory.ts';
import { Direction, TagTable } from '../../src/core/tag-table.ts';
import { Kind } from '../../src/core/tag-types.ts';

function output(
  name: string,
  kind: number,
  bitOffset: number,
  bitLength: number,
  onLoss: OnLoss = 'hold',
  scale = 1,
): ResolvedTag {
  const row = { kind, direction: Direction.output, bitOffset, bitLength, subDevice: 0, scale, offset: 0 };
  return { name, type: 'uint8', direction: 'output', unit: undefined, onLoss, row };
}

const tags: ResolvedTag[] = [
  output('valve', Kind.bool, 0, 1, true),
  output('lamp', Kind.bool, 1, 1, 'zero'),
  output('speed', Kind.uint8, 8, 8),
  output('level', Kind.int16, 16, 16, 2.5, 0.5),
  { ...output('sensor', Kind.bool, 0, 1), row: { ...output('', Kind.bool, 0, 1).row, direction: Direction.input } },
];

/** The cycle thread's part, by hand. */
class Lane implements LanePort {
  claims: Claims | undefined;
  committed: Uint8Array = new Uint8Array(4);
  sent: Uint8Array = new Uint8Array(4);
  sequence = 0;
  epoch = 0;
  /** Quality of the one SubDevice, by cycle. */
  readonly qualityOf: Map<number, number> = new Map();
  beats = 0;
  receipts: number[][] = [];
  refusal: EtherCatError | undefined;
  urgentRefusal: EtherCatError | undefined;
  /** Outputs of other lanes than 0. */
  readonly owners: Map<number, number | undefined> = new Map();
  readonly lane: OutputLane;

  constructor(firstSequence = 0) {
    this.sequence = firstSequence;
    const table = TagTable.build(
      tags.map(({ row }) => row),
      1,
    );
    this.lane = new OutputLane({
      port: this,
      lane: 0,
      table,
      directory: TagDirectory.build(tags),
      cycleNumber: new CycleNumber(),
      claims: claimsOf(table, [0, 1, 2, 3], LossPolicy.build(table, tags, 4), {
        name: 'main',
        deadlineCycles: 100,
        commitDeadlineCycles: 0,
      }),
      owners: { ownerOf: (tag) => this.owners.get(tag) ?? 0, nameOf: (lane) => ['main', 'press'][lane] ?? '' },
      subDevices: ['terminal'],
      refusal: () => this.refusal,
    });
  }

  claim(lane: number, claims: Claims): number {
    this.claims = claims;
    return lane;
  }

  commit(_lane: number, shadow: Uint8Array): number {
    this.committed = shadow.slice();
    this.sequence = (this.sequence + 1) >>> 0;
    return this.sequence;
  }

  commitUrgent(lane: number, shadow: Uint8Array): number {
    if (this.urgentRefusal !== undefined) throw this.urgentRefusal;
    return this.commit(lane, shadow);
  }

  beat(): void {
    this.beats += 1;
  }

  resume(_lane: number, shadow: Uint8Array): number {
    shadow.set(this.sent);
    return this.epoch;
  }

  laneEpoch(): number {
    return this.epoch;
  }

  drainReceipts(_lane: number, _tail: Uint32Array, out: Uint32Array): number {
    const records = this.receipts.splice(0);
    out.set(records.flat());
    return records.length;
  }

  qualities(cycle: number): Uint8Array {
    return Uint8Array.of(this.qualityOf.get(cycle) ?? 0);
  }

  /** The cycle that carries the newest commit. */
  cycle(cycle: number, verdict = 1): void {
    this.sent = this.committed;
    this.receipts.push([this.sequence, cycle, cycle, verdict]);
    this.lane.settle();
  }
}

test('claims cover the outputs alone, with the loss value of each', (t) => {
  const { claims } = new Lane();
  t.deepEqual(claims, {
    mask: Uint8Array.of(0b11, 0xff, 0xff, 0xff),
    lossMask: Uint8Array.of(0b11, 0, 0xff, 0xff),
    lossImage: Uint8Array.of(0b01, 0, 5, 0),
    deadlineCycles: 100,
    commitDeadlineCycles: 0,
    name: 'main',
  });
});

test('a write goes out in one commit and resolves with the cycle that carried it', async (t) => {
  const lane = new Lane();
  const write = lane.lane.write({ valve: true, level: -1, speed: 7 });
  t.deepEqual(lane.committed, Uint8Array.of(1, 7, 0xfe, 0xff));
  lane.cycle(12);
  t.deepEqual(await write, { cycle: 12, superseded: false });
});

test('one receipt settles all writes up to its own; those that were overwritten before are superseded', async (t) => {
  const lane = new Lane();
  const pulse = [lane.lane.write({ valve: true }), lane.lane.write({ valve: false }), lane.lane.write({ lamp: true })];
  lane.cycle(3);
  t.deepEqual(await Promise.all(pulse), [
    { cycle: 3, superseded: true },
    { cycle: 3, superseded: false },
    { cycle: 3, superseded: false },
  ]);
});

test('writing the same value again supersedes nothing', async (t) => {
  const lane = new Lane();
  const writes = [lane.lane.write({ speed: 5 }), lane.lane.write({ speed: 5 })];
  lane.cycle(3);
  t.true((await Promise.all(writes)).every(({ superseded }) => !superseded));
});

test('nothing is written when one of the values is wrong', async (t) => {
  const lane = new Lane();
  const code = async (values: Record<string, number | boolean>): Promise<string> => {
    const error = await t.throwsAsync(lane.lane.write(values), { instanceOf: EtherCatError });
    return error!.code;
  };
  t.is(await code({ speed: 1, sensor: true }), 'ECAT_ERR_NOT_AN_OUTPUT');
  t.is(await code({ speed: 1, nothing: true }), 'ECAT_ERR_TAG_UNKNOWN');
  t.is(await code({ speed: 1, level: 1e9 }), 'ECAT_ERR_VALUE_RANGE');
  t.is(lane.sequence, 0);
  lane.refusal = new EtherCatError('ECAT_ERR_NOT_OPERATIONAL', 'no');
  t.is(await code({ speed: 1 }), 'ECAT_ERR_NOT_OPERATIONAL');
});

test('a failed verdict rejects, with the reason where one is known', async (t) => {
  const lane = new Lane();
  const write = lane.lane.write({ speed: 1 });
  lane.cycle(5, 2);
  await t.throwsAsync(write, { code: 'ECAT_ERR_WRITE_FAILED' });
});

test('of a commit that some SubDevices did not take, only the writes to those reject', async (t) => {
  const lane = new Lane();
  // There is one SubDevice: it has the values of the first cycle, and is in SAFE-OP, then away in the others.
  for (const [cycle, quality, says] of [
    [6, 2, /output speed did not reach terminal at position 0, which is in SAFE-OP/],
    [7, 3, /does not answer/],
  ] as const) {
    lane.qualityOf.set(cycle, quality);
    const writes = [lane.lane.write({ speed: cycle }), lane.lane.resume()];
    lane.cycle(cycle, 4);
    const error = await t.throwsAsync(writes[0]!, { code: 'ECAT_ERR_NOT_OPERATIONAL', message: says });
    t.like(error, { subDevice: 'terminal', position: 0, tag: 'speed' });
    t.is((await writes[1]!).cycle, cycle);
  }
  const write = lane.lane.write({ speed: 9 });
  lane.cycle(8, 4);
  t.is((await write).cycle, 8);
});

test('more writes than receipts have places are refused', async (t) => {
  const lane = new Lane();
  const writes = Array.from({ length: WRITES_OUTSTANDING_MAX }, (_, i) => lane.lane.write({ speed: i }));
  await t.throwsAsync(lane.lane.write({ speed: 99 }), { code: 'ECAT_ERR_WRITE_QUEUE_FULL' });
  lane.cycle(9);
  t.is((await Promise.all(writes)).length, WRITES_OUTSTANDING_MAX);
  await t.notThrowsAsync(async () => {
    const write = lane.lane.write({ speed: 99 });
    lane.cycle(10);
    await write;
  });
});

test('a lost lane fails what is outstanding and refuses writes until it is resumed with the image sent last', async (t) => {
  const lane = new Lane();
  const first = lane.lane.write({ speed: 9, valve: false });
  lane.cycle(1);
  await first;
  const outstanding = lane.lane.write({ speed: 10 });
  lane.epoch += 1;
  lane.sent = Uint8Array.of(1, 9, 5, 0);
  lane.lane.settle();
  await t.throwsAsync(outstanding, { code: 'ECAT_ERR_LANE_LOST' });
  await t.throwsAsync(lane.lane.write({ speed: 11 }), { code: 'ECAT_ERR_LANE_LOST' });
  const resumed = lane.lane.resume();
  t.deepEqual(lane.committed, Uint8Array.of(1, 9, 5, 0));
  lane.cycle(200);
  t.is((await resumed).cycle, 200);
  const next = lane.lane.write({ speed: 12 });
  t.deepEqual(lane.committed, Uint8Array.of(1, 12, 5, 0));
  lane.cycle(201);
  await next;
  t.is(lane.lane.outstanding, 0);
});

test('resuming a lane that was not lost loses no write', async (t) => {
  const lane = new Lane();
  const writes = [lane.lane.write({ speed: 3 }), lane.lane.resume()];
  t.is(lane.committed[1], 3);
  lane.cycle(1);
  await Promise.all(writes);
});

test('commit numbers may wrap', async (t) => {
  const lane = new Lane(2 ** 32 - 2);
  const writes = [1, 2, 3, 4].map((speed) => lane.lane.write({ speed }));
  lane.cycle(1);
  t.deepEqual(
    (await Promise.all(writes)).map(({ superseded }) => superseded),
    [true, true, true, false],
  );
});

test('an output of another lane is refused, and the error names both', async (t) => {
  const native = new Lane();
  native.owners.set(1, 1);
  const error = await t.throwsAsync(native.lane.write({ valve: true, lamp: true }), {
    code: 'ECAT_ERR_OUTPUT_CLAIMED',
  });
  t.regex(error?.message ?? '', /lamp belongs to lane press, and not to lane main/);
  t.deepEqual(native.committed, new Uint8Array(4));
});

test('a lane goes on with other bits: those it keeps as they are, new ones as they were last sent', async (t) => {
  const native = new Lane();
  void native.lane.write({ valve: true, speed: 3 });
  const claims = { ...native.claims!, mask: Uint8Array.of(0, 0xff, 0xff, 0xff) };
  native.lane.reclaim(claims, Uint8Array.of(0xff, 9, 4, 5));
  void native.lane.write({ level: 1 });
  // Byte 0 is not its own any more; what it said there last does not matter.
  t.is(native.committed[1], 3);
  native.lane.reclaim({ ...claims, mask: Uint8Array.of(0xff, 0xff, 0xff, 0xff) }, Uint8Array.of(0xaa, 9, 9, 9));
  void native.lane.resume();
  t.deepEqual([...native.committed.subarray(0, 2)], [0xaa, 3]);
});

test('what must not be sent out of cycle is not written at all', async (t) => {
  const native = new Lane();
  native.urgentRefusal = new EtherCatError('ECAT_ERR_URGENT_NOT_ALLOWED', 'no');
  await t.throwsAsync(native.lane.write({ speed: 9 }, true), { code: 'ECAT_ERR_URGENT_NOT_ALLOWED' });
  void native.lane.write({ valve: true });
  t.is(native.committed[1], 0);
});

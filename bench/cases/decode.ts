import { Bench } from 'tinybench';
import { BatchWriter } from '../../src/core/change-log.ts';
import { Decoder, SlotBuffer } from '../../src/core/decode.ts';
import { ChangeDetector } from '../../src/core/detect.ts';
import { Band, Direction, TagTable } from '../../src/core/tag-table.ts';
import { Kind } from '../../src/core/tag-types.ts';
import type { BenchCase, BenchContext } from '../case.ts';
import { type Figures, medianFigures, type Row } from '../report.ts';

const TAGS = 10_000;
const SUB_DEVICES = 100;
/** Head of a slot and its quality bytes, as the ring has them. */
const QUALITY_AT = 32;
const INPUTS_AT = QUALITY_AT + 104;

interface Load {
  readonly kind: number;
  readonly bits: number;
  readonly type: string;
  /** Tags from one that changes to the next; `undefined` where none does. */
  readonly every: number | undefined;
  readonly text: string;
  /** Dead band of every tag, wider than what changes. */
  readonly deadBand?: number;
}

const kinds = [
  { kind: Kind.int16, bits: 16, type: 'int16' },
  { kind: Kind.bool, bits: 1, type: 'bits' },
] as const;

const loads: readonly Load[] = [
  ...kinds.flatMap((kind) => [
    { ...kind, every: undefined, text: 'none changed' },
    { ...kind, every: 10, text: 'every 10th changed' },
    { ...kind, every: 1, text: 'all changed' },
  ]),
  { ...kinds[0], every: 10, text: 'every 10th changed within its dead band', deadBand: 2 },
];

/** What comparing two slots and decoding what changed costs, for 10,000 tags. */
export const decode: BenchCase = {
  name: 'decode',
  async run(context) {
    const rows = loads.map((load): Row => {
      context.progress(`decode ${TAGS} ${load.type}, ${load.text}`);
      const { ours, bare } = measure(context, load);
      return {
        name: 'decode and compare 10,000 tags',
        load: `${load.type}, ${load.text}, ${SUB_DEVICES} SubDevices`,
        unit: 'µs',
        ours: medianFigures(ours),
        reference: { name: 'bare loop over the tags', figures: medianFigures(bare) },
        bounds: [{ kind: 'absolute', at: ['p50'], atMost: 25 }],
        repeats: context.repeats,
      };
    });
    return { rows, notes: [] };
  },
};

function measure(context: BenchContext, load: Load): { ours: Figures[]; bare: Figures[] } {
  const ours = ourDetector(load);
  const bare = bareLoop(load);
  const figures = { ours: [] as Figures[], bare: [] as Figures[] };
  const time = context.quick ? 50 : 200;
  for (let repeat = 0; repeat < context.repeats; repeat += 1) {
    const bench = new Bench({ time, warmupTime: time / 2, timestampProvider: 'hrtimeNow' });
    bench.add('ours', ours).add('bare', bare);
    bench.runSync();
    for (const task of bench.tasks) {
      const { result } = task;
      if (!('latency' in result)) throw new Error(`${task.name}: ${result.state}`);
      const { p50, p99, p999, max } = result.latency;
      figures[task.name as keyof typeof figures].push({
        p50: p50 * 1_000,
        p99: p99 * 1_000,
        p999: p999 * 1_000,
        max: max * 1_000,
      });
    }
  }
  return figures;
}

/** Two slots that differ in the tags that change; each call compares the one with the other, in turn. */
function slots(load: Load): [SlotBuffer, SlotBuffer] {
  const bytes = INPUTS_AT + (TAGS * load.bits) / 8;
  const pair: [SlotBuffer, SlotBuffer] = [new SlotBuffer(bytes), new SlotBuffer(bytes)];
  if (load.every === undefined) return pair;
  for (let tag = 0; tag < TAGS; tag += load.every) {
    const bit = tag * load.bits;
    pair[1].bytes[INPUTS_AT + (bit >>> 3)]! |= 1 << (bit & 7);
  }
  return pair;
}

function ourDetector(load: Load): () => void {
  const rows = Array.from({ length: TAGS }, (_, tag) => ({
    kind: load.kind,
    direction: Direction.input,
    bitOffset: tag * load.bits,
    bitLength: load.bits,
    subDevice: Math.floor((tag * SUB_DEVICES) / TAGS),
    scale: 1,
    offset: 0,
    ...(load.deadBand !== undefined && { band: Band.absolute, deadBand: load.deadBand }),
  }));
  const table = TagTable.build(rows, SUB_DEVICES);
  const sections = { quality: QUALITY_AT, inputs: INPUTS_AT, outputs: INPUTS_AT + (TAGS * load.bits) / 8 };
  let [previous, current] = slots(load);
  const detector = new ChangeDetector(
    table,
    new Decoder(table, sections),
    sections,
    current.bytes.length,
    table.tagsOf(0),
  );
  const batch = new BatchWriter(TAGS);
  let cycle = 0;
  return () => {
    cycle = (cycle + 1) >>> 0;
    detector.compare(previous, current, cycle, batch);
    [previous, current] = [current, previous];
  };
}

/** The least that finds every changed tag and its value: no types, no scaling, no quality, no entries. */
function bareLoop(load: Load): () => void {
  let [previous, current] = slots(load);
  const values = new Float64Array(TAGS);
  const changed = new Uint32Array(TAGS);
  const compare = load.bits === 16 ? bareWords : bareBits;
  return () => {
    compare(previous, current, values, changed);
    [previous, current] = [current, previous];
  };
}

function bareWords(previous: SlotBuffer, current: SlotBuffer, values: Float64Array, changed: Uint32Array): number {
  const was = new Int16Array(previous.bytes.buffer, INPUTS_AT, TAGS);
  const is = new Int16Array(current.bytes.buffer, INPUTS_AT, TAGS);
  let count = 0;
  for (let tag = 0; tag < TAGS; tag += 1) {
    const value = is[tag]!;
    if (value === was[tag]) continue;
    values[tag] = value;
    changed[count] = tag;
    count += 1;
  }
  return count;
}

function bareBits(previous: SlotBuffer, current: SlotBuffer, values: Float64Array, changed: Uint32Array): number {
  const was = previous.bytes;
  const is = current.bytes;
  let count = 0;
  for (let byte = 0; byte < TAGS / 8; byte += 1) {
    const value = is[INPUTS_AT + byte]!;
    const differing = value ^ was[INPUTS_AT + byte]!;
    if (differing === 0) continue;
    for (let bit = 0; bit < 8; bit += 1) {
      if (((differing >> bit) & 1) === 0) continue;
      const tag = byte * 8 + bit;
      values[tag] = (value >> bit) & 1;
      changed[count] = tag;
      count += 1;
    }
  }
  return count;
}

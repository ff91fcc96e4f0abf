import type { BenchCase, BenchContext, CaseResult } from '../case.ts';
import { runNative } from '../native.ts';
import type { Bound, Row } from '../report.ts';

interface Pace {
  readonly periodUs: number;
  /** Devices, bytes of their image, and what else there is to say of it. */
  readonly devices: number;
  readonly bytes: number;
  readonly image?: string;
  readonly spinUs: number;
  readonly seconds: number;
  /** Bounds of the lateness, and of the thread's time. */
  readonly lateness: readonly Bound[];
  readonly cpu: readonly Bound[];
}

/** Lateness beyond the reference's, in µs, that means nothing where both are a fraction of it. */
export const LATER_US = 1;

const likeBare: Bound = { kind: 'ratio', at: ['p50', 'p99', 'p999'], atMost: 1.25, orMore: LATER_US };
const cpuLikeBare: Bound = { kind: 'ratio', at: ['p50'], atMost: 1.5 };

/** Missed cycles in %, beyond the reference's, that mean nothing where hardly any is missed. */
const MISSED_MORE = 0.1;

/** What most paces exchange. */
const small = { devices: 10, bytes: 1_250 };

const paces: readonly Pace[] = [
  {
    ...small,
    periodUs: 1_000,
    spinUs: 50,
    seconds: 3,
    lateness: [{ kind: 'absolute', at: ['p99'], atMost: 5 }, likeBare],
    cpu: [{ kind: 'absolute', at: ['p50'], atMost: 6 }, cpuLikeBare],
  },
  {
    ...small,
    periodUs: 1_000,
    spinUs: 0,
    seconds: 1.5,
    lateness: [likeBare],
    cpu: [{ kind: 'absolute', at: ['p50'], atMost: 3 }, cpuLikeBare],
  },
  { ...small, periodUs: 250, spinUs: 50, seconds: 1.5, lateness: [likeBare], cpu: [cpuLikeBare] },
  {
    devices: 10,
    bytes: 256,
    periodUs: 100,
    spinUs: 40,
    seconds: 1.5,
    lateness: [likeBare],
    cpu: [cpuLikeBare],
  },
  { devices: 100, bytes: 1_250, image: '10,000 bits', periodUs: 250, spinUs: 50, seconds: 3, lateness: [], cpu: [] },
  {
    devices: 100,
    bytes: 20_000,
    image: '10,000 words of 16 bits',
    periodUs: 2_000,
    spinUs: 50,
    seconds: 3,
    lateness: [],
    cpu: [],
  },
];

/** Bytes of process data in a frame, at most, and what such a frame takes beside them. */
const DATA_BYTES_MAX = 1_486;
const OVERHEAD_BYTES = 52;
const FRAME_BYTES_MIN = 84;
const US_PER_BYTE = 0.08;
const US_PER_EBUS_DEVICE = 0.31;

/** What the frames of an image take on 100 Mbit/s at least, and the last one through all devices. */
function wireUs({ bytes, devices }: Pace): number {
  const full = Math.floor(bytes / DATA_BYTES_MAX);
  const rest = bytes % DATA_BYTES_MAX;
  const frame = (data: number): number => Math.max(FRAME_BYTES_MIN, data + OVERHEAD_BYTES) * US_PER_BYTE;
  return full * frame(DATA_BYTES_MAX) + (rest > 0 ? frame(rest) : 0) + devices * US_PER_EBUS_DEVICE;
}

/** How late a cycle begins, against a loop with the same sleep and spin that does nothing else. */
export const lateness: BenchCase = {
  name: 'lateness',
  async run(context) {
    const results: CaseResult[] = [];
    for (const pace of context.quick ? paces.slice(0, 1) : paces) results.push(await measure(context, pace));
    return { rows: results.flatMap(({ rows }) => rows), notes: results.flatMap(({ notes }) => notes) };
  },
};

async function measure(context: BenchContext, pace: Pace): Promise<CaseResult> {
  const { cpu, priority, repeats } = context;
  const seconds = context.quick ? 1 : pace.seconds;
  const how = pace.spinUs === 0 ? 'sleeping only' : `sleep, then ${pace.spinUs} µs spin`;
  context.progress(`cycle lateness at ${pace.periodUs} µs (${how}), ${repeats} × 2 × ${seconds} s`);
  const result = await runNative(context, 'lateness', {
    period_us: pace.periodUs,
    spin_us: pace.spinUs,
    devices: pace.devices,
    bytes: pace.bytes,
    seconds,
    repeats,
    cpu,
    priority,
  });
  const image = `${pace.image === undefined ? '' : `${pace.image} = `}${pace.bytes.toLocaleString('en')} B`;
  const load =
    `cycle ${pace.periodUs} µs, ${how}; ${pace.devices} devices, ${image}, in memory ` +
    `(on a wire with E-bus ${wireUs(pace).toFixed(0)} µs); SCHED_FIFO, CPU ${cpu}`;
  const against = (what: string, per: number): Pick<Row, 'load' | 'ours' | 'reference' | 'repeats'> => ({
    load,
    ours: what === 'lateness' ? result.figures('ours', what, per) : result.value('ours', what, per),
    reference: {
      name: 'bare loop',
      figures: what === 'lateness' ? result.figures('bare', what, per) : result.value('bare', what, per),
    },
    repeats,
  });
  return {
    rows: [
      { name: 'cycle lateness', unit: 'µs', ...against('lateness', 1_000), bounds: pace.lateness },
      {
        name: 'missed cycles',
        unit: '%',
        ...against('missed', 0.01),
        bounds: [{ kind: 'ratio', at: ['p50'], atMost: 1.2, orMore: MISSED_MORE }],
      },
      { name: 'processor time of the cycle thread', unit: '%', ...against('cpu', 0.01), bounds: pace.cpu },
      {
        name: 'exchange within the cycle, first frame sent to last one back',
        load,
        unit: 'µs',
        ours: result.figures('ours', 'round-trip', 1_000),
        repeats,
      },
    ],
    notes: result.notes('cycle lateness'),
  };
}

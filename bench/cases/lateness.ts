import type { BenchCase, BenchContext, CaseResult } from '../case.ts';
import { runNative } from '../native.ts';
import type { Bound, Row } from '../report.ts';

interface Pace {
  readonly periodUs: number;
  readonly spinUs: number;
  readonly seconds: number;
  /** Bounds of the lateness, and of the thread's time. */
  readonly lateness: readonly Bound[];
  readonly cpu: readonly Bound[];
}

const likeBare: Bound = { kind: 'ratio', at: ['p50', 'p99', 'p999'], atMost: 1.25 };
const cpuLikeBare: Bound = { kind: 'ratio', at: ['p50'], atMost: 1.5 };

const paces: readonly Pace[] = [
  {
    periodUs: 1_000,
    spinUs: 50,
    seconds: 3,
    lateness: [{ kind: 'absolute', at: ['p99'], atMost: 5 }, likeBare],
    cpu: [{ kind: 'absolute', at: ['p50'], atMost: 6 }, cpuLikeBare],
  },
  {
    periodUs: 1_000,
    spinUs: 0,
    seconds: 1.5,
    lateness: [likeBare],
    cpu: [{ kind: 'absolute', at: ['p50'], atMost: 3 }, cpuLikeBare],
  },
  { periodUs: 250, spinUs: 50, seconds: 1.5, lateness: [likeBare], cpu: [cpuLikeBare] },
];

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
    seconds,
    repeats,
    cpu,
    priority,
  });
  const load = `cycle ${pace.periodUs} µs, ${how}; 10 devices, 1,250 B, in memory; SCHED_FIFO, CPU ${cpu}`;
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
        bounds: [{ kind: 'ratio', at: ['p50'], atMost: 1.2 }],
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

import type { BenchCase } from '../case.ts';
import { measureDecoding } from '../decoding.ts';
import { median, medianFigures, type Row } from '../report.ts';

/** 10,000 points, each at the pace that a wire allows it. */
const loads = [
  { tags: 10_000, moving: 1_000, bits: 1, periodUs: 250, text: '10,000 bits' },
  { tags: 10_000, moving: 1_000, bits: 16, periodUs: 2_000, text: '10,000 words of 16 bits' },
] as const;

/** Whether a decode worker keeps pace with 10,000 points. Whether the cycle thread does is the business of `lateness`. */
export const points: BenchCase = {
  name: 'points',
  async run(context) {
    const { repeats, quick } = context;
    const rows: Row[] = [];
    for (const load of loads) {
      context.progress(`decode ${load.text} each ${load.periodUs} µs`);
      const seconds = quick ? 0.5 : 1.5;
      const times = await measureDecoding(context, load, Math.round((seconds * 1_000_000) / load.periodUs));
      const text =
        `${load.text} of 100 devices, cycle ${load.periodUs} µs, ` +
        `${median(times.changes).toFixed(1)} changes a cycle; in memory`;
      rows.push(
        {
          name: 'decode and compare in a worker, in step with the bus',
          load: text,
          unit: 'µs',
          ours: medianFigures(times.compared),
          bounds: [{ kind: 'absolute', at: ['p50'], atMost: 25 }],
          repeats,
        },
        {
          name: 'cycles that the worker did not see',
          load: text,
          unit: '%',
          ours: { p50: median(times.unseen) * 100 },
          bounds: [{ kind: 'absolute', at: ['p50'], atMost: 0 }],
          repeats,
        },
      );
    }
    return { rows, notes: [] };
  },
};

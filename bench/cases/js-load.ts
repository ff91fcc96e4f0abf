import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import type { BenchCase } from '../case.ts';
import { type Disturbances, disturbancesBetween, lookAtCycleThread } from '../cycle-thread.ts';
import { figuresBetween, lookAtLateness } from '../histogram.ts';
import { plant } from '../plant.ts';
import { type Bound, type Figures, median, medianFigures, type Row } from '../report.ts';
import { openSession } from '../session.ts';
import { LATER_US } from './lateness.ts';

/** How long JavaScript goes on before it lets the event loop look. */
const SLICE_MS = 5;

/** What JavaScript does meanwhile. */
const loads = {
  idle: (ms: number): Promise<void> => sleep(ms),
  /** As busy as the storm, without garbage: what of it is the load of a processor alone. */
  arithmetic: (ms: number): Promise<void> => {
    let sum = 0;
    return inSlices(ms, () => {
      for (let n = 0; n < 1_000; n += 1) sum = Math.sqrt(sum + n);
    });
  },
  /** Garbage of all ages. */
  storm: (ms: number): Promise<void> => {
    let kept: unknown[] = [];
    return inSlices(ms, () => {
      kept.push({ text: `${kept.length}`, bytes: new Array(64).fill(kept.length) });
      if (kept.length > 50_000) kept = [];
    });
  },
};
type Load = keyof typeof loads;

/** How late cycles begin while JavaScript of the same process computes, and while it allocates as fast as it can. */
export const jsLoad: BenchCase = {
  name: 'js-load',
  async run(context) {
    const { cpu, repeats, quick } = context;
    const ms = quick ? 1_000 : 1_500;
    context.progress(`cycle lateness beside a JavaScript storm, ${repeats} × 3 × ${ms / 1_000} s`);
    await using session = await openSession(plant(context, { tags: 100, moving: 1 }));
    const { memory } = session.view;
    const found: Record<Load, { figures: Figures; disturbances: Disturbances }[]> = {
      storm: [],
      arithmetic: [],
      idle: [],
    };
    await sleep(200);
    for (let repeat = 0; repeat < repeats; repeat += 1) {
      for (const load of Object.keys(found) as Load[]) {
        const before = [lookAtCycleThread(cpu), lookAtLateness(memory)] as const;
        await loads[load](ms);
        found[load].push({
          figures: figuresBetween(before[1], lookAtLateness(memory)),
          disturbances: disturbancesBetween(before[0], lookAtCycleThread(cpu)),
        });
      }
    }
    const figures = (load: Load): Figures => medianFigures(found[load].map((one) => one.figures));
    const row = (what: string, load: Load, bounds: readonly Bound[]): Row => ({
      name: `cycle lateness beside ${what}`,
      load: `cycle 1 ms, sleep, then 50 µs spin, in Node.js; SCHED_FIFO, CPU ${cpu}; in memory`,
      unit: 'µs',
      ours: figures(load),
      reference: { name: 'the same, JavaScript idle', figures: figures('idle') },
      bounds,
      repeats,
    });
    const middle = (load: Load, what: keyof Disturbances): number =>
      median(found[load].map(({ disturbances }) => disturbances[what]));
    const counted = (Object.keys(found) as Load[]).map(
      (load) => `${load} ${middle(load, 'pageFaults')}, ${middle(load, 'preempted')} and ${middle(load, 'calls')}`,
    );
    return {
      rows: [
        row('a garbage-collection storm', 'storm', [
          { kind: 'ratio', at: ['p50', 'p99', 'p999'], atMost: 1.2, orMore: LATER_US },
        ]),
        row('JavaScript that computes and allocates nothing', 'arithmetic', []),
      ],
      notes: [
        `page faults of the cycle thread, times that it was preempted, and calls by other processors that its processor answered, in ${ms / 1_000} s: ${counted.join('; ')}`,
      ],
    };
  },
};

async function inSlices(ms: number, work: () => void): Promise<void> {
  const end = performance.now() + ms;
  while (performance.now() < end) {
    const until = performance.now() + SLICE_MS;
    while (performance.now() < until) work();
    await setImmediate();
  }
}

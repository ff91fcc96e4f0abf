import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import type { BenchCase } from '../case.ts';
import { figuresBetween, lookAtLateness } from '../histogram.ts';
import { plant } from '../plant.ts';
import { type Figures, medianFigures } from '../report.ts';
import { openSession } from '../session.ts';

/** How long the storm goes on before it lets the event loop look. */
const SLICE_MS = 5;

/** How late cycles begin while JavaScript of the same process allocates as fast as it can. */
export const jsLoad: BenchCase = {
  name: 'js-load',
  async run(context) {
    const { repeats, quick } = context;
    const ms = quick ? 1_000 : 1_500;
    context.progress(`cycle lateness beside a JavaScript storm, ${repeats} × 2 × ${ms / 1_000} s`);
    await using session = await openSession(plant(context, { tags: 100, moving: 1 }));
    const { memory } = session.view;
    const idle: Figures[] = [];
    const storm: Figures[] = [];
    const measure = async (during: () => Promise<void>): Promise<Figures> => {
      const before = lookAtLateness(memory);
      await during();
      return figuresBetween(before, lookAtLateness(memory));
    };
    await sleep(200);
    for (let repeat = 0; repeat < repeats; repeat += 1) {
      storm.push(await measure(() => allocate(ms)));
      idle.push(await measure(() => sleep(ms)));
    }
    return {
      rows: [
        {
          name: 'cycle lateness beside a garbage-collection storm',
          load: `cycle 1 ms, sleep, then 50 µs spin, in Node.js; SCHED_FIFO, CPU ${context.cpu}; in memory`,
          unit: 'µs',
          ours: medianFigures(storm),
          reference: { name: 'the same, JavaScript idle', figures: medianFigures(idle) },
          bounds: [{ kind: 'ratio', at: ['p50', 'p99', 'p999'], atMost: 1.2 }],
          repeats,
        },
      ],
      notes: [],
    };
  },
};

/** Garbage of all ages for so long. */
async function allocate(ms: number): Promise<void> {
  const end = performance.now() + ms;
  let kept: unknown[] = [];
  while (performance.now() < end) {
    const until = performance.now() + SLICE_MS;
    while (performance.now() < until) {
      kept.push({ text: `${kept.length}`, bytes: new Array(64).fill(kept.length) });
      if (kept.length > 50_000) kept = [];
    }
    await setImmediate();
  }
}

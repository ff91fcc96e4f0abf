import type { BenchCase } from '../case.ts';
import { runNative } from '../native.ts';

/** For how long the host takes the processor away: no figure of the run can be better than this. */
export const gaps: BenchCase = {
  name: 'gaps',
  async run(context) {
    const seconds = context.quick ? 1 : 4;
    context.progress(`spin gaps, ${seconds} s`);
    const { cpu, priority } = context;
    const result = await runNative(context, 'gaps', { seconds, cpu, priority });
    const load = `spinning on CPU ${cpu}, SCHED_FIFO, nothing else`;
    return {
      rows: [
        {
          name: 'spin gaps: the longest in each millisecond',
          load,
          unit: 'µs',
          ours: result.figures('host', 'gap', 1_000),
          repeats: 1,
        },
        {
          name: 'time that the host took away (gaps over 1 µs)',
          load,
          unit: '%',
          ours: result.value('host', 'stolen', 0.01),
          repeats: 1,
        },
      ],
      notes: result.notes('spin gaps'),
    };
  },
};

import type { BenchCase } from '../case.ts';
import { runNative } from '../native.ts';
import { median } from '../report.ts';

/** From an urgent commit to its frame. */
export const urgent: BenchCase = {
  name: 'urgent',
  async run(context) {
    const { cpu, priority, repeats, quick } = context;
    context.progress('urgent commit to frame');
    const count = quick ? 200 : 1_000;
    const result = await runNative(context, 'urgent', { count, repeats, cpu, priority });
    const rode = (median(result.values('ours', 'rode-a-cycle')) * 100).toFixed(1);
    return {
      rows: [
        {
          name: 'urgent commit → frame handed to the link',
          load: `cycle 1 ms; 10 devices, 1,250 B, in memory; at any moment; ${rode} % rode a cycle instead; SCHED_FIFO, CPU ${cpu}`,
          unit: 'µs',
          ours: result.figures('ours', 'called-to-sent', 1_000),
          bounds: [{ kind: 'absolute', at: ['p99'], atMost: 50 }],
          repeats,
        },
      ],
      notes: result.notes('urgent'),
    };
  },
};

import { keepAwake, letSleep } from '../awake.ts';
import type { BenchCase } from '../case.ts';
import { type NativeResult, runNative } from '../native.ts';
import type { Row } from '../report.ts';

/** Where the time of a cycle goes, down to a native thread that waits for the slot. */
export const path: BenchCase = {
  name: 'path',
  async run(context) {
    const { cpu, priority, repeats, quick } = context;
    const measure = (): Promise<NativeResult> =>
      runNative(context, 'path', { cycles: quick ? 500 : 1_000, repeats, cpu, priority });
    context.progress('start of the cycle to frame to slot');
    const result = await measure();
    letSleep();
    const asleep = await measure();
    keepAwake();
    const row = (name: string, what: string): Row => ({
      name,
      load: `cycle 1 ms, sleep, then 50 µs spin; 10 devices, 1,250 B, in memory; SCHED_FIFO, CPU ${cpu}`,
      unit: 'µs',
      ours: result.figures('ours', what, 1_000),
      reference: { name: 'the same, processors may sleep', figures: asleep.figures('ours', what, 1_000) },
      repeats,
    });
    const rows = [
      row('start of the cycle → frame handed to the link', 'begun-to-sent'),
      row('start of the cycle → frame received', 'begun-to-received'),
      row('frame received → slot copied by a native thread that waits', 'received-to-copied'),
    ];
    return { rows, notes: result.notes('path') };
  },
};

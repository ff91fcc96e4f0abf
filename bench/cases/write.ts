import { setTimeout as sleep } from 'node:timers/promises';
import { MainDevice } from '../../src/main-device.ts';
import type { BenchCase } from '../case.ts';
import { timeOfDayOffsetNs } from '../clock.ts';
import { OUTPUT_TAG, plant } from '../plant.ts';
import { type Figures, figuresOf, medianFigures, type Row } from '../report.ts';

/** Longest pause between two writes: they come at any moment of a cycle. */
const PAUSE_MS = 4;
const PERIOD_US = 1_000;
/** What the target allows an urgent write; a cyclic one waits for its cycle besides. */
const URGENT_US = 50;

/** From `write()` to the cycle that carries it. */
export const write: BenchCase = {
  name: 'write',
  async run(context) {
    const { repeats, quick } = context;
    context.progress('write() to the cycle that carries it');
    await using bus = await MainDevice.open(plant(context, { tags: 100, moving: 0 }));
    const offsetNs = timeOfDayOffsetNs();
    const tag = bus.tag<number>(OUTPUT_TAG);
    const count = quick ? 100 : 300;
    const found = { called: [] as Figures[], carried: [] as Figures[], settled: [] as Figures[] };
    // The slot of a cycle has the outputs as they were sent: the tag's own sample says which cycle it was.
    let onSample: ((value: number, startNs: bigint) => void) | undefined;
    tag.value$.subscribe(({ value, hostTimeNs }) => {
      if (hostTimeNs !== undefined) onSample?.(value, hostTimeNs - offsetNs);
    });
    let value = 0;
    // The first round only warms up.
    for (let round = 0; round <= repeats; round += 1) {
      const called: number[] = [];
      const carried: number[] = [];
      const settled: number[] = [];
      for (let n = 0; n < count; n += 1) {
        await sleep(Math.random() * PAUSE_MS);
        // Timers fire at whole milliseconds, which is the cycle: the rest is spun.
        const moment = performance.now() + Math.random();
        while (performance.now() < moment);
        value = (value + 1) % 10_000;
        const expected = value;
        const started = Promise.withResolvers<bigint>();
        onSample = (sent, startNs) => {
          if (sent === expected) started.resolve(startNs);
        };
        const begun = process.hrtime.bigint();
        const written = tag.write(expected);
        called.push(Number(process.hrtime.bigint() - begun));
        await written;
        settled.push(Number(process.hrtime.bigint() - begun));
        carried.push(Number((await started.promise) - begun));
      }
      if (round === 0) continue;
      found.called.push(figuresOf(called, 1_000));
      found.carried.push(figuresOf(carried, 1_000));
      found.settled.push(figuresOf(settled, 1_000));
    }
    const row = (name: string, figures: readonly Figures[]): Row => ({
      name,
      load: '1 tag of 16 bits, at any moment of a cycle of 1 ms; in memory',
      unit: 'µs',
      ours: medianFigures(figures),
      repeats,
    });
    const rows = [
      row('write(): the call, until the value is in the lane', found.called),
      {
        ...row('write() → start of the cycle that carries it (frames follow)', found.carried),
        bounds: [{ kind: 'absolute' as const, at: ['p99' as const], atMost: PERIOD_US + URGENT_US }],
      },
      row('write() → promise settled, after the frames came back', found.settled),
    ];
    return { rows, notes: [] };
  },
};

import { Conveyor } from '../../examples/conveyor/conveyor.ts';
import { machineWithBoxes } from '../../examples/conveyor/machine.ts';
import { MainDevice } from '../../src/main-device.ts';
import type { BenchCase } from '../case.ts';
import { median } from '../report.ts';

const CYCLES = 10_000;
/** An operator takes a box some time after it has come. */
const TAKEN_EVERY_MS = 300;

/** How long a user's own test of a small machine takes. */
export const lockstep: BenchCase = {
  name: 'lockstep',
  async run({ repeats, progress }) {
    progress(`a small machine in lockstep, ${repeats} × ${CYCLES} cycles`);
    const tookMs: number[] = [];
    for (let repeat = 0; repeat < repeats; repeat += 1) {
      const machine = await machineWithBoxes();
      await using bus = await MainDevice.open(new URL('../../examples/conveyor/conveyor.yaml', import.meta.url), {
        segment: machine,
      });
      const conveyor = new Conveyor(bus);
      conveyor.start();
      machine.every(TAKEN_EVERY_MS, () => conveyor.take());
      const begun = performance.now();
      await machine.advance({ cycles: CYCLES });
      tookMs.push(performance.now() - begun);
    }
    return {
      rows: [
        {
          name: `${CYCLES.toLocaleString('en')} cycles of a small machine in lockstep`,
          load: 'examples/conveyor: coupler, terminals and a servo, its application, 1 ms each, in virtual time',
          unit: 'ms',
          ours: { p50: median(tookMs), max: Math.max(...tookMs) },
          bounds: [{ kind: 'absolute', at: ['p50', 'max'], atMost: 2_000 }],
          repeats,
        },
      ],
      notes: [],
    };
  },
};

/** The machine on a desk: the simulated segment, and boxes that stand in the light. */

import { type SimulatedSegment, simulate } from '../../src/simulator/index.ts';

/** Position units of the drive in a mm of belt: 65,536 in a revolution of 100 mm. */
const UNITS_PER_MM = 655.36;
/** A box of 120 mm comes every 400 mm. */
const BOX_MM = 120;
export const PITCH_MM = 400;

/** Where the belt is decides whether a box stands in the light. */
export async function machineWithBoxes(): Promise<SimulatedSegment> {
  const machine = await simulate(new URL('segment.yaml', import.meta.url), { seed: 1 });
  const blocked = machine.device('sensors').input(1);
  machine
    .device('belt')
    .object(0x6064)
    .onChange((position) => blocked.set((Number(position) / UNITS_PER_MM) % PITCH_MM > PITCH_MM - BOX_MM));
  return machine;
}

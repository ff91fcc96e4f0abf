/** A plant in virtual time, as the scenarios of `test/scenarios` spoil it. */

import { type ConfigurationDocument, type Fault, MainDevice } from '../../src/index.ts';
import type { FaultHit, SegmentFault } from '../../src/simulator/index.ts';
import { plant } from './plant.ts';

/** What an application saw. */
export interface Observed extends AsyncDisposable {
  readonly bus: MainDevice;
  readonly faults: Fault[];
  /** Runs cycles of 1 ms, and says which quality `count` had in each. */
  qualities(cycles: number): Promise<string[]>;
  inject(fault: SegmentFault): void;
  hits(): readonly FaultHit[];
  /** A byte of a device's ESC, without effects. */
  register(device: string, address: number, bytes?: number): Promise<number>;
  kinds(): string[];
}

/** Opens the plant of `plant.ts`: coupler, in, out, ai (with the tag `count`), ao. */
export async function observed(configuration: ConfigurationDocument = plant({ time: 'virtual' })): Promise<Observed> {
  const bus = await MainDevice.open(configuration);
  const faults: Fault[] = [];
  bus.faults$.subscribe((fault) => faults.push(fault));
  await bus.advance(5);
  return {
    bus,
    faults,
    qualities: async (cycles) => {
      const seen: string[] = [];
      for (let cycle = 0; cycle < cycles; cycle += 1) {
        await bus.advance(1);
        seen.push(bus.snapshot().quality('count'));
      }
      return seen;
    },
    inject: (fault) => void bus.simulator.inject(fault),
    hits: () => bus.simulator.hits().hits,
    register: async (device, address, bytes) =>
      Number(await bus.simulator.device(device).register(address, bytes).read()),
    kinds: () => faults.map(({ kind }) => kind),
    [Symbol.asyncDispose]: () => bus[Symbol.asyncDispose](),
  };
}

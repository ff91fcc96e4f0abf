// Simulated plants as configurations, for what is measured in Node.js.

import type { ConfigurationDocument } from '../src/core/configuration/types.ts';
import type { BenchContext } from './case.ts';

/** Register 0x0007: two ports of E-bus. */
const EBUS_PORTS = 0x0a;

/** Entries of one device, all of them tags. */
const CHANNELS = 100;

/** How large a plant is, and how much of it moves. */
export interface PlantLoad {
  /** Inputs, each one a tag; a multiple of 100. */
  readonly tags: number;
  /** Of these, how many change every ms, spread evenly. */
  readonly moving: number;
  /** Length of each, 1 bit unless told. */
  readonly bits?: 1 | 16;
  /** Cycle time, 1 ms unless told. */
  readonly periodUs?: number;
}

/** Names of the input tags that move. */
export function movingTags({ tags, moving }: PlantLoad): string[] {
  return places({ tags, moving }).map(({ device, channel }) => `d${device}.0x6000.${channel}`);
}

/** Name of the one output tag, 16 bits. */
export const OUTPUT_TAG = 'setpoint.Channel 1.Analog output';

/** A plant of bits or words, with one analogue output behind it, on the cycle thread's own processor. */
export function plant(context: BenchContext, load: PlantLoad): ConfigurationDocument {
  const entries = Array.from({ length: CHANNELS }, (_, n) => ({
    index: 0x6000,
    subindex: n + 1,
    bits: load.bits ?? 1,
  }));
  const devices = Array.from({ length: load.tags / CHANNELS }, (_, n) => ({
    name: `d${n}`,
    type: 'generic' as const,
    esc: { port_descriptor: EBUS_PORTS },
    pdos: [{ direction: 'input' as const, index: 0x1a00, entries }],
  }));
  return {
    ethercat: {
      master: {
        segment: {
          devices: [...devices, { name: 'setpoint', type: 'analogue-outputs', channels: 1 }],
          signals: places(load).map(({ device, channel }) => ({
            input: `d${device}.${channel}`,
            counter: { period_ms: 1 },
          })),
        },
        cycle_time: `${load.periodUs ?? 1_000}us`,
        pre_spin_us: 50,
        priority: context.priority,
        cpu: context.cpu,
        // A machine that stalls is to show in the figures, and not to end the run.
        output_deadline_ms: 10_000,
      },
      // No `process_data`: every entry is a tag, named after its device.
      devices: [...devices.map(({ name }) => name), 'setpoint'].map((name, position) => ({ name, position })),
    },
  };
}

function places({ tags, moving }: PlantLoad): { device: number; channel: number }[] {
  return Array.from({ length: moving }, (_, n) => {
    const bit = Math.floor((n * tags) / moving);
    return { device: Math.floor(bit / CHANNELS), channel: (bit % CHANNELS) + 1 };
  });
}

/** A small plant with a drive that has a mailbox, in virtual time: for what goes wrong within devices. */

import type { ExecutionContext } from 'ava';
import { type ConfigurationDocument, type Fault, MainDevice, type StateChange } from '../../src/index.ts';
import { type SegmentDocument, type SegmentFault, type SimulatedSegment, simulate } from '../../src/simulator/index.ts';
import { changed, counters } from './counters.ts';

/** A coupler, inputs, outputs, and a drive with a mailbox and distributed clocks. */
export const segment: SegmentDocument = {
  devices: [
    { name: 'coupler', type: 'EK1100' },
    { name: 'in', type: 'digital-inputs', channels: 4 },
    { name: 'out', type: 'digital-outputs', channels: 4 },
    {
      name: 'drive',
      type: 'generic',
      pdos: [
        { direction: 'output', index: 0x1600, entries: [{ index: 0x607a, bits: 32, data_type: 4 }] },
        { direction: 'input', index: 0x1a00, entries: [{ index: 0x6064, bits: 32, data_type: 4 }] },
      ],
      mailbox: { objects: [{ index: 0x2000, name: 'Gain', data_type: 6, value: 100 }] },
      distributed_clock: true,
    },
  ],
  signals: [{ input: 'in.1', constant: 1 }],
};

export const names = ['coupler', 'in', 'out', 'drive'] as const;

/** The plant with tags; the identity of its drive can be demanded. */
export function configuration(
  master: Record<string, unknown> = {},
  drive: Record<string, unknown> = {},
): ConfigurationDocument {
  return {
    ethercat: {
      master: { interface: 'none0', cycle_time: 1000, ...master },
      devices: names.map((name, position) => ({ name, position, ...(name === 'drive' ? drive : {}) })),
      process_data: {
        inputs: [
          { name: 'sensor', slave: 'in', channel: 1 },
          { name: 'position', slave: 'drive', index: 0x6064 },
        ],
        outputs: [
          { name: 'lamp', slave: 'out', channel: 1 },
          { name: 'target', slave: 'drive', index: 0x607a },
        ],
      },
    },
  };
}

/** The error that a MainDevice does not open with while these faults hold, the segment, and what it counts then. */
export async function refused(
  t: ExecutionContext,
  faults: SegmentFault[],
  drive: Record<string, unknown> = {},
): Promise<{
  machine: SimulatedSegment;
  error: Error & Record<string, unknown>;
  changes: string[];
}> {
  const machine = await simulate({ ...segment, faults });
  const before = await counters(machine);
  const error = await t.throwsAsync<Error & Record<string, unknown>>(
    MainDevice.open(configuration({}, drive), { segment: machine }),
  );
  return { machine, error: error!, changes: changed(before, await counters(machine)) };
}

/** Those of the changes that are no state: what devices counted. */
export function counted(changes: readonly string[]): string[] {
  return changes.filter((change) => !/status/.test(change));
}

/** Quality of sensor, position, lamp and target. */
export function qualities(bus: MainDevice): string {
  return [...bus.snapshot()].map(({ quality }) => quality).join(' ');
}

/** What a MainDevice reports from now on. */
export function reports(bus: MainDevice): { faults: Fault[]; states: StateChange[] } {
  const faults: Fault[] = [];
  const states: StateChange[] = [];
  bus.faults$.subscribe((fault) => faults.push(fault));
  bus.states$.subscribe((state) => states.push(state));
  return { faults, states };
}

/** The plant in OP until the test ends, with what is reported from then on. */
export async function running(
  t: ExecutionContext,
  master: Record<string, unknown> = {},
  seed = 1,
): Promise<{
  machine: SimulatedSegment;
  bus: MainDevice;
  faults: Fault[];
  states: StateChange[];
}> {
  const machine = await simulate(segment, { seed });
  const bus = await MainDevice.open(configuration(master), { segment: machine });
  t.teardown(() => bus.close());
  await machine.advance({ cycles: 5 });
  return { machine, bus, ...reports(bus) };
}

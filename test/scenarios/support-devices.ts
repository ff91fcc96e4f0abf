// A small plant in virtual time, and all that its devices count.

import { readFileSync } from 'node:fs';
import type { ExecutionContext } from 'ava';
import { parse } from 'yaml';
import { type ConfigurationDocument, type Fault, MainDevice, type StateChange } from '../../src/index.ts';
import { type SegmentDocument, type SegmentFault, type SimulatedSegment, simulate } from '../../src/simulator/index.ts';

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

/** The faults that the page beside a test writes as YAML, so that the page and the test are of the same fault. */
export function faultsOfPage(test: string): SegmentFault[] {
  const page = readFileSync(new URL(test.replace(/\.test\.ts$/, '.md')), 'utf8');
  const yaml = /```yaml\n([\s\S]*?)```/.exec(page)?.[1];
  if (yaml === undefined) throw new Error(`${test}: its page has no YAML`);
  return (parse(yaml) as { faults: SegmentFault[] }).faults;
}

/** The error that a MainDevice does not open with while these faults hold, the segment, and what it counts then. */
export async function refused(
  t: ExecutionContext,
  faults: SegmentFault[],
  drive: Record<string, unknown> = {},
): Promise<{
  machine: SimulatedSegment;
  error: Error & Record<string, unknown>;
  changes: Counters;
}> {
  const machine = await simulate({ ...segment, faults });
  const before = await counters(machine);
  const error = await t.throwsAsync<Error & Record<string, unknown>>(
    MainDevice.open(configuration({}, drive), { segment: machine }),
  );
  return { machine, error: error!, changes: changed(before, await counters(machine)) };
}

/** Those of the changes that are no state: what devices counted. */
export function counted(changes: Counters): Counters {
  return Object.fromEntries(Object.entries(changes).filter(([what]) => !/status/.test(what)));
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

/** Names, registers and widths of what a device counts and says. */
const REGISTERS: [string, number, number][] = [
  ...[0, 1, 2, 3].flatMap((port): [string, number, number][] => [
    [`invalid frames ${port}`, 0x0300 + 2 * port, 1],
    [`receive errors ${port}`, 0x0301 + 2 * port, 1],
    [`forwarded errors ${port}`, 0x0308 + port, 1],
    [`lost links ${port}`, 0x0310 + port, 1],
  ]),
  ['processing unit errors', 0x030c, 1],
  ['PDI errors', 0x030d, 1],
  ['DL status', 0x0110, 2],
  ['process data watchdogs', 0x0442, 1],
  ['PDI watchdogs', 0x0443, 1],
  ['AL status', 0x0130, 1],
  ['AL status code', 0x0134, 2],
];

export type Counters = Record<string, number>;

/** What all devices count and say, by `device: register`, looked at without a frame. */
export async function counters(machine: SimulatedSegment): Promise<Counters> {
  const all: Counters = {};
  for (const name of names)
    for (const [what, address, bytes] of REGISTERS)
      all[`${name}: ${what}`] = Number(await machine.device(name).register(address, bytes).read());
  return all;
}

/** What is another value after than before, and the value that it has. */
export function changed(before: Counters, after: Counters): Counters {
  return Object.fromEntries(Object.entries(after).filter(([what, value]) => before[what] !== value));
}

/** A small plant in virtual time, and everything in which a fault could be seen. */

import type { ExecutionContext } from 'ava';
import { type ConfigurationDocument, type EtherCatError, MainDevice } from '../../src/index.ts';
import { type SegmentDocument, type SegmentFault, type SimulatedSegment, simulate } from '../../src/simulator/index.ts';
import { changed, counters } from './counters.ts';

const NAMES = ['coupler', 'in', 'out', 'drive'];

/** What a scenario has otherwise than the usual plant. */
export interface Variant {
  /** Keys of the drive in the segment file. */
  readonly drive?: Record<string, unknown>;
  /** Keys of the drive in the MainDevice's configuration: the identity that it demands. */
  readonly demanded?: Record<string, unknown>;
  /** A device that the configuration does not have. */
  readonly without?: string;
  /** Keys of `ethercat.master`. */
  readonly master?: Record<string, unknown>;
  /** Of the segment's chance. */
  readonly seed?: number;
  /** From the first frame on. */
  readonly faults?: readonly SegmentFault[];
}

/** A line: a coupler, inputs, outputs (device emulation), and a drive with a program, a mailbox and a clock. */
function segment({ drive = {}, faults = [], seed = 7 }: Variant): SegmentDocument {
  return {
    seed,
    devices: [
      { name: 'coupler', type: 'EK1100' },
      { name: 'in', type: 'digital-inputs', channels: 8 },
      { name: 'out', type: 'digital-outputs', channels: 8 },
      {
        name: 'drive',
        type: 'generic',
        device_emulation: false,
        distributed_clock: true,
        pdos: [
          { direction: 'output', index: 0x1600, entries: [{ index: 0x607a, bits: 32, data_type: 4 }] },
          { direction: 'input', index: 0x1a00, entries: [{ index: 0x6064, bits: 32, data_type: 4 }] },
        ],
        mailbox: { objects: [{ index: 0x2000, name: 'Gain', data_type: 6, value: 100 }] },
        ...drive,
      },
    ],
    signals: [{ input: 'in.1', constant: 1 }],
    faults: [...faults],
  };
}

/** A MainDevice that writes and reads all of them; outputs have no deadline. */
export function configuration({ demanded = {}, master = {}, without }: Variant = {}): ConfigurationDocument {
  const known = ({ slave }: { slave: string }): boolean => slave !== without;
  const devices = NAMES.map((name, position) => ({ name, position, ...(name === 'drive' ? demanded : {}) }));
  return {
    ethercat: {
      master: { interface: 'none0', cycle_time: 1000, output_deadline_ms: 0, ...master },
      devices: devices.filter(({ name }) => name !== without),
      process_data: {
        inputs: [
          { name: 'sensor', slave: 'in', channel: 1 },
          { name: 'position', slave: 'drive', index: 0x6064 },
        ].filter(known),
        outputs: [
          { name: 'lamp', slave: 'out', channel: 1 },
          { name: 'target', slave: 'drive', index: 0x607a },
        ].filter(known),
      },
    },
  };
}

/** What can be seen of a segment, with or without a MainDevice. */
export interface Machine {
  readonly machine: SimulatedSegment;
  /** What differs in the devices since the beginning: of the segment, or since the plant was in OP. */
  changes(): Promise<string[]>;
  /** What faults have done since this was last called, in words; that each names its frame is asserted. */
  hits(): string[];
}

/** The plant in OP, and what is seen of it from here on. */
export interface Plant extends Machine {
  readonly bus: MainDevice;
  /** Faults that the MainDevice told of: kind, who they are about, and AL status code. */
  readonly faults: string[];
  /** Changes of states that it told of. */
  readonly states: string[];
  /** Quality of the tags of in, out and drive. */
  qualities(): string;
  /** The same after each of so many cycles. */
  cycles(count: number): Promise<string[]>;
  /** Frames that were lost, and wrong working counters, since the plant was in OP. */
  errors(): { lostFrames: number; workingCounterErrors: number };
  /** What a write of these outputs (by default all) has come to within some cycles: `written`, `pending`, or why not. */
  write(cycles: number, tags?: readonly ('lamp' | 'target')[]): Promise<string>;
}

/** The segment before a MainDevice is opened on it. */
export async function powered(t: ExecutionContext, variant: Variant = {}): Promise<Machine> {
  const machine = await simulate(segment(variant));
  const before = await counters(machine);
  return { machine, changes: async () => changed(before, await counters(machine)), hits: () => hitsOf(t, machine) };
}

/** The error that a MainDevice does not open with, what devices show then, and what the faults did. */
export async function refused(
  t: ExecutionContext,
  variant: Variant,
): Promise<Machine & { readonly error: EtherCatError }> {
  const plant = await powered(t, variant);
  const error = await t.throwsAsync<EtherCatError>(MainDevice.open(configuration(variant), { segment: plant.machine }));
  return { ...plant, error: error! };
}

/** The plant in OP; it is closed when the test ends. */
export async function plant(t: ExecutionContext, variant: Variant = {}): Promise<Plant> {
  const { machine } = await powered(t, variant);
  const bus = await MainDevice.open(configuration(variant), { segment: machine });
  t.teardown(() => bus.close());
  return await watched(t, machine, bus);
}

/** What is seen of a plant from here on. */
export async function watched(t: ExecutionContext, machine: SimulatedSegment, bus: MainDevice): Promise<Plant> {
  await machine.advance({ cycles: 10 });
  const faults: string[] = [];
  const states: string[] = [];
  bus.faults$.subscribe(({ kind, error: { subDevice, alStatusCode } }) => {
    const code = alStatusCode === undefined ? [] : [hexadecimal(alStatusCode)];
    faults.push([kind, ...(subDevice === undefined ? [] : [subDevice]), ...code].join(' '));
  });
  bus.states$.subscribe((change) => {
    if (change.subject === 'lane') return;
    const who = change.subject === 'sub-device' ? NAMES[change.position!] : change.subject;
    states.push(`${who} ${change.state}`);
  });
  states.length = 0;
  const before = await counters(machine);
  const begun = bus.statistics();
  const known = new Set([...bus.snapshot()].map(({ tag }) => tag));
  const shown = ['sensor', 'lamp', 'position'].filter((tag) => known.has(tag));
  const qualities = (): string => shown.map((tag) => bus.snapshot().quality(tag)).join(' ');
  let target = 0;
  return {
    machine,
    bus,
    faults,
    states,
    changes: async () => changed(before, await counters(machine)),
    qualities,
    cycles: async (count) => {
      const seen: string[] = [];
      for (let cycle = 0; cycle < count; cycle += 1) {
        await machine.advance({ cycles: 1 });
        seen.push(qualities());
      }
      return seen;
    },
    errors: () => {
      const now = bus.statistics();
      return {
        lostFrames: now.lostFrames - begun.lostFrames,
        workingCounterErrors: now.workingCounterErrors - begun.workingCounterErrors,
      };
    },
    hits: () => hitsOf(t, machine),
    write: async (cycles, tags = ['lamp', 'target']) => {
      let outcome = 'pending';
      target += 1;
      const values = { lamp: target % 2 === 1, target };
      const written = bus.write(Object.fromEntries(tags.map((tag) => [tag, values[tag]]))).then(
        () => (outcome = 'written'),
        (error: EtherCatError) => (outcome = [error.code, error.subDevice ?? []].flat().join(' ')),
      );
      await machine.advance({ cycles });
      await Promise.race([written, new Promise((done) => setImmediate(done))]);
      return outcome;
    },
  };
}

/** Those of the changes that are no state: what devices counted. */
export function counted(changes: readonly string[]): string[] {
  return changes.filter((change) => !/status/.test(change));
}

function hitsOf(t: ExecutionContext, machine: SimulatedSegment): string[] {
  const { hits, lost, refused } = machine.hits();
  t.deepEqual([lost, refused], [0, 0]);
  return hits.map(({ fault, frame, device, port, change, before, after }) => {
    t.true(frame > 0 || change === 'began', `${fault} names its frame`);
    const where = device === undefined ? '' : ` ${device}${port === undefined ? '' : ` port ${port}`}`;
    return `${fault}${where}: ${change === 'value' ? `${before} to ${after}` : change}`;
  });
}

function hexadecimal(value: number): string {
  return `0x${value.toString(16).padStart(4, '0')}`;
}

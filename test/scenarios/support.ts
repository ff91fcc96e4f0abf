/** A small plant in virtual time, and everything in which a fault could be seen. */

import type { ExecutionContext } from 'ava';
import { type ConfigurationDocument, MainDevice } from '../../src/index.ts';
import { type SegmentDocument, type SimulatedSegment, simulate } from '../../src/simulator/index.ts';
import { changed, counters } from './counters.ts';

const NAMES = ['coupler', 'in', 'out', 'axis'];

/** A line: a coupler, inputs, outputs (device emulation), and a device with a program, which watches over its outputs. */
const SEGMENT: SegmentDocument = {
  seed: 7,
  devices: [
    { name: 'coupler', type: 'EK1100' },
    { name: 'in', type: 'digital-inputs', channels: 8 },
    { name: 'out', type: 'digital-outputs', channels: 8 },
    {
      name: 'axis',
      type: 'generic',
      device_emulation: false,
      pdos: [
        { direction: 'output', index: 0x1600, entries: [{ index: 0x607a, bits: 32, data_type: 4 }] },
        { direction: 'input', index: 0x1a00, entries: [{ index: 0x6064, bits: 32, data_type: 4 }] },
      ],
    },
  ],
  signals: [{ input: 'in.1', constant: 1 }],
};

/** A MainDevice that writes and reads all of them, without distributed clocks; outputs have no deadline. */
export const CONFIGURATION: ConfigurationDocument = {
  ethercat: {
    master: { interface: 'none0', cycle_time: 1000, distributed_clocks: false, output_deadline_ms: 0 },
    devices: NAMES.map((name, position) => ({ name, position })),
    process_data: {
      inputs: [
        { name: 'sensor', slave: 'in', channel: 1 },
        { name: 'position', slave: 'axis', index: 0x6064 },
      ],
      outputs: [
        { name: 'lamp', slave: 'out', channel: 1 },
        { name: 'target', slave: 'axis', index: 0x607a },
      ],
    },
  },
};

/** The plant in OP, and what is seen of it from here on. */
export interface Plant {
  readonly machine: SimulatedSegment;
  readonly bus: MainDevice;
  /** Kinds of faults that the MainDevice told of, with who they are about. */
  readonly faults: string[];
  /** Changes of states that it told of. */
  readonly states: string[];
  /** What differs in the devices since the plant was in OP. */
  changes(): Promise<string[]>;
  /** Quality of the tags: sensor, position. */
  qualities(): string[];
  /** Quality of both after each of so many cycles. */
  cycles(count: number): Promise<string[]>;
  /** Frames that were lost, and wrong working counters, since the plant was in OP. */
  errors(): { lostFrames: number; workingCounterErrors: number };
  /** What faults have done since this was last called, in words; that each names its frame is asserted. */
  hits(): string[];
  /** Whether a write within some cycles is confirmed: `written`, the code of its error, or `pending`. */
  write(cycles: number): Promise<string>;
}

/** Opens it; it is closed when the test ends. */
export async function plant(t: ExecutionContext): Promise<Plant> {
  const machine = await simulate(SEGMENT);
  const bus = await MainDevice.open(CONFIGURATION, { segment: machine });
  t.teardown(() => bus.close());
  await machine.advance({ cycles: 10 });
  const faults: string[] = [];
  const states: string[] = [];
  bus.faults$.subscribe(({ kind, error }) => faults.push(error.subDevice ? `${kind} ${error.subDevice}` : kind));
  bus.states$.subscribe((change) => {
    if (change.subject === 'lane') return;
    const who = change.subject === 'sub-device' ? NAMES[change.position!] : change.subject;
    states.push(`${who} ${change.state}`);
  });
  states.length = 0;
  const before = await counters(machine);
  const begun = bus.statistics();
  const qualities = (): string[] => ['sensor', 'position'].map((tag) => bus.snapshot().quality(tag));
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
        seen.push(qualities().join(' '));
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
    hits: () => {
      const { hits, lost, refused } = machine.hits();
      t.deepEqual([lost, refused], [0, 0]);
      return hits.map(({ fault, frame, device, port, change, before, after }) => {
        t.true(frame > 0, `${fault} names its frame`);
        const where = device === undefined ? '' : ` ${device}${port === undefined ? '' : ` port ${port}`}`;
        return `${fault}${where}: ${change === 'value' ? `${before} to ${after}` : change}`;
      });
    },
    write: async (cycles) => {
      let outcome = 'pending';
      target += 1;
      const written = bus.write({ lamp: target % 2 === 1, target }).then(
        () => (outcome = 'written'),
        (error: { code: string }) => (outcome = error.code),
      );
      await machine.advance({ cycles });
      await Promise.race([written, new Promise((done) => setImmediate(done))]);
      return outcome;
    },
  };
}

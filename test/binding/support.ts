/** What the tests of the addon share: a bus on a simulated segment, driven directly through the binding. */

import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { ExecutionContext } from 'ava';
import { CONTROL_ENGINE_STATE_I32, EngineState } from '../../src/core/generated/layout.ts';
import {
  type BindingAttachment as Attachment,
  type BindingClaims,
  type BindingEngineOptions,
  type BindingNetwork,
  type BindingOutputOptions,
  type BindingStartOptions,
  type BindingEngine as Engine,
  native,
  type BindingSegment as Segment,
} from '../../src/core/native.ts';

/** A coupler, eight inputs, eight outputs, and a wire from the first output to the first input. */
export const segment: string = JSON.stringify({
  devices: [
    { type: 'EK1100', name: 'coupler' },
    { type: 'digital-inputs', name: 'in', channels: 8 },
    { type: 'digital-outputs', name: 'out', channels: 8 },
  ],
  wires: [{ from: 'out.1', to: 'in.1' }],
});

/** That segment, or another one, nobody having it. */
export function simulatedSegment(virtualTime = false, description: string = segment): Segment {
  return new (native().BindingSegment)(description, virtualTime);
}

/** No test waits longer than this for anything; none depends on it being short. */
export const PATIENCE_MS = 60_000;

/** Small, so that thousands of rounds are cheap. */
export const startOptions = { slotCount: 8, logRecords: 64, laneCount: 4 };

/** Options of an engine, `undefined` takes one away; and the JSON of another segment. */
export type Overrides = { [Name in keyof BindingEngineOptions]?: BindingEngineOptions[Name] | undefined } & {
  readonly description?: string;
};

/** Options of an engine on that segment. */
export function engineOptions(overrides: Overrides = {}): BindingEngineOptions {
  const options = {
    cyclePeriodNs: 1_000_000,
    preSpinNs: 0,
    distributedClocks: false,
    virtualTime: false,
    ...overrides,
  };
  return options as BindingEngineOptions;
}

/** An engine with its memory, and an attachment of this thread. */
export class Bus {
  readonly engine: Engine;
  /** Undefined on a network card. */
  readonly simulated: Segment | undefined;
  network!: BindingNetwork;
  memory!: SharedArrayBuffer;
  attachment!: Attachment;
  rings = 0;
  #onRing: () => void = () => {};
  #words!: Int32Array;

  private constructor(options: BindingEngineOptions, simulated: Segment | undefined) {
    const bell = (): void => {
      this.rings += 1;
      this.#onRing();
    };
    this.simulated = simulated;
    this.engine = new (native().BindingEngine)(options, bell, simulated);
  }

  /** Opens and starts; with `until`, waits for that state. */
  static async open(
    overrides: Overrides = {},
    start: Partial<BindingStartOptions> = {},
    outputs: BindingOutputOptions = {},
    until: number | undefined = EngineState.Op,
  ): Promise<Bus> {
    const { description, ...options } = overrides;
    const isSimulated = options.interface === undefined;
    const simulated = isSimulated ? simulatedSegment(options.virtualTime, description) : undefined;
    const bus = new Bus(engineOptions(options), simulated);
    const { network, failures } = await bus.ring(() => bus.engine.takeBringUp() ?? undefined);
    if (network === undefined) {
      bus.engine.release();
      throw Object.assign(new Error(failures[0]?.message), { failures });
    }
    bus.network = network;
    const sizes = { ...startOptions, ...start };
    bus.memory = new SharedArrayBuffer(bus.engine.memoryBytes(sizes));
    bus.#words = new Int32Array(bus.memory);
    bus.engine.start(new Uint8Array(bus.memory), sizes, outputs);
    bus.attachment = new (native().BindingAttachment)(bus.engine.id, new Uint8Array(bus.memory), null);
    if (until !== undefined) await bus.reached(until);
    return bus;
  }

  /** The state of the engine, as it is in shared memory. */
  get state(): number {
    return Atomics.load(this.#words, CONTROL_ENGINE_STATE_I32);
  }

  /** Waits until `look` finds something, looking at every ring. */
  async ring<T>(look: () => T | undefined): Promise<T> {
    for (;;) {
      const rung = new Promise<void>((resolve) => {
        this.#onRing = resolve;
      });
      const found = look();
      if (found !== undefined) return found;
      await rung;
    }
  }

  /** Waits for a state of the engine. */
  async reached(state: number): Promise<void> {
    await eventually(() => this.state === state, `state ${state}, it is ${this.state}`);
  }

  /** Closes and lets go of everything. */
  close(): boolean {
    this.attachment.release();
    const closed = this.engine.closeNow(PATIENCE_MS);
    this.engine.release();
    return closed;
  }
}

/** A bus that is closed when the test ends, however it ends: an open engine keeps its process alive. */
export async function openBus(
  t: ExecutionContext,
  overrides: Overrides = {},
  start: Partial<BindingStartOptions> = {},
  outputs: BindingOutputOptions = {},
): Promise<Bus> {
  const bus = await Bus.open(overrides, start, outputs);
  t.teardown(() => bus.close());
  return bus;
}

/** Claims bits of an output image of one byte, which go to 0 on loss. */
export function claimsOf({ mask, ...more }: { mask: number } & Partial<Omit<BindingClaims, 'mask'>>): BindingClaims {
  return {
    mask: new Uint8Array([mask]),
    lossMask: new Uint8Array([0xff]),
    lossImage: new Uint8Array(1),
    deadlineCycles: 0,
    ...more,
  };
}

/** Waits until `condition` holds. */
export async function eventually(condition: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`not in ${PATIENCE_MS} ms: ${what}`);
    await delay(2);
  }
}

/** Starts a worker of `fixtures/` and waits for its first message. */
export async function startWorker(name: string, workerData: unknown): Promise<Worker> {
  const worker = new Worker(new URL(`fixtures/${name}.ts`, import.meta.url), { workerData });
  await once(worker, 'message');
  return worker;
}

/**
 * A simulated segment as JavaScript asks it: requests by number, settled by their answers. The native side of
 * `src/simulator`; the segment is on the wire of an engine or a server, or at home.
 */

import { located } from './configuration/segment-source.ts';
import type { SegmentDescription } from './configuration/segment-types.ts';
import { EtherCatError } from './errors/ethercat-error.ts';
import { translated } from './errors/from-binding.ts';
import type { ErrorCode } from './errors/table.ts';
import { type BindingSegment, native } from './native.ts';

/** How often answers are looked for while some are awaited, should nobody ring. */
const LOOK_MS = 5;

/** One channel of a device: bits of its process data. */
export interface SegmentChannel {
  /** From the start of the device's inputs or outputs. */
  readonly bitOffset: number;
  readonly bitLength: number;
  /** How the bits are a number. */
  readonly type: 'unsigned' | 'signed' | 'real32' | 'real64';
  /** The object that it carries; null where it is none. */
  readonly index: number | null;
  readonly subindex: number | null;
}

/** What there is to ask of a device. */
export interface SegmentDevice {
  readonly name: string;
  readonly inputs: readonly SegmentChannel[];
  readonly outputs: readonly SegmentChannel[];
  readonly files: readonly string[];
  /** How many slots for modules it has. */
  readonly slots: number;
  /** What can be plugged into them. */
  readonly modules: readonly { readonly name: string; readonly ident: number }[];
  /** Whether it has a dictionary. */
  readonly hasObjects: boolean;
}

/** What came of a request (`Answer` in simulators/src/request.rs). */
export interface SegmentAnswer {
  /** The segment's time when it was served, in ns. */
  readonly atNs: number;
  /** Integers as text, which loses no bit. */
  readonly value?: string | number;
  /** Whether `value` is of a floating-point type. */
  readonly real?: boolean;
  /** Data type of an object; 0 where it is not known. */
  readonly dataType?: number;
  readonly bits?: number;
  readonly state?: {
    readonly powered: boolean;
    readonly reached: boolean;
    readonly alStatus: number;
    readonly alStatusCode: number;
    readonly stationAddress: number;
  };
  /** Of a watch: whether its conditions hold, and what was seen last of each. */
  readonly held?: boolean;
  readonly last?: readonly (string | number | null)[];
  /** The bytes of an object, a file, or of memory. */
  readonly data?: Uint8Array;
}

type Outcome = Omit<SegmentAnswer, 'data'> & { readonly refused?: string; readonly message?: string };

interface Pending {
  /** What the request concerns, for its error. */
  readonly what: string;
  /** Nobody waits for it: it keeps no process alive. */
  readonly isIdle: boolean;
  readonly answered: (answer: SegmentAnswer) => void;
  readonly failed: (error: EtherCatError) => void;
}

const refusals: Readonly<Record<string, ErrorCode>> = {
  range: 'ECAT_ERR_VALUE_RANGE',
  length: 'ECAT_ERR_VALUE_RANGE',
  notWhole: 'ECAT_ERR_VALUE_RANGE',
  tooManyWatches: 'ECAT_ERR_REQUEST_QUEUE_FULL',
};

/** The native segment and what was asked of it. */
export class SegmentPort {
  readonly binding: BindingSegment;
  readonly virtualTime: boolean;
  /** By number. */
  readonly devices: readonly SegmentDevice[];
  readonly #pending: Map<number, Pending> = new Map();
  #timer: NodeJS.Timeout | undefined;

  /** @throws `ECAT_ERR_SEGMENT_INVALID`, `ECAT_ERR_ADDON_MISSING` */
  constructor(description: SegmentDescription, virtualTime: boolean) {
    this.binding = located(description, (json) => new (native().BindingSegment)(json, virtualTime));
    this.virtualTime = virtualTime;
    this.devices = JSON.parse(this.binding.devices) as readonly SegmentDevice[];
  }

  /** The segment's time when it was seen last, in ns. */
  get nowNs(): number {
    return this.binding.nowNs;
  }

  /** Hands a command over, to be carried out in its turn. @throws `ECAT_ERR_REQUEST_QUEUE_FULL`, `ECAT_ERR_INVALID_ARGUMENT` */
  command(command: object | string): void {
    const json = typeof command === 'string' ? command : JSON.stringify(command);
    if (translated(() => this.binding.command(json))) return;
    throw new EtherCatError('ECAT_ERR_REQUEST_QUEUE_FULL', 'more commands wait than the simulated segment holds');
  }

  /** Hands a fault over, with camelCase keys; returns its name. @throws as `command` */
  inject(fault: object): string {
    const name = translated(() => this.binding.inject(JSON.stringify(fault)));
    if (name !== null) return name;
    throw new EtherCatError('ECAT_ERR_REQUEST_QUEUE_FULL', 'more commands wait than the simulated segment holds');
  }

  /** Ends the faults of a name, or without one all of them. @throws as `command` */
  clearFaults(name?: string): void {
    if (translated(() => this.binding.clearFaults(name))) return;
    throw new EtherCatError('ECAT_ERR_REQUEST_QUEUE_FULL', 'more commands wait than the simulated segment holds');
  }

  /**
   * Asks something.
   *
   * @param what - what it concerns, as an error begins
   * @throws (rejects with) `ECAT_ERR_INVALID_ARGUMENT`, `ECAT_ERR_VALUE_RANGE`, `ECAT_ERR_REQUEST_QUEUE_FULL`
   */
  ask(what: string, request: object, data?: Uint8Array): Promise<SegmentAnswer> {
    return new Promise((answered, failed) => {
      try {
        this.#put(request, data, { what, isIdle: false, answered, failed });
      } catch (error) {
        failed(EtherCatError.from(error));
      }
    });
  }

  /**
   * Watches for conditions; `onEnd` is called by {@link SegmentPort.settle}, once, when they hold or the watch was ended.
   *
   * @param isIdle - whether the process may end meanwhile
   * @returns ends the watch
   * @throws `ECAT_ERR_REQUEST_QUEUE_FULL`
   */
  watch(request: object, isIdle: boolean, onEnd: (answer: SegmentAnswer) => void): () => void {
    let isOver = false;
    const over = (answer: SegmentAnswer): void => {
      isOver = true;
      onEnd(answer);
    };
    const failed = (): void => over({ atNs: this.nowNs, held: false });
    const id = this.#put(request, undefined, { what: 'a condition', isIdle, answered: over, failed });
    return () => {
      if (!isOver) void this.ask('a condition', { kind: 'unwatch', watch: id }).catch(() => undefined);
    };
  }

  /** Settles what has been answered. Called on every bell of whoever has the segment. */
  settle(): void {
    if (this.#pending.size === 0) return;
    for (const { id, outcome, data } of this.binding.takeAnswers()) {
      const pending = this.#pending.get(id);
      if (pending === undefined) continue;
      this.#pending.delete(id);
      const { refused, message = '', ...answer } = JSON.parse(outcome) as Outcome;
      if (refused === undefined) pending.answered(data === undefined ? answer : { ...answer, data });
      else
        pending.failed(
          new EtherCatError(refusals[refused] ?? 'ECAT_ERR_INVALID_ARGUMENT', `${pending.what}: ${message}`),
        );
    }
    this.#keepLooking();
  }

  #put(request: object, data: Uint8Array | undefined, pending: Pending): number {
    const id = translated(() => this.binding.ask(JSON.stringify(request), data ?? null));
    if (id === null) {
      const message = `${pending.what}: ${this.#pending.size} requests to the simulated segment wait for their answer already`;
      throw new EtherCatError('ECAT_ERR_REQUEST_QUEUE_FULL', message);
    }
    this.#pending.set(id, pending);
    // At home it is answered by now.
    if (this.binding.isAtHome) this.settle();
    else this.#keepLooking();
    return id;
  }

  #keepLooking(): void {
    if (this.#pending.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      return;
    }
    this.#timer ??= setInterval(() => this.settle(), LOOK_MS);
    const isAwaited = [...this.#pending.values()].some(({ isIdle }) => !isIdle);
    if (isAwaited) this.#timer.ref();
    else this.#timer.unref();
  }
}

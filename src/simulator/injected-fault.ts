/** A fault that was injected, and what faults have done. */

import type { DatagramCommand, FaultEffect } from '../core/configuration/fault-types.ts';
import type { SegmentPort } from '../core/segment-port.ts';

/** One thing that a fault did. */
export interface FaultHit {
  /** Name of the fault. */
  readonly fault: string;
  /** What it does. */
  readonly kind: FaultEffect['kind'];
  /** By the segment's time, in ns. */
  readonly timeNs: number;
  /** Number of the frame that it touched, or that passed last, from 1. */
  readonly frame: number;
  /** The datagram that it touched, or that made the frame one of those it concerns. */
  readonly datagram?: {
    /** Which one of its frame, from 0. */
    readonly number: number;
    /** Index in its header. */
    readonly index: number;
    /** Its command; `unknown` where its byte is none of the fifteen. */
    readonly command: DatagramCommand | 'unknown';
    /** Position address, as it stood in the datagram. */
    readonly position?: number;
    /** Station address. */
    readonly station?: number;
    /** Address of the register. */
    readonly register?: number;
    /** Logical address. */
    readonly logical?: number;
  };
  /** Name of the device that it touched. */
  readonly device?: string;
  /** Port of that device. */
  readonly port?: number;
  /** A condition began or ended; it happened; or a number changed, from `before` to `after`. */
  readonly change: 'began' | 'ended' | 'done' | 'value';
  /** The number before. */
  readonly before?: number;
  /** The number after. */
  readonly after?: number;
}

/** What was read of the log. */
export interface FaultHits {
  /** In their order. */
  readonly hits: readonly FaultHit[];
  /** How many in all were lost because nobody read them. */
  readonly lost: number;
  /** Faults in all that were not taken because 64 were there already. */
  readonly refused: number;
}

/** A fault that was injected. */
export class InjectedFault implements Disposable {
  /** How hits call it. */
  readonly name: string;
  readonly #port: SegmentPort;

  /** @internal */
  constructor(port: SegmentPort, name: string) {
    this.#port = port;
    this.name = name;
  }

  /** It ends, and what holds by it with it. Without effect where it is over already. */
  clear(): void {
    this.#port.clearFaults(this.name);
  }

  [Symbol.dispose](): void {
    this.clear();
  }
}

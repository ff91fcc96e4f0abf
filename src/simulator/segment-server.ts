/** A simulated segment on a network card. */

import { translated } from '../core/errors/from-binding.ts';
import { type BindingSegmentServer, native } from '../core/native.ts';
import type { SegmentPort } from '../core/segment-port.ts';

/** How to serve. */
export interface ServeOptions {
  /** Network card at the far end of the segment's ring. */
  readonly secondInterface?: string | undefined;
  /** Real-time priority of the thread that answers, 1 to 99. */
  readonly priority?: number | undefined;
  /** The processor that it is bound to. */
  readonly cpu?: number | undefined;
}

/** Serves a segment until it is closed. It does not keep the process alive. */
export class SegmentServer implements Disposable {
  readonly #server: BindingSegmentServer;

  /** @internal */
  constructor(port: SegmentPort, interfaceName: string, { secondInterface, priority, cpu }: ServeOptions) {
    const { binding } = port;
    this.#server = translated(
      () => new (native().BindingSegmentServer)(binding, interfaceName, secondInterface, priority, cpu),
    );
  }

  /** Frames that came back out of the segment so far. */
  get frames(): number {
    return this.#server.frames;
  }

  /** Frames that did not: lost or delayed in the segment, or not taken by the card. */
  get lostFrames(): number {
    return this.#server.lostFrames;
  }

  /** Stops, and lets go of card and segment. Idempotent. */
  close(): void {
    this.#server.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

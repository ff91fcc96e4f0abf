/** The newest cycle, coalesced to what this thread sees. */

import type { Subscriber } from 'rxjs';
import type { BusView } from '../core/bus-view.ts';
import { joinTimes, slotReader } from '../core/process-image.ts';
import { BusObservable, type ReportThrown } from './bus-observable.ts';

/** One cycle. */
export interface CycleInfo {
  /** Number of the cycle; does not wrap. */
  readonly cycle: number;
  /** Periods since the last emission to anybody; 1 when none was left out. */
  readonly cycles: number;
  /** Host time at the start of the cycle, in ns since 1970. */
  readonly hostTimeNs: bigint;
  /** DC time of the cycle, in ns since 2000; undefined without distributed clocks. */
  readonly dcTimeNs: bigint | undefined;
}

/** Emits the head of the newest slot whenever it is told to look and somebody is subscribed. */
export class CycleStream {
  readonly stream: BusObservable<CycleInfo>;
  readonly #bus: BusView;
  readonly #subscribers: Set<Subscriber<CycleInfo>> = new Set();
  readonly #times: Uint32Array<ArrayBuffer> = new Uint32Array(4);
  #last: number | undefined;
  #complete = false;

  constructor(bus: BusView, report: ReportThrown) {
    this.#bus = bus;
    this.stream = new BusObservable(report, (subscriber) => {
      if (this.#complete) {
        subscriber.complete();
        return undefined;
      }
      if (this.#subscribers.size === 0) this.#last = undefined;
      this.#subscribers.add(subscriber);
      return () => this.#subscribers.delete(subscriber);
    });
  }

  /** Emits the newest cycle unless it was emitted before. */
  look(): void {
    if (this.#subscribers.size === 0) return;
    const { cycleNumber, memory } = this.#bus;
    if (this.#last !== undefined && cycleNumber.extend(memory.latestCycle) === this.#last) return;
    const slot = this.#bus.newestSlot();
    const cycle = cycleNumber.extend(slotReader.cycle(slot));
    if (this.#last !== undefined && cycle <= this.#last) return;
    const cycles = this.#last === undefined ? 1 : cycle - this.#last;
    this.#last = cycle;
    slotReader.times(slot, this.#times);
    const info: CycleInfo = { cycle, cycles, ...joinTimes(this.#times) };
    for (const subscriber of [...this.#subscribers]) subscriber.next(info);
  }

  complete(): void {
    this.#complete = true;
    for (const subscriber of [...this.#subscribers]) subscriber.complete();
  }
}

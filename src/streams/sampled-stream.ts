/** A snapshot every n cycles. */

import type { CycleClock, CycleWatcher } from '../core/cycle-clock.ts';
import type { Snapshot } from '../core/snapshot.ts';

/** Takes the snapshot of a cycle, or of the newest where the ring has that one no more. */
export type TakeSnapshot = (cycle: number, missed: number) => Snapshot;

/** An rxjs subscriber is one. */
interface SnapshotSubscriber {
  next(snapshot: Snapshot): void;
  error(error: unknown): void;
  complete(): void;
}

/** One subscription to a snapshot every n cycles: exactly of those cycles as long as the ring has them. */
export class SampledStream implements CycleWatcher {
  readonly #every: number;
  readonly #first: number;
  readonly #take: TakeSnapshot;
  readonly #clock: CycleClock;
  readonly #subscriber: SnapshotSubscriber;
  /** How many periods of n cycles had passed at the last emission. */
  #periods = 0;

  constructor(
    options: { every: number; first: Snapshot; take: TakeSnapshot; clock: CycleClock },
    subscriber: SnapshotSubscriber,
  ) {
    this.#every = options.every;
    this.#first = options.first.cycle;
    this.#take = options.take;
    this.#clock = options.clock;
    this.#subscriber = subscriber;
    subscriber.next(options.first);
    this.#clock.add(this);
  }

  get due(): number {
    return this.#first + (this.#periods + 1) * this.#every;
  }

  look(latest: number): void {
    const periods = Math.floor((latest - this.#first) / this.#every);
    if (periods <= this.#periods) return;
    const missed = periods - this.#periods - 1;
    this.#periods = periods;
    let snapshot: Snapshot;
    try {
      snapshot = this.#take(this.#first + periods * this.#every, missed);
    } catch (error) {
      this.stop();
      this.#subscriber.error(error);
      return;
    }
    this.#subscriber.next(snapshot);
  }

  complete(): void {
    this.#subscriber.complete();
  }

  stop(): void {
    this.#clock.delete(this);
  }
}

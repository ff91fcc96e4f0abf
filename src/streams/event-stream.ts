/** A stream of rare things, driven by hand. */

import type { Subscriber } from 'rxjs';
import { BusObservable, type ReportThrown } from './bus-observable.ts';

/** Emits what it is given to whoever is subscribed at the moment. */
export class EventStream<T> {
  readonly stream: BusObservable<T>;
  readonly #subscribers: Set<Subscriber<T>> = new Set();
  #complete = false;

  /** @param first - what a new subscriber begins with */
  constructor(report: ReportThrown, first: () => readonly T[]) {
    this.stream = new BusObservable(report, (subscriber) => {
      for (const value of first()) subscriber.next(value);
      if (this.#complete) {
        subscriber.complete();
        return undefined;
      }
      this.#subscribers.add(subscriber);
      return () => this.#subscribers.delete(subscriber);
    });
  }

  get hasSubscribers(): boolean {
    return this.#subscribers.size > 0;
  }

  emit(value: T): void {
    for (const subscriber of [...this.#subscribers]) subscriber.next(value);
  }

  complete(): void {
    this.#complete = true;
    for (const subscriber of [...this.#subscribers]) subscriber.complete();
  }
}

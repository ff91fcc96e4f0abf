/** The observables of a MainDevice: rxjs observables whose consumers cannot harm each other, and async iterables. */

import { Observable, type Observer, type Operator, Subscriber, type Subscription, type TeardownLogic } from 'rxjs';
import { iterate, type ObservableIterator } from './iterate.ts';

/** Told what a consumer threw. */
export type ReportThrown = (error: unknown) => void;

/**
 * The consumer at the end of a chain: one call from here to the application's handler, where rxjs's own subscriber takes
 * four, and what the handler throws is reported.
 */
class ConsumerSubscriber<T> extends Subscriber<T> {
  readonly #given: Partial<Observer<T>>;
  readonly #report: ReportThrown;

  constructor(given: Partial<Observer<T>>, report: ReportThrown) {
    super();
    this.#given = given;
    this.#report = report;
  }

  override next(value: T): void {
    // After the end rxjs decides what becomes of it.
    if (this.isStopped) {
      super.next(value);
      return;
    }
    try {
      this.#given.next?.(value);
    } catch (thrown) {
      this.#report(thrown);
    }
  }

  protected override _error(failure: unknown): void {
    try {
      if (this.#given.error === undefined) this.#report(failure);
      else this.#given.error(failure);
    } catch (thrown) {
      this.#report(thrown);
    } finally {
      this.unsubscribe();
    }
  }

  protected override _complete(): void {
    try {
      this.#given.complete?.();
    } catch (thrown) {
      this.#report(thrown);
    } finally {
      this.unsubscribe();
    }
  }
}

/**
 * An rxjs `Observable` that can also be read with `for await` (bounded, drops the oldest: {@link iterate}).
 *
 * A consumer that throws, and an operator in front of it that throws while the consumer has no error
 * handler, are reported in `faults$`; the consumer stays subscribed, and no other one notices. Plain rxjs
 * would throw such an error from a timer and so end the process. This holds for everything that is
 * piped from this observable; what other creation functions (`merge`, `combineLatest` …) make of several
 * of them is handled as rxjs does it.
 */
export class BusObservable<T> extends Observable<T> implements AsyncIterable<T> {
  readonly #report: ReportThrown;

  /** @internal */
  constructor(report: ReportThrown, subscribe?: (this: Observable<T>, subscriber: Subscriber<T>) => TeardownLogic) {
    super(subscribe);
    this.#report = report;
  }

  /** @internal Carries the error handling into everything that is piped from here. */
  override lift<R>(operator?: Operator<T, R>): Observable<R> {
    const lifted = new BusObservable<R>(this.#report);
    lifted.source = this;
    lifted.operator = operator as Operator<unknown, R> | undefined;
    return lifted;
  }

  override subscribe(observerOrNext?: Partial<Observer<T>> | ((value: T) => void) | null): Subscription;
  /** @deprecated as in rxjs: pass an observer with the handlers. */
  override subscribe(
    next?: ((value: T) => void) | null,
    error?: ((error: unknown) => void) | null,
    complete?: (() => void) | null,
  ): Subscription;
  override subscribe(
    observerOrNext?: Partial<Observer<T>> | ((value: T) => void) | null,
    error?: ((error: unknown) => void) | null,
    complete?: (() => void) | null,
  ): Subscription {
    // An operator's own subscriber handles its errors; only the end of a chain is a consumer.
    if (observerOrNext instanceof Subscriber) return super.subscribe(observerOrNext);
    const given: Partial<Observer<T>> =
      typeof observerOrNext === 'function' || !observerOrNext
        ? { ...(observerOrNext && { next: observerOrNext }), ...(error && { error }), ...(complete && { complete }) }
        : observerOrNext;
    return super.subscribe(new ConsumerSubscriber(given, this.#report));
  }

  [Symbol.asyncIterator](): ObservableIterator<T> {
    return iterate(this);
  }
}

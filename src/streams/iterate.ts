/** Reading an observable with `for await`. */

import type { Observable, Subscription } from 'rxjs';

/** What becomes of values that a loop is too slow for. */
export interface IterateOptions {
  /**
   * - `queue`, the default: they wait, up to `capacity` of them; then the oldest is dropped;
   * - `latest`: only the newest waits.
   */
  readonly policy?: 'queue' | 'latest';
  /** Values that wait at most; 1,024 unless given. */
  readonly capacity?: number;
}

/** Values that wait for a slow loop when nothing else is asked for. */
const CAPACITY = 1024;

/** An async iterator over an observable, with a bounded queue. */
export interface ObservableIterator<T> extends AsyncIterableIterator<T> {
  /** Values that were dropped so far because the loop was too slow. */
  readonly dropped: number;
  /** The next value, as soon as there is one; several calls may wait at once. */
  next(): Promise<IteratorResult<T, undefined>>;
  /** Unsubscribes and ends the loop; values that wait are dropped. */
  return(): Promise<IteratorResult<T, undefined>>;
  [Symbol.asyncIterator](): ObservableIterator<T>;
}

/**
 * Subscribes to an observable and hands its values to a `for await` loop.
 *
 * Values that arrive while the loop is busy wait in a queue of `capacity` (1,024 unless told); when it is
 * full the oldest is dropped and counted in `dropped`. With the policy `latest` only the newest waits. Leaving the loop unsubscribes. An error of the
 * observable is thrown in the loop after the values before it.
 */
export function iterate<T>(source: Observable<T>, options: IterateOptions = {}): ObservableIterator<T> {
  const isLatest = options.policy === 'latest';
  if (!isLatest && options.policy !== undefined && options.policy !== 'queue') {
    throw new RangeError('policy has to be "queue" or "latest"');
  }
  const capacity = isLatest ? 1 : (options.capacity ?? CAPACITY);
  if (!Number.isInteger(capacity) || capacity < 1) throw new RangeError('capacity has to be a whole number from 1');
  const queue: T[] = [];
  // The oldest value stands at `head`; the part before it is free.
  let head = 0;
  let dropped = 0;
  let end: { readonly error?: unknown } | undefined;
  const waiting: PromiseWithResolvers<IteratorResult<T, undefined>>[] = [];
  const take = (): T => {
    const value = queue[head]!;
    head += 1;
    if (head === queue.length) {
      queue.length = 0;
      head = 0;
    } else if (head > capacity) {
      queue.splice(0, head);
      head = 0;
    }
    return value;
  };
  const finish = (how: { readonly error?: unknown }): void => {
    end ??= how;
    for (const { resolve, reject } of waiting.splice(0)) {
      if ('error' in how) reject(how.error);
      else resolve({ done: true, value: undefined });
    }
  };
  const subscription: Subscription = source.subscribe({
    next: (value) => {
      const waiter = waiting.shift();
      if (waiter !== undefined) {
        waiter.resolve({ done: false, value });
        return;
      }
      queue.push(value);
      if (queue.length - head > capacity) {
        take();
        dropped += 1;
      }
    },
    error: (error: unknown) => finish({ error }),
    complete: () => finish({}),
  });
  return {
    get dropped(): number {
      return dropped;
    },
    next(): Promise<IteratorResult<T, undefined>> {
      if (queue.length > head) return Promise.resolve({ done: false, value: take() });
      if (end === undefined) {
        const waiter = Promise.withResolvers<IteratorResult<T, undefined>>();
        waiting.push(waiter);
        return waiter.promise;
      }
      if (!('error' in end)) return Promise.resolve({ done: true, value: undefined });
      const { error } = end;
      end = {};
      return Promise.reject(error);
    },
    return(): Promise<IteratorResult<T, undefined>> {
      subscription.unsubscribe();
      queue.length = 0;
      head = 0;
      finish({});
      return Promise.resolve({ done: true, value: undefined });
    },
    [Symbol.asyncIterator](): ObservableIterator<T> {
      return this;
    },
  };
}

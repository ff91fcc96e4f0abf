import test from 'ava';
import { map, type Subscriber, take, toArray } from 'rxjs';
import { BusObservable } from '../../src/streams/bus-observable.ts';
import { iterate } from '../../src/streams/iterate.ts';

/** A stream that is driven by hand, and what its consumers threw. */
function driven(): {
  source: BusObservable<number>;
  next: (value: number) => void;
  end: (error?: Error) => void;
  thrown: unknown[];
  watchers: Set<Subscriber<number>>;
} {
  const thrown: unknown[] = [];
  const watchers = new Set<Subscriber<number>>();
  const source = new BusObservable<number>(
    (error) => thrown.push(error),
    (subscriber) => {
      watchers.add(subscriber);
      return () => watchers.delete(subscriber);
    },
  );
  const next = (value: number): void => {
    for (const watcher of [...watchers]) watcher.next(value);
  };
  const end = (error?: Error): void => {
    for (const watcher of [...watchers]) {
      if (error === undefined) watcher.complete();
      else watcher.error(error);
    }
  };
  return { source, next, end, thrown, watchers };
}

test('a consumer that throws is reported, stays subscribed, and harms no other', (t) => {
  const { source, next, thrown } = driven();
  const seen: number[] = [];
  source.subscribe((value) => {
    if (value === 2) throw new Error('two');
    seen.push(value);
  });
  source.subscribe({ next: (value) => seen.push(value * 10) });
  for (const value of [1, 2, 3]) next(value);
  t.deepEqual(seen, [1, 10, 20, 3, 30]);
  t.deepEqual(thrown, [new Error('two')]);
});

test('what an operator throws goes to the consumer, or is reported where he has no handler', (t) => {
  const { source, next, thrown } = driven();
  const failing = source.pipe(
    map((value) => {
      if (value === 2) throw new Error('two');
      return value;
    }),
  );
  const handled: unknown[] = [];
  failing.subscribe({ error: (error) => handled.push(error) });
  failing.subscribe();
  for (const value of [1, 2, 3]) next(value);
  t.deepEqual(handled, [new Error('two')]);
  t.deepEqual(thrown, [new Error('two')]);
});

test('handlers of errors and of the end may throw too', (t) => {
  const { source, end, thrown } = driven();
  source.subscribe({
    complete: () => {
      throw new Error('at the end');
    },
  });
  end();
  const other = driven();
  other.source.subscribe({
    error: () => {
      throw new Error('while handling');
    },
  });
  other.end(new Error('failed'));
  t.deepEqual([...thrown, ...other.thrown], [new Error('at the end'), new Error('while handling')]);
});

test('operators of rxjs work as on any observable', (t) => {
  const { source, next, watchers } = driven();
  const seen: number[][] = [];
  source.pipe(take(2), toArray()).subscribe((values) => seen.push(values));
  for (const value of [1, 2, 3]) next(value);
  t.deepEqual(seen, [[1, 2]]);
  t.is(watchers.size, 0);
});

test('a for await loop gets every value, ends with the stream, and unsubscribes when it is left', async (t) => {
  const { source, next, end, watchers } = driven();
  const all: number[] = [];
  const loop = (async () => {
    for await (const value of source) all.push(value);
  })();
  for (const value of [1, 2, 3]) next(value);
  end();
  await loop;
  t.deepEqual(all, [1, 2, 3]);
  const left = (async () => {
    for await (const _ of source) break;
  })();
  next(1);
  await left;
  t.is(watchers.size, 0);
});

test('a slow loop loses the oldest values and counts them', async (t) => {
  const { source, next, end } = driven();
  const values = iterate(source, { capacity: 3 });
  for (let value = 1; value <= 10; value += 1) next(value);
  t.is(values.dropped, 7);
  end();
  const rest: number[] = [];
  for await (const value of values) rest.push(value);
  t.deepEqual(rest, [8, 9, 10]);
});

test('an error of the stream is thrown in the loop after the values before it', async (t) => {
  const { source, next, end } = driven();
  const values = iterate(source);
  next(1);
  end(new Error('over'));
  t.deepEqual(await values.next(), { done: false, value: 1 });
  await t.throwsAsync(values.next(), { message: 'over' });
  t.deepEqual(await values.next(), { done: true, value: undefined });
});

test('several reads may wait at once', async (t) => {
  const { source, next, end } = driven();
  const values = iterate(source);
  const reads = [values.next(), values.next(), values.next()];
  next(1);
  next(2);
  end();
  t.deepEqual(await Promise.all(reads), [
    { done: false, value: 1 },
    { done: false, value: 2 },
    { done: true, value: undefined },
  ]);
});

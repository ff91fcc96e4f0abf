/**
 * From the batches of a consumer to subscribers.
 *
 * Every tag has a place in a dense table that holds nothing, one subscriber, or several; a batch walks its
 * changed tags and calls what it finds there. Tags that nobody watches cost one look at the table.
 */

import type { Subscriber } from 'rxjs';
import type { Batch, Consumer } from '../core/consumer.ts';
import type { CycleNumber } from '../core/cycle-number.ts';
import { joinTimes } from '../core/process-image.ts';
import { type Quality, qualityOf } from '../core/quality.ts';
import type { TagTable } from '../core/tag-table.ts';
import type { TagValue } from '../core/tag-types.ts';
import { BusObservable, type ReportThrown } from './bus-observable.ts';
import { ChangeBatch } from './change-batch.ts';

/** One value of a tag. */
export interface Sample<T extends TagValue = TagValue> {
  /** In its unit, by its type. */
  readonly value: T;
  /** How far the value can be trusted. */
  readonly quality: Quality;
  /** Number of the cycle in which the value or its quality changed. Counts periods of the schedule; does not wrap. */
  readonly cycle: number;
  /** Host time at the start of that cycle, in ns since 1970. */
  readonly hostTimeNs: bigint;
  /** DC time of that cycle, in ns since 2000; undefined without distributed clocks. */
  readonly dcTimeNs: bigint | undefined;
}

type Watchers = null | Subscriber<Sample> | readonly Subscriber<Sample>[];

/** The streams of one consumer's tags. */
export class TagStreams {
  readonly #table: TagTable;
  readonly #names: readonly string[];
  readonly #consumer: Consumer;
  readonly #cycleNumber: CycleNumber;
  readonly #reportOf: (tag: string | undefined) => ReportThrown;
  readonly #watchers: Watchers[];
  /** Who watched each tag of a batch when its delivery began; kept, so that a batch allocates no list. */
  readonly #delivering: Watchers[] = [];
  /** Subscribers in `#watchers`. */
  #watching = 0;
  readonly #batchSubscribers: Set<Subscriber<ChangeBatch>> = new Set();
  readonly #streams: Map<number, BusObservable<Sample>> = new Map();
  readonly changes$: BusObservable<ChangeBatch>;
  #complete = false;

  constructor(options: {
    table: TagTable;
    names: readonly string[];
    consumer: Consumer;
    cycleNumber: CycleNumber;
    /** Makes the handler of what the consumers of a tag's stream throw. */
    reportOf: (tag: string | undefined) => ReportThrown;
  }) {
    this.#table = options.table;
    this.#names = options.names;
    this.#consumer = options.consumer;
    this.#cycleNumber = options.cycleNumber;
    this.#reportOf = options.reportOf;
    this.#watchers = new Array<Watchers>(options.table.count).fill(null);
    this.changes$ = new BusObservable(options.reportOf(undefined), (subscriber) => {
      if (this.#complete) {
        subscriber.complete();
        return undefined;
      }
      this.#batchSubscribers.add(subscriber);
      return () => this.#batchSubscribers.delete(subscriber);
    });
  }

  /** The stream of one tag; the same object every time. */
  value$(tag: number): BusObservable<Sample> {
    let stream = this.#streams.get(tag);
    if (stream === undefined) {
      stream = new BusObservable(this.#reportOf(this.#names[tag]!), (subscriber) => this.#watch(tag, subscriber));
      this.#streams.set(tag, stream);
    }
    return stream;
  }

  /** The newest value that this thread has seen. */
  value(tag: number): TagValue {
    return this.#table.isWide(tag) ? this.#consumer.bytes(tag) : this.#consumer.values.read(this.#table, tag);
  }

  /** The newest sample that this thread has seen. */
  sample(tag: number): Sample {
    const { cycles, times } = this.#consumer;
    const { hostTimeNs, dcTimeNs } = joinTimes(times.subarray(4 * tag, 4 * tag + 4));
    return this.#sampleOf(tag, cycles[tag]!, hostTimeNs, dcTimeNs);
  }

  /** Hands a batch to everybody who watches one of its tags, then to those who watch batches. */
  deliver(batch: Batch): void {
    if (this.#watching === 0 && this.#batchSubscribers.size === 0) return;
    const cycle = this.#cycleNumber.extend(batch.cycle);
    const { hostTimeNs, dcTimeNs } = joinTimes(batch.times);
    // Made before any subscriber runs: all of them see the same batch.
    const changes =
      this.#batchSubscribers.size === 0
        ? undefined
        : new ChangeBatch({
            cycle,
            missed: batch.missed,
            hostTimeNs,
            dcTimeNs,
            names: this.#names,
            tags: batch.tags.slice(0, batch.count),
            qualities: Uint8Array.from({ length: batch.count }, (_, i) => this.#consumer.quality[batch.tags[i]!]!),
            values: Array.from({ length: batch.count }, (_, i) => this.value(batch.tags[i]!)),
          });
    // Whoever subscribes during the delivery begins with this batch's values, and does not get them twice.
    const delivering = this.#delivering;
    for (let i = 0; i < batch.count; i += 1) delivering[i] = this.#watchers[batch.tags[i]!]!;
    for (let i = 0; i < batch.count; i += 1) {
      const tag = batch.tags[i]!;
      const watchers = delivering[i]!;
      delivering[i] = null;
      if (watchers === null) continue;
      const sample = this.#sampleOf(tag, cycle, hostTimeNs, dcTimeNs);
      if ('next' in watchers) watchers.next(sample);
      else for (const watcher of watchers) watcher.next(sample);
    }
    if (changes !== undefined) for (const subscriber of [...this.#batchSubscribers]) subscriber.next(changes);
  }

  /** Ends every stream. */
  complete(): void {
    this.#complete = true;
    this.#watchers.forEach((watchers, tag) => {
      this.#watchers[tag] = null;
      if (watchers === null) return;
      if ('next' in watchers) watchers.complete();
      else for (const watcher of watchers) watcher.complete();
    });
    for (const subscriber of [...this.#batchSubscribers]) subscriber.complete();
  }

  #watch(tag: number, subscriber: Subscriber<Sample>): (() => void) | undefined {
    subscriber.next(this.sample(tag));
    if (this.#complete) {
      subscriber.complete();
      return undefined;
    }
    const watchers = this.#watchers[tag]!;
    // A new list each time, so that a batch being delivered keeps the one it began with.
    if (watchers === null) this.#watchers[tag] = subscriber;
    else this.#watchers[tag] = 'next' in watchers ? [watchers, subscriber] : [...watchers, subscriber];
    this.#watching += 1;
    return () => this.#unwatch(tag, subscriber);
  }

  #unwatch(tag: number, subscriber: Subscriber<Sample>): void {
    const watchers = this.#watchers[tag]!;
    this.#watching -= 1;
    if (watchers === subscriber) this.#watchers[tag] = null;
    else if (watchers !== null && !('next' in watchers)) {
      const rest = watchers.filter((watcher) => watcher !== subscriber);
      this.#watchers[tag] = rest.length === 1 ? rest[0]! : rest;
    }
  }

  #sampleOf(tag: number, cycle: number, hostTimeNs: bigint, dcTimeNs: bigint | undefined): Sample {
    return { value: this.value(tag), quality: qualityOf(this.#consumer.quality[tag]!), cycle, hostTimeNs, dcTimeNs };
  }
}

/**
 * From the batches of a consumer to subscribers.
 *
 * Every tag has a place in a dense table that holds nothing, one watcher, or several; a batch walks its changed tags and
 * calls what it finds there. Tags that nobody watches cost one look at the table.
 */

import type { Subscriber } from 'rxjs';
import type { Batch, Consumer } from '../core/consumer.ts';
import type { CycleNumber } from '../core/cycle-number.ts';
import { joinTimes } from '../core/process-image.ts';
import { type Quality, qualityOf } from '../core/quality.ts';
import type { TagDirectory } from '../core/tag-directory.ts';
import type { TagValue } from '../core/tag-types.ts';
import { BusObservable, type ReportThrown } from './bus-observable.ts';
import { ChangeBatch } from './change-batch.ts';
import { type DeliveryHead, TagGroup, type TagsSample } from './tag-group.ts';

/** One value of a tag. */
export interface Sample<T extends TagValue = TagValue> extends DeliveryHead {
  /** In its unit, by its type. */
  readonly value: T;
  /** How far the value can be trusted. */
  readonly quality: Quality;
  /** Number of the cycle in which the value or its quality changed. Counts periods of the schedule; does not wrap. */
  readonly cycle: number;
}

/** Told of every sample of a tag. An rxjs subscriber is one. */
export interface SampleWatcher {
  next(sample: Sample): void;
  complete(): void;
}

type Watcher = SampleWatcher | TagGroup;
type Watchers = null | Watcher | readonly Watcher[];

/** The streams of one consumer's tags. */
export class TagStreams {
  readonly #directory: TagDirectory;
  readonly #consumer: Consumer;
  readonly #cycleNumber: CycleNumber;
  readonly #reportOf: (tag: string | undefined) => ReportThrown;
  readonly #watchers: Watchers[];
  /** Watched tags of a batch, and who watched each when its delivery began; kept, so that a batch allocates no list. */
  readonly #changed: number[] = [];
  readonly #delivering: Watchers[] = [];
  readonly #marked: TagGroup[] = [];
  /** Watchers in `#watchers`. */
  #watching = 0;
  readonly #batchSubscribers: Set<Subscriber<ChangeBatch>> = new Set();
  readonly changes$: BusObservable<ChangeBatch>;
  #complete = false;

  constructor(options: {
    directory: TagDirectory;
    consumer: Consumer;
    cycleNumber: CycleNumber;
    /** Makes the handler of what the consumers of a tag's stream throw. */
    reportOf: (tag: string | undefined) => ReportThrown;
  }) {
    this.#directory = options.directory;
    this.#consumer = options.consumer;
    this.#cycleNumber = options.cycleNumber;
    this.#reportOf = options.reportOf;
    this.#watchers = new Array<Watchers>(options.directory.count).fill(null);
    this.changes$ = new BusObservable(options.reportOf(undefined), (subscriber) => {
      if (this.#complete) {
        subscriber.complete();
        return undefined;
      }
      this.#batchSubscribers.add(subscriber);
      return () => this.#batchSubscribers.delete(subscriber);
    });
  }

  /** A stream of one tag's samples, through a watcher of its own where `watcherOf` is given. */
  samples$<T = Sample>(
    tag: number,
    watcherOf?: (subscriber: Subscriber<T>) => SampleWatcher & { stop?(): void },
  ): BusObservable<T> {
    const report: ReportThrown = (error) => this.#reportOf(this.#directory.name(tag))(error);
    return new BusObservable<T>(report, (subscriber) => {
      const watcher = watcherOf?.(subscriber) ?? (subscriber as unknown as Subscriber<Sample>);
      const unwatch = this.#watch(tag, watcher);
      return () => {
        unwatch?.();
        if ('stop' in watcher) watcher.stop?.();
      };
    });
  }

  /** All of some tags, at least one, from one cycle, when one of them changed. */
  tags$(names: readonly string[], tags: Uint32Array): BusObservable<TagsSample> {
    const report: ReportThrown = (error) => this.#reportOf(names.join(', '))(error);
    return new BusObservable(report, (subscriber) => {
      const group = new TagGroup(names, tags, this.#consumer, this.#directory, subscriber);
      group.emit(this.#headOfNewest(tags));
      if (this.#complete) {
        subscriber.complete();
        return undefined;
      }
      const watched = new Set(tags);
      for (const tag of watched) this.#add(tag, group);
      return () => {
        for (const tag of watched) this.#remove(tag, group);
      };
    });
  }

  /** The newest value that this thread has seen. */
  value(tag: number): TagValue {
    return this.#directory.labelled(tag, this.#consumer.value(tag));
  }

  /** The newest sample that this thread has seen. */
  sample(tag: number): Sample {
    return this.#sampleOf(tag, this.#headOf(tag));
  }

  /** Hands a batch to everybody who watches one of its tags, then to those who watch several, or batches. */
  deliver(batch: Batch): void {
    if (this.#watching === 0 && this.#batchSubscribers.size === 0) return;
    // Whoever subscribes during the delivery begins with this batch's values, and does not get them twice.
    let watched = 0;
    for (let i = 0; this.#watching > 0 && i < batch.count; i += 1) {
      const watchers = this.#watchers[batch.tags[i]!]!;
      if (watchers === null) continue;
      this.#changed[watched] = batch.tags[i]!;
      this.#delivering[watched] = watchers;
      watched += 1;
    }
    if (watched === 0 && this.#batchSubscribers.size === 0) return;
    const head = {
      cycle: this.#cycleNumber.extend(batch.cycle),
      missed: batch.missed,
      ...joinTimes(batch.times),
    };
    // Made before any subscriber runs: all of them see the same batch.
    const changes = this.#batchSubscribers.size === 0 ? undefined : this.#changeBatch(batch, head);
    for (let i = 0; i < watched; i += 1) {
      this.#tell(this.#changed[i]!, this.#delivering[i]!, head);
      this.#delivering[i] = null;
    }
    for (const group of this.#marked.splice(0)) {
      group.isMarked = false;
      group.emit(head);
    }
    if (changes !== undefined) for (const subscriber of [...this.#batchSubscribers]) subscriber.next(changes);
  }

  /** Ends every stream. */
  complete(): void {
    this.#complete = true;
    const ended = new Set<Watcher>();
    this.#watchers.forEach((watchers, tag) => {
      this.#watchers[tag] = null;
      if (watchers === null) return;
      if (isList(watchers)) for (const watcher of watchers) ended.add(watcher);
      else ended.add(watchers);
    });
    for (const watcher of ended) watcher.complete();
    for (const subscriber of [...this.#batchSubscribers]) subscriber.complete();
  }

  #tell(tag: number, watchers: Watcher | readonly Watcher[], head: DeliveryHead): void {
    let sample: Sample | undefined;
    for (let i = 0; i < (isList(watchers) ? watchers.length : 1); i += 1) {
      const watcher = isList(watchers) ? watchers[i]! : watchers;
      if (!(watcher instanceof TagGroup)) {
        sample ??= this.#sampleOf(tag, head);
        watcher.next(sample);
      } else if (!watcher.isMarked) {
        watcher.isMarked = true;
        this.#marked.push(watcher);
      }
    }
  }

  #changeBatch(batch: Batch, head: DeliveryHead): ChangeBatch {
    const { quality } = this.#consumer;
    return new ChangeBatch({
      ...head,
      directory: this.#directory,
      tags: batch.tags.slice(0, batch.count),
      qualities: Uint8Array.from({ length: batch.count }, (_, i) => quality[batch.tags[i]!]!),
      values: Array.from({ length: batch.count }, (_, i) => this.value(batch.tags[i]!)),
    });
  }

  #watch(tag: number, watcher: SampleWatcher): (() => void) | undefined {
    watcher.next(this.sample(tag));
    if (this.#complete) {
      watcher.complete();
      return undefined;
    }
    this.#add(tag, watcher);
    return () => this.#remove(tag, watcher);
  }

  #add(tag: number, watcher: Watcher): void {
    const watchers = this.#watchers[tag]!;
    // A new list each time, so that a batch being delivered keeps the one it began with.
    if (watchers === null) this.#watchers[tag] = watcher;
    else this.#watchers[tag] = isList(watchers) ? [...watchers, watcher] : [watchers, watcher];
    this.#watching += 1;
  }

  #remove(tag: number, watcher: Watcher): void {
    const watchers = this.#watchers[tag]!;
    this.#watching -= 1;
    if (watchers === watcher) this.#watchers[tag] = null;
    else if (watchers !== null && isList(watchers)) {
      const rest = watchers.filter((other) => other !== watcher);
      this.#watchers[tag] = rest.length === 1 ? rest[0]! : rest;
    }
  }

  #sampleOf(tag: number, head: DeliveryHead): Sample {
    const { cycle, missed, hostTimeNs, dcTimeNs } = head;
    const quality = qualityOf(this.#consumer.quality[tag]!);
    return { value: this.value(tag), quality, cycle, missed, hostTimeNs, dcTimeNs };
  }

  /** The cycle in which a tag changed last. */
  #headOf(tag: number): DeliveryHead {
    const { heads } = this.#consumer;
    return { cycle: heads.cycle(tag), missed: 0, ...joinTimes(heads.times(tag)) };
  }

  /** The newest cycle in which one of some tags changed: what all of them hold is of that cycle. */
  #headOfNewest(tags: Uint32Array): DeliveryHead {
    const { heads } = this.#consumer;
    return this.#headOf(tags.reduce((newest, tag) => (heads.cycle(tag) > heads.cycle(newest) ? tag : newest)));
  }
}

function isList(watchers: Watcher | readonly Watcher[]): watchers is readonly Watcher[] {
  return Array.isArray(watchers);
}

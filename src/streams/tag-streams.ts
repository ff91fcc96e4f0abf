/**
 * From the batches of a consumer to subscribers.
 *
 * A dense table says of every tag whether nobody, one, or several watch it; a batch walks its changed tags and calls whom
 * it finds there. Tags that nobody watches cost one look at the table.
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

/** The place of the tags that nobody watches. */
const NOBODY = 0;

type Watcher = SampleWatcher | TagGroup;
type Watchers = null | Watcher | readonly Watcher[];

/** The streams of one consumer's tags. */
export class TagStreams {
  readonly #directory: TagDirectory;
  readonly #consumer: Consumer;
  readonly #cycleNumber: CycleNumber;
  readonly #reportOf: (tag: string | undefined) => ReportThrown;
  /** By tag: its place in `#lists`, or {@link NOBODY}. */
  readonly #listOf: Uint32Array;
  /** Who watches a tag; nobody at the first place. */
  readonly #lists: Watchers[] = [null];
  readonly #freeLists: number[] = [];
  /** Watched tags of a batch, and who watched each when its delivery began; kept, so that a batch allocates no list. */
  readonly #changed: number[] = [];
  readonly #delivering: Watchers[] = [];
  readonly #marked: TagGroup[] = [];
  /** Watchers in `#lists`. */
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
    this.#listOf = new Uint32Array(options.directory.count);
    this.changes$ = new BusObservable(options.reportOf(undefined), (subscriber) => {
      if (this.#complete) {
        subscriber.complete();
        return undefined;
      }
      this.#batchSubscribers.add(subscriber);
      this.#follow();
      return () => {
        this.#batchSubscribers.delete(subscriber);
        this.#follow();
      };
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
      this.#consumer.follow(true);
      group.emit(this.#headOfNewest(tags));
      if (this.#complete) {
        this.#follow();
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
    this.#consumer.refresh();
    return this.#valueOf(tag);
  }

  /** The newest sample that this thread has seen. */
  sample(tag: number): Sample {
    this.#consumer.refresh();
    return this.#sampleOf(tag, this.#headOf(tag));
  }

  /** Hands a batch to everybody who watches one of its tags, then to those who watch several, or batches. */
  deliver(batch: Batch): void {
    const wantsBatch = this.#batchSubscribers.size > 0;
    const { tags, count } = batch;
    // Whoever subscribes during the delivery begins with this batch's values, and does not get them twice.
    let watched = 0;
    if (this.#watching > 0) {
      const listOf = this.#listOf;
      for (let i = 0; i < count; i += 1) {
        const list = listOf[tags[i]!]!;
        if (list === NOBODY) continue;
        this.#changed[watched] = tags[i]!;
        this.#delivering[watched] = this.#lists[list]!;
        watched += 1;
      }
    }
    if (watched === 0 && !wantsBatch) return;
    const head = {
      cycle: this.#cycleNumber.extend(batch.cycle),
      missed: batch.missed,
      ...joinTimes(batch.times),
    };
    for (let i = 0; i < watched; i += 1) {
      const watchers = this.#delivering[i]!;
      this.#delivering[i] = null;
      this.#tell(this.#changed[i]!, watchers, head);
    }
    if (this.#marked.length > 0) {
      for (const group of this.#marked.splice(0)) {
        group.isMarked = false;
        group.emit(head);
      }
    }
    // Nothing changes in the arrays before the delivery is over, whatever its subscribers do: this is the same batch still.
    if (!wantsBatch) return;
    const changes = this.#changeBatch(batch, head);
    for (const subscriber of [...this.#batchSubscribers]) subscriber.next(changes);
  }

  /** Ends every stream. */
  complete(): void {
    this.#complete = true;
    const ended = new Set<Watcher>();
    for (const watchers of this.#lists) {
      if (watchers === null) continue;
      if (isList(watchers)) for (const watcher of watchers) ended.add(watcher);
      else ended.add(watchers);
    }
    this.#listOf.fill(NOBODY);
    this.#lists.length = 1;
    this.#freeLists.length = 0;
    this.#watching = 0;
    this.#follow();
    for (const watcher of ended) watcher.complete();
    for (const subscriber of [...this.#batchSubscribers]) subscriber.complete();
  }

  #tell(tag: number, watchers: Watcher | readonly Watcher[], head: DeliveryHead): void {
    if (!isList(watchers)) {
      if (watchers instanceof TagGroup) this.#mark(watchers);
      else watchers.next(this.#sampleOf(tag, head));
      return;
    }
    let sample: Sample | undefined;
    for (const watcher of watchers) {
      if (watcher instanceof TagGroup) this.#mark(watcher);
      else {
        sample ??= this.#sampleOf(tag, head);
        watcher.next(sample);
      }
    }
  }

  #mark(group: TagGroup): void {
    if (group.isMarked) return;
    group.isMarked = true;
    this.#marked.push(group);
  }

  #changeBatch(batch: Batch, head: DeliveryHead): ChangeBatch {
    const { quality } = this.#consumer;
    const tags = batch.tags.slice(0, batch.count);
    const qualities = new Uint8Array(batch.count);
    for (let i = 0; i < batch.count; i += 1) qualities[i] = quality[tags[i]!]!;
    return new ChangeBatch({
      ...head,
      directory: this.#directory,
      tags,
      qualities,
      values: this.#consumer.copyValues(tags),
    });
  }

  #watch(tag: number, watcher: SampleWatcher): (() => void) | undefined {
    // First of all: what changes behind the sample is told.
    this.#consumer.follow(true);
    watcher.next(this.sample(tag));
    if (this.#complete) {
      this.#follow();
      watcher.complete();
      return undefined;
    }
    this.#add(tag, watcher);
    return () => this.#remove(tag, watcher);
  }

  #add(tag: number, watcher: Watcher): void {
    const list = this.#listOf[tag]!;
    this.#watching += 1;
    this.#follow();
    if (list === NOBODY) {
      const place = this.#freeLists.pop() ?? this.#lists.length;
      this.#lists[place] = watcher;
      this.#listOf[tag] = place;
      return;
    }
    const watchers = this.#lists[list]!;
    // A new list each time, so that a batch being delivered keeps the one it began with.
    this.#lists[list] = isList(watchers) ? [...watchers, watcher] : [watchers, watcher];
  }

  #remove(tag: number, watcher: Watcher): void {
    const list = this.#listOf[tag]!;
    // Everybody was let go at the end.
    if (list === NOBODY) return;
    this.#watching -= 1;
    this.#follow();
    const watchers = this.#lists[list]!;
    if (isList(watchers)) {
      const rest = watchers.filter((other) => other !== watcher);
      this.#lists[list] = rest.length === 1 ? rest[0]! : rest;
      return;
    }
    this.#lists[list] = null;
    this.#listOf[tag] = NOBODY;
    this.#freeLists.push(list);
  }

  /** Has the consumer follow the changes as long as somebody is to be told of any. */
  #follow(): void {
    this.#consumer.follow(this.#watching > 0 || this.#batchSubscribers.size > 0);
  }

  #valueOf(tag: number): TagValue {
    return this.#directory.labelled(tag, this.#consumer.value(tag));
  }

  #sampleOf(tag: number, head: DeliveryHead): Sample {
    const { cycle, missed, hostTimeNs, dcTimeNs } = head;
    const quality = qualityOf(this.#consumer.quality[tag]!);
    return { value: this.#valueOf(tag), quality, cycle, missed, hostTimeNs, dcTimeNs };
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

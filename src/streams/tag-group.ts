/** Several tags as one stream: their values from one cycle, when one of them changed. */

import type { Consumer } from '../core/consumer.ts';
import { type Quality, qualityOf } from '../core/quality.ts';
import type { TagDirectory } from '../core/tag-directory.ts';
import type { TagValue } from '../core/tag-types.ts';

/** The cycle that a delivery is of. */
export interface DeliveryHead {
  /** Number of the cycle; does not wrap. */
  readonly cycle: number;
  /**
   * Cycles before this one that this thread did not see one by one, so that what changed in them is merged into this
   * delivery. 0 as long as everybody keeps up.
   */
  readonly missed: number;
  /** Host time at the start of the cycle, in ns since 1970. */
  readonly hostTimeNs: bigint;
  /** DC time of the cycle, in ns since 2000; undefined without distributed clocks. */
  readonly dcTimeNs: bigint | undefined;
}

/** Values of several tags, all from one cycle. */
export interface TagsSample<T extends Readonly<Record<string, TagValue>> = Readonly<Record<string, TagValue>>>
  extends DeliveryHead {
  /** By the names that were asked for; in its unit, by its type. */
  readonly values: T;
  /** How far each value can be trusted. */
  readonly qualities: { readonly [name in keyof T]: Quality };
}

/** One subscription to several tags: marked while a batch is delivered, and told once at its end. */
export class TagGroup {
  readonly #names: readonly string[];
  readonly #tags: Uint32Array;
  readonly #consumer: Consumer;
  readonly #directory: TagDirectory;
  readonly #subscriber: { next(sample: TagsSample): void; complete(): void };
  /** Whether one of its tags changed in the batch being delivered. */
  isMarked = false;

  constructor(
    names: readonly string[],
    tags: Uint32Array,
    consumer: Consumer,
    directory: TagDirectory,
    subscriber: { next(sample: TagsSample): void; complete(): void },
  ) {
    this.#names = names;
    this.#tags = tags;
    this.#consumer = consumer;
    this.#directory = directory;
    this.#subscriber = subscriber;
  }

  emit(head: DeliveryHead): void {
    const values: Record<string, TagValue> = {};
    const qualities: Record<string, Quality> = {};
    for (let i = 0; i < this.#tags.length; i += 1) {
      const tag = this.#tags[i]!;
      const name = this.#names[i]!;
      values[name] = this.#directory.labelled(tag, this.#consumer.value(tag));
      qualities[name] = qualityOf(this.#consumer.quality[tag]!);
    }
    this.#subscriber.next({ ...head, values, qualities });
  }

  complete(): void {
    this.#subscriber.complete();
  }
}

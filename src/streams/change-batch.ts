/** Everything that changed in a cycle, once. */

import type { ValueCopy } from '../core/consumer.ts';
import { type Quality, qualityOf } from '../core/quality.ts';
import type { TagDirectory } from '../core/tag-directory.ts';
import type { TagValue } from '../core/tag-types.ts';

/** One changed tag. */
export interface Change {
  /** Name of the tag. */
  readonly tag: string;
  /** In its unit, by its type. */
  readonly value: TagValue;
  /** How far the value can be trusted. */
  readonly quality: Quality;
}

/** The tags that changed in one cycle, or since the last batch where this thread was late. Immutable. */
export class ChangeBatch implements Iterable<Change> {
  /** Number of the cycle that the values are of. */
  readonly cycle: number;
  /**
   * Cycles since the last batch that this thread did not see one by one; changes of theirs are merged into
   * this batch. 0 as long as everybody keeps up.
   */
  readonly missed: number;
  /** Host time at the start of the cycle, in ns since 1970. */
  readonly hostTimeNs: bigint;
  /** DC time of the cycle, in ns since 2000; undefined without distributed clocks. */
  readonly dcTimeNs: bigint | undefined;
  readonly #directory: TagDirectory;
  readonly #tags: Uint32Array;
  readonly #qualities: Uint8Array;
  readonly #values: ValueCopy;
  #places: Map<number, number> | undefined;

  /** @internal */
  constructor(content: {
    cycle: number;
    missed: number;
    hostTimeNs: bigint;
    dcTimeNs: bigint | undefined;
    directory: TagDirectory;
    tags: Uint32Array;
    qualities: Uint8Array;
    values: ValueCopy;
  }) {
    this.cycle = content.cycle;
    this.missed = content.missed;
    this.hostTimeNs = content.hostTimeNs;
    this.dcTimeNs = content.dcTimeNs;
    this.#directory = content.directory;
    this.#tags = content.tags;
    this.#qualities = content.qualities;
    this.#values = content.values;
  }

  /** Number of changed tags. */
  get size(): number {
    return this.#tags.length;
  }

  /** The change of one tag, by name or alias; undefined where it is not in this batch. */
  get(tag: string): Change | undefined {
    const number = this.#directory.find(tag);
    if (number === undefined) return undefined;
    this.#places ??= new Map(Array.from(this.#tags, (changed, i) => [changed, i]));
    const at = this.#places.get(number);
    return at === undefined ? undefined : this.#change(at);
  }

  *[Symbol.iterator](): IterableIterator<Change> {
    for (let at = 0; at < this.#tags.length; at += 1) yield this.#change(at);
  }

  #change(at: number): Change {
    const tag = this.#tags[at]!;
    return {
      tag: this.#directory.name(tag),
      value: this.#directory.labelled(tag, this.#values.value(at)),
      quality: qualityOf(this.#qualities[at]!),
    };
  }
}

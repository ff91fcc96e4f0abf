/** The whole process image of one cycle. */

import type { Decoder, SlotBuffer } from './decode.ts';
import { EtherCatError } from './errors/ethercat-error.ts';
import { type Quality, qualityOf } from './quality.ts';
import type { TagValue } from './tag-types.ts';

/** One tag in a snapshot. */
export interface SnapshotEntry {
  /** Name of the tag. */
  readonly tag: string;
  /** In its unit, by its type. */
  readonly value: TagValue;
  /** How far the value can be trusted. */
  readonly quality: Quality;
}

/** Values of one cycle, all of the same. Immutable; values are decoded when they are asked for. */
export class Snapshot implements Iterable<SnapshotEntry> {
  /** Number of the cycle; does not wrap. */
  readonly cycle: number;
  /** Host time at the start of the cycle, in ns since 1970. */
  readonly hostTimeNs: bigint;
  /** DC time of the cycle, in ns since 2000; undefined without distributed clocks. */
  readonly dcTimeNs: bigint | undefined;
  readonly #slot: SlotBuffer;
  readonly #decoder: Decoder;
  readonly #numbers: ReadonlyMap<string, number>;

  /** @internal */
  constructor(content: {
    cycle: number;
    hostTimeNs: bigint;
    dcTimeNs: bigint | undefined;
    slot: SlotBuffer;
    decoder: Decoder;
    /** Numbers of the tags in this snapshot, by name. */
    numbers: ReadonlyMap<string, number>;
  }) {
    this.cycle = content.cycle;
    this.hostTimeNs = content.hostTimeNs;
    this.dcTimeNs = content.dcTimeNs;
    this.#slot = content.slot;
    this.#decoder = content.decoder;
    this.#numbers = content.numbers;
  }

  /** Number of tags. */
  get size(): number {
    return this.#numbers.size;
  }

  /** @throws ECAT_ERR_TAG_UNKNOWN when the tag is not in this snapshot */
  value(tag: string): TagValue {
    return this.#decoder.read(this.#slot, this.#number(tag));
  }

  /** @throws ECAT_ERR_TAG_UNKNOWN when the tag is not in this snapshot */
  quality(tag: string): Quality {
    return qualityOf(this.#decoder.quality(this.#slot, this.#number(tag)));
  }

  /** All values by name. */
  values(): Record<string, TagValue> {
    return Object.fromEntries(Array.from(this, ({ tag, value }) => [tag, value]));
  }

  *[Symbol.iterator](): IterableIterator<SnapshotEntry> {
    for (const tag of this.#numbers.keys()) yield { tag, value: this.value(tag), quality: this.quality(tag) };
  }

  #number(tag: string): number {
    const number = this.#numbers.get(tag);
    if (number === undefined)
      throw new EtherCatError('ECAT_ERR_TAG_UNKNOWN', `there is no tag ${tag} in this snapshot`, { tag });
    return number;
  }
}

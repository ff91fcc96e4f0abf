/** The whole process image of one cycle. */

import type { Decoder, SlotBuffer } from './decode.ts';
import { EtherCatError } from './errors/ethercat-error.ts';
import type { ProcessMemory } from './process-image.ts';
import { type Quality, qualityOf } from './quality.ts';
import type { SubDevice } from './sub-device.ts';
import type { TagDirectory } from './tag-directory.ts';
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
  /** Snapshots that `every(n)` left out before this one, since this thread was late; 0 for others. */
  readonly missed: number;
  readonly #slot: SlotBuffer;
  readonly #memory: Pick<ProcessMemory, 'sections'>;
  readonly #decoder: Decoder;
  readonly #directory: TagDirectory;
  /** The tags in it; undefined for all. */
  readonly #tags: Uint32Array | undefined;

  /** @internal */
  constructor(content: {
    cycle: number;
    hostTimeNs: bigint;
    dcTimeNs: bigint | undefined;
    slot: SlotBuffer;
    memory: Pick<ProcessMemory, 'sections'>;
    decoder: Decoder;
    directory: TagDirectory;
    /** The tags in this snapshot; undefined for all. */
    tags: Uint32Array | undefined;
    missed?: number;
  }) {
    this.cycle = content.cycle;
    this.hostTimeNs = content.hostTimeNs;
    this.dcTimeNs = content.dcTimeNs;
    this.#slot = content.slot;
    this.#memory = content.memory;
    this.#decoder = content.decoder;
    this.#directory = content.directory;
    this.#tags = content.tags;
    this.missed = content.missed ?? 0;
  }

  /** Number of tags. */
  get size(): number {
    return this.#tags?.length ?? this.#directory.count;
  }

  /** @throws ECAT_ERR_TAG_UNKNOWN when the tag is not in this snapshot */
  value(tag: string): TagValue {
    return this.#value(this.#number(tag));
  }

  /** @throws ECAT_ERR_TAG_UNKNOWN when the tag is not in this snapshot */
  quality(tag: string): Quality {
    return qualityOf(this.#decoder.quality(this.#slot, this.#number(tag)));
  }

  /**
   * The inputs or outputs of one SubDevice as they were on the wire: `(bits + 7) >> 3` bytes in an array of the caller's own.
   */
  processData(
    subDevice: Pick<SubDevice, 'inputOffset' | 'outputOffset' | 'inputBits' | 'outputBits'>,
    direction: 'input' | 'output',
  ): Uint8Array<ArrayBuffer> {
    const isInput = direction === 'input';
    const { sections } = this.#memory;
    const first = isInput ? sections.inputs + subDevice.inputOffset : sections.outputs + subDevice.outputOffset;
    const bits = isInput ? subDevice.inputBits : subDevice.outputBits;
    return this.#slot.bytes.slice(first, first + ((bits + 7) >>> 3));
  }

  /** Quality of one SubDevice's data in this cycle. */
  subDeviceQuality({ position }: Pick<SubDevice, 'position'>): Quality {
    return qualityOf(this.#slot.bytes[this.#memory.sections.quality + position]!);
  }

  /** All values by name. */
  values(): Record<string, TagValue> {
    return Object.fromEntries(Array.from(this, ({ tag, value }) => [tag, value]));
  }

  *[Symbol.iterator](): IterableIterator<SnapshotEntry> {
    for (let i = 0; i < this.size; i += 1) {
      const number = this.#tags?.[i] ?? i;
      const quality = qualityOf(this.#decoder.quality(this.#slot, number));
      yield { tag: this.#directory.name(number), value: this.#value(number), quality };
    }
  }

  #value(number: number): TagValue {
    return this.#directory.labelled(number, this.#decoder.read(this.#slot, number));
  }

  #number(tag: string): number {
    const number = this.#directory.find(tag);
    if (number === undefined || this.#tags?.includes(number) === false)
      throw new EtherCatError('ECAT_ERR_TAG_UNKNOWN', `there is no tag ${tag} in this snapshot`, { tag });
    return number;
  }
}

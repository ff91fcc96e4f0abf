/**
 * What changed between two slots. Words are compared first, and only tags that share a changed word are
 * decoded: at rest a cycle costs the comparison alone.
 */

import { BATCH_HEADER_RECORDS, type BatchWriter, entriesMax } from './change-log.ts';
import { type Decoder, type SlotBuffer, type SlotSections, ValueArrays } from './decode.ts';
import { LOG_BATCH_FULL, LOG_ENTRY_QUALITY_SHIFT } from './generated/layout.ts';
import { Direction, type TagTable } from './tag-table.ts';

/** Lists of tags by an index (word of a slot, SubDevice): those of `i` are `tags[first[i]] … tags[first[i + 1] - 1]`. */
class TagIndex {
  readonly first: Uint32Array;
  readonly tags: Uint32Array;

  constructor(size: number, count: number, range: (tag: number) => readonly [from: number, to: number]) {
    this.first = new Uint32Array(size + 1);
    for (let tag = 0; tag < count; tag += 1) {
      const [from, to] = range(tag);
      for (let at = from; at <= to; at += 1) this.first[at + 1]! += 1;
    }
    for (let at = 0; at < size; at += 1) this.first[at + 1]! += this.first[at]!;
    this.tags = new Uint32Array(this.first[size]!);
    const next = this.first.slice(0, size);
    for (let tag = 0; tag < count; tag += 1) {
      const [from, to] = range(tag);
      for (let at = from; at <= to; at += 1) {
        this.tags[next[at]!] = tag;
        next[at]! += 1;
      }
    }
  }
}

/** Compares slots of one layout and writes what changed as entries of a batch. Allocates nothing once it is made. */
export class ChangeDetector {
  readonly #table: TagTable;
  readonly #decoder: Decoder;
  readonly #byWord: TagIndex;
  readonly #bySubDevice: TagIndex;
  /** Words that hold inputs and outputs: [first, end) of each. */
  readonly #ranges: readonly (readonly [number, number])[];
  readonly #qualityAt: number;
  readonly #values: ValueArrays;
  /** Tags that may have changed, each once: `#seen` holds the comparison in which a tag was last listed. */
  readonly #candidates: Uint32Array;
  readonly #seen: Uint32Array;
  #comparison = 0;

  constructor(table: TagTable, decoder: Decoder, sections: SlotSections, slotBytes: number) {
    this.#table = table;
    this.#decoder = decoder;
    this.#qualityAt = sections.quality;
    const words = (slotBytes + 3) >>> 2;
    this.#byWord = new TagIndex(words, table.count, (tag) => {
      const bit = decoder.bitInSlot(tag);
      return [bit >>> 5, (bit + table.bitLength[tag]! - 1) >>> 5];
    });
    this.#bySubDevice = new TagIndex(table.subDeviceCount, table.count, (tag) => {
      const subDevice = table.subDevice[tag]!;
      return [subDevice, subDevice];
    });
    this.#ranges = [Direction.input, Direction.output].flatMap((direction) => {
      let first = Number.POSITIVE_INFINITY;
      let end = 0;
      for (let tag = 0; tag < table.count; tag += 1) {
        if (table.direction[tag] !== direction) continue;
        const bit = decoder.bitInSlot(tag);
        first = Math.min(first, bit >>> 5);
        end = Math.max(end, ((bit + table.bitLength[tag]! - 1) >>> 5) + 1);
      }
      return end === 0 ? [] : [[first, end] as const];
    });
    this.#values = new ValueArrays(table.count);
    this.#candidates = new Uint32Array(table.count);
    this.#seen = new Uint32Array(table.count);
  }

  /** Takes a slot as the state to compare the next one with. */
  reset(slot: SlotBuffer): void {
    for (let tag = 0; tag < this.#table.count; tag += 1) this.#decoder.decodeInto(slot, tag, this.#values);
  }

  /**
   * Writes an entry for every tag whose value or quality differs and takes `current` as the new state.
   *
   * @returns the number of entries, or {@link LOG_BATCH_FULL} when they are more than a batch holds
   */
  compare(previous: SlotBuffer, current: SlotBuffer, cycle: number, batch: BatchWriter): number {
    const candidates = this.#listCandidates(previous, current);
    const { halves } = this.#values;
    const { words } = batch;
    const most = entriesMax(this.#table.count);
    let entries = 0;
    for (let i = 0; i < candidates; i += 1) {
      const tag = this.#candidates[i]!;
      const low = halves[2 * tag]!;
      const high = halves[2 * tag + 1]!;
      this.#decoder.decodeInto(current, tag, this.#values);
      const quality = this.#decoder.quality(current, tag);
      const same =
        halves[2 * tag] === low &&
        halves[2 * tag + 1] === high &&
        quality === this.#decoder.quality(previous, tag) &&
        (!this.#table.isWide(tag) || this.#decoder.sameBytes(previous, current, tag));
      if (same) continue;
      // Goes on beyond the limit, so that all values are those of `current`.
      if (entries < most) {
        const at = (entries + BATCH_HEADER_RECORDS) * 4;
        words[at] = tag | (quality << LOG_ENTRY_QUALITY_SHIFT);
        words[at + 1] = cycle;
        words[at + 2] = halves[2 * tag]!;
        words[at + 3] = halves[2 * tag + 1]!;
      }
      entries += 1;
    }
    return entries > most ? LOG_BATCH_FULL : entries;
  }

  #listCandidates(previous: SlotBuffer, current: SlotBuffer): number {
    let comparison = (this.#comparison + 1) >>> 0;
    if (comparison === 0) {
      this.#seen.fill(0);
      comparison = 1;
    }
    this.#comparison = comparison;
    const was = previous.words;
    const is = current.words;
    let count = 0;
    for (const [from, end] of this.#ranges) {
      for (let word = from; word < end; word += 1) {
        if (was[word] !== is[word]) count = this.#list(this.#byWord, word, comparison, count);
      }
    }
    for (let subDevice = 0; subDevice < this.#table.subDeviceCount; subDevice += 1) {
      const at = this.#qualityAt + subDevice;
      if (previous.bytes[at] !== current.bytes[at]) count = this.#list(this.#bySubDevice, subDevice, comparison, count);
    }
    return count;
  }

  #list(index: TagIndex, at: number, comparison: number, count: number): number {
    let next = count;
    for (let i = index.first[at]!; i < index.first[at + 1]!; i += 1) {
      const tag = index.tags[i]!;
      if (this.#seen[tag] === comparison) continue;
      this.#seen[tag] = comparison;
      this.#candidates[next] = tag;
      next += 1;
    }
    return next;
  }
}

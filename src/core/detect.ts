/**
 * What changed between two slots. Words are compared first, and only tags that share a changed word are
 * decoded: at rest a cycle costs the comparison alone.
 */

import { BATCH_HEADER_RECORDS, type BatchWriter, entriesMax, RECORD_WORDS } from './change-log.ts';
import { leavesBand } from './dead-band.ts';
import { type Decoder, type SlotBuffer, type SlotSections, ValueArrays } from './decode.ts';
import { LOG_BATCH_FULL, LOG_ENTRY_QUALITY_SHIFT } from './generated/layout.ts';
import { Band, Direction, type TagTable } from './tag-table.ts';
import { isWide64, Kind } from './tag-types.ts';

/** Lists of tags by an index (word of a slot, SubDevice): those of `i` are `tags[first[i]] … tags[first[i + 1] - 1]`. */
class TagIndex {
  readonly first: Uint32Array;
  readonly tags: Uint32Array;

  constructor(size: number, listed: Uint32Array, range: (tag: number) => readonly [from: number, to: number]) {
    this.first = new Uint32Array(size + 1);
    for (const tag of listed) {
      const [from, to] = range(tag);
      for (let at = from; at <= to; at += 1) this.first[at + 1]! += 1;
    }
    for (let at = 0; at < size; at += 1) this.first[at + 1]! += this.first[at]!;
    this.tags = new Uint32Array(this.first[size]!);
    const next = this.first.slice(0, size);
    for (const tag of listed) {
      const [from, to] = range(tag);
      for (let at = from; at <= to; at += 1) {
        this.tags[next[at]!] = tag;
        next[at]! += 1;
      }
    }
  }
}

/** What else has to be looked at before a tag whose bits differ has changed. */
const Look = {
  /** Nothing: other bits are another value. */
  none: 0,
  /** It has bits in several words: only the first that differs counts. */
  spans: 1,
  /** Other bits may be the same value (a bool of a byte, a scaled number). */
  value: 2,
  /** Another value may not be worth telling. */
  band: 4,
  /** Its value is an unscaled 64-bit number. */
  wide64: 8,
} as const;

/**
 * Compares slots of one layout and writes what changed as entries of a batch. Keeps nothing between two comparisons but
 * the values last told of tags with a dead band, and allocates nothing once it is made.
 */
export class ChangeDetector {
  readonly #decoder: Decoder;
  readonly #subDeviceCount: number;
  /** Entries of a batch at most. */
  readonly #most: number;
  readonly #byWord: TagIndex;
  /** For every place in {@link #byWord}: the bits of the word that are the tag's. */
  readonly #masks: Int32Array;
  /** 1 for words of 32 tags, the n-th of which is bit n and nothing else. */
  readonly #bitByBit: Uint8Array;
  readonly #bySubDevice: TagIndex;
  readonly #look: Uint8Array;
  /** Words that hold inputs and outputs: first and end of each. */
  readonly #ranges: Uint32Array;
  readonly #firstQualityAt: number;
  /** Where in the slot each tag's quality stands. */
  readonly #qualityAt: Uint32Array;
  /** Tags that changed, one more than a batch holds. */
  readonly #changed: Uint32Array;
  readonly #is: ValueArrays = new ValueArrays(1);
  readonly #was: ValueArrays = new ValueArrays(1);
  /** The comparison in which a tag was last looked at, for those that may come up twice in one. */
  readonly #seen: Uint32Array;
  #comparison = 0;
  /** Tags with a dead band, and the value that was told of each, by tag; NaN before the first. */
  readonly #banded: Uint32Array;
  readonly #told: Float64Array;
  /** What lies between these is within the band for sure. */
  readonly #low: Float64Array;
  readonly #high: Float64Array;

  /** @param tags - those to look at: a partition */
  constructor(table: TagTable, decoder: Decoder, sections: SlotSections, slotBytes: number, tags: Uint32Array) {
    this.#decoder = decoder;
    this.#subDeviceCount = table.subDeviceCount;
    this.#most = entriesMax(tags.length);
    this.#banded = tags.filter((tag) => table.band(tag) !== Band.none);
    this.#told = new Float64Array(this.#banded.length === 0 ? 0 : table.count).fill(Number.NaN);
    this.#low = this.#told.slice();
    this.#high = this.#told.slice();
    this.#changed = new Uint32Array(this.#most + 1);
    this.#firstQualityAt = sections.quality;
    this.#qualityAt = Uint32Array.from({ length: table.count }, (_, tag) => sections.quality + table.subDevice[tag]!);
    const lastBit = (tag: number): number => decoder.bitInSlot(tag) + table.bitLength(tag) - 1;
    this.#byWord = new TagIndex((slotBytes + 3) >>> 2, tags, (tag) => [
      decoder.bitInSlot(tag) >>> 5,
      lastBit(tag) >>> 5,
    ]);
    const { first, tags: inWords } = this.#byWord;
    this.#masks = new Int32Array(inWords.length);
    for (let word = 0; word < first.length - 1; word += 1) {
      for (let i = first[word]!; i < first[word + 1]!; i += 1) {
        const from = Math.max(0, decoder.bitInSlot(inWords[i]!) - word * 32);
        const to = Math.min(31, lastBit(inWords[i]!) - word * 32);
        this.#masks[i] = (-1 << from) & (-1 >>> (31 - to));
      }
    }
    this.#bySubDevice = new TagIndex(table.subDeviceCount, tags, (tag) => {
      const subDevice = table.subDevice[tag]!;
      return [subDevice, subDevice];
    });
    this.#look = Uint8Array.from({ length: table.count }, (_, tag) => {
      const spans = decoder.bitInSlot(tag) >>> 5 !== lastBit(tag) >>> 5;
      // The bits of byte strings and arrays are all there is to compare.
      const value =
        !table.isWide(tag) && (table.isScaled(tag) || (table.kind(tag) === Kind.bool && table.bitLength(tag) !== 1));
      const band = table.band(tag) !== Band.none;
      const wide64 = band && isWide64(table.kind(tag)) && !table.isScaled(tag);
      return (spans ? Look.spans : 0) | (value ? Look.value : 0) | (band ? Look.band : 0) | (wide64 ? Look.wide64 : 0);
    });
    this.#bitByBit = Uint8Array.from({ length: first.length - 1 }, (_, word) => {
      const begin = first[word]!;
      let is = first[word + 1]! - begin === 32;
      for (let bit = 0; is && bit < 32; bit += 1) {
        is = this.#masks[begin + bit] === 1 << bit && this.#look[inWords[begin + bit]!] === Look.none;
      }
      return is ? 1 : 0;
    });
    const ranges = [Direction.input, Direction.output].flatMap((direction) => {
      let from = Number.POSITIVE_INFINITY;
      let end = 0;
      for (const tag of tags) {
        if (table.direction(tag) !== direction) continue;
        from = Math.min(from, decoder.bitInSlot(tag) >>> 5);
        end = Math.max(end, (lastBit(tag) >>> 5) + 1);
      }
      return end === 0 ? [] : [from, end];
    });
    // Typed, so that a loop over words counts in whole numbers.
    this.#ranges = Uint32Array.from(ranges);
    this.#seen = new Uint32Array(table.count);
  }

  /**
   * Writes an entry for every tag whose value or quality differs.
   *
   * @returns the number of entries, or {@link LOG_BATCH_FULL} when they are more than a batch holds; nothing is written
   * then
   */
  compare(previous: SlotBuffer, current: SlotBuffer, cycle: number, batch: BatchWriter): number {
    const regraded = this.#listRegraded(previous, current);
    const count = this.#listChanged(previous, current, regraded);
    if (count > this.#most) {
      this.tellAll(current);
      return LOG_BATCH_FULL;
    }
    const { bytes } = current;
    const { words } = batch;
    const changed = this.#changed;
    const qualityAt = this.#qualityAt;
    for (let i = 0, at = BATCH_HEADER_RECORDS * RECORD_WORDS; i < count; i += 1, at += RECORD_WORDS) {
      const tag = changed[i]!;
      words[at] = tag | (bytes[qualityAt[tag]!]! << LOG_ENTRY_QUALITY_SHIFT);
      words[at + 1] = cycle;
    }
    const first = (BATCH_HEADER_RECORDS * RECORD_WORDS + 2) / 2;
    this.#decoder.decodeAll(current, changed, count, batch.values, first, RECORD_WORDS / 2);
    return count;
  }

  /**
   * Takes what consumers find in this slot by themselves, since a batch is FULL, as told: the values that are outside of
   * their dead bands.
   */
  tellAll(slot: SlotBuffer): void {
    for (const tag of this.#banded) this.#leavesBand(slot, tag);
  }

  /** Lists every tag of the SubDevices whose quality differs; returns how many, and goes no further than one too many. */
  #listRegraded(previous: SlotBuffer, current: SlotBuffer): number {
    const was = previous.bytes;
    const is = current.bytes;
    const { first, tags } = this.#bySubDevice;
    const end = this.#firstQualityAt + this.#subDeviceCount;
    this.#beginComparison();
    let count = 0;
    for (let at = this.#firstQualityAt; at < end; at += 1) {
      if (was[at] === is[at]) continue;
      const subDevice = at - this.#firstQualityAt;
      for (let i = first[subDevice]!; i < first[subDevice + 1]! && count <= this.#most; i += 1) {
        const tag = tags[i]!;
        this.#seen[tag] = this.#comparison;
        this.#changed[count] = tag;
        if ((this.#look[tag]! & Look.band) !== 0) this.#tell(tag, this.#valueOf(current, tag));
        count += 1;
      }
    }
    return count;
  }

  /** Adds every tag whose value differs to the first `count` of the list; returns as {@link #listRegraded}. */
  #listChanged(previous: SlotBuffer, current: SlotBuffer, count: number): number {
    const was = previous.words;
    const is = current.words;
    const { first, tags } = this.#byWord;
    const masks = this.#masks;
    const bitByBit = this.#bitByBit;
    const look = this.#look;
    const changed = this.#changed;
    const most = this.#most;
    const regraded = count > 0;
    let listed = count;
    for (let range = 0; range < this.#ranges.length; range += 2) {
      const end = this.#ranges[range + 1]!;
      for (let word = this.#ranges[range]!; word < end; word += 1) {
        // A loop of its own, since most words are the same: it stays in registers.
        while (word < end && was[word] === is[word]) word += 1;
        if (word === end) break;
        const differing = was[word]! ^ is[word]!;
        const begin = first[word]!;
        const last = first[word + 1]!;
        if (bitByBit[word] !== 0 && !regraded) {
          for (let rest = differing; rest !== 0 && listed <= most; rest &= rest - 1) {
            changed[listed] = tags[begin + 31 - Math.clz32(rest & -rest)]!;
            listed += 1;
          }
          continue;
        }
        for (let i = begin; i < last; i += 1) {
          if ((differing & masks[i]!) === 0) continue;
          const tag = tags[i]!;
          if (look[tag] === Look.band && !regraded) {
            // It comes up once: what it was last seen in need not be kept.
            if (!this.#leavesBand(current, tag)) continue;
          } else if ((regraded || look[tag] !== Look.none) && !this.#isNews(previous, current, tag)) continue;
          if (listed > most) return listed;
          changed[listed] = tag;
          listed += 1;
        }
      }
    }
    return listed;
  }

  /** Whether a tag whose bits differ is not listed yet, and has another value. */
  #isNews(previous: SlotBuffer, current: SlotBuffer, tag: number): boolean {
    if (this.#seen[tag] === this.#comparison) return false;
    this.#seen[tag] = this.#comparison;
    const look = this.#look[tag]!;
    if ((look & Look.band) !== 0) return this.#leavesBand(current, tag);
    return (look & Look.value) === 0 || !this.#isSameValue(previous, current, tag);
  }

  /** Whether a value has left its dead band; it counts as told then. */
  #leavesBand(slot: SlotBuffer, tag: number): boolean {
    const value = this.#valueOf(slot, tag);
    if (value >= this.#low[tag]! && value <= this.#high[tag]!) return false;
    const { table } = this.#decoder;
    if (!leavesBand(table.band(tag), table.deadBand(tag), this.#told[tag]!, value)) return false;
    this.#tell(tag, value);
    return true;
  }

  #tell(tag: number, value: number): void {
    const { table } = this.#decoder;
    const width = table.deadBand(tag) * (table.band(tag) === Band.relative ? Math.abs(value) : 1);
    this.#told[tag] = value;
    this.#low[tag] = value - width;
    this.#high[tag] = value + width;
  }

  #valueOf(slot: SlotBuffer, tag: number): number {
    this.#decoder.decodeInto(slot, tag, this.#is, 0);
    if ((this.#look[tag]! & Look.wide64) === 0) return this.#is.number[0]!;
    return this.#is.distanceFromZero(this.#decoder.table, tag, 0);
  }

  /** Takes a number that no tag was seen with. */
  #beginComparison(): void {
    this.#comparison = (this.#comparison + 1) >>> 0;
    if (this.#comparison === 0) {
      this.#seen.fill(0);
      this.#comparison = 1;
    }
  }

  #isSameValue(previous: SlotBuffer, current: SlotBuffer, tag: number): boolean {
    this.#decoder.decodeInto(previous, tag, this.#was, 0);
    this.#decoder.decodeInto(current, tag, this.#is, 0);
    return this.#was.halves[0] === this.#is.halves[0] && this.#was.halves[1] === this.#is.halves[1];
  }
}

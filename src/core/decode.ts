/**
 * From the bytes of a slot to values. Two uses of one decoder: the change detector of the worker and the
 * consumers decode into {@link ValueArrays}, without an object per value; `snapshot()` reads single values.
 *
 * Everything here works on private copies: nobody else writes the bytes meanwhile.
 */

import { BAD } from './quality.ts';
import { unpack } from './tag-arrays.ts';
import { Direction, type TagTable, ValueForm } from './tag-table.ts';
import { isSigned, isWide64, Kind, type TagValue } from './tag-types.ts';

/** Where a slot's sections begin, in bytes from the start of the slot. */
export interface SlotSections {
  /** One byte a SubDevice. */
  readonly quality: number;
  readonly inputs: number;
  readonly outputs: number;
}

/** A private copy of one slot. */
export class SlotBuffer {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly view: DataView<ArrayBuffer>;
  /** The same bytes as words, to compare by. */
  readonly words: Int32Array<ArrayBuffer>;

  constructor(byteLength: number) {
    // Eight spare bytes, so that a field is always read as whole words.
    const buffer = new ArrayBuffer(((byteLength + 7) & ~7) + 8);
    this.bytes = new Uint8Array(buffer, 0, byteLength);
    this.view = new DataView(buffer);
    this.words = new Int32Array(buffer);
  }
}

/**
 * One value of 8 bytes a tag: a float64 for every tag up to 32 bits and every scaled one, the bits of an
 * int64 or uint64 for unscaled 64-bit tags, nothing for byte strings and arrays. The same as in a change-log entry.
 */
export class ValueArrays {
  readonly number: Float64Array<ArrayBuffer>;
  readonly int64: BigInt64Array<ArrayBuffer>;
  readonly uint64: BigUint64Array<ArrayBuffer>;
  /** Low and high half of each; values are copied and compared by these, which no NaN disturbs. */
  readonly halves: Uint32Array<ArrayBuffer>;

  /** For so many values, or over memory that has them at multiples of 8 bytes. */
  constructor(values: number | ArrayBuffer) {
    const buffer = typeof values === 'number' ? new ArrayBuffer(values * 8) : values;
    this.number = new Float64Array(buffer);
    this.int64 = new BigInt64Array(buffer);
    this.uint64 = new BigUint64Array(buffer);
    this.halves = new Uint32Array(buffer);
  }

  /** The value of a tag at its place, or at `at`, without its label; not for byte strings and arrays. */
  read(table: TagTable, tag: number, at: number = tag): boolean | number | bigint {
    switch (table.form(tag)) {
      case ValueForm.bool:
        return this.number[at] !== 0;
      case ValueForm.int64:
        return this.int64[at]!;
      case ValueForm.uint64:
        return this.uint64[at]!;
      default:
        return this.number[at]!;
    }
  }

  /** The value at `at` as a number, rounded where it is a 64-bit one: to measure distances by, without an object. */
  distanceFromZero(table: TagTable, tag: number, at: number): number {
    const kind = table.kind(tag);
    if (!isWide64(kind) || table.isScaled(tag)) return this.number[at]!;
    const high = this.halves[2 * at + 1]!;
    return (kind === Kind.int64 ? high | 0 : high) * 0x1_0000_0000 + this.halves[2 * at]!;
  }
}

/** How a tag is read: the aligned cases first, each one load; everything else bit by bit. */
const Read = {
  bit: 0,
  uint8: 1,
  int8: 2,
  uint16: 3,
  int16: 4,
  uint32: 5,
  int32: 6,
  float32: 7,
  float64: 8,
  field: 9,
  none: 10,
} as const;

const alignedReads: ReadonlyMap<number, number> = new Map<number, number>([
  [Kind.uint8, Read.uint8],
  [Kind.int8, Read.int8],
  [Kind.uint16, Read.uint16],
  [Kind.int16, Read.int16],
  [Kind.uint32, Read.uint32],
  [Kind.int32, Read.int32],
  [Kind.float32, Read.float32],
  [Kind.float64, Read.float64],
]);

const alignedBits: readonly number[] = [0, 8, 8, 16, 16, 32, 32, 0, 0, 32, 64, 0];

/** Decodes tags out of slots of one layout. */
export class Decoder {
  readonly table: TagTable;
  readonly #how: Uint8Array;
  /** First bit of each tag from the start of the slot. */
  readonly #bit: Uint32Array;
  readonly #scaled: Uint8Array;
  /** Where in the slot the qualities begin. */
  readonly #firstQualityAt: number;
  /** A field's bits, low half and high half, and the same bits as what they may mean. */
  readonly #half: Uint32Array<ArrayBuffer> = new Uint32Array(2);
  readonly #float32: Float32Array<ArrayBuffer>;
  readonly #float64: Float64Array<ArrayBuffer>;
  readonly #single: ValueArrays = new ValueArrays(1);

  constructor(table: TagTable, sections: SlotSections) {
    this.table = table;
    this.#how = new Uint8Array(table.count);
    this.#bit = new Uint32Array(table.count);
    this.#scaled = new Uint8Array(table.count);
    this.#firstQualityAt = sections.quality;
    this.#float32 = new Float32Array(this.#half.buffer, 0, 1);
    this.#float64 = new Float64Array(this.#half.buffer);
    for (let tag = 0; tag < table.count; tag += 1) {
      const section = table.direction(tag) === Direction.input ? sections.inputs : sections.outputs;
      const bit = section * 8 + table.bitOffset[tag]!;
      const kind = table.kind(tag);
      const length = table.bitLength(tag);
      this.#bit[tag] = bit;
      this.#scaled[tag] = table.isScaled(tag) ? 1 : 0;
      if (table.isWide(tag)) this.#how[tag] = Read.none;
      else if (length === 1 && !isSigned(kind)) this.#how[tag] = Read.bit;
      else if (bit % 8 === 0 && length === alignedBits[kind]) this.#how[tag] = alignedReads.get(kind) ?? Read.field;
      else this.#how[tag] = Read.field;
    }
  }

  /** First bit of a tag from the start of the slot. */
  bitInSlot(tag: number): number {
    return this.#bit[tag]!;
  }

  /** Quality code of a tag's SubDevice. */
  quality(slot: SlotBuffer, tag: number): number {
    return slot.bytes[this.#firstQualityAt + this.table.subDevice[tag]!]!;
  }

  /** Makes the quality of every SubDevice in a private slot `bad`: nothing is true any more of a bus that has ended. */
  distrust(slot: SlotBuffer): void {
    slot.bytes.fill(BAD, this.#firstQualityAt, this.#firstQualityAt + this.table.subDeviceCount);
  }

  /** Decodes one tag into its place, or into `at`. Byte strings and arrays are left out: {@link readBytes}. */
  decodeInto(slot: SlotBuffer, tag: number, values: ValueArrays, at: number = tag): void {
    const how = this.#how[tag]!;
    const bit = this.#bit[tag]!;
    // In parts that are small enough to be compiled into their callers: this runs for every changed tag.
    if (how >= Read.field) {
      this.#decodeField(slot, tag, values, at);
      return;
    }
    const value = how === Read.bit ? (slot.bytes[bit >>> 3]! >> (bit & 7)) & 1 : readAligned(slot.view, how, bit >>> 3);
    values.number[at] = this.#scaled[tag] === 0 ? value : value * this.table.scale(tag) + this.table.offset(tag);
  }

  /**
   * Decodes tags into every `step`-th value from `first` on; a byte string or array gives 0. As {@link decodeInto} one by one, with
   * everything that does not change taken out of the loop.
   */
  decodeAll(
    slot: SlotBuffer,
    tags: Uint32Array,
    count: number,
    values: ValueArrays,
    first: number,
    step: number,
  ): void {
    const how = this.#how;
    const bits = this.#bit;
    const scaled = this.#scaled;
    const { bytes, view } = slot;
    const { number } = values;
    for (let i = 0, at = first; i < count; i += 1, at += step) {
      const tag = tags[i]!;
      const bit = bits[tag]!;
      if (scaled[tag] !== 0 || how[tag]! >= Read.field) {
        number[at] = 0;
        this.decodeInto(slot, tag, values, at);
      } else if (how[tag] === Read.bit) number[at] = (bytes[bit >>> 3]! >> (bit & 7)) & 1;
      else number[at] = readAligned(view, how[tag]!, bit >>> 3);
    }
  }

  #decodeField(slot: SlotBuffer, tag: number, values: ValueArrays, at: number): void {
    if (this.#how[tag] === Read.none) return;
    this.#loadField(slot, this.#bit[tag]!, tag);
    const kind = this.table.kind(tag);
    if (this.#scaled[tag] !== 0) {
      values.number[at] = this.#fieldValue(kind) * this.table.scale(tag) + this.table.offset(tag);
    } else if (isWide64(kind)) {
      values.halves[2 * at] = this.#half[0]!;
      values.halves[2 * at + 1] = this.#half[1]!;
    } else values.number[at] = this.#fieldValue(kind);
  }

  /** One value by its type, without its label. */
  read(slot: SlotBuffer, tag: number): TagValue {
    if (this.table.isWide(tag)) return unpack(this.table, tag, this.readBytes(slot, tag));
    this.decodeInto(slot, tag, this.#single, 0);
    return this.#single.read(this.table, tag, 0);
  }

  /** The bits of a byte string or array, from the first bit of the first byte on, in an array of their own. */
  readBytes(slot: SlotBuffer, tag: number): Uint8Array<ArrayBuffer> {
    const bit = this.#bit[tag]!;
    const byte = bit >>> 3;
    const shift = bit & 7;
    const length = this.table.bitLength(tag);
    const out = slot.bytes.slice(byte, byte + ((length + 7) >>> 3));
    for (let i = 0; shift !== 0 && i < out.length; i += 1) {
      out[i] = ((slot.bytes[byte + i]! | (slot.bytes[byte + i + 1]! << 8)) >>> shift) & 0xff;
    }
    if (length % 8 !== 0) out[out.length - 1]! &= 0xff >>> (8 - (length % 8));
    return out;
  }

  /** Loads up to 64 bits from any bit offset, extended by their sign where the type has one. */
  #loadField(slot: SlotBuffer, bit: number, tag: number): void {
    const length = this.table.bitLength(tag);
    const byte = bit >>> 3;
    const shift = bit & 7;
    let low = slot.view.getUint32(byte, true);
    let high = shift + length > 32 ? slot.view.getUint32(byte + 4, true) : 0;
    if (shift !== 0) {
      const top = shift + length > 64 ? slot.bytes[byte + 8]! : 0;
      low = (low >>> shift) | (high << (32 - shift));
      high = (high >>> shift) | (top << (32 - shift));
    }
    const signed = isSigned(this.table.kind(tag));
    if (length <= 32) {
      const unused = 32 - length;
      low = signed ? (low << unused) >> unused : (low << unused) >>> unused;
      high = signed && low < 0 ? -1 : 0;
    } else {
      const unused = 64 - length;
      high = signed ? (high << unused) >> unused : (high << unused) >>> unused;
    }
    this.#half[0] = low;
    this.#half[1] = high;
  }

  #fieldValue(kind: number): number {
    if (kind === Kind.float32) return this.#float32[0]!;
    if (kind === Kind.float64) return this.#float64[0]!;
    if (kind === Kind.bool) return this.#half[0] === 0 ? 0 : 1;
    const high = isSigned(kind) ? this.#half[1]! | 0 : this.#half[1]!;
    return high * 0x1_0000_0000 + this.#half[0]!;
  }
}

function readAligned(view: DataView, how: number, byte: number): number {
  switch (how) {
    case Read.uint8:
      return view.getUint8(byte);
    case Read.int8:
      return view.getInt8(byte);
    case Read.uint16:
      return view.getUint16(byte, true);
    case Read.int16:
      return view.getInt16(byte, true);
    case Read.uint32:
      return view.getUint32(byte, true);
    case Read.int32:
      return view.getInt32(byte, true);
    case Read.float32:
      return view.getFloat32(byte, true);
    default:
      return view.getFloat64(byte, true);
  }
}

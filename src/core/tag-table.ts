/**
 * The tags as a struct of arrays in one SharedArrayBuffer, so that any thread decodes by the same table without a copy
 * and without an object per tag. What tags have in common (type, length, scale, dead band) stands once, as a shape: ten
 * thousand tags of a plant have a few dozen. A row is 9 bytes then. Names are in the tag directory.
 *
 * ```text
 * header  u32 × 6                     magic, rows, SubDevices, partitions, shapes, 0
 * scale, offset, deadBand             f64 × shapes each
 * bitLength                           u32 × shapes
 * bitOffset                           u32 × rows
 * shape                               u16 | u32 × rows   u16 as long as that fits
 * elements                            u16 × shapes
 * subDevice                           u16 × rows
 * kind, direction, band               u8  × shapes each
 * partition                           u8  × rows
 * ```
 */

import { EtherCatError } from './errors/ethercat-error.ts';
import { isWide64, Kind } from './tag-types.ts';

/** Tags per MainDevice at most: a change-log entry names its tag in 24 bits, and the last value marks a batch. */
export const TAGS_MAX: number = 0xff_fffe;

/** Image that a tag stands in. */
export const Direction = { input: 0, output: 1 } as const;

/** How a dead band is meant. */
export const Band = {
  none: 0,
  /** In units of the value. */
  absolute: 1,
  /** As a part of the value last told. */
  relative: 2,
} as const;

const MAGIC = 0x54_47_42_33;
const HEADER_WORDS = 6;
/** Bytes of a shape. */
const SHAPE_BYTES = 3 * 8 + 4 + 2 + 3;

/** What the 8 bytes of a value are, wherever values stand in arrays. */
export const ValueForm = {
  number: 0,
  /** A number, 0 for false. */
  bool: 1,
  int64: 2,
  uint64: 3,
  /** Nothing: a byte string or an array, which stands elsewhere. */
  wide: 4,
} as const;

/** One row, to build a table from. */
export interface TagRow {
  /** {@link Kind} */
  readonly kind: number;
  /** {@link Direction} */
  readonly direction: number;
  /** First bit in the image of its direction. */
  readonly bitOffset: number;
  /** Bits of all of it; those of an array are its elements, one after the other. */
  readonly bitLength: number;
  /** Position of the SubDevice whose quality is the tag's. */
  readonly subDevice: number;
  /** value = raw · scale + offset */
  readonly scale: number;
  readonly offset: number;
  /** Elements of an array; 1, the default, is no array. */
  readonly elements?: number;
  /** {@link Band}; `none` unless given. */
  readonly band?: number;
  /** In units of the value, or as a part of it (0.02 is 2 %). */
  readonly deadBand?: number;
  /** Decode worker that looks at the tag; 0 unless given. */
  readonly partition?: number;
}

/** Views of the table; written once, before any other thread sees it. */
export class TagTable {
  readonly buffer: SharedArrayBuffer;
  /** Rows. */
  readonly count: number;
  readonly subDeviceCount: number;
  readonly partitionCount: number;
  /** First bit of each tag in the image of its direction. */
  readonly bitOffset: Uint32Array;
  /** Position of the SubDevice whose quality is the tag's. */
  readonly subDevice: Uint16Array;
  /** Decode worker that looks at each tag. */
  readonly partition: Uint8Array;
  readonly #shape: Uint16Array | Uint32Array;
  readonly #scale: Float64Array;
  readonly #offset: Float64Array;
  readonly #deadBand: Float64Array;
  readonly #bitLength: Uint32Array;
  readonly #elements: Uint16Array;
  readonly #kind: Uint8Array;
  readonly #direction: Uint8Array;
  readonly #band: Uint8Array;
  /** {@link ValueForm} by shape; of this thread alone. */
  readonly #form: Uint8Array;

  /** @throws ECAT_ERR_INTERNAL when the buffer is not a table */
  constructor(buffer: SharedArrayBuffer) {
    const header = new Uint32Array(buffer, 0, Math.min(HEADER_WORDS, buffer.byteLength >>> 2));
    const [magic, count = 0, subDeviceCount = 0, partitionCount = 0, shapes = 0] = header;
    if (magic !== MAGIC || buffer.byteLength < tableBytes(count, shapes)) {
      throw new EtherCatError('ECAT_ERR_INTERNAL', 'a buffer that is not a tag table was taken for one');
    }
    this.buffer = buffer;
    this.count = count;
    this.subDeviceCount = subDeviceCount;
    this.partitionCount = partitionCount;
    let at = 4 * HEADER_WORDS;
    const take = (bytes: number): number => {
      at += bytes;
      return at - bytes;
    };
    this.#scale = new Float64Array(buffer, take(8 * shapes), shapes);
    this.#offset = new Float64Array(buffer, take(8 * shapes), shapes);
    this.#deadBand = new Float64Array(buffer, take(8 * shapes), shapes);
    this.#bitLength = new Uint32Array(buffer, take(4 * shapes), shapes);
    this.bitOffset = new Uint32Array(buffer, take(4 * count), count);
    const width = shapeBytes(shapes);
    const place = take(width * count);
    this.#shape = width === 2 ? new Uint16Array(buffer, place, count) : new Uint32Array(buffer, place, count);
    this.#elements = new Uint16Array(buffer, take(2 * shapes), shapes);
    this.subDevice = new Uint16Array(buffer, take(2 * count), count);
    this.#kind = new Uint8Array(buffer, take(shapes), shapes);
    this.#direction = new Uint8Array(buffer, take(shapes), shapes);
    this.#band = new Uint8Array(buffer, take(shapes), shapes);
    this.partition = new Uint8Array(buffer, take(count), count);
    this.#form = this.#kind.map((_, shape) => this.#formOf(shape));
  }

  /** @throws ECAT_ERR_TAG_UNRESOLVED when there are more than {@link TAGS_MAX} rows */
  static build(rows: readonly TagRow[], subDeviceCount: number): TagTable {
    if (rows.length > TAGS_MAX) {
      throw new EtherCatError(
        'ECAT_ERR_TAG_UNRESOLVED',
        `${rows.length} tags are more than the ${TAGS_MAX} of one MainDevice`,
      );
    }
    const shapes = new Map<string, { readonly row: TagRow; readonly number: number }>();
    const numbers = rows.map((row) => {
      const { kind, direction, bitLength, scale, offset, elements = 1, band = Band.none, deadBand = 0 } = row;
      const key = `${kind} ${direction} ${bitLength} ${scale} ${offset} ${elements} ${band} ${deadBand}`;
      const known = shapes.get(key) ?? { row, number: shapes.size };
      if (known.row === row) shapes.set(key, known);
      return known.number;
    });
    const buffer = new SharedArrayBuffer(tableBytes(rows.length, shapes.size));
    const header = [MAGIC, rows.length, subDeviceCount, partitionsOf(rows), shapes.size, 0];
    new Uint32Array(buffer, 0, HEADER_WORDS).set(header);
    const table = new TagTable(buffer);
    for (const { row, number } of shapes.values()) {
      table.#scale[number] = row.scale;
      table.#offset[number] = row.offset;
      table.#bitLength[number] = row.bitLength;
      table.#elements[number] = row.elements ?? 1;
      table.#kind[number] = row.kind;
      table.#direction[number] = row.direction;
      table.#band[number] = row.band ?? Band.none;
      table.#deadBand[number] = row.deadBand ?? 0;
    }
    rows.forEach((row, tag) => {
      table.#shape[tag] = numbers[tag]!;
      table.bitOffset[tag] = row.bitOffset;
      table.subDevice[tag] = row.subDevice;
      table.partition[tag] = row.partition ?? 0;
    });
    return new TagTable(buffer);
  }

  /** value = raw · scale + offset */
  scale(tag: number): number {
    return this.#scale[this.#shape[tag]!]!;
  }

  /** value = raw · scale + offset */
  offset(tag: number): number {
    return this.#offset[this.#shape[tag]!]!;
  }

  /** In units of the value, or as a part of it. */
  deadBand(tag: number): number {
    return this.#deadBand[this.#shape[tag]!]!;
  }

  /** {@link Band} */
  band(tag: number): number {
    return this.#band[this.#shape[tag]!]!;
  }

  /** Bits of all of it. */
  bitLength(tag: number): number {
    return this.#bitLength[this.#shape[tag]!]!;
  }

  /** Elements of an array; 1 is none. */
  elements(tag: number): number {
    return this.#elements[this.#shape[tag]!]!;
  }

  /** {@link Kind} */
  kind(tag: number): number {
    return this.#kind[this.#shape[tag]!]!;
  }

  /** {@link Direction} */
  direction(tag: number): number {
    return this.#direction[this.#shape[tag]!]!;
  }

  /** {@link ValueForm} */
  form(tag: number): number {
    return this.#form[this.#shape[tag]!]!;
  }

  /** Whether a value is `raw · scale + offset`, and so always a number. */
  isScaled(tag: number): boolean {
    return this.scale(tag) !== 1 || this.offset(tag) !== 0;
  }

  /** Whether a tag's value does not fit a change-log entry and is read from the slot. */
  isWide(tag: number): boolean {
    return this.form(tag) === ValueForm.wide;
  }

  /** Whether any tag is {@link isWide}. */
  get hasWide(): boolean {
    return this.#form.includes(ValueForm.wide);
  }

  /** Bits of one element of an array; those of the tag where it is none. */
  elementBits(tag: number): number {
    return this.bitLength(tag) / this.elements(tag);
  }

  #formOf(shape: number): number {
    const kind = this.#kind[shape]!;
    if (kind === Kind.bytes || this.#elements[shape] !== 1) return ValueForm.wide;
    if (kind === Kind.bool) return ValueForm.bool;
    const isScaled = this.#scale[shape] !== 1 || this.#offset[shape] !== 0;
    if (!isWide64(kind) || isScaled) return ValueForm.number;
    return kind === Kind.int64 ? ValueForm.int64 : ValueForm.uint64;
  }

  /** Tags of the largest partition. */
  partitionSizeMax(): number {
    const sizes = new Uint32Array(this.partitionCount);
    for (const partition of this.partition) sizes[partition]! += 1;
    return Math.max(0, ...sizes);
  }

  /** Numbers of the tags of a partition. */
  tagsOf(partition: number): Uint32Array {
    const tags = new Uint32Array(this.count);
    let count = 0;
    for (let tag = 0; tag < this.count; tag += 1) {
      if (this.partition[tag] !== partition) continue;
      tags[count] = tag;
      count += 1;
    }
    return tags.slice(0, count);
  }
}

/** Bytes of the number of a shape. */
function shapeBytes(shapes: number): number {
  return shapes <= 0x1_0000 ? 2 : 4;
}

function tableBytes(count: number, shapes: number): number {
  return 4 * HEADER_WORDS + SHAPE_BYTES * shapes + (4 + shapeBytes(shapes) + 2 + 1) * count;
}

function partitionsOf(rows: readonly TagRow[]): number {
  return rows.reduce((most, { partition = 0 }) => Math.max(most, partition + 1), 1);
}

/**
 * The tags as a struct of arrays in one SharedArrayBuffer, so that any thread decodes by the same table
 * without a copy: a row is 42 bytes, and nothing of it is an object. Names are in the tag directory.
 *
 * ```text
 * header  u32 × 4                 magic, rows, SubDevices, partitions
 * scale, offset, deadBand         f64 × rows each
 * bitOffset, bitLength            u32 × rows each
 * subDevice, elements             u16 × rows each
 * kind, direction, band, partition  u8  × rows each
 * ```
 */

import { EtherCatError } from './errors/ethercat-error.ts';
import { Kind } from './tag-types.ts';

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

/** Bytes of one row. */
export const ROW_BYTES: number = 3 * 8 + 2 * 4 + 2 * 2 + 4;

const MAGIC = 0x54_47_42_32;
const HEADER_BYTES = 16;

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
  readonly scale: Float64Array;
  readonly offset: Float64Array;
  readonly deadBand: Float64Array;
  readonly bitOffset: Uint32Array;
  readonly bitLength: Uint32Array;
  readonly subDevice: Uint16Array;
  readonly elements: Uint16Array;
  readonly kind: Uint8Array;
  readonly direction: Uint8Array;
  readonly band: Uint8Array;
  readonly partition: Uint8Array;

  /** @throws ECAT_ERR_INTERNAL when the buffer is not a table */
  constructor(buffer: SharedArrayBuffer) {
    const header = new Uint32Array(buffer, 0, 4);
    const count = header[1]!;
    if (header[0] !== MAGIC || buffer.byteLength < HEADER_BYTES + count * ROW_BYTES) {
      throw new EtherCatError('ECAT_ERR_INTERNAL', 'a buffer that is not a tag table was taken for one');
    }
    this.buffer = buffer;
    this.count = count;
    this.subDeviceCount = header[2]!;
    this.partitionCount = header[3]!;
    let at = HEADER_BYTES;
    const take = (bytes: number): number => {
      at += bytes * count;
      return at - bytes * count;
    };
    this.scale = new Float64Array(buffer, take(8), count);
    this.offset = new Float64Array(buffer, take(8), count);
    this.deadBand = new Float64Array(buffer, take(8), count);
    this.bitOffset = new Uint32Array(buffer, take(4), count);
    this.bitLength = new Uint32Array(buffer, take(4), count);
    this.subDevice = new Uint16Array(buffer, take(2), count);
    this.elements = new Uint16Array(buffer, take(2), count);
    this.kind = new Uint8Array(buffer, take(1), count);
    this.direction = new Uint8Array(buffer, take(1), count);
    this.band = new Uint8Array(buffer, take(1), count);
    this.partition = new Uint8Array(buffer, take(1), count);
  }

  /** @throws ECAT_ERR_TAG_UNRESOLVED when there are more than {@link TAGS_MAX} rows */
  static build(rows: readonly TagRow[], subDeviceCount: number): TagTable {
    if (rows.length > TAGS_MAX) {
      throw new EtherCatError(
        'ECAT_ERR_TAG_UNRESOLVED',
        `${rows.length} tags are more than the ${TAGS_MAX} of one MainDevice`,
      );
    }
    const buffer = new SharedArrayBuffer(HEADER_BYTES + rows.length * ROW_BYTES);
    new Uint32Array(buffer, 0, 4).set([MAGIC, rows.length, subDeviceCount, partitionsOf(rows)]);
    const table = new TagTable(buffer);
    rows.forEach((row, tag) => {
      table.scale[tag] = row.scale;
      table.offset[tag] = row.offset;
      table.bitOffset[tag] = row.bitOffset;
      table.bitLength[tag] = row.bitLength;
      table.subDevice[tag] = row.subDevice;
      table.elements[tag] = row.elements ?? 1;
      table.kind[tag] = row.kind;
      table.direction[tag] = row.direction;
      table.band[tag] = row.band ?? Band.none;
      table.deadBand[tag] = row.deadBand ?? 0;
      table.partition[tag] = row.partition ?? 0;
    });
    return table;
  }

  /** Whether a value is `raw · scale + offset`, and so always a number. */
  isScaled(tag: number): boolean {
    return this.scale[tag] !== 1 || this.offset[tag] !== 0;
  }

  /** Whether a tag's value does not fit a change-log entry and is read from the slot. */
  isWide(tag: number): boolean {
    return this.kind[tag] === Kind.bytes || this.elements[tag] !== 1;
  }

  /** Bits of one element of an array; those of the tag where it is none. */
  elementBits(tag: number): number {
    return this.bitLength[tag]! / this.elements[tag]!;
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

function partitionsOf(rows: readonly TagRow[]): number {
  return rows.reduce((most, { partition = 0 }) => Math.max(most, partition + 1), 1);
}

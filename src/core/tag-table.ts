/**
 * The tags as a struct of arrays in one SharedArrayBuffer, so that any thread decodes by the same table
 * without a copy: a row is 30 bytes, and nothing of it is an object. Names stay on the main side.
 *
 * ```text
 * header  u32 × 4      magic, rows, SubDevices, 0
 * scale   f64 × rows
 * offset  f64 × rows
 * bitOffset, bitLength  u32 × rows each
 * subDevice             u16 × rows
 * kind, direction       u8  × rows each
 * ```
 */

import { EtherCatError } from './errors/ethercat-error.ts';
import { Kind } from './tag-types.ts';

/** Tags per MainDevice at most: a change-log entry names its tag in 24 bits, and the last value marks a batch. */
export const TAGS_MAX: number = 0xff_fffe;

/** Image that a tag stands in. */
export const Direction = { input: 0, output: 1 } as const;

const MAGIC = 0x54_47_42_31;
const HEADER_BYTES = 16;
const ROW_BYTES = 8 + 8 + 4 + 4 + 2 + 1 + 1;

/** One row, to build a table from. */
export interface TagRow {
  /** {@link Kind} */
  readonly kind: number;
  /** {@link Direction} */
  readonly direction: number;
  /** First bit in the image of its direction. */
  readonly bitOffset: number;
  readonly bitLength: number;
  /** Position of the SubDevice whose quality is the tag's. */
  readonly subDevice: number;
  /** value = raw · scale + offset */
  readonly scale: number;
  readonly offset: number;
}

/** Views of the table; written once, before any other thread sees it. */
export class TagTable {
  readonly buffer: SharedArrayBuffer;
  /** Rows. */
  readonly count: number;
  readonly subDeviceCount: number;
  readonly scale: Float64Array;
  readonly offset: Float64Array;
  readonly bitOffset: Uint32Array;
  readonly bitLength: Uint32Array;
  readonly subDevice: Uint16Array;
  readonly kind: Uint8Array;
  readonly direction: Uint8Array;

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
    let at = HEADER_BYTES;
    const take = (bytes: number): number => {
      at += bytes * count;
      return at - bytes * count;
    };
    this.scale = new Float64Array(buffer, take(8), count);
    this.offset = new Float64Array(buffer, take(8), count);
    this.bitOffset = new Uint32Array(buffer, take(4), count);
    this.bitLength = new Uint32Array(buffer, take(4), count);
    this.subDevice = new Uint16Array(buffer, take(2), count);
    this.kind = new Uint8Array(buffer, take(1), count);
    this.direction = new Uint8Array(buffer, take(1), count);
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
    new Uint32Array(buffer, 0, 4).set([MAGIC, rows.length, subDeviceCount, 0]);
    const table = new TagTable(buffer);
    rows.forEach((row, tag) => {
      table.scale[tag] = row.scale;
      table.offset[tag] = row.offset;
      table.bitOffset[tag] = row.bitOffset;
      table.bitLength[tag] = row.bitLength;
      table.subDevice[tag] = row.subDevice;
      table.kind[tag] = row.kind;
      table.direction[tag] = row.direction;
    });
    return table;
  }

  /** Whether a value is `raw · scale + offset`, and so always a number. */
  isScaled(tag: number): boolean {
    return this.scale[tag] !== 1 || this.offset[tag] !== 0;
  }

  /** Whether a tag's value does not fit a change-log entry and is read from the slot. */
  isWide(tag: number): boolean {
    return this.kind[tag] === Kind.bytes;
  }
}

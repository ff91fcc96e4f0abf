/**
 * Arrays of values: between the bits of a tag, packed into bytes of their own, and typed arrays.
 *
 * Elements follow each other without gaps, as the entries of a PDO do; each may have any length that its type allows.
 */

import type { TagTable } from './tag-table.ts';
import { isSigned, Kind, type TagArray } from './tag-types.ts';

type ArrayOf = new (values: number | ArrayBuffer) => TagArray;

/** Typed arrays by {@link Kind}, those of bools as bytes. */
const arrayOfKind: readonly ArrayOf[] = [
  Uint8Array,
  Int8Array,
  Uint8Array,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  BigInt64Array,
  BigUint64Array,
  Float32Array,
  Float64Array,
  Uint8Array,
];

/** An array of a tag's elements, all 0, as an application sees it. */
export function emptyArray(table: TagTable, tag: number): TagArray {
  const kind = table.kind(tag);
  if (kind === Kind.bytes) return new Uint8Array(table.bitLength(tag) / 8);
  return new (table.isScaled(tag) ? Float64Array : arrayOfKind[kind]!)(table.elements(tag));
}

/** An array for `count` values of a tag that is no array: a column of a history. */
export function columnOf(table: TagTable, tag: number, count: number): TagArray {
  return new (table.isScaled(tag) ? Float64Array : arrayOfKind[table.kind(tag)]!)(count);
}

/**
 * The values of an array or byte string.
 *
 * @param packed - its bits, from the first bit of the first byte on, in memory of their own that the result may keep
 */
export function unpack(table: TagTable, tag: number, packed: Uint8Array<ArrayBuffer>): TagArray {
  const kind = table.kind(tag);
  if (kind === Kind.bytes) return packed;
  const bits = table.elementBits(tag);
  const ArrayType = arrayOfKind[kind]!;
  // Process data are little-endian, and so is every processor that there is a binary for.
  if (bits === (ArrayType as unknown as { BYTES_PER_ELEMENT: number }).BYTES_PER_ELEMENT * 8) {
    if (kind !== Kind.bool) {
      const whole = new ArrayType(packed.buffer);
      return table.isScaled(tag) ? scaled(table, tag, whole) : whole;
    }
  }
  const raw = new ArrayType(table.elements(tag));
  for (let i = 0; i < raw.length; i += 1) {
    const value = loadBits(packed, i * bits, bits);
    if (kind === Kind.bool) raw[i] = value === 0n ? 0 : 1;
    else if (typeof raw[i] === 'bigint') raw[i] = isSigned(kind) ? BigInt.asIntN(bits, value) : value;
    else raw[i] = Number(isSigned(kind) ? BigInt.asIntN(bits, value) : value);
  }
  return table.isScaled(tag) ? scaled(table, tag, raw) : raw;
}

/** Up to 64 bits from any bit on, as an unsigned number. Slow and plain: odd lengths of arrays are rare. */
export function loadBits(bytes: Uint8Array, first: number, length: number): bigint {
  let value = 0n;
  for (let done = 0; done < length; ) {
    const shift = (first + done) & 7;
    const take = Math.min(8 - shift, length - done);
    const part = (bytes[(first + done) >>> 3]! >>> shift) & ((1 << take) - 1);
    value |= BigInt(part) << BigInt(done);
    done += take;
  }
  return value;
}

/** Writes up to 64 bits from any bit on, and touches no other bit. */
export function storeBits(bytes: Uint8Array, first: number, length: number, value: bigint): void {
  let rest = value;
  for (let done = 0; done < length; ) {
    const byte = (first + done) >>> 3;
    const shift = (first + done) & 7;
    const take = Math.min(8 - shift, length - done);
    const mask = ((1 << take) - 1) << shift;
    bytes[byte] = (bytes[byte]! & ~mask) | ((Number(rest & 0xffn) << shift) & mask);
    rest >>= BigInt(take);
    done += take;
  }
}

function scaled(table: TagTable, tag: number, raw: TagArray): Float64Array<ArrayBuffer> {
  const scale = table.scale(tag);
  const offset = table.offset(tag);
  const values = new Float64Array(raw.length);
  for (let i = 0; i < raw.length; i += 1) values[i] = Number(raw[i]) * scale + offset;
  return values;
}

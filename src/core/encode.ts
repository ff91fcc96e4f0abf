/** From a value to the bits of an output image: checks first, then writes; nothing is written when a check fails. */

import type { OnLoss } from './configuration/types.ts';
import { EtherCatError } from './errors/ethercat-error.ts';
import { storeBits } from './tag-arrays.ts';
import type { TagDirectory } from './tag-directory.ts';
import type { TagTable } from './tag-table.ts';
import { isSigned, isWide64, Kind, type TagArray, type TagValue, tagTypes } from './tag-types.ts';

/** A value that passed every check, as the bits to write. */
export interface EncodedValue {
  readonly tag: number;
  /** Up to 64 bits, as an unsigned number; for byte strings and arrays the bits in the order of the image. */
  readonly bits: bigint | Uint8Array;
}

/** Told what was expected in place of a value, and throws. */
type Refuse = (expected: string, got?: unknown) => never;

const scratch = new DataView(new ArrayBuffer(8));

/**
 * Checks a value against its tag and encodes it.
 *
 * @param name - of the tag, for messages
 * @throws ECAT_ERR_VALUE_RANGE when the value does not have the tag's type, or does not fit its length
 */
export function encodeValue(table: TagTable, tag: number, name: string, value: TagValue): EncodedValue {
  const refuse: Refuse = (expected, got = value) => {
    throw new EtherCatError('ECAT_ERR_VALUE_RANGE', `tag ${name}: expected ${expected}, got ${show(got)}`, {
      tag: name,
    });
  };
  const elements = table.elements(tag);
  if (table.kind(tag) === Kind.bytes) {
    const length = table.bitLength(tag) / 8;
    if (!(value instanceof Uint8Array) || value.length !== length) return refuse(`a Uint8Array of ${length} bytes`);
    return { tag, bits: value.slice() };
  }
  if (elements === 1) return { tag, bits: encodeScalar(table, tag, value, refuse) };
  const list = elementsOf(value);
  if (list?.length !== elements) return refuse(`an array of ${elements} values`);
  const bits = table.elementBits(tag);
  const packed = new Uint8Array((table.bitLength(tag) + 7) >>> 3);
  for (let i = 0; i < elements; i += 1) {
    storeBits(
      packed,
      i * bits,
      bits,
      encodeScalar(table, tag, list[i]!, (expected) => refuse(`${expected} at [${i}]`, list[i])),
    );
  }
  return { tag, bits: packed };
}

/** As {@link encodeValue}, with the label of a value in place of it where the tag has labels. */
export function encodeNamed(
  table: TagTable,
  directory: TagDirectory,
  tag: number,
  name: string,
  value: TagValue,
): EncodedValue {
  const number = directory.unlabelled(tag, value);
  const isBool = number !== value && table.kind(tag) === Kind.bool;
  return encodeValue(table, tag, name, isBool ? number !== 0 : number);
}

/** A value that is no array, or one element of an array, as unsigned bits. */
function encodeScalar(table: TagTable, tag: number, value: TagValue, refuse: Refuse): bigint {
  const kind = table.kind(tag);
  if (kind === Kind.bool) {
    // Arrays of bools are bytes of 0 and 1.
    if (table.elements(tag) !== 1 && (value === 0 || value === 1)) return BigInt(value);
    if (typeof value !== 'boolean') return refuse('a boolean');
    return value ? 1n : 0n;
  }
  const scaled = table.isScaled(tag);
  const bigints = isWide64(kind) && !scaled;
  if (typeof value !== 'number' && !(bigints && typeof value === 'bigint'))
    return refuse(bigints ? 'a bigint' : 'a number');
  if (kind === Kind.float32 || kind === Kind.float64) {
    const raw = (Number(value) - table.offset(tag)) / table.scale(tag);
    const held = kind === Kind.float32 ? Math.fround(raw) : raw;
    // NaN and infinities are values of a float; a number that becomes one on the way is not.
    if (Number.isFinite(value) && !Number.isFinite(held)) {
      return refuse(`a number that a ${tagTypes[kind]} holds${scaled ? ', scaled' : ''}`);
    }
    if (kind === Kind.float64) {
      scratch.setFloat64(0, raw);
      return scratch.getBigUint64(0);
    }
    scratch.setFloat32(0, raw);
    return BigInt(scratch.getUint32(0));
  }
  const length = table.elementBits(tag);
  const { low, high } = integerRange(kind, length);
  const raw = toRaw(value, table.scale(tag), table.offset(tag), scaled);
  if (raw === undefined || raw < low || raw > high) return refuse(describeRange(table, tag, low, high, bigints));
  return BigInt.asUintN(length, raw);
}

/**
 * Encodes what an output does when its writer falls silent: `zero` is the value 0 of the tag where its scaling has one,
 * and no bit set otherwise. A value is that of every element of an array.
 *
 * @throws ECAT_ERR_VALUE_RANGE as {@link encodeValue}
 */
export function encodeLoss(table: TagTable, tag: number, name: string, loss: Exclude<OnLoss, 'hold'>): EncodedValue {
  const elements = table.elements(tag);
  const everywhere = (value: number | boolean): EncodedValue =>
    encodeValue(table, tag, name, elements === 1 ? value : (new Array(elements).fill(value) as unknown as TagValue));
  if (loss !== 'zero') return everywhere(loss);
  if (table.isScaled(tag)) return everywhere(0);
  return { tag, bits: table.isWide(tag) ? new Uint8Array((table.bitLength(tag) + 7) >>> 3) : 0n };
}

/** Writes encoded bits into an image, at the tag's place, and touches no other bit. */
export function writeBits(table: TagTable, { tag, bits }: EncodedValue, image: Uint8Array): void {
  const first = table.bitOffset[tag]!;
  const length = table.bitLength(tag);
  if (typeof bits === 'bigint') {
    storeBits(image, first, length, bits);
    return;
  }
  for (let done = 0; done < length; done += 8) {
    storeBits(image, first + done, Math.min(8, length - done), BigInt(bits[done >>> 3]!));
  }
}

/** Sets every bit of a tag in a mask. */
export function setBits(table: TagTable, tag: number, mask: Uint8Array): void {
  const end = table.bitOffset[tag]! + table.bitLength(tag);
  for (let bit = table.bitOffset[tag]!; bit < end; bit += 1) mask[bit >>> 3]! |= 1 << (bit & 7);
}

function integerRange(kind: number, length: number): { low: bigint; high: bigint } {
  const bits = BigInt(length);
  return isSigned(kind)
    ? { low: -(1n << (bits - 1n)), high: (1n << (bits - 1n)) - 1n }
    : { low: 0n, high: (1n << bits) - 1n };
}

/**
 * The whole number to send; undefined where the value is none. A scaled value is rounded to the nearest. Beyond 2⁵³ a
 * number may already be another one than was meant, so that only a bigint says it.
 */
function toRaw(value: number | bigint, scale: number, offset: number, scaled: boolean): bigint | undefined {
  if (typeof value === 'bigint') return value;
  if (!scaled) return Number.isSafeInteger(value) ? BigInt(value) : undefined;
  const raw = Math.round((value - offset) / scale);
  return Number.isInteger(raw) ? BigInt(raw) : undefined;
}

function describeRange(table: TagTable, tag: number, low: bigint, high: bigint, bigints: boolean): string {
  const kind = tagTypes[table.kind(tag)]!;
  if (!table.isScaled(tag)) return `${bigints ? 'a bigint' : 'a whole number'} from ${low} to ${high} (${kind})`;
  const ends = [low, high].map((end) => rounded(Number(end) * table.scale(tag) + table.offset(tag)));
  return `a number from ${Math.min(...ends)} to ${Math.max(...ends)} (${kind}, scaled)`;
}

/** Without the last digits, which are of the multiplication: 3276.7 and not 3276.7000000000003. */
function rounded(value: number): number {
  return Number(value.toPrecision(15));
}

/** The elements of an array as JavaScript has them; undefined where it is none. */
function elementsOf(value: unknown): readonly TagValue[] | TagArray | undefined {
  if (Array.isArray(value)) return value as readonly TagValue[];
  return ArrayBuffer.isView(value) && 'length' in value ? (value as TagArray) : undefined;
}

function show(value: unknown): string {
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  const list = elementsOf(value);
  if (list !== undefined) return `${list.length} values`;
  if (typeof value === 'bigint') return `${value}n`;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : typeof value;
}

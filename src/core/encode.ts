/** From a value to the bits of an output image: checks first, then writes; nothing is written when a check fails. */

import type { OnLoss } from './configuration/types.ts';
import { EtherCatError } from './errors/ethercat-error.ts';
import type { TagTable } from './tag-table.ts';
import { isSigned, isWide64, Kind, type TagValue, tagTypes } from './tag-types.ts';

/** A value that passed every check, as the bits to write. */
export interface EncodedValue {
  readonly tag: number;
  /** Up to 64 bits, as an unsigned number; for byte strings the bytes themselves. */
  readonly bits: bigint | Uint8Array;
}

const scratch = new DataView(new ArrayBuffer(8));

/**
 * Checks a value against its tag and encodes it.
 *
 * @param name - of the tag, for messages
 * @throws ECAT_ERR_VALUE_RANGE when the value does not have the tag's type, or does not fit its length
 */
export function encodeValue(table: TagTable, tag: number, name: string, value: TagValue): EncodedValue {
  const kind = table.kind[tag]!;
  const length = table.bitLength[tag]!;
  const refuse = (expected: string): never => {
    throw new EtherCatError('ECAT_ERR_VALUE_RANGE', `tag ${name}: expected ${expected}, got ${show(value)}`, {
      tag: name,
    });
  };
  if (kind === Kind.bytes) {
    if (!(value instanceof Uint8Array) || value.length !== length / 8)
      return refuse(`a Uint8Array of ${length / 8} bytes`);
    return { tag, bits: value.slice() };
  }
  if (kind === Kind.bool) {
    if (typeof value !== 'boolean') return refuse('a boolean');
    return { tag, bits: value ? 1n : 0n };
  }
  const scaled = table.isScaled(tag);
  const bigints = isWide64(kind) && !scaled;
  if (typeof value !== 'number' && !(bigints && typeof value === 'bigint'))
    return refuse(bigints ? 'a bigint' : 'a number');
  if (kind === Kind.float32 || kind === Kind.float64) {
    const raw = (Number(value) - table.offset[tag]!) / table.scale[tag]!;
    const held = kind === Kind.float32 ? Math.fround(raw) : raw;
    // NaN and infinities are values of a float; a number that becomes one on the way is not.
    if (Number.isFinite(value) && !Number.isFinite(held)) {
      return refuse(`a number that a ${tagTypes[kind]} holds${scaled ? ', scaled' : ''}`);
    }
    if (kind === Kind.float64) {
      scratch.setFloat64(0, raw);
      return { tag, bits: scratch.getBigUint64(0) };
    }
    scratch.setFloat32(0, raw);
    return { tag, bits: BigInt(scratch.getUint32(0)) };
  }
  const { low, high } = integerRange(kind, length);
  const raw = toRaw(value, table.scale[tag]!, table.offset[tag]!, scaled);
  if (raw === undefined || raw < low || raw > high) return refuse(describeRange(table, tag, low, high, bigints));
  return { tag, bits: BigInt.asUintN(length, raw) };
}

/**
 * Encodes what an output does when its writer falls silent: `zero` is the value 0 of the tag where its scaling has one,
 * and no bit set otherwise.
 *
 * @throws ECAT_ERR_VALUE_RANGE as {@link encodeValue}
 */
export function encodeLoss(table: TagTable, tag: number, name: string, loss: Exclude<OnLoss, 'hold'>): EncodedValue {
  if (loss !== 'zero') return encodeValue(table, tag, name, loss);
  if (table.isWide(tag)) return { tag, bits: new Uint8Array(table.bitLength[tag]! / 8) };
  return table.isScaled(tag) ? encodeValue(table, tag, name, 0) : { tag, bits: 0n };
}

/** Writes encoded bits into an image, at the tag's place, and touches no other bit. */
export function writeBits(table: TagTable, { tag, bits }: EncodedValue, image: Uint8Array): void {
  const first = table.bitOffset[tag]!;
  const length = table.bitLength[tag]!;
  let rest = typeof bits === 'bigint' ? bits : 0n;
  for (let done = 0; done < length; ) {
    const byte = (first + done) >>> 3;
    const shift = (first + done) & 7;
    const take = Math.min(8 - shift, length - done);
    const mask = ((1 << take) - 1) << shift;
    let part: number;
    if (typeof bits === 'bigint') {
      part = Number(rest & 0xffn);
      rest >>= BigInt(take);
    } else {
      part = (bits[done >>> 3]! | ((bits[(done >>> 3) + 1] ?? 0) << 8)) >>> (done & 7);
    }
    image[byte] = (image[byte]! & ~mask) | ((part << shift) & mask);
    done += take;
  }
}

/** Sets every bit of a tag in a mask. */
export function setBits(table: TagTable, tag: number, mask: Uint8Array): void {
  const end = table.bitOffset[tag]! + table.bitLength[tag]!;
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
  const kind = tagTypes[table.kind[tag]!]!;
  if (!table.isScaled(tag)) return `${bigints ? 'a bigint' : 'a whole number'} from ${low} to ${high} (${kind})`;
  const ends = [low, high].map((end) => Number(end) * table.scale[tag]! + table.offset[tag]!);
  return `a number from ${Math.min(...ends)} to ${Math.max(...ends)} (${kind}, scaled)`;
}

function show(value: unknown): string {
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (typeof value === 'bigint') return `${value}n`;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : typeof value;
}

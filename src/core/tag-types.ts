/** What a tag can be: its types as numbers for tables, their widths, and their default for an entry of the SII. */

import type { TagType } from './configuration/types.ts';

/** A tag's type as a number, as the tag table holds it. */
export const Kind = {
  bool: 0,
  int8: 1,
  uint8: 2,
  int16: 3,
  uint16: 4,
  int32: 5,
  uint32: 6,
  int64: 7,
  uint64: 8,
  float32: 9,
  float64: 10,
  bytes: 11,
} as const;

export type Kind = (typeof Kind)[TagType];

/** The types in the order of their numbers. */
export const tagTypes: readonly TagType[] = Object.freeze(Object.keys(Kind) as TagType[]);

/** Full width of a type in bits; 0 for `bytes`, which has none of its own. */
export const typeBits: Readonly<Record<TagType, number>> = Object.freeze({
  bool: 1,
  int8: 8,
  uint8: 8,
  int16: 16,
  uint16: 16,
  int32: 32,
  uint32: 32,
  int64: 64,
  uint64: 64,
  float32: 32,
  float64: 64,
  bytes: 0,
});

/** Whether a type is a whole number. */
export function isInteger(type: TagType): boolean {
  return Kind[type] >= Kind.int8 && Kind[type] <= Kind.uint64;
}

/** Whether values of this type, without scaling, are bigint. */
export function isWide64(kind: number): boolean {
  return kind === Kind.int64 || kind === Kind.uint64;
}

/** Whether a whole number of this type has a sign. */
export function isSigned(kind: number): boolean {
  return kind === Kind.int8 || kind === Kind.int16 || kind === Kind.int32 || kind === Kind.int64;
}

/** The values of an array, by the type of its elements; 0 and 1 for bools, and float64 for everything scaled. */
export type TagArray =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | Float32Array
  | Float64Array;

/**
 * What an application reads and writes: by the tag's type, number for every scaled tag, text for the labels of an
 * enumeration, and typed arrays for byte strings and arrays.
 */
export type TagValue = boolean | number | bigint | string | TagArray;

/**
 * Base data types by their code (ETG.1000.6, base data types of the object dictionary; the same code is
 * in the PDO entries of the SII). Codes that say nothing about the value (bit strings, structures) are
 * absent: those entries are unsigned numbers, or byte strings where they are longer than 64 bits.
 */
const typeOfCode: ReadonlyMap<number, TagType> = new Map<number, TagType>([
  [0x01, 'bool'],
  [0x02, 'int8'],
  [0x03, 'int16'],
  [0x04, 'int32'],
  [0x05, 'uint8'],
  [0x06, 'uint16'],
  [0x07, 'uint32'],
  [0x08, 'float32'],
  [0x09, 'bytes'],
  [0x0a, 'bytes'],
  [0x10, 'int32'],
  [0x11, 'float64'],
  [0x12, 'int64'],
  [0x13, 'int64'],
  [0x14, 'int64'],
  [0x15, 'int64'],
  [0x16, 'uint32'],
  [0x18, 'uint64'],
  [0x19, 'uint64'],
  [0x1a, 'uint64'],
  [0x1b, 'uint64'],
]);

/** The type of an entry that the configuration gives none: from its data type where that fits its length. */
export function defaultType(dataType: number, bitLength: number): TagType {
  const type = typeOfCode.get(dataType);
  if (type !== undefined && typeFits(type, bitLength)) return type;
  if (bitLength === 1) return 'bool';
  if (bitLength <= 8) return 'uint8';
  if (bitLength <= 16) return 'uint16';
  if (bitLength <= 32) return 'uint32';
  if (bitLength <= 64) return 'uint64';
  return 'bytes';
}

/**
 * Whether a field of `bitLength` bits can be of this type. A whole number may be shorter than its type
 * where no smaller type holds it (12 bits are an int16, 8 bits are not); a bool may fill a byte.
 */
export function typeFits(type: TagType, bitLength: number): boolean {
  if (type === 'bytes') return bitLength > 0 && bitLength % 8 === 0;
  if (type === 'bool') return bitLength === 1 || bitLength === 8;
  const width = typeBits[type];
  if (!isInteger(type)) return bitLength === width;
  return bitLength <= width && (width === 8 ? bitLength >= 1 : bitLength > width / 2);
}

/** The lengths that fit a type, for messages. */
export function lengthsOf(type: TagType): string {
  if (type === 'bytes') return 'a whole number of bytes';
  if (type === 'bool') return '1 or 8 bits';
  const width = typeBits[type];
  if (!isInteger(type)) return `${width} bits`;
  return `${width === 8 ? 1 : width / 2 + 1} to ${width} bits`;
}

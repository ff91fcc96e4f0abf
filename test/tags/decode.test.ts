import { testProp } from '@fast-check/ava';
import test from 'ava';
import fc from 'fast-check';
import { Decoder, SlotBuffer, ValueArrays } from '../../src/core/decode.ts';
import { encodeLoss, encodeNamed, encodeValue, setBits, writeBits } from '../../src/core/encode.ts';
import type { EtherCatError } from '../../src/core/errors/ethercat-error.ts';
import { TagDirectory } from '../../src/core/tag-directory.ts';
import { Direction, type TagRow, TagTable } from '../../src/core/tag-table.ts';
import {
  defaultType,
  Kind,
  type TagArray,
  type TagValue,
  tagTypes,
  typeBits,
  typeFits,
} from '../../src/core/tag-types.ts';

const sections = { quality: 0, inputs: 8, outputs: 72 };
const SLOT_BYTES = 136;

function row(kind: number, bitOffset: number, bitLength: number, more: Partial<TagRow> = {}): TagRow {
  return { kind, direction: Direction.output, bitOffset, bitLength, subDevice: 0, scale: 1, offset: 0, ...more };
}

/** Encodes into an image of ones or zeros and decodes out of a slot that holds this image. */
function roundTrip(tag: TagRow, value: TagValue, fill: number): { value: TagValue; others: boolean; arrays: TagValue } {
  const table = TagTable.build([tag], 1);
  const image = new Uint8Array(64).fill(fill);
  writeBits(table, encodeValue(table, 0, 'x', value), image);
  const mask = new Uint8Array(64);
  setBits(table, 0, mask);
  const others = image.every((byte, i) => (byte & ~mask[i]!) === (fill & ~mask[i]! & 0xff));
  const slot = new SlotBuffer(SLOT_BYTES);
  slot.bytes.set(image, sections.outputs);
  const decoder = new Decoder(table, sections);
  const values = new ValueArrays(1);
  decoder.decodeInto(slot, 0, values);
  const decoded = decoder.read(slot, 0);
  return { value: decoded, others, arrays: table.isWide(0) ? decoded : values.read(table, 0) };
}

const integerTag = fc
  .record({
    type: fc.constantFrom(...tagTypes.filter((type) => Kind[type] >= Kind.int8 && Kind[type] <= Kind.uint64)),
    bitOffset: fc.nat(150),
    shorter: fc.nat(31),
    bits: fc.bigInt(0n, (1n << 64n) - 1n),
    fill: fc.constantFrom(0, 0xff),
  })
  .map(({ type, bitOffset, shorter, bits, fill }) => {
    const width = typeBits[type];
    const length = width - (shorter % Math.max(1, width === 8 ? 8 : width / 2));
    const raw = type.startsWith('u') ? BigInt.asUintN(length, bits) : BigInt.asIntN(length, bits);
    return { tag: row(Kind[type], bitOffset, length), value: raw, width, fill };
  });

testProp('a whole number of any length at any bit comes back, and no other bit is touched', [integerTag], (t, one) => {
  const value = one.width === 64 ? one.value : Number(one.value);
  const back = roundTrip(one.tag, value, one.fill);
  t.is(back.value, value);
  t.is(back.arrays, value);
  t.true(back.others);
});

testProp(
  'a float of either length at any bit comes back',
  [fc.boolean(), fc.nat(100), fc.double({ noNaN: true })],
  (t, double, bitOffset, number) => {
    const value = double ? number : Math.fround(number);
    t.is(roundTrip(row(double ? Kind.float64 : Kind.float32, bitOffset, double ? 64 : 32), value, 0xff).value, value);
  },
);

testProp(
  'a byte string at any bit comes back',
  [fc.uint8Array({ minLength: 1, maxLength: 30 }), fc.nat(60)],
  (t, bytes, bit) => {
    const back = roundTrip(row(Kind.bytes, bit, bytes.length * 8), bytes, 0xff);
    t.deepEqual(back.value, new Uint8Array(bytes));
    t.true(back.others);
  },
);

const arrayTag = fc
  .record({
    type: fc.constantFrom(...tagTypes.filter((type) => type !== 'bytes')),
    bitOffset: fc.nat(100),
    shorter: fc.nat(31),
    elements: fc.integer({ min: 2, max: 6 }),
    bits: fc.array(fc.bigInt(0n, (1n << 64n) - 1n), { minLength: 6, maxLength: 6 }),
    fill: fc.constantFrom(0, 0xff),
  })
  .map(({ type, bitOffset, shorter, elements, bits, fill }) => {
    const width = typeBits[type];
    const odd = type.includes('int') ? shorter % Math.max(1, width === 8 ? 8 : width / 2) : 0;
    const length = width - odd;
    const values = bits.slice(0, elements).map((raw): number | bigint => {
      if (type === 'bool') return Number(raw & 1n);
      if (type === 'float32') return Math.fround(Number(raw));
      if (type === 'float64') return Number(raw) / 3;
      const value = type.startsWith('u') ? BigInt.asUintN(length, raw) : BigInt.asIntN(length, raw);
      return width === 64 ? value : Number(value);
    });
    return { tag: row(Kind[type], bitOffset, length * elements, { elements }), values, fill };
  });

testProp('an array of any type at any bit comes back, and no other bit is touched', [arrayTag], (t, one) => {
  const back = roundTrip(one.tag, one.values as unknown as TagValue, one.fill);
  t.deepEqual([...(back.value as TagArray)], one.values);
  t.true(back.others);
});

test('an array has the typed array of its elements, and of float64 where it is scaled', (t) => {
  const array = (kind: number, bits: number, more: Partial<TagRow> = {}): TagValue =>
    roundTrip(row(kind, 0, 2 * bits, { elements: 2, ...more }), [2, 4] as unknown as TagValue, 0).value;
  t.deepEqual(array(Kind.int16, 16), Int16Array.of(2, 4));
  t.deepEqual(array(Kind.uint16, 12), Uint16Array.of(2, 4));
  t.deepEqual(array(Kind.float32, 32), Float32Array.of(2, 4));
  t.deepEqual(array(Kind.uint64, 64), BigUint64Array.of(2n, 4n));
  t.deepEqual(array(Kind.int16, 16, { scale: 0.5 }), Float64Array.of(2, 4));
  const bools = roundTrip(row(Kind.bool, 5, 3, { elements: 3 }), [true, 0, 1] as unknown as TagValue, 0xff).value;
  t.deepEqual(bools, Uint8Array.of(1, 0, 1));
});

test('an array of the wrong length, or with an element that does not fit, is refused', (t) => {
  const refused = (value: unknown): string => {
    const table = TagTable.build([row(Kind.int8, 0, 24, { elements: 3 })], 1);
    return t.throws(() => encodeValue(table, 0, 'a', value as TagValue)).message;
  };
  t.regex(refused(Int8Array.of(1, 2)), /expected an array of 3 values, got 2 values/);
  t.regex(refused(7), /expected an array of 3 values, got 7/);
  t.regex(refused([1, 200, 3]), /a whole number from -128 to 127 \(int8\) at \[1\], got 200/);
});

test('on loss every element of an array goes to the value', (t) => {
  const table = TagTable.build([row(Kind.int16, 0, 32, { elements: 2, scale: 0.5, offset: 1 })], 1);
  const image = new Uint8Array(64);
  writeBits(table, encodeLoss(table, 0, 'a', 3), image);
  t.deepEqual([...image.subarray(0, 5)], [4, 0, 4, 0, 0]);
  writeBits(table, encodeLoss(table, 0, 'a', 'zero'), image);
  t.deepEqual([...image.subarray(0, 5)], [0xfe, 0xff, 0xfe, 0xff, 0]);
});

test('a label is written as its value', (t) => {
  const table = TagTable.build([row(Kind.bool, 0, 1), row(Kind.int8, 8, 8)], 1);
  const directory = TagDirectory.build([
    { name: 'door', labels: { 0: 'closed', 1: 'open' } },
    { name: 'mode', labels: { [-2]: 'manual' } },
  ]);
  const bits = (tag: number, value: TagValue): unknown => encodeNamed(table, directory, tag, 'x', value).bits;
  t.deepEqual(
    [bits(0, 'open'), bits(0, 'closed'), bits(0, true), bits(1, 'manual'), bits(1, 5)],
    [1n, 0n, 1n, 0xfen, 5n],
  );
  t.throws(() => bits(1, 'automatic'), { code: 'ECAT_ERR_VALUE_RANGE' });
  t.throws(() => bits(0, 1), { code: 'ECAT_ERR_VALUE_RANGE' });
});

test('a bool is one bit, or a byte of which any bit counts', (t) => {
  for (let bit = 0; bit < 16; bit += 1) {
    t.is(roundTrip(row(Kind.bool, bit, 1), true, 0).value, true);
    t.is(roundTrip(row(Kind.bool, bit, 1), false, 0xff).value, false);
  }
  t.is(roundTrip(row(Kind.bool, 3, 8), true, 0).value, true);
  t.is(roundTrip(row(Kind.bool, 3, 8), false, 0xff).value, false);
});

test('scaling makes every whole number a number, and is undone with rounding when written', (t) => {
  const tag = row(Kind.int16, 5, 16, { scale: 0.1, offset: -20 });
  t.is(roundTrip(tag, 25.04, 0).value, 450 * 0.1 - 20);
  const wide = row(Kind.uint64, 0, 64, { scale: 2 });
  t.is(roundTrip(wide, 2 ** 52, 0).value, 2 ** 52);
});

test('NaN and infinities are values of a float', (t) => {
  for (const [kind, length] of [
    [Kind.float32, 32],
    [Kind.float64, 64],
  ] as const) {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0])
      t.is(roundTrip(row(kind, 8, length), value, 0).value, value);
  }
});

test('a value that its tag cannot hold is refused with its range', (t) => {
  const refused = (tag: TagRow, value: unknown): string => {
    const table = TagTable.build([tag], 1);
    const error = t.throws(() => encodeValue(table, 0, 'a.tag', value as TagValue)) as EtherCatError;
    t.is(error.code, 'ECAT_ERR_VALUE_RANGE');
    t.is(error.tag, 'a.tag');
    return error.message;
  };
  t.regex(refused(row(Kind.int16, 0, 16), 40_000), /-32768 to 32767/);
  t.regex(refused(row(Kind.uint16, 0, 12), 4096), /0 to 4095/);
  t.regex(refused(row(Kind.int16, 0, 16, { scale: 0.1 }), 1e9), /from -3276\.8 to 3276\.7 \(/);
  t.regex(refused(row(Kind.uint8, 0, 8), 1.5), /whole number/);
  t.regex(refused(row(Kind.uint8, 0, 8), Number.NaN), /whole number/);
  t.regex(refused(row(Kind.uint8, 0, 8), '1'), /a number, got string/);
  t.regex(refused(row(Kind.uint8, 0, 8), 1n), /a number, got 1n/);
  t.regex(refused(row(Kind.int64, 0, 64), 1n << 63n), /bigint/);
  t.regex(refused(row(Kind.int16, 0, 16, { scale: 0.5 }), 20_000), /-16384 to 16383.5/);
  t.regex(refused(row(Kind.bool, 0, 1), 1), /a boolean/);
  t.regex(refused(row(Kind.bytes, 0, 32), new Uint8Array(3)), /4 bytes, got 3 bytes/);
  t.regex(refused(row(Kind.float32, 0, 32), 1e300), /float32/);
  t.regex(refused(row(Kind.float64, 0, 64, { scale: 1e-10 }), 1e300), /float64 holds, scaled/);
  t.regex(refused(row(Kind.int64, 0, 64), 2 ** 53), /a bigint from/);
});

test('a 64-bit tag also takes a whole number', (t) => {
  t.is(roundTrip(row(Kind.int64, 0, 64), -5, 0).value, -5n);
});

test('an entry without a type takes that of its data type when the length fits, or an unsigned number', (t) => {
  t.is(defaultType(0x01, 1), 'bool');
  t.is(defaultType(0x03, 16), 'int16');
  t.is(defaultType(0x03, 8), 'uint8');
  t.is(defaultType(0x08, 32), 'float32');
  t.is(defaultType(0x31, 2), 'uint8');
  t.is(defaultType(0, 1), 'bool');
  t.is(defaultType(0, 24), 'uint32');
  t.is(defaultType(0, 128), 'bytes');
});

test('a whole number may be shorter than its type only where no smaller type holds it', (t) => {
  t.true(typeFits('int16', 12));
  t.false(typeFits('int16', 8));
  t.false(typeFits('int16', 17));
  t.true(typeFits('uint8', 3));
  t.false(typeFits('float32', 16));
  t.true(typeFits('bytes', 24));
  t.false(typeFits('bytes', 12));
});

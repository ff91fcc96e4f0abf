import { fc, testProp } from '@fast-check/ava';
import test from 'ava';
import {
  BATCH_HEADER_RECORDS,
  BatchWriter,
  ENTRY_TAG_MASK,
  entriesMax,
  RECORD_WORDS,
} from '../../src/core/change-log.ts';
import { Decoder, SlotBuffer, ValueArrays } from '../../src/core/decode.ts';
import { ChangeDetector } from '../../src/core/detect.ts';
import { LOG_BATCH_FULL } from '../../src/core/generated/layout.ts';
import { Band, Direction, type TagRow, TagTable } from '../../src/core/tag-table.ts';
import { Kind } from '../../src/core/tag-types.ts';

// Two quality bytes, 32 bytes of inputs and 16 of outputs.
const sections = { quality: 0, inputs: 8, outputs: 40 };
const SLOT_BYTES = 56;
const SUB_DEVICES = 2;
const IMAGE_BITS = { [Direction.input]: 256, [Direction.output]: 128 };

const widths: readonly (readonly [kind: number, bits: number, elements?: number])[] = [
  [Kind.bool, 1],
  [Kind.bool, 8],
  [Kind.int8, 8],
  [Kind.uint16, 12],
  [Kind.int16, 16],
  [Kind.int32, 32],
  [Kind.uint64, 33],
  [Kind.int64, 64],
  [Kind.float32, 32],
  [Kind.float64, 64],
  [Kind.bytes, 40],
  [Kind.bytes, 72],
  [Kind.bool, 11, 11],
  [Kind.uint16, 48, 4],
  [Kind.float32, 96, 3],
];

const anyRow: fc.Arbitrary<TagRow> = fc
  .record({
    width: fc.constantFrom(...widths),
    direction: fc.constantFrom(Direction.input, Direction.output),
    place: fc.nat(255),
    subDevice: fc.nat(SUB_DEVICES - 1),
    scale: fc.constantFrom(1, 1, 0.5, 0),
  })
  .map(({ width: [kind, bitLength, elements = 1], direction, place, subDevice, scale }) => ({
    kind,
    direction,
    bitOffset: place % (IMAGE_BITS[direction] - bitLength + 1),
    bitLength,
    subDevice,
    scale: kind === Kind.bool || kind === Kind.bytes ? 1 : scale,
    offset: 0,
    elements,
  }));

/** Puts a tag on every bit of some words, as digital terminals do. */
function withBits(rows: readonly TagRow[]): TagRow[] {
  const bit = { kind: Kind.bool, direction: Direction.input, bitLength: 1, subDevice: 1, scale: 1, offset: 0 };
  return [...Array.from({ length: 128 }, (_, bitOffset) => ({ ...bit, bitOffset })), ...rows];
}

function slotOf(bytes: Uint8Array): SlotBuffer {
  const slot = new SlotBuffer(SLOT_BYTES);
  slot.bytes.set(bytes);
  return slot;
}

/** Value and quality of a tag as bits. */
function bitsOf(decoder: Decoder, slot: SlotBuffer, tag: number): string {
  const quality = decoder.quality(slot, tag);
  if (decoder.table.isWide(tag)) return `${quality} ${decoder.readBytes(slot, tag).join()}`;
  const one = new ValueArrays(1);
  decoder.decodeInto(slot, tag, one, 0);
  return `${quality} ${one.halves.join()}`;
}

testProp(
  'the entries are the tags whose value or quality differs, each once, with their newest value',
  [
    fc.oneof(fc.array(anyRow, { minLength: 1, maxLength: 16 }), fc.array(anyRow, { maxLength: 3 }).map(withBits)),
    fc.uint8Array({ minLength: SLOT_BYTES, maxLength: SLOT_BYTES }),
    fc.array(fc.tuple(fc.nat(SLOT_BYTES - 1), fc.nat(7)), { maxLength: 6 }),
  ],
  (t, rows, bytes, flips) => {
    const table = TagTable.build(rows, SUB_DEVICES);
    const decoder = new Decoder(table, sections);
    const detector = new ChangeDetector(table, decoder, sections, SLOT_BYTES, table.tagsOf(0));
    const batch = new BatchWriter(rows.length);
    const previous = slotOf(bytes);
    const current = slotOf(bytes);
    for (const [byte, bit] of flips) current.bytes[byte]! ^= 1 << bit;
    const expected = rows.flatMap((_, tag) =>
      bitsOf(decoder, previous, tag) === bitsOf(decoder, current, tag) ? [] : [tag],
    );
    if (expected.length > entriesMax(rows.length)) {
      t.is(detector.compare(previous, current, 7, batch), LOG_BATCH_FULL);
      return;
    }
    // The second comparison finds the way back: nothing is kept from the first.
    for (const [was, is] of [
      [previous, current],
      [current, previous],
    ] as const) {
      const count = detector.compare(was, is, 7, batch);
      const entries = Array.from({ length: count }, (_, i) => {
        const at = (BATCH_HEADER_RECORDS + i) * RECORD_WORDS;
        const [first, cycle, low, high] = batch.words.subarray(at, at + RECORD_WORDS);
        const tag = first! & ENTRY_TAG_MASK;
        t.is(cycle, 7);
        if (table.isWide(tag)) t.deepEqual([low, high], [0, 0]);
        else t.is(`${first! >>> 24} ${low},${high}`, bitsOf(decoder, is, tag));
        return tag;
      });
      t.deepEqual(
        entries.sort((a, b) => a - b),
        expected,
      );
    }
  },
);

test('more changes than a batch holds make it FULL, whether of values or of qualities', (t) => {
  const rows = Array.from({ length: 64 }, (_, n) => ({
    kind: Kind.bool,
    direction: Direction.input,
    bitOffset: n,
    bitLength: 1,
    subDevice: 0,
    scale: 1,
    offset: 0,
  }));
  const table = TagTable.build(rows, 1);
  const detector = new ChangeDetector(table, new Decoder(table, sections), sections, SLOT_BYTES, table.tagsOf(0));
  const batch = new BatchWriter(rows.length);
  const zero = new SlotBuffer(SLOT_BYTES);
  const values = new SlotBuffer(SLOT_BYTES);
  values.bytes.fill(0xff, sections.inputs, sections.inputs + 2);
  t.is(detector.compare(zero, values, 1, batch), 16);
  values.bytes[sections.inputs + 2] = 1;
  t.is(detector.compare(zero, values, 1, batch), LOG_BATCH_FULL);
  const qualities = new SlotBuffer(SLOT_BYTES);
  qualities.bytes[sections.quality] = 3;
  t.is(detector.compare(zero, qualities, 1, batch), LOG_BATCH_FULL);
});

/** What a detector tells of one int16 with a dead band, value by value; null where it says nothing. */
function told(band: number, deadBand: number, values: readonly number[]): (number | null)[] {
  const row = { kind: Kind.int16, direction: Direction.input, bitOffset: 0, bitLength: 16, subDevice: 0, scale: 1 };
  const table = TagTable.build([{ ...row, offset: 0, band, deadBand }], 1);
  const detector = new ChangeDetector(table, new Decoder(table, sections), sections, SLOT_BYTES, table.tagsOf(0));
  const batch = new BatchWriter(1);
  let previous = new SlotBuffer(SLOT_BYTES);
  detector.tellAll(previous);
  return values.map((value) => {
    const current = new SlotBuffer(SLOT_BYTES);
    current.view.setInt16(sections.inputs, value, true);
    const count = detector.compare(previous, current, 1, batch);
    previous = current;
    return count === 0 ? null : batch.values.number[(BATCH_HEADER_RECORDS * RECORD_WORDS + 2) / 2]!;
  });
}

test('a dead band hides changes up to its width from the value last told, however slowly they come', (t) => {
  t.deepEqual(told(Band.absolute, 3, [3, 4, 6, 1, 0, 7, 8]), [null, 4, null, null, 0, 7, null]);
  t.deepEqual(told(Band.relative, 0.1, [1, 100, 110, 111, 99, 0, 1]), [1, 100, null, 111, 99, 0, 1]);
  const ramp = Array.from({ length: 100 }, (_, n) => n + 1);
  t.deepEqual(
    told(Band.absolute, 9, ramp).filter((value) => value !== null),
    [10, 20, 30, 40, 50, 60, 70, 80, 90, 100],
  );
});

test('a change of quality is told within a dead band too, with the newest value', (t) => {
  const row = { kind: Kind.float64, direction: Direction.input, bitOffset: 0, bitLength: 64, subDevice: 1, scale: 1 };
  const table = TagTable.build([{ ...row, offset: 0, band: Band.absolute, deadBand: 1 }], 2);
  const detector = new ChangeDetector(table, new Decoder(table, sections), sections, SLOT_BYTES, table.tagsOf(0));
  const batch = new BatchWriter(1);
  const slots = [0, 0.75, 1.5, Number.NaN, Number.NaN].map((value, n) => {
    const slot = new SlotBuffer(SLOT_BYTES);
    slot.view.setFloat64(sections.inputs, value, true);
    slot.bytes[sections.quality + 1] = n === 1 ? 2 : 0;
    return slot;
  });
  detector.tellAll(slots[0]!);
  const counts = slots.slice(1).map((slot, n) => detector.compare(slots[n]!, slot, 1, batch));
  // The quality goes and comes back; NaN is a change, and stays one value.
  t.deepEqual(counts, [1, 1, 1, 0]);
});

test('a detector looks at the tags of its partition alone', (t) => {
  const bit = { kind: Kind.bool, direction: Direction.input, bitLength: 1, subDevice: 0, scale: 1, offset: 0 };
  const table = TagTable.build(
    Array.from({ length: 64 }, (_, n) => ({ ...bit, bitOffset: n, partition: n & 1 })),
    1,
  );
  t.is(table.partitionCount, 2);
  const current = new SlotBuffer(SLOT_BYTES);
  current.bytes.fill(0xff, sections.inputs, sections.inputs + 3);
  for (const partition of [0, 1]) {
    const tags = table.tagsOf(partition);
    const detector = new ChangeDetector(table, new Decoder(table, sections), sections, SLOT_BYTES, tags);
    const batch = new BatchWriter(tags.length);
    const count = detector.compare(new SlotBuffer(SLOT_BYTES), current, 1, batch);
    const entries = Array.from({ length: count }, (_, i) => batch.words[(BATCH_HEADER_RECORDS + i) * RECORD_WORDS]!);
    t.deepEqual(
      entries.map((first) => first & ENTRY_TAG_MASK),
      Array.from({ length: 12 }, (_, n) => 2 * n + partition),
    );
  }
});

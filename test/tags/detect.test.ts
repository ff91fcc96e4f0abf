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
import { Direction, type TagRow, TagTable } from '../../src/core/tag-table.ts';
import { Kind } from '../../src/core/tag-types.ts';

// Two quality bytes, 32 bytes of inputs and 16 of outputs.
const sections = { quality: 0, inputs: 8, outputs: 40 };
const SLOT_BYTES = 56;
const SUB_DEVICES = 2;
const IMAGE_BITS = { [Direction.input]: 256, [Direction.output]: 128 };

const widths: readonly (readonly [kind: number, bits: number])[] = [
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
];

const anyRow: fc.Arbitrary<TagRow> = fc
  .record({
    width: fc.constantFrom(...widths),
    direction: fc.constantFrom(Direction.input, Direction.output),
    place: fc.nat(255),
    subDevice: fc.nat(SUB_DEVICES - 1),
    scale: fc.constantFrom(1, 1, 0.5, 0),
  })
  .map(({ width: [kind, bitLength], direction, place, subDevice, scale }) => ({
    kind,
    direction,
    bitOffset: place % (IMAGE_BITS[direction] - bitLength + 1),
    bitLength,
    subDevice,
    scale: kind === Kind.bool || kind === Kind.bytes ? 1 : scale,
    offset: 0,
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
    const detector = new ChangeDetector(table, decoder, sections, SLOT_BYTES);
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
  const detector = new ChangeDetector(table, new Decoder(table, sections), sections, SLOT_BYTES);
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

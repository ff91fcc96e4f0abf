import { fc, testProp } from '@fast-check/ava';
import test from 'ava';
import { Band, Direction, type TagRow, TagTable } from '../../src/core/tag-table.ts';
import { Kind } from '../../src/core/tag-types.ts';

const anyRow: fc.Arbitrary<TagRow> = fc.record({
  kind: fc.constantFrom(Kind.bool, Kind.int16, Kind.float64, Kind.bytes),
  direction: fc.constantFrom(Direction.input, Direction.output),
  bitOffset: fc.nat(1e6),
  bitLength: fc.constantFrom(1, 16, 64),
  subDevice: fc.nat(99),
  scale: fc.constantFrom(1, 0.5, -2),
  offset: fc.constantFrom(0, 7),
  elements: fc.constantFrom(1, 4),
  band: fc.constantFrom(Band.none, Band.relative),
  deadBand: fc.constantFrom(0, 0.02),
  partition: fc.nat(3),
});

function rowOf(table: TagTable, tag: number): TagRow {
  return {
    kind: table.kind(tag),
    direction: table.direction(tag),
    bitOffset: table.bitOffset[tag]!,
    bitLength: table.bitLength(tag),
    subDevice: table.subDevice[tag]!,
    scale: table.scale(tag),
    offset: table.offset(tag),
    elements: table.elements(tag),
    band: table.band(tag),
    deadBand: table.deadBand(tag),
    partition: table.partition[tag]!,
  };
}

testProp(
  'every tag reads as it was declared, on whichever thread, whatever it shares with others',
  [fc.array(anyRow, { maxLength: 60 })],
  (t, rows) => {
    const table = new TagTable(TagTable.build(rows, 100).buffer);
    t.deepEqual(
      rows.map((_, tag) => rowOf(table, tag)),
      rows,
    );
    t.is(
      table.hasWide,
      rows.some(({ kind, elements }) => kind === Kind.bytes || elements !== 1),
    );
  },
);

test('as many scales as tags are no limit, and tags of one kind cost 9 bytes each', (t) => {
  const row = { kind: Kind.int16, direction: Direction.input, bitOffset: 0, bitLength: 16, subDevice: 0, offset: 0 };
  const many = Array.from({ length: 70_000 }, (_, n) => ({ ...row, scale: n + 1 }));
  const table = TagTable.build(many, 1);
  t.is(table.scale(69_999), 70_000);
  t.is(table.scale(65_536), 65_537);
  const alike = Array.from({ length: 10_000 }, () => ({ ...row, scale: 0.1 }));
  t.true(TagTable.build(alike, 1).buffer.byteLength <= 9 * 10_000 + 64);
});

test('what is no table is refused', (t) => {
  for (const bytes of [0, 8, 4096])
    t.throws(() => new TagTable(new SharedArrayBuffer(bytes)), { code: 'ECAT_ERR_INTERNAL' });
});

/** Values of some tags over several cycles, column by column: typed arrays that grow by one cycle at a time. */

import { type Decoder, type SlotBuffer, ValueArrays } from './decode.ts';
import { columnOf, unpack } from './tag-arrays.ts';
import { isWide64, Kind, type TagArray } from './tag-types.ts';

/** Columns of fixed capacity, to be filled row by row; a row is a cycle. Fills without an object per value. */
export class Columns {
  /** Numbers of the tags. */
  readonly tags: Uint32Array;
  readonly capacity: number;
  /** By tag; arrays and byte strings have their elements one after the other, cycle by cycle. */
  readonly values: readonly TagArray[];
  /** Quality codes by tag. */
  readonly qualities: readonly Uint8Array<ArrayBuffer>[];
  /** Number of each cycle; does not wrap. */
  readonly cycles: Float64Array<ArrayBuffer>;
  readonly #decoder: Decoder;
  readonly #single: ValueArrays = new ValueArrays(1);
  #rows = 0;

  constructor(decoder: Decoder, tags: Uint32Array, capacity: number) {
    const { table } = decoder;
    this.tags = tags;
    this.capacity = capacity;
    this.#decoder = decoder;
    this.values = Array.from(tags, (tag) => columnOf(table, tag, capacity * elementsOf(decoder, tag)));
    this.qualities = Array.from(tags, () => new Uint8Array(capacity));
    this.cycles = new Float64Array(capacity);
  }

  /** Cycles that are there. */
  get rows(): number {
    return this.#rows;
  }

  /** Adds the tags of a slot as the next row; there has to be room. */
  append(slot: SlotBuffer, cycle: number): void {
    const row = this.#rows;
    this.cycles[row] = cycle;
    for (let i = 0; i < this.tags.length; i += 1) {
      this.qualities[i]![row] = this.#decoder.quality(slot, this.tags[i]!);
      this.#write(slot, i, row);
    }
    this.#rows += 1;
  }

  /** Takes the first rows away. */
  drop(rows: number): void {
    const left = Math.max(0, this.#rows - rows);
    for (let i = 0; left > 0 && i < this.tags.length; i += 1) {
      const elements = elementsOf(this.#decoder, this.tags[i]!);
      this.values[i]!.copyWithin(0, rows * elements, this.#rows * elements);
      this.qualities[i]!.copyWithin(0, rows, this.#rows);
    }
    this.cycles.copyWithin(0, rows, this.#rows);
    this.#rows = left;
  }

  /** Takes over the rows of columns of the same tags and capacity. */
  assign(other: Columns): void {
    for (let i = 0; i < this.tags.length; i += 1) {
      (this.values[i] as Float64Array).set(other.values[i] as Float64Array);
      this.qualities[i]!.set(other.qualities[i]!);
    }
    this.cycles.set(other.cycles);
    this.#rows = other.rows;
  }

  #write(slot: SlotBuffer, i: number, row: number): void {
    const { table } = this.#decoder;
    const tag = this.tags[i]!;
    const column = this.values[i]!;
    if (table.isWide(tag)) {
      const elements = unpack(table, tag, this.#decoder.readBytes(slot, tag));
      (column as Float64Array).set(elements as Float64Array, row * elements.length);
      return;
    }
    this.#decoder.decodeInto(slot, tag, this.#single, 0);
    const kind = table.kind(tag);
    if (!isWide64(kind) || table.isScaled(tag)) column[row] = this.#single.number[0]!;
    else if (kind === Kind.int64) column[row] = this.#single.int64[0]!;
    else column[row] = this.#single.uint64[0]!;
  }
}

/** Places that one value takes in a column. */
function elementsOf({ table }: Decoder, tag: number): number {
  return table.kind(tag) === Kind.bytes ? table.bitLength(tag) / 8 : table.elements(tag);
}

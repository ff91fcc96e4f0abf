/**
 * What people call the tags, in one SharedArrayBuffer: names, aliases, units and labels as UTF-8, with a hash index.
 * Any thread finds the number of a name in it without a clone of ten thousand strings and without an object per tag;
 * a string is made of a name when somebody asks for it. The numbers of a tag (place, type, scale) are in the tag table.
 *
 * ```text
 * header     u32 × 8             magic, tags, places of the index, units, sets of labels, bytes of text, 0, 0
 * nameEnd    u32 × 2·tags        end of each name and, after it, of its alias in the text; one begins where the last ends
 * unitEnd    u32 × units         end of each unit in the text; they begin where the names end
 * labelsEnd  u32 × sets          end of each set of labels, JSON, in the text; they begin where the units end
 * index      u16 | u32 × places  0, or 1 + 2·tag (+ 1 for an alias), by open addressing; u16 as long as that fits
 * unit       u16 × tags          0, or 1 + the number of its unit
 * labels     u16 × tags          0, or 1 + the number of its set of labels
 * text       u8
 * ```
 */

import { EtherCatError } from './errors/ethercat-error.ts';
import { didYouMean } from './nearest.ts';
import type { TagValue } from './tag-types.ts';

/** What the directory knows of one tag. */
export interface TagNaming {
  readonly name: string;
  /** A second name, that is found like the first. */
  readonly alias?: string | undefined;
  readonly unit?: string | undefined;
  /** Names of some of its values. */
  readonly labels?: TagLabels | undefined;
}

/** Names of the values of an enumeration, by their numbers. */
export type TagLabels = Readonly<Record<number, string>>;

const MAGIC = 0x54_47_44_32;
const HEADER_WORDS = 8;
/** With more tags a guess would hold up for a tenth of a second whoever misspelt one. */
const GUESS_TAGS_MAX = 1000;
const encoder = new TextEncoder();
/** Different units, and different sets of labels, at most. */
const INTERNED_MAX = 0xfffe;

/** One set of labels, both ways; made when a tag that has it is looked at. */
interface LabelMaps {
  readonly labels: TagLabels;
  readonly byValue: ReadonlyMap<number, string>;
  readonly byLabel: ReadonlyMap<string, number>;
}

/** Views of the directory; written once, before any other thread sees it. */
export class TagDirectory {
  readonly buffer: SharedArrayBuffer;
  /** Tags. */
  readonly count: number;
  readonly #nameEnd: Uint32Array;
  readonly #index: Uint16Array | Uint32Array;
  readonly #unitEnd: Uint32Array;
  readonly #labelsEnd: Uint32Array;
  readonly #unit: Uint16Array;
  readonly #labels: Uint16Array;
  readonly #text: Buffer;
  readonly #sets: LabelMaps[] = [];
  /** The name that is sought, as UTF-8. */
  #sought: Uint8Array<ArrayBuffer> = new Uint8Array(256);

  /** @throws ECAT_ERR_INTERNAL when the buffer is not a directory */
  constructor(buffer: SharedArrayBuffer) {
    const [magic, count = 0, places = 0, units = 0, sets = 0, textBytes = 0] = new Uint32Array(
      buffer,
      0,
      Math.min(HEADER_WORDS, buffer.byteLength >>> 2),
    );
    if (magic !== MAGIC || buffer.byteLength < bytesBeforeText(count, places, units, sets) + textBytes) {
      throw new EtherCatError('ECAT_ERR_INTERNAL', 'a buffer that is not a tag directory was taken for one');
    }
    this.buffer = buffer;
    this.count = count;
    let at = HEADER_WORDS * 4;
    const take = (bytes: number): number => {
      at += bytes;
      return at - bytes;
    };
    this.#nameEnd = new Uint32Array(buffer, take(8 * count), 2 * count);
    this.#unitEnd = new Uint32Array(buffer, take(4 * units), units);
    this.#labelsEnd = new Uint32Array(buffer, take(4 * sets), sets);
    const width = indexBytes(count);
    const place = take(width * places);
    this.#index = width === 2 ? new Uint16Array(buffer, place, places) : new Uint32Array(buffer, place, places);
    this.#unit = new Uint16Array(buffer, take(2 * count), count);
    this.#labels = new Uint16Array(buffer, take(2 * count), count);
    this.#text = Buffer.from(buffer, at, textBytes);
  }

  /**
   * Writes a directory. Names are unique among names and aliases.
   * @throws ECAT_ERR_TAG_UNRESOLVED when there are more different units, or sets of labels, than it holds
   */
  static build(tags: readonly TagNaming[]): TagDirectory {
    const units = intern(tags.map(({ unit }) => unit));
    const sets = intern(tags.map(({ labels }) => (labels === undefined ? undefined : JSON.stringify(labels))));
    if (Math.max(units.texts.length, sets.texts.length) > INTERNED_MAX) {
      throw new EtherCatError('ECAT_ERR_TAG_UNRESOLVED', `more than ${INTERNED_MAX} different units or sets of labels`);
    }
    const aliases = tags.reduce((sum, { alias }) => sum + (alias === undefined ? 0 : 1), 0);
    // Half of the places stay free, so that a search ends soon.
    const places = 2 ** Math.ceil(Math.log2(2 * (tags.length + aliases) + 2));
    const texts = [...tags.flatMap(({ name, alias = '' }) => [name, alias]), ...units.texts, ...sets.texts];
    const textBytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
    const before = bytesBeforeText(tags.length, places, units.texts.length, sets.texts.length);
    const buffer = new SharedArrayBuffer(before + textBytes);
    const header = [MAGIC, tags.length, places, units.texts.length, sets.texts.length, textBytes, 0, 0];
    new Uint32Array(buffer, 0, HEADER_WORDS).set(header);
    const directory = new TagDirectory(buffer);
    let end = 0;
    texts.forEach((text, n) => {
      end += directory.#text.write(text, end);
      if (n < 2 * tags.length) directory.#nameEnd[n] = end;
      else if (n < 2 * tags.length + units.texts.length) directory.#unitEnd[n - 2 * tags.length] = end;
      else directory.#labelsEnd[n - 2 * tags.length - units.texts.length] = end;
    });
    tags.forEach(({ alias }, tag) => {
      directory.#enter(2 * tag);
      if (alias !== undefined) directory.#enter(2 * tag + 1);
      directory.#unit[tag] = units.numbers[tag]!;
      directory.#labels[tag] = sets.numbers[tag]!;
    });
    return directory;
  }

  /** The number of the tag with this name or alias; undefined where there is none. */
  find(name: string): number | undefined {
    if (typeof name !== 'string') return undefined;
    // A character of UTF-16 takes up to three bytes of UTF-8.
    if (3 * name.length > this.#sought.length) this.#sought = new Uint8Array(6 * name.length);
    const { written } = encoder.encodeInto(name, this.#sought);
    for (let place = hash(this.#sought, 0, written); ; place += 1) {
      const entry = this.#index[place & (this.#index.length - 1)];
      if (entry === undefined || entry === 0) return undefined;
      if (this.#isSought(entry - 1, written)) return (entry - 1) >>> 1;
    }
  }

  /** @throws ECAT_ERR_TAG_UNKNOWN */
  numberOf(name: string): number {
    const tag = this.find(name);
    if (tag === undefined) {
      const message = `there is no tag ${name}${this.#guess(name)}`;
      throw new EtherCatError('ECAT_ERR_TAG_UNKNOWN', message, { tag: name });
    }
    return tag;
  }

  #guess(name: unknown): string {
    if (typeof name !== 'string' || this.count > GUESS_TAGS_MAX) return '';
    return didYouMean(
      name,
      Array.from({ length: this.count }, (_, tag) => this.name(tag)),
    );
  }

  /** Its name; a new string with every call. */
  name(tag: number): string {
    return this.#text.toString('utf8', this.#begin(2 * tag), this.#nameEnd[2 * tag]);
  }

  /** Its second name; undefined where it has none. */
  alias(tag: number): string | undefined {
    const [begin, end] = [this.#nameEnd[2 * tag]!, this.#nameEnd[2 * tag + 1]!];
    return begin === end ? undefined : this.#text.toString('utf8', begin, end);
  }

  /** Its unit; undefined where it has none. */
  unit(tag: number): string | undefined {
    const unit = this.#unit[tag]!;
    return unit === 0 ? undefined : this.#interned(this.#unitEnd, unit - 1, this.#nameEnd.at(-1) ?? 0);
  }

  /** The labels of its values; undefined where it has none. */
  labels(tag: number): TagLabels | undefined {
    return this.#labels[tag] === 0 ? undefined : this.#labelMaps(tag).labels;
  }

  /** The label of a value where it has one, and the value itself otherwise. */
  labelled(tag: number, value: TagValue): TagValue {
    if (this.#labels[tag] === 0) return value;
    return this.#labelMaps(tag).byValue.get(Number(value)) ?? value;
  }

  /**
   * The number that a label stands for; every other value as it is.
   * @throws ECAT_ERR_VALUE_RANGE when the tag has no such label
   */
  unlabelled(tag: number, value: TagValue): TagValue {
    if (typeof value !== 'string' || this.#labels[tag] === 0) return value;
    const { byLabel } = this.#labelMaps(tag);
    const number = byLabel.get(value);
    if (number !== undefined) return number;
    const name = this.name(tag);
    throw new EtherCatError(
      'ECAT_ERR_VALUE_RANGE',
      `tag ${name}: expected one of ${[...byLabel.keys()].join(', ')}, or a number, got "${value}"`,
      { tag: name },
    );
  }

  #labelMaps(tag: number): LabelMaps {
    const set = this.#labels[tag]! - 1;
    const known = this.#sets[set];
    if (known !== undefined) return known;
    const text = this.#interned(this.#labelsEnd, set, this.#unitEnd.at(-1) ?? this.#nameEnd.at(-1) ?? 0);
    const labels = Object.freeze(JSON.parse(text) as TagLabels);
    const entries = Object.entries(labels).map(([value, label]) => [Number(value), label] as const);
    const maps = {
      labels,
      byValue: new Map(entries),
      byLabel: new Map(entries.map(([value, label]) => [label, value])),
    };
    this.#sets[set] = maps;
    return maps;
  }

  #interned(ends: Uint32Array, number: number, first: number): string {
    return this.#text.toString('utf8', number === 0 ? first : ends[number - 1], ends[number]);
  }

  /** First byte of a name (an alias, at odd numbers). */
  #begin(n: number): number {
    return n === 0 ? 0 : this.#nameEnd[n - 1]!;
  }

  #isSought(n: number, length: number): boolean {
    const begin = this.#begin(n);
    if (this.#nameEnd[n]! - begin !== length) return false;
    for (let i = 0; i < length; i += 1) if (this.#text[begin + i] !== this.#sought[i]) return false;
    return true;
  }

  #enter(n: number): void {
    const mask = this.#index.length - 1;
    let place = hash(this.#text, this.#begin(n), this.#nameEnd[n]!) & mask;
    while (this.#index[place] !== 0) place = (place + 1) & mask;
    this.#index[place] = n + 1;
  }
}

function bytesBeforeText(count: number, places: number, units: number, sets: number): number {
  return HEADER_WORDS * 4 + 8 * count + 4 * units + 4 * sets + indexBytes(count) * places + 4 * count;
}

/** Bytes of one place of the index. */
function indexBytes(count: number): number {
  return 2 * count <= 0xffff ? 2 : 4;
}

/** Every different text once, and for each of `all` 0 or 1 + its number. */
function intern(all: readonly (string | undefined)[]): { texts: string[]; numbers: number[] } {
  const texts = [...new Set(all.filter((text) => text !== undefined))];
  const places = new Map(texts.map((text, n) => [text, n + 1]));
  return { texts, numbers: all.map((text) => (text === undefined ? 0 : places.get(text)!)) };
}

/** FNV-1a, 32 bits. */
function hash(bytes: Uint8Array, begin: number, end: number): number {
  let value = 0x811c_9dc5;
  for (let i = begin; i < end; i += 1) value = Math.imul(value ^ bytes[i]!, 0x0100_0193);
  // The low bits, which the index uses, of what came last alone would be poor.
  return (value ^ (value >>> 15)) >>> 0;
}

/** All tags of a bus, without an object for each: one is made when it is asked for. */

import type { SubDevice } from '../core/sub-device.ts';
import type { TagDirectory } from '../core/tag-directory.ts';
import { Direction, type TagTable } from '../core/tag-table.ts';
import type { Tag } from './tag.ts';

/** The tags by their numbers, in the order of the configuration. Reads like an array that cannot be changed. */
export class TagList implements Iterable<Tag> {
  readonly #directory: TagDirectory;
  readonly #table: TagTable;
  readonly #make: (tag: number) => Tag;

  /** @internal */
  constructor(directory: TagDirectory, table: TagTable, make: (tag: number) => Tag) {
    this.#directory = directory;
    this.#table = table;
    this.#make = make;
  }

  /** Number of tags. */
  get length(): number {
    return this.#directory.count;
  }

  /** The n-th tag, from the end where n is negative; undefined where there is none. A new object with every call. */
  at(n: number): Tag | undefined {
    const tag = n < 0 ? this.length + n : n;
    return Number.isInteger(tag) && tag >= 0 && tag < this.length ? this.#make(tag) : undefined;
  }

  /** The names, in order. */
  names(): string[] {
    return Array.from({ length: this.length }, (_, tag) => this.#directory.name(tag));
  }

  /** Whether there is a tag of that name or alias. */
  has(name: string): boolean {
    return this.#directory.find(name) !== undefined;
  }

  /**
   * The tag with exactly these bits of a SubDevice's process data; undefined where there is none.
   * @param bitOffset - from the start of the SubDevice's inputs or outputs
   */
  covering(
    subDevice: Pick<SubDevice, 'position' | 'inputOffset' | 'outputOffset'>,
    direction: 'input' | 'output',
    bitOffset: number,
    bitLength: number,
  ): Tag | undefined {
    const table = this.#table;
    const first = 8 * (direction === 'input' ? subDevice.inputOffset : subDevice.outputOffset) + bitOffset;
    for (let tag = 0; tag < table.count; tag += 1) {
      const isThere = table.subDevice[tag] === subDevice.position && table.direction(tag) === Direction[direction];
      if (isThere && table.bitOffset[tag] === first && table.bitLength(tag) === bitLength) return this.#make(tag);
    }
    return undefined;
  }

  *[Symbol.iterator](): IterableIterator<Tag> {
    for (let tag = 0; tag < this.length; tag += 1) yield this.#make(tag);
  }

  /** As that of an array. */
  slice(begin?: number, end?: number): Tag[] {
    return Array.from({ length: this.length }, (_, tag) => tag)
      .slice(begin, end)
      .map(this.#make);
  }

  /** As that of an array. */
  map<T>(callback: (tag: Tag, n: number) => T): T[] {
    return Array.from({ length: this.length }, (_, n) => callback(this.#make(n), n));
  }

  /** As that of an array. */
  filter(callback: (tag: Tag, n: number) => boolean): Tag[] {
    return [...this].filter(callback);
  }

  /** As that of an array. */
  find(callback: (tag: Tag, n: number) => boolean): Tag | undefined {
    let n = 0;
    for (const tag of this) {
      if (callback(tag, n)) return tag;
      n += 1;
    }
    return undefined;
  }

  /** As that of an array. */
  some(callback: (tag: Tag, n: number) => boolean): boolean {
    return this.find(callback) !== undefined;
  }

  /** As that of an array. */
  every(callback: (tag: Tag, n: number) => boolean): boolean {
    return this.find((tag, n) => !callback(tag, n)) === undefined;
  }
}

/** The last cycles of the input ring, whole and without dead bands: columns of typed arrays. */

import type { Columns } from './columns.ts';
import { EtherCatError } from './errors/ethercat-error.ts';
import type { TagDirectory } from './tag-directory.ts';
import type { TagArray } from './tag-types.ts';

/** Periods between two cycles of a history that have none. */
export interface Gap {
  /** Place of the cycle behind it; that before it is `at - 1`. */
  readonly at: number;
  /** Periods of the schedule that are not there. */
  readonly periods: number;
}

/** Values of some tags over consecutive cycles, in memory of their own. Labels are numbers here. */
export class History {
  /** Cycles that are there. */
  readonly length: number;
  /** Number of each cycle, rising; does not wrap. Counts periods of the schedule, so that gaps show in it. */
  readonly cycles: Float64Array;
  /** Cycles asked for that are not there: their period was missed, or the ring had gone past them. */
  readonly missed: number;
  readonly #columns: Columns;
  readonly #directory: TagDirectory;

  /** @internal The columns are not written any more. */
  constructor(columns: Columns, missed: number, directory: TagDirectory) {
    this.length = columns.rows;
    this.cycles = columns.cycles.subarray(0, columns.rows);
    this.missed = missed;
    this.#columns = columns;
    this.#directory = directory;
  }

  /** Where periods are not there, in order; empty where the cycles are evenly spaced in time. */
  get gaps(): Gap[] {
    const gaps: Gap[] = [];
    for (let at = 1; at < this.length; at += 1) {
      const periods = this.cycles[at]! - this.cycles[at - 1]! - 1;
      if (periods > 0) gaps.push({ at, periods });
    }
    return gaps;
  }

  /** Names of the tags in it. */
  names(): string[] {
    return Array.from(this.#columns.tags, (tag) => this.#directory.name(tag));
  }

  /**
   * The values of a tag, one for every cycle: by its type, `Uint8Array` of 0 and 1 for a bool, `Float64Array` where it is
   * scaled. An array or byte string has its elements one after the other, cycle by cycle.
   * @throws ECAT_ERR_TAG_UNKNOWN when the tag is not in it
   */
  column<T extends TagArray = TagArray>(tag: string): T {
    const place = this.#place(tag);
    const values = this.#columns.values[place]!;
    return values.subarray(0, (values.length / this.#columns.capacity) * this.length) as T;
  }

  /**
   * The qualities of a tag, one for every cycle: 0 good, 1 stale, 2 uncertain, 3 bad.
   * @throws ECAT_ERR_TAG_UNKNOWN when the tag is not in it
   */
  qualities(tag: string): Uint8Array {
    return this.#columns.qualities[this.#place(tag)]!.subarray(0, this.length);
  }

  #place(name: string): number {
    const number = this.#directory.find(name);
    const place = number === undefined ? -1 : this.#columns.tags.indexOf(number);
    if (place === -1)
      throw new EtherCatError('ECAT_ERR_TAG_UNKNOWN', `there is no tag ${name} in this history`, { tag: name });
    return place;
  }
}

/** As many cycles as were asked for, in a row: one window of a stream, or of an analysis. `missed` counts the periods of its gaps. */
export class CycleWindow extends History {
  /**
   * Periods by which it begins later than it should, since the ring had gone past what it should begin with, or a gap
   * made it begin anew (`gaps: 'restart'`). 0 as long as nothing is lost.
   */
  readonly lost: number;

  /** @internal The columns are not written any more. */
  constructor(columns: Columns, lost: number, directory: TagDirectory) {
    const { cycles, rows } = columns;
    super(columns, cycles[rows - 1]! - cycles[0]! + 1 - rows, directory);
    this.lost = lost;
  }
}

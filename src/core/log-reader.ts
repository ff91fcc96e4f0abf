/**
 * One partition's change log as one consumer reads it: what was copied out of the log and not applied yet, batch by
 * batch, with room for one of the largest. What does not fit stays in the log, and is copied once there is room. Batches
 * stay here while another partition has not come to their cycle.
 */

import { BATCH_HEADER_RECORDS, RECORD_WORDS } from './change-log.ts';
import { cyclesBetween } from './cycle-number.ts';
import { EtherCatError } from './errors/ethercat-error.ts';
import { LOG_BATCH_FULL, LOG_BATCH_MARKER, RECORD_BYTES } from './generated/layout.ts';

/** Words of a batch before its entries. */
const HEADER_WORDS = BATCH_HEADER_RECORDS * RECORD_WORDS;

/** Where the records come from. */
export interface LogSource {
  /** Copies whole records of a partition from the private tail on, as many as fit; -1 when its writer has lapped it. */
  drain(partition: number, tail: Uint32Array, records: Uint8Array): number;
  /** Cycle up to which the partition's worker has published everything; undefined before its first. */
  decodedCycle(partition: number): number | undefined;
}

/** A private copy of the unread end of one log. */
export class LogReader {
  readonly partition: number;
  /** The records as words; the next batch begins at {@link LogReader.at}. */
  readonly words: Uint32Array<ArrayBuffer>;
  /** First word of the next batch. */
  at = 0;
  /** Cycle up to which the partition's worker has looked. */
  published = 0;
  /** The same, as far as all that changed up to it is here. */
  looked = 0;
  /** Whether there is more in the log than was room for. */
  hasMore = false;
  /** Whether the partition is too far behind to be waited for. */
  isLeftOut = false;
  /** Cycles that its worker did not look at, as far as its batches were taken. */
  missed = 0;
  readonly #source: LogSource;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #tail: Uint32Array<ArrayBuffer> = new Uint32Array(1);
  /** First word behind the last whole batch. */
  #end = 0;
  /** First word that is free: the beginning of a batch may stand before it. */
  #filled = 0;

  /** @param batchRecords - of the largest batch */
  constructor(source: LogSource, partition: number, batchRecords: number) {
    this.partition = partition;
    this.#source = source;
    const buffer = new ArrayBuffer(batchRecords * RECORD_BYTES);
    this.words = new Uint32Array(buffer);
    this.#bytes = new Uint8Array(buffer);
  }

  /** First word behind the batches that are here. */
  get end(): number {
    return this.#end;
  }

  /** Whether there is a batch to take. */
  get hasBatch(): boolean {
    return this.at < this.#end;
  }

  /** 32-bit cycle number of the next batch. */
  get cycle(): number {
    return this.words[this.at + 1]!;
  }

  /** Entries of the next batch. */
  get count(): number {
    const count = this.words[this.at + 2]!;
    return count === LOG_BATCH_FULL ? 0 : count;
  }

  /**
   * Copies what is new out of the log, as much as there is room for.
   * @param seen - every cycle up to this one is in the arrays
   * @returns false when something was lost: nothing of the log is here then
   */
  fetch(seen: number): boolean {
    this.words.copyWithin(0, this.at, this.#filled);
    this.#end -= this.at;
    this.#filled -= this.at;
    this.at = 0;
    // Read before the log: everything up to this cycle is in the log by now.
    const decoded = this.#source.decodedCycle(this.partition) ?? seen;
    const room = this.words.length - this.#filled;
    const into = this.#filled === 0 ? this.#bytes : this.#bytes.subarray(this.#filled * 4);
    const records = room === 0 ? 0 : this.#source.drain(this.partition, this.#tail, into);
    this.hasMore = records * RECORD_WORDS === room;
    if (records < 0) {
      [this.#end, this.#filled] = [0, 0];
      [this.looked, this.published] = [decoded, decoded];
      return false;
    }
    this.#filled += records * RECORD_WORDS;
    this.looked = this.hasMore ? seen : decoded;
    while (this.#filled - this.#end >= HEADER_WORDS && this.after(this.#end) <= this.#filled)
      this.#end = this.after(this.#end);
    for (let at = 0; at < this.#end; at = this.after(at)) {
      if (cyclesBetween(this.words[at + 1]!, this.looked) > 0) this.looked = this.words[at + 1]!;
    }
    this.published = cyclesBetween(decoded, this.looked) > 0 ? decoded : this.looked;
    return true;
  }

  /** First word of the batch behind the one that begins at `at`. */
  after(at: number): number {
    if (this.words[at] !== LOG_BATCH_MARKER) {
      throw new EtherCatError('ECAT_ERR_INTERNAL', 'the change log does not stand at the beginning of a batch');
    }
    const count = this.words[at + 2]!;
    return at + ((count === LOG_BATCH_FULL ? 0 : count) + BATCH_HEADER_RECORDS) * RECORD_WORDS;
  }

  /** Goes on to the next batch. */
  skip(): void {
    this.at = this.after(this.at);
  }

  /** Goes past every batch up to a cycle. */
  skipTo(cycle: number): void {
    while (this.hasBatch && cyclesBetween(this.cycle, cycle) <= 0) this.skip();
  }

  /** Forgets everything that is here, and in the log. */
  restart(): void {
    while (this.#source.drain(this.partition, this.#tail, this.#bytes) > 0);
    [this.at, this.#end, this.#filled, this.missed] = [0, 0, 0, 0];
    [this.hasMore, this.isLeftOut] = [false, false];
  }

  /** Forgets the batches that are here. */
  discard(): void {
    this.at = this.#end;
  }
}

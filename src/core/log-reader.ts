/**
 * One partition's change log as one consumer reads it: what was copied out of the log and not applied yet, batch by
 * batch. Batches stay here while another partition has not come to their cycle.
 */

import { BATCH_HEADER_RECORDS, RECORD_WORDS } from './change-log.ts';
import { cyclesBetween } from './cycle-number.ts';
import { EtherCatError } from './errors/ethercat-error.ts';
import { LOG_BATCH_FULL, LOG_BATCH_MARKER, RECORD_BYTES } from './generated/layout.ts';

/** Where the records come from. */
export interface LogSource {
  /** Copies whole records of a partition from the private tail on; -1 when its writer has lapped it. */
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
  /** Cycle up to which the partition's worker has looked: everything that changed is here. */
  looked = 0;
  /** Whether the partition is too far behind to be waited for. */
  isLeftOut = false;
  /** Cycles that its worker did not look at, as far as its batches were taken. */
  missed = 0;
  readonly #source: LogSource;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #tail: Uint32Array<ArrayBuffer> = new Uint32Array(1);
  /** Words of the whole log. */
  readonly #capacity: number;
  #end = 0;

  /** @param keeps - whether batches may have to wait here for another partition */
  constructor(source: LogSource, partition: number, logRecords: number, keeps: boolean) {
    this.partition = partition;
    this.#source = source;
    this.#capacity = logRecords * RECORD_WORDS;
    const buffer = new ArrayBuffer((keeps ? 2 : 1) * logRecords * RECORD_BYTES);
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
   * Copies everything new out of the log.
   * @param seen - what `looked` is before the worker's first cycle
   * @returns false when something was lost: nothing of the log is here then
   */
  fetch(seen: number): boolean {
    this.words.copyWithin(0, this.at, this.#end);
    this.#end -= this.at;
    this.at = 0;
    // Read before the log: everything up to this cycle is in the log by now.
    this.looked = this.#source.decodedCycle(this.partition) ?? seen;
    // Without room for a whole log a batch might be cut: rather forget what had to wait for too long.
    const fits = this.words.length - this.#end >= this.#capacity;
    if (!fits) this.discard();
    const room = this.#end === 0 ? this.#bytes : this.#bytes.subarray(this.#end * 4);
    const records = this.#source.drain(this.partition, this.#tail, room);
    if (records < 0 || !fits) {
      this.discard();
      return false;
    }
    this.#end += records * RECORD_WORDS;
    for (let at = 0; at < this.#end; at = this.after(at)) {
      if (cyclesBetween(this.words[at + 1]!, this.looked) > 0) this.looked = this.words[at + 1]!;
    }
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

  /** Forgets what is here. */
  discard(): void {
    this.at = 0;
    this.#end = 0;
  }
}

/**
 * A batch of the change log, as the decode worker writes it and every consumer reads it; all words are 32 bits:
 *
 * ```text
 * 0xFFFFFFFF       cycle   count | FULL      missed        header, two records of 16 bytes
 * host time low    high    DC time low       high
 * tag | quality·2²⁴  cycle  value low        high          `count` entries
 * ```
 *
 * A FULL batch has no entries: whoever reads it copies the newest slot and compares by himself. A batch of
 * no entries only wakes the consumers and says how far the worker is.
 */

import { ValueArrays } from './decode.ts';
import { LOG_BATCH_FULL, LOG_BATCH_MARKER, RECORD_BYTES } from './generated/layout.ts';

/** Words of one record. */
export const RECORD_WORDS: number = RECORD_BYTES / 4;
/** Records of a batch before its entries. */
export const BATCH_HEADER_RECORDS = 2;
/** Bits of an entry's first word that are the tag; those above are the quality. */
export const ENTRY_TAG_MASK = 0xff_ffff;

/** Records of the log at the least. */
const LOG_RECORDS_MIN = 1024;

/** Changes that one batch holds at most; with more, a batch is FULL. A quarter of the tags. */
export function entriesMax(tagCount: number): number {
  return Math.max(16, Math.ceil(tagCount / 4));
}

/** Records of the largest batch of so many tags. */
export function batchRecordsMax(tagCount: number): number {
  return entriesMax(tagCount) + BATCH_HEADER_RECORDS;
}

/** Records of the log for so many tags: a power of two that holds three of the largest batches. */
export function logRecords(tagCount: number): number {
  const wanted = 3 * batchRecordsMax(tagCount);
  return Math.max(LOG_RECORDS_MIN, 2 ** Math.ceil(Math.log2(wanted)));
}

/** Staging of one batch, filled word by word. */
export class BatchWriter {
  readonly words: Uint32Array<ArrayBuffer>;
  /** The same memory, as the native side takes it. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The same memory as values: that of an entry is the second half of its record. */
  readonly values: ValueArrays;

  constructor(tagCount: number) {
    const buffer = new ArrayBuffer(batchRecordsMax(tagCount) * RECORD_BYTES);
    this.words = new Uint32Array(buffer);
    this.bytes = new Uint8Array(buffer);
    this.values = new ValueArrays(buffer);
  }

  /** Writes the header; `count` is {@link LOG_BATCH_FULL} or the number of entries already there. Returns the batch's bytes. */
  finish(cycle: number, count: number, missed: number, times: Uint32Array): number {
    const { words } = this;
    words[0] = LOG_BATCH_MARKER;
    words[1] = cycle;
    words[2] = count;
    words[3] = missed;
    words[4] = times[0]!;
    words[5] = times[1]!;
    words[6] = times[2]!;
    words[7] = times[3]!;
    return ((count === LOG_BATCH_FULL ? 0 : count) + BATCH_HEADER_RECORDS) * RECORD_BYTES;
  }
}

/**
 * One consumer of the change log: private arrays with the newest value of every tag, kept up to date by
 * the log, and made right from the newest slot whenever the log cannot do that.
 *
 * The log is read batch by batch, so that a short pause of this thread loses nothing. When it was lapped,
 * when a batch is FULL, or when more than {@link BACKLOG_CYCLES_MAX} cycles wait, the newest slot is
 * compared with the arrays instead: one change per tag, however long the pause was.
 */

import { BATCH_HEADER_RECORDS, ENTRY_TAG_MASK, RECORD_WORDS } from './change-log.ts';
import { type CycleNumber, cyclesBetween } from './cycle-number.ts';
import { leavesBand } from './dead-band.ts';
import { type Decoder, type SlotBuffer, ValueArrays } from './decode.ts';
import { EtherCatError } from './errors/ethercat-error.ts';
import { LOG_BATCH_FULL, LOG_BATCH_MARKER, LOG_ENTRY_QUALITY_SHIFT, RECORD_BYTES } from './generated/layout.ts';
import { emptyArray, unpack } from './tag-arrays.ts';
import { Band, type TagTable } from './tag-table.ts';
import type { TagValue } from './tag-types.ts';

/** Cycles that are delivered one by one after a pause; a longer backlog is delivered as one. */
export const BACKLOG_CYCLES_MAX = 32;

/** Copies of the newest slot that are tried in one turn, should the ring overtake each. */
const COPY_ATTEMPTS_MAX = 4;

/** What the native side offers a consumer; `BindingAttachment` has it. */
export interface ChangeSource {
  /** Copies whole records from the private tail on; -1 when the writer has lapped it. */
  drain(tail: Uint32Array, records: Uint8Array): number;
  /** Copies a slot; 0 when a whole one was copied. */
  copyNewest(slot: Uint8Array): number;
  copyCycle(cycle: number, slot: Uint8Array): number;
  /** Cycle up to which the worker has published everything. */
  decodedCycle(): number;
}

/** How a consumer reads the head of a slot. */
export interface SlotReader {
  cycle(slot: SlotBuffer): number;
  /** Host time low and high half, DC time low and high half. */
  times(slot: SlotBuffer, out: Uint32Array): void;
}

/** What a consumer hands on: valid only during the call. */
export interface Batch {
  /** 32-bit cycle number. */
  cycle: number;
  /** Cycles since the last batch that this thread did not see one by one. */
  missed: number;
  /** Host time low and high half, DC time low and high half. */
  readonly times: Uint32Array;
  /** The tags that changed, each once: the first `count` of this array. */
  readonly tags: Uint32Array;
  count: number;
}

/** Private arrays of one consumer, and the reading of the log into them. */
export class Consumer {
  readonly values: ValueArrays;
  readonly quality: Uint8Array;
  /** Cycle in which each tag changed last; 53 bits, since that may be long ago. */
  readonly cycles: Float64Array;
  /** Times of that cycle, four words a tag: host time low and high half, DC time low and high half. */
  readonly times: Uint32Array;
  /** The bits of byte strings and arrays as they were in their last change. */
  readonly #bytes: (Uint8Array<ArrayBuffer> | undefined)[] = [];
  readonly #table: TagTable;
  readonly #decoder: Decoder;
  readonly #reader: SlotReader;
  readonly #source: ChangeSource;
  readonly #cycleNumber: CycleNumber;
  readonly #deliver: (batch: Batch) => void;
  readonly #tail: Uint32Array<ArrayBuffer> = new Uint32Array(1);
  readonly #records: Uint8Array<ArrayBuffer>;
  readonly #words: Uint32Array<ArrayBuffer>;
  /** The slot last compared with, and the one to compare. */
  #slot: SlotBuffer;
  readonly #batch: Batch;
  readonly #hasWide: boolean;
  readonly #single: ValueArrays = new ValueArrays(1);
  /** Every cycle up to this one is in the arrays. */
  #seen = 0;
  #filled = false;
  /** Whether the log cannot be followed before the newest slot has been compared. */
  #behind = false;
  #draining = false;
  #state: 'running' | 'ending' | 'ended' = 'running';

  constructor(options: {
    table: TagTable;
    decoder: Decoder;
    reader: SlotReader;
    source: ChangeSource;
    cycleNumber: CycleNumber;
    slot: SlotBuffer;
    logRecords: number;
    deliver: (batch: Batch) => void;
  }) {
    const { table } = options;
    this.#table = table;
    this.#decoder = options.decoder;
    this.#reader = options.reader;
    this.#source = options.source;
    this.#cycleNumber = options.cycleNumber;
    this.#slot = options.slot;
    this.#deliver = options.deliver;
    this.values = new ValueArrays(table.count);
    this.quality = new Uint8Array(table.count);
    this.cycles = new Float64Array(table.count);
    this.times = new Uint32Array(4 * table.count);
    const buffer = new ArrayBuffer(options.logRecords * RECORD_BYTES);
    this.#records = new Uint8Array(buffer);
    this.#words = new Uint32Array(buffer);
    this.#batch = { cycle: 0, missed: 0, times: new Uint32Array(4), tags: new Uint32Array(table.count), count: 0 };
    this.#hasWide = table.kind.some((_, tag) => table.isWide(tag));
  }

  /** Whether the arrays hold a slot yet. */
  get isFilled(): boolean {
    return this.#filled;
  }

  /** 32-bit number of the cycle up to which everything is in the arrays. */
  get seenCycle(): number {
    return this.#seen;
  }

  /** The newest value of a tag, by its type, without its label; arrays are the caller's own. */
  value(tag: number): TagValue {
    if (!this.#table.isWide(tag)) return this.values.read(this.#table, tag);
    const packed = this.#bytes[tag];
    return packed === undefined ? emptyArray(this.#table, tag) : unpack(this.#table, tag, packed.slice());
  }

  /**
   * Takes everything that is in the log and delivers it.
   *
   * @returns false when the ring overtook every attempt to copy the newest slot: call again soon
   */
  pump(): boolean {
    // A subscriber may end up here again (by closing, by a synchronous step): the outer call goes on by itself.
    if (this.#draining) return true;
    this.#draining = true;
    try {
      return this.#pump();
    } finally {
      this.#draining = false;
    }
  }

  /** No cycle will follow: brings the arrays up to the newest slot, with the quality `bad`, and delivers that as one. */
  end(): void {
    if (this.#state === 'running') this.#state = 'ending';
    this.pump();
  }

  #pump(): boolean {
    if (this.#state === 'ended') return true;
    if (this.#state === 'ending') return this.#finish();
    // Read before the log: everything up to this cycle is in the log by now.
    const decoded = this.#source.decodedCycle();
    const records = this.#source.drain(this.#tail, this.#records);
    if (records < 0) this.#behind = true;
    if (this.#behind || !this.#filled) return this.#resynchronise(undefined);
    const end = records * RECORD_WORDS;
    if (!this.#applyLog(end)) return this.#resynchronise(this.#firstUnseen(end));
    if (cyclesBetween(decoded, this.#seen) > 0) this.#seen = decoded;
    return true;
  }

  /** Applies the batches of `#words` one by one; false when they have to be taken as one, from the newest slot. */
  #applyLog(end: number): boolean {
    const words = this.#words;
    let first: number | undefined;
    for (let at = 0; at < end; at = this.#next(at)) {
      const cycle = words[at + 1]!;
      if (cyclesBetween(cycle, this.#seen) <= 0) continue;
      first ??= cycle;
      if (words[at + 2] === LOG_BATCH_FULL || cyclesBetween(cycle, first) >= BACKLOG_CYCLES_MAX) return false;
    }
    for (let at = 0; at < end; at = this.#next(at)) {
      if (cyclesBetween(words[at + 1]!, this.#seen) > 0 && !this.#applyBatch(at)) return false;
    }
    return true;
  }

  #applyBatch(at: number): boolean {
    const words = this.#words;
    const batch = this.#batch;
    const cycle = words[at + 1]!;
    const count = words[at + 2]!;
    if (count === 0) {
      this.#seen = cycle;
      return true;
    }
    if (this.#hasWide && !this.#copyWideBytes(at, cycle, count)) return false;
    batch.cycle = cycle;
    batch.missed = words[at + 3]!;
    for (let half = 0; half < 4; half += 1) batch.times[half] = words[at + 4 + half]!;
    batch.count = count;
    const long = this.#cycleNumber.extend(cycle);
    for (let i = 0; i < count; i += 1) {
      const entry = at + (BATCH_HEADER_RECORDS + i) * RECORD_WORDS;
      const tag = words[entry]! & ENTRY_TAG_MASK;
      this.quality[tag] = words[entry]! >>> LOG_ENTRY_QUALITY_SHIFT;
      this.#date(tag, long);
      this.values.halves[2 * tag] = words[entry + 2]!;
      this.values.halves[2 * tag + 1] = words[entry + 3]!;
      batch.tags[i] = tag;
    }
    this.#seen = cycle;
    this.#deliver(batch);
    return true;
  }

  /** Fetches the bytes of changed byte strings from the slot of the batch; false when the ring has it no more. */
  #copyWideBytes(at: number, cycle: number, count: number): boolean {
    let copied = false;
    for (let i = 0; i < count; i += 1) {
      const tag = this.#words[at + (BATCH_HEADER_RECORDS + i) * RECORD_WORDS]! & ENTRY_TAG_MASK;
      if (!this.#table.isWide(tag)) continue;
      if (!copied && this.#source.copyCycle(cycle, this.#slot.bytes) !== 0) return false;
      copied = true;
      this.#bytes[tag] = this.#decoder.readBytes(this.#slot, tag);
    }
    return true;
  }

  /** Words of the batch that begins at `at`, to the next. */
  #next(at: number): number {
    if (this.#words[at] !== LOG_BATCH_MARKER) {
      throw new EtherCatError('ECAT_ERR_INTERNAL', 'the change log does not stand at the beginning of a batch');
    }
    const count = this.#words[at + 2]!;
    return at + ((count === LOG_BATCH_FULL ? 0 : count) + BATCH_HEADER_RECORDS) * RECORD_WORDS;
  }

  /** Last cycle before the first batch that is not in the arrays yet, as far as a worker has looked at cycles. */
  #firstUnseen(end: number): number | undefined {
    for (let at = 0; at < end; at = this.#next(at)) {
      const cycle = this.#words[at + 1]!;
      if (cyclesBetween(cycle, this.#seen) > 0) return (cycle - 1 - this.#words[at + 3]!) >>> 0;
    }
    return undefined;
  }

  /**
   * Makes the arrays those of the newest slot and delivers what that changed, as one batch.
   *
   * @param frontier - cycle up to which a worker found nothing that is not in the arrays, where known
   */
  #resynchronise(frontier: number | undefined): boolean {
    this.#behind = true;
    if (!this.#copyNewest()) return false;
    this.#behind = false;
    const cycle = this.#reader.cycle(this.#slot);
    if (this.#filled && cyclesBetween(cycle, this.#seen) <= 0) return true; // already ahead of the log
    if (frontier !== undefined && cyclesBetween(frontier, this.#seen) > 0) this.#seen = frontier;
    this.#deliverSlot(cycle);
    return true;
  }

  /** What changes at the end is dated with the first cycle that did not run. */
  #finish(): boolean {
    this.#state = 'ended';
    if (!this.#filled || !this.#copyNewest()) return true;
    this.#decoder.distrust(this.#slot);
    this.#deliverSlot((this.#reader.cycle(this.#slot) + 1) >>> 0);
    return true;
  }

  #copyNewest(): boolean {
    for (let attempt = 1; attempt <= COPY_ATTEMPTS_MAX; attempt += 1) {
      if (this.#source.copyNewest(this.#slot.bytes) === 0) return true;
    }
    return false;
  }

  /** Compares the slot with the arrays and delivers what differs, as of `cycle`. */
  #deliverSlot(cycle: number): void {
    const first = !this.#filled;
    const batch = this.#batch;
    batch.cycle = cycle;
    batch.missed = first ? 0 : Math.max(0, cyclesBetween(cycle, this.#seen) - 1);
    this.#reader.times(this.#slot, batch.times);
    batch.count = this.#compareSlot(this.#cycleNumber.extend(cycle), first);
    this.#seen = cycle;
    this.#filled = true;
    if (batch.count > 0 || batch.missed > 0) this.#deliver(batch);
  }

  /** Decodes the slot into the arrays and lists the tags that it changed in the batch. */
  #compareSlot(cycle: number, first: boolean): number {
    const { halves } = this.values;
    const slot = this.#slot;
    let count = 0;
    for (let tag = 0; tag < this.#table.count; tag += 1) {
      const low = halves[2 * tag]!;
      const high = halves[2 * tag + 1]!;
      const quality = this.#decoder.quality(slot, tag);
      if (!first && this.#table.band[tag] !== Band.none && quality === this.quality[tag]) {
        if (!this.#leavesBand(tag)) continue;
      }
      this.#decoder.decodeInto(slot, tag, this.values);
      let same = halves[2 * tag] === low && halves[2 * tag + 1] === high && quality === this.quality[tag];
      if (this.#table.isWide(tag)) {
        const bytes = this.#decoder.readBytes(slot, tag);
        same &&= equalBytes(bytes, this.#bytes[tag]);
        if (!same) this.#bytes[tag] = bytes;
      }
      if (same && !first) continue;
      this.quality[tag] = quality;
      this.#date(tag, cycle);
      this.#batch.tags[count] = tag;
      count += 1;
    }
    return count;
  }

  /** Whether the value in the slot has left the dead band around the one in the arrays. */
  #leavesBand(tag: number): boolean {
    const table = this.#table;
    this.#decoder.decodeInto(this.#slot, tag, this.#single, 0);
    const value = this.#single.distanceFromZero(table, tag, 0);
    const told = this.values.distanceFromZero(table, tag, tag);
    return leavesBand(table.band[tag]!, table.deadBand[tag]!, told, value);
  }

  /** Notes that a tag changed in the cycle of the batch. */
  #date(tag: number, cycle: number): void {
    const { times } = this.#batch;
    this.cycles[tag] = cycle;
    this.times[4 * tag] = times[0]!;
    this.times[4 * tag + 1] = times[1]!;
    this.times[4 * tag + 2] = times[2]!;
    this.times[4 * tag + 3] = times[3]!;
  }
}

function equalBytes(a: Uint8Array, b: Uint8Array | undefined): boolean {
  return b !== undefined && a.length === b.length && a.every((byte, i) => byte === b[i]);
}

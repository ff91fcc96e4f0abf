/**
 * One consumer of the change log: private arrays with the newest value of every tag, kept up to date by
 * the log, and made right from the newest slot whenever the log cannot do that.
 *
 * The log is read batch by batch, so that a short pause of this thread loses nothing. When it was lapped,
 * when a batch is FULL, or when more than {@link BACKLOG_CYCLES_MAX} cycles wait, the newest slot is
 * compared with the arrays instead: one change per tag, however long the pause was.
 *
 * While nobody on this thread wants to be told, the logs are not read, and nobody need write them: the arrays are made
 * right from the newest slot when they are read.
 *
 * With several partitions there is a log of each, and a cycle is delivered once every partition has looked at it. One
 * that is too far behind is left out, and its tags are stale until it has caught up.
 */

import { ChangeHeads } from './change-heads.ts';
import { BATCH_HEADER_RECORDS, batchRecordsMax, ENTRY_TAG_MASK, RECORD_WORDS } from './change-log.ts';
import { type CycleNumber, cyclesBetween } from './cycle-number.ts';
import { leavesBand } from './dead-band.ts';
import { type Decoder, type SlotBuffer, ValueArrays } from './decode.ts';
import { LOG_BATCH_FULL, LOG_ENTRY_QUALITY_SHIFT } from './generated/layout.ts';
import { LogReader, type LogSource } from './log-reader.ts';
import { STALE } from './quality.ts';
import { emptyArray, unpack } from './tag-arrays.ts';
import { Band, type TagTable } from './tag-table.ts';
import type { TagValue } from './tag-types.ts';

/** Cycles that are delivered one by one after a pause; a longer backlog is delivered as one. */
export const BACKLOG_CYCLES_MAX = 32;

/** Copies of the newest slot that are tried in one turn, should the ring overtake each. */
const COPY_ATTEMPTS_MAX = 4;

/** A partition that was left out is waited for again once it is so few cycles behind. */
const CAUGHT_UP_CYCLES = 8;

/** What a consumer reads from. */
export interface ChangeSource extends LogSource {
  /** Copies a slot; 0 when a whole one was copied. */
  copyNewest(slot: Uint8Array): number;
  copyCycle(cycle: number, slot: Uint8Array): number;
  /** 32-bit number of the newest cycle. */
  latestCycle(): number;
  /** Whether the logs are followed from now on. */
  follow(on: boolean): void;
  /** Asks for this thread to be woken once the partition's worker has come to a cycle. */
  awaitDecoded(partition: number, cycle: number): void;
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
  /** When each tag changed last. */
  readonly heads: ChangeHeads;
  /** The bits of byte strings and arrays as they were in their last change. */
  readonly #bytes: (Uint8Array<ArrayBuffer> | undefined)[] = [];
  readonly #table: TagTable;
  readonly #decoder: Decoder;
  readonly #reader: SlotReader;
  readonly #source: ChangeSource;
  readonly #cycleNumber: CycleNumber;
  readonly #deliver: (batch: Batch) => void;
  /** One a partition. */
  readonly #readers: readonly LogReader[];
  /** Whether a partition that is far behind is left out. */
  readonly #leavesOut: boolean;
  /** Cycles told as missed since the last comparison with a slot. */
  #missed = 0;
  /** Cycles that were missed with nothing changed at the end of them: the next batch tells. */
  #untold = 0;
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
  /** Whether qualities have to be looked at even in a slot that was seen before. */
  #regrade = false;
  #draining = false;
  /** Whether the logs are followed, and whether they should be: no delivery under way changes its mind. */
  #follows = false;
  #wanted = false;
  /** Cycle of the slot that the arrays are of, while the logs are not followed. */
  #taken = 0;
  #state: 'running' | 'ending' | 'ended' = 'running';

  constructor(options: {
    table: TagTable;
    decoder: Decoder;
    reader: SlotReader;
    source: ChangeSource;
    cycleNumber: CycleNumber;
    slot: SlotBuffer;
    /** Whether partitions that are far behind are left out; in virtual time everybody is waited for. */
    leavesOut: boolean;
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
    this.heads = new ChangeHeads(table.count);
    const { partitionCount } = table;
    this.#leavesOut = options.leavesOut && partitionCount > 1;
    const batchRecords = batchRecordsMax(table.partitionSizeMax());
    this.#readers = Array.from(
      { length: partitionCount },
      (_, partition) => new LogReader(options.source, partition, batchRecords),
    );
    this.#batch = { cycle: 0, missed: 0, times: new Uint32Array(4), tags: new Uint32Array(table.count), count: 0 };
    this.#hasWide = table.hasWide;
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
    return this.#table.isWide(tag) ? unpacked(this.#table, tag, this.#bytes[tag]) : this.values.read(this.#table, tag);
  }

  /** A copy of the newest values of some tags, without an object per value. */
  copyValues(tags: Uint32Array): ValueCopy {
    return new ValueCopy(this.#table, tags, this.values.halves, this.#hasWide ? this.#bytes : undefined);
  }

  /**
   * Whether changes are to be delivered. Once they are, none after those that the arrays hold then is left out.
   */
  follow(on: boolean): void {
    this.#wanted = on;
    if (!this.#draining) this.#heed();
  }

  /** Makes the arrays those of the newest slot where no log is followed, before they are read. */
  refresh(): void {
    if (this.#follows || this.#draining || !this.#filled || this.#state !== 'running') return;
    if (this.#taken !== this.#source.latestCycle()) this.#takeNewest();
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
      this.#heed();
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
    if (!this.#follows && this.#filled) {
      this.#seen = this.#source.latestCycle();
      return true;
    }
    for (;;) {
      this.#fetch();
      if (this.#behind || !this.#filled) {
        if (!this.#resynchronise(undefined)) return false;
      } else {
        const frontier = this.#frontier();
        if (!this.#applyLogs(frontier)) {
          if (!this.#resynchronise(this.#unlooked())) return false;
        } else if (cyclesBetween(frontier, this.#seen) > 0) this.#seen = frontier;
      }
      if (!this.#waitsForPartition() && !this.#hasMore()) return true;
    }
  }

  /** Begins or ends to follow the logs, as it is wanted. */
  #heed(): void {
    if (this.#wanted === this.#follows || this.#state !== 'running') return;
    this.#follows = this.#wanted;
    // In this order: what changes after the slot that is taken then is in the logs.
    this.#source.follow(this.#follows);
    for (const reader of this.#readers) reader.restart();
    this.#taken = this.#seen;
    if (this.#follows && this.#filled) this.#takeNewest();
  }

  /** Makes the arrays those of the newest slot, with nobody to tell. */
  #takeNewest(): void {
    this.#behind = true;
    if (!this.#copyNewest()) return;
    this.#behind = false;
    const cycle = this.#reader.cycle(this.#slot);
    this.#reader.times(this.#slot, this.#batch.times);
    this.#compareSlot(this.#cycleNumber.extend(cycle), false);
    [this.#seen, this.#taken] = [cycle, cycle];
    [this.#missed, this.#untold] = [0, 0];
  }

  /** Whether something is left in a log that there is room for now. */
  #hasMore(): boolean {
    for (const { hasMore, hasBatch } of this.#readers) if (hasMore && !hasBatch) return true;
    return false;
  }

  /** Copies every log, and decides which partitions are waited for. */
  #fetch(): void {
    for (const reader of this.#readers) {
      if (!reader.fetch(this.#seen) && !reader.isLeftOut) this.#behind = true;
      reader.skipTo(this.#seen);
    }
    if (!this.#leavesOut || !this.#filled) return;
    let newest = this.#seen;
    for (const { published } of this.#readers) if (cyclesBetween(published, newest) > 0) newest = published;
    for (const reader of this.#readers) {
      const late = cyclesBetween(newest, reader.published);
      if (reader.isLeftOut ? late <= CAUGHT_UP_CYCLES : late > BACKLOG_CYCLES_MAX) {
        reader.isLeftOut = !reader.isLeftOut;
        // Its tags become stale by the same comparison with the newest slot that makes them good again.
        this.#behind = true;
        this.#regrade = true;
      }
      if (reader.isLeftOut) reader.discard();
    }
  }

  /** The cycle that every partition has looked at. */
  #frontier(): number {
    let frontier: number | undefined;
    for (const { looked, isLeftOut } of this.#readers) {
      if (!isLeftOut && (frontier === undefined || cyclesBetween(looked, frontier) < 0)) frontier = looked;
    }
    return frontier ?? this.#seen;
  }

  /**
   * Whether a batch is here that another partition has not come to, so that the log has to be looked at again; asks to
   * be woken otherwise.
   */
  #waitsForPartition(): boolean {
    let next: number | undefined;
    for (const reader of this.#readers) {
      if (reader.hasBatch && (next === undefined || cyclesBetween(reader.cycle, next) < 0)) next = reader.cycle;
    }
    if (next === undefined) return false;
    let arrived = true;
    for (const { partition, looked, isLeftOut } of this.#readers) {
      if (isLeftOut || cyclesBetween(looked, next) >= 0) continue;
      // Asked for first: whoever comes there now either sees it, or is seen below.
      this.#source.awaitDecoded(partition, next);
      arrived &&= cyclesBetween(this.#source.decodedCycle(partition) ?? this.#seen, next) >= 0;
    }
    return arrived;
  }

  /** Applies batches up to a cycle one by one; false when they have to be taken as one, from the newest slot. */
  #applyLogs(frontier: number): boolean {
    let first: number | undefined;
    let last = this.#seen;
    for (const reader of this.#readers) {
      for (let { at } = reader; at < reader.end; at = reader.after(at)) {
        const cycle = reader.words[at + 1]!;
        if (reader.words[at + 2] === LOG_BATCH_FULL) return false;
        if (cyclesBetween(cycle, frontier) > 0) break;
        if (first === undefined || cyclesBetween(cycle, first) < 0) first = cycle;
        if (cyclesBetween(cycle, last) > 0) last = cycle;
      }
    }
    if (first === undefined) return true;
    // Of what did not fit it is known how far it goes.
    for (const { hasMore, isLeftOut, published } of this.#readers) {
      if (hasMore && !isLeftOut && cyclesBetween(published, last) > 0) last = published;
    }
    if (cyclesBetween(last, first) >= BACKLOG_CYCLES_MAX) return false;
    for (;;) {
      let next: number | undefined;
      for (const reader of this.#readers) {
        if (!reader.hasBatch || cyclesBetween(reader.cycle, frontier) > 0) continue;
        if (next === undefined || cyclesBetween(reader.cycle, next) < 0) next = reader.cycle;
      }
      if (next === undefined) return true;
      if (!this.#applyCycle(next)) return false;
    }
  }

  /** Applies and delivers the batches of one cycle, of every partition that has one; false when a slot is gone. */
  #applyCycle(cycle: number): boolean {
    const batch = this.#batch;
    if (this.#hasWide && !this.#copyWideBytes(cycle)) return false;
    const long = this.#cycleNumber.extend(cycle);
    batch.cycle = cycle;
    batch.count = 0;
    let missed = this.#missed;
    for (const reader of this.#readers) {
      if (!reader.hasBatch || reader.cycle !== cycle) continue;
      if (reader.count > 0) this.#applyBatch(reader, long);
      missed = Math.max(missed, reader.missed);
      reader.skip();
    }
    this.#seen = cycle;
    if (batch.count === 0) return true;
    const more = missed - this.#missed;
    this.#missed = missed;
    this.#deliverBatch(more);
    return true;
  }

  /** Takes the next batch of a partition into the arrays. */
  #applyBatch(reader: LogReader, cycle: number): void {
    const { words, at, count } = reader;
    const batch = this.#batch;
    reader.missed += words[at + 3]!;
    for (let half = 0; half < 4; half += 1) batch.times[half] = words[at + 4 + half]!;
    if (batch.count === 0) this.heads.begin(cycle, batch.times);
    for (let i = 0; i < count; i += 1) {
      const entry = at + (BATCH_HEADER_RECORDS + i) * RECORD_WORDS;
      const tag = words[entry]! & ENTRY_TAG_MASK;
      this.quality[tag] = words[entry]! >>> LOG_ENTRY_QUALITY_SHIFT;
      this.heads.date(tag);
      this.values.halves[2 * tag] = words[entry + 2]!;
      this.values.halves[2 * tag + 1] = words[entry + 3]!;
      batch.tags[batch.count] = tag;
      batch.count += 1;
    }
  }

  /** Fetches the bits of changed byte strings and arrays from the slot of a cycle; false when the ring has it no more. */
  #copyWideBytes(cycle: number): boolean {
    let copied = false;
    for (const { hasBatch, words, at, count, cycle: next } of this.#readers) {
      if (!hasBatch || next !== cycle) continue;
      for (let i = 0; i < count; i += 1) {
        const tag = words[at + (BATCH_HEADER_RECORDS + i) * RECORD_WORDS]! & ENTRY_TAG_MASK;
        if (!this.#table.isWide(tag)) continue;
        if (!copied && this.#source.copyCycle(cycle, this.#slot.bytes) !== 0) return false;
        copied = true;
        this.#bytes[tag] = this.#decoder.readBytes(this.#slot, tag);
      }
    }
    return true;
  }

  /** Last cycle before the first batch that is not in the arrays yet, as far as the workers have looked at cycles. */
  #unlooked(): number {
    let unlooked: number | undefined;
    for (const reader of this.#readers) {
      if (reader.isLeftOut) continue;
      const last = reader.hasBatch ? (reader.cycle - 1 - reader.words[reader.at + 3]!) >>> 0 : reader.looked;
      if (unlooked === undefined || cyclesBetween(last, unlooked) < 0) unlooked = last;
    }
    return unlooked ?? this.#seen;
  }

  /**
   * Makes the arrays those of the newest slot and delivers what that changed, as one batch.
   *
   * @param unlooked - cycle up to which the workers found nothing that is not in the arrays, where known
   */
  #resynchronise(unlooked: number | undefined): boolean {
    this.#behind = true;
    if (!this.#copyNewest()) return false;
    this.#behind = false;
    const cycle = this.#reader.cycle(this.#slot);
    const isNew = !this.#filled || cyclesBetween(cycle, this.#seen) > 0;
    if (!isNew && !this.#regrade) return true; // already ahead of the log
    this.#regrade = false;
    if (unlooked !== undefined && cyclesBetween(unlooked, this.#seen) > 0) this.#seen = unlooked;
    this.#deliverSlot(isNew ? cycle : this.#seen);
    for (const reader of this.#readers) {
      reader.skipTo(this.#seen);
      reader.missed = 0;
    }
    this.#missed = 0;
    return true;
  }

  /** What changes at the end is dated with the first cycle that did not run. */
  #finish(): boolean {
    this.#state = 'ended';
    for (const reader of this.#readers) reader.isLeftOut = false;
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
    this.#untold += first ? 0 : Math.max(0, cyclesBetween(cycle, this.#seen) - 1);
    this.#reader.times(this.#slot, batch.times);
    batch.count = this.#compareSlot(this.#cycleNumber.extend(cycle), first);
    this.#seen = cycle;
    this.#filled = true;
    if (batch.count > 0) this.#deliverBatch(0);
  }

  /** Decodes the slot into the arrays and lists the tags that it changed in the batch. */
  #compareSlot(cycle: number, first: boolean): number {
    const { halves } = this.values;
    const slot = this.#slot;
    this.heads.begin(cycle, this.#batch.times);
    let count = 0;
    for (let tag = 0; tag < this.#table.count; tag += 1) {
      const low = halves[2 * tag]!;
      const high = halves[2 * tag + 1]!;
      let quality = this.#decoder.quality(slot, tag);
      if (this.#leavesOut && this.#readers[this.#table.partition[tag]!]!.isLeftOut) {
        if (this.quality[tag]! >= STALE) continue;
        quality = STALE;
        this.quality[tag] = quality;
        this.heads.date(tag);
        this.#batch.tags[count] = tag;
        count += 1;
        continue;
      }
      if (!first && this.#table.band(tag) !== Band.none && quality === this.quality[tag]) {
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
      this.heads.date(tag);
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
    return leavesBand(table.band(tag), table.deadBand(tag), told, value);
  }

  /** @param missed - cycles that were missed beside those that nobody was told of yet */
  #deliverBatch(missed: number): void {
    this.#batch.missed = this.#untold + missed;
    this.#untold = 0;
    this.#deliver(this.#batch);
  }
}

/** Values of some tags as they were; decoded when they are asked for. */
export class ValueCopy {
  readonly #table: TagTable;
  readonly #tags: Uint32Array;
  readonly #halves: Uint32Array<ArrayBuffer>;
  /** By the place in `tags`: the bits of byte strings and arrays, which are written once. */
  readonly #bytes: readonly (Uint8Array<ArrayBuffer> | undefined)[] | undefined;
  #values: ValueArrays | undefined;

  /** @internal */
  constructor(
    table: TagTable,
    tags: Uint32Array,
    halves: Uint32Array,
    bytes: readonly (Uint8Array<ArrayBuffer> | undefined)[] | undefined,
  ) {
    this.#table = table;
    this.#tags = tags;
    this.#halves = new Uint32Array(2 * tags.length);
    for (let i = 0; i < tags.length; i += 1) {
      this.#halves[2 * i] = halves[2 * tags[i]!]!;
      this.#halves[2 * i + 1] = halves[2 * tags[i]! + 1]!;
    }
    this.#bytes = bytes && Array.from(tags, (tag) => bytes[tag]);
  }

  /** The value of the `at`-th tag, by its type, without its label; arrays are the caller's own. */
  value(at: number): TagValue {
    const tag = this.#tags[at]!;
    if (this.#table.isWide(tag)) return unpacked(this.#table, tag, this.#bytes?.[at]);
    this.#values ??= new ValueArrays(this.#halves.buffer);
    return this.#values.read(this.#table, tag, at);
  }
}

/** A byte string or an array of these bits; all 0 where there are none yet. */
function unpacked(table: TagTable, tag: number, packed: Uint8Array<ArrayBuffer> | undefined): TagValue {
  return packed === undefined ? emptyArray(table, tag) : unpack(table, tag, packed.slice());
}

function equalBytes(a: Uint8Array, b: Uint8Array | undefined): boolean {
  return b !== undefined && a.length === b.length && a.every((byte, i) => byte === b[i]);
}

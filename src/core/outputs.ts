/**
 * The writing side of one output lane: a private image of the outputs, commits, and what became of them.
 *
 * A write changes the private image and commits it whole; the cycle thread takes the newest commit with its
 * next cycle and answers with a receipt. A receipt settles every write up to its own.
 */

import type { CycleNumber } from './cycle-number.ts';
import { type EncodedValue, encodeNamed, writeBits } from './encode.ts';
import { type ErrorDetails, EtherCatError } from './errors/ethercat-error.ts';
import { translated } from './errors/from-binding.ts';
import type { ErrorCode } from './errors/table.ts';
import {
  RECEIPT_BYTES,
  RECEIPT_CYCLE_I32,
  RECEIPT_FIRST_CYCLE_I32,
  RECEIPT_RECORDS,
  RECEIPT_SEQ_I32,
  RECEIPT_VERDICT_I32,
  Verdict,
} from './generated/layout.ts';
import type { ClaimOptions, Claims } from './loss-policy.ts';
import { UNCERTAIN } from './quality.ts';
import type { TagDirectory } from './tag-directory.ts';
import { Direction, type TagTable } from './tag-table.ts';
import type { TagValue } from './tag-types.ts';

/** Writes that wait for their receipt at most; a receipt ring has no more places. */
export const WRITES_OUTSTANDING_MAX: number = RECEIPT_RECORDS;

const RECEIPT_WORDS = RECEIPT_BYTES / 4;

/** What a lane needs of the native side: `BindingAttachment`, and a word of the shared memory. */
export interface LanePort {
  /** Takes over a lane, any free one for −1, and returns its number. */
  claim(lane: number, claims: Claims): number;
  commit(lane: number, shadow: Uint8Array): number;
  /** As `commit`, and sends what changed at once. */
  commitUrgent(lane: number, shadow: Uint8Array): number;
  beat(lane: number): void;
  resume(lane: number, shadow: Uint8Array): number;
  /** Changes when the lane is lost; commits of an earlier epoch are ignored. */
  laneEpoch(lane: number): number;
  drainReceipts(lane: number, tail: Uint32Array, out: Uint32Array): number;
  /** Qualities of the SubDevices in a cycle, or, where the ring has gone past it, in the newest; valid until the next call. */
  qualities(cycle: number): Uint8Array;
}

/** What became of a write. */
export interface WriteResult {
  /** Number of the first cycle that carried the values; does not wrap. */
  readonly cycle: number;
  /**
   * True when a later write of the same writer changed a value before any frame went out, so that the
   * SubDevices never saw this one (a pulse within one cycle); `cycle` is then that of the later write.
   */
  readonly superseded: boolean;
}

interface PendingWrite {
  readonly sequence: number;
  readonly tags: readonly number[];
  readonly resolve: (result: WriteResult) => void;
  readonly reject: (error: EtherCatError) => void;
}

/** Who has the outputs: `LaneDirectory`, with the names of the lanes. */
export interface Owners {
  /** The lane of an output. */
  ownerOf(tag: number): number | undefined;
  nameOf(lane: number): string;
}

/** One lane of this thread. */
export class OutputLane {
  /** Number of the lane. */
  readonly number: number;
  /** What errors and events call it. */
  readonly name: string;
  readonly #port: LanePort;
  readonly #owners: Owners;
  readonly #table: TagTable;
  readonly #directory: TagDirectory;
  readonly #cycleNumber: CycleNumber;
  readonly #refusal: () => EtherCatError | undefined;
  readonly #subDevices: readonly string[];
  readonly #shadow: Uint8Array<ArrayBuffer>;
  /** Number of the commit that changed each tag's bits last. */
  readonly #changedBy: Uint32Array;
  readonly #pending: PendingWrite[] = [];
  readonly #tail: Uint32Array<ArrayBuffer> = new Uint32Array(1);
  readonly #receipts: Uint32Array<ArrayBuffer> = new Uint32Array(WRITES_OUTSTANDING_MAX * RECEIPT_WORDS);
  readonly #before: Uint8Array<ArrayBuffer>;
  /** Bits that are this lane's, and its deadlines. */
  #claims: Claims;
  /** The lane's epoch that commits are made in; another one means that it was lost since. */
  #epoch: number;

  constructor(options: {
    port: LanePort;
    /** −1 takes any that is free. */
    lane: number;
    table: TagTable;
    directory: TagDirectory;
    cycleNumber: CycleNumber;
    claims: Claims;
    owners: Owners;
    /** Names of the SubDevices, by position. */
    subDevices: readonly string[];
    /** Why nothing can be written at the moment. */
    refusal: () => EtherCatError | undefined;
  }) {
    this.#port = options.port;
    this.#owners = options.owners;
    this.#table = options.table;
    this.#directory = options.directory;
    this.#cycleNumber = options.cycleNumber;
    this.#refusal = options.refusal;
    this.#subDevices = options.subDevices;
    this.#shadow = new Uint8Array(options.claims.mask.length);
    this.#before = new Uint8Array(options.claims.mask.length);
    this.#changedBy = new Uint32Array(options.table.count);
    this.#claims = options.claims;
    this.name = options.claims.name;
    this.number = this.#port.claim(options.lane, options.claims);
    this.#epoch = this.#port.resume(this.number, this.#shadow);
    this.#skipReceipts();
  }

  /** Its name and deadlines. */
  get options(): ClaimOptions {
    return this.#claims;
  }

  /** Whether the lane was lost, and its outputs are at their loss values until `resume()`. */
  get isLost(): boolean {
    return this.#port.laneEpoch(this.number) !== this.#epoch;
  }

  /** Writes that wait for their receipt. */
  get outstanding(): number {
    return this.#pending.length;
  }

  /** Writes values in one commit. See `MainDevice.write` for what it rejects with. */
  write(values: Readonly<Record<string, TagValue>>, urgent = false): Promise<WriteResult> {
    try {
      if (typeof values !== 'object' || values === null) {
        throw new EtherCatError('ECAT_ERR_INVALID_ARGUMENT', 'write() takes an object with tags as its keys');
      }
      const encoded = Object.entries(values).map(([name, value]) => this.#encode(name, value));
      this.#checkReady();
      return this.#commit(encoded, urgent);
    } catch (error) {
      return Promise.reject(EtherCatError.from(error));
    }
  }

  /**
   * Takes the lane up again after it was lost, with the outputs as they are sent now, and commits them. When it
   * is not lost only commits.
   */
  resume(): Promise<WriteResult> {
    try {
      const refusal = this.#refusal();
      if (refusal !== undefined) throw refusal;
      if (this.isLost) {
        this.settle();
        this.#epoch = this.#port.resume(this.number, this.#shadow);
      }
      return this.#commit([]);
    } catch (error) {
      return Promise.reject(EtherCatError.from(error));
    }
  }

  /**
   * Goes on with other bits: those given up keep what was last sent, and so do new ones until a write changes them.
   *
   * @param sent - the output image as it was last sent
   */
  reclaim(claims: Claims, sent: Uint8Array): void {
    this.#port.claim(this.number, claims);
    for (let byte = 0; byte < sent.length; byte += 1) {
      const old = this.#claims.mask[byte]!;
      this.#shadow[byte] = (this.#shadow[byte]! & old) | (sent[byte]! & ~old);
    }
    this.#claims = claims;
  }

  /** Shows that this thread lives. */
  beat(): void {
    this.#port.beat(this.number);
  }

  /** Settles what has a receipt, and fails what will get none since the lane was lost. */
  settle(): void {
    for (;;) {
      const count = this.#port.drainReceipts(this.number, this.#tail, this.#receipts);
      for (let i = 0; i < count; i += 1) this.#settleUpTo(i * RECEIPT_WORDS);
      if (count < WRITES_OUTSTANDING_MAX) break;
    }
    if (this.isLost) this.failAll('ECAT_ERR_LANE_LOST', 'the lane was lost before a cycle carried the values');
  }

  /** Rejects every outstanding write. */
  failAll(code: ErrorCode, message: string, details: ErrorDetails = {}): void {
    for (const { reject } of this.#pending.splice(0)) reject(new EtherCatError(code, message, details));
  }

  /** Those of the lane's owners before this one are nobody's any more; there may be more than the ring holds. */
  #skipReceipts(): void {
    for (;;) {
      const count = this.#port.drainReceipts(this.number, this.#tail, this.#receipts);
      if (count >= 0 && count < WRITES_OUTSTANDING_MAX) return;
    }
  }

  #encode(name: string, value: TagValue): EncodedValue {
    const tag = this.#directory.numberOf(name);
    if (this.#table.direction(tag) !== Direction.output) {
      throw new EtherCatError('ECAT_ERR_NOT_AN_OUTPUT', `tag ${name} is an input`, { tag: name });
    }
    const owner = this.#owners.ownerOf(tag);
    if (owner !== this.number) {
      const whose = owner === undefined ? 'was given back' : `belongs to lane ${this.#owners.nameOf(owner)}`;
      throw new EtherCatError('ECAT_ERR_OUTPUT_CLAIMED', `output ${name} ${whose}, and not to lane ${this.name}`, {
        tag: name,
      });
    }
    return encodeNamed(this.#table, this.#directory, tag, name, value);
  }

  #checkReady(): void {
    const refusal = this.#refusal();
    if (refusal !== undefined) throw refusal;
    if (this.isLost) {
      throw new EtherCatError(
        'ECAT_ERR_LANE_LOST',
        'the outputs are at their loss values, since this thread fell silent; resume() takes them up again',
      );
    }
    if (this.#pending.length >= WRITES_OUTSTANDING_MAX) {
      throw new EtherCatError(
        'ECAT_ERR_WRITE_QUEUE_FULL',
        `${WRITES_OUTSTANDING_MAX} writes wait for their cycle already`,
      );
    }
  }

  #commit(encoded: readonly EncodedValue[], urgent = false): Promise<WriteResult> {
    const before = urgent ? this.#shadow.slice() : undefined;
    const changed: number[] = [];
    for (const value of encoded) if (this.#change(value)) changed.push(value.tag);
    const sequence = urgent ? this.#commitUrgent(before!) : this.#port.commit(this.number, this.#shadow);
    for (const tag of changed) this.#changedBy[tag] = sequence;
    const { promise, resolve, reject } = Promise.withResolvers<WriteResult>();
    this.#pending.push({ sequence, tags: encoded.map(({ tag }) => tag), resolve, reject });
    return promise;
  }

  /** What must not be sent out of cycle is not committed at all. */
  #commitUrgent(before: Uint8Array): number {
    try {
      return translated(() => this.#port.commitUrgent(this.number, this.#shadow));
    } catch (error) {
      this.#shadow.set(before);
      throw error;
    }
  }

  /** Writes one value into the private image; whether that changed a bit. */
  #change(value: EncodedValue): boolean {
    const from = this.#table.bitOffset[value.tag]! >>> 3;
    const end = (this.#table.bitOffset[value.tag]! + this.#table.bitLength(value.tag) + 7) >>> 3;
    for (let byte = from; byte < end; byte += 1) this.#before[byte] = this.#shadow[byte]!;
    writeBits(this.#table, value, this.#shadow);
    for (let byte = from; byte < end; byte += 1) if (this.#before[byte] !== this.#shadow[byte]) return true;
    return false;
  }

  #settleUpTo(at: number): void {
    const sequence = this.#receipts[at + RECEIPT_SEQ_I32]!;
    const cycle = this.#receipts[at + RECEIPT_FIRST_CYCLE_I32]!;
    const verdict = this.#receipts[at + RECEIPT_VERDICT_I32];
    const qualities =
      verdict === Verdict.Partial ? this.#port.qualities(this.#receipts[at + RECEIPT_CYCLE_I32]!) : undefined;
    while (this.#pending.length > 0 && isUpTo(this.#pending[0]!.sequence, sequence)) {
      const write = this.#pending.shift()!;
      const absent = qualities && write.tags.find((tag) => qualities[this.#table.subDevice[tag]!]! >= UNCERTAIN);
      if (absent !== undefined) write.reject(this.#absence(absent, qualities![this.#table.subDevice[absent]!]!));
      else if (verdict !== Verdict.Failed) {
        const superseded = write.tags.some(
          (tag) => !isUpTo(this.#changedBy[tag]!, write.sequence) && isUpTo(this.#changedBy[tag]!, sequence),
        );
        write.resolve({ cycle: this.#cycleNumber.extend(cycle), superseded });
      } else write.reject(this.#failure());
    }
  }

  /** A SubDevice did not take the value of a tag, and no frame would have changed that. */
  #absence(tag: number, quality: number): EtherCatError {
    const position = this.#table.subDevice[tag]!;
    const subDevice = this.#subDevices[position] ?? '';
    const name = this.#directory.name(tag);
    const state = quality === UNCERTAIN ? 'is in SAFE-OP' : 'does not answer, or is below SAFE-OP';
    const message = `output ${name} did not reach ${subDevice} at position ${position}, which ${state}`;
    return new EtherCatError('ECAT_ERR_NOT_OPERATIONAL', message, {
      position,
      subDevice,
      tag: name,
      action:
        'Look at faults$ for why it left OP; the values are sent in every cycle, and it takes them once it is back.',
    });
  }

  #failure(): EtherCatError {
    if (this.isLost) {
      return new EtherCatError('ECAT_ERR_LANE_LOST', 'the lane was lost before the values arrived');
    }
    return (
      this.#refusal() ??
      new EtherCatError('ECAT_ERR_WRITE_FAILED', 'the frames with the values did not come back as they should')
    );
  }
}

/** Whether commit `a` is `b` or came before it. */
function isUpTo(a: number, b: number): boolean {
  return ((a - b) | 0) <= 0;
}

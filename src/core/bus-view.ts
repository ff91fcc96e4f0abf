/**
 * Everything that one thread needs of a running bus: the shared memory, tags, decoder, consumer, cycle numbers, and the
 * lanes that it owns. Made from a handle, on any thread; the thread that opened the bus has one like everybody else.
 */

import type { BusHandle } from './bus-handle.ts';
import { type Batch, Consumer } from './consumer.ts';
import { CycleNumber } from './cycle-number.ts';
import { Decoder, SlotBuffer } from './decode.ts';
import { DecodeStatus } from './decode-status.ts';
import { type ErrorDetails, EtherCatError } from './errors/ethercat-error.ts';
import { translated } from './errors/from-binding.ts';
import type { ErrorCode } from './errors/table.ts';
import type { BusState } from './events.ts';
import { CopyOutcome } from './generated/layout.ts';
import { type Claims, LossPolicy } from './loss-policy.ts';
import { type BindingAttachment, native } from './native.ts';
import { type LanePort, OutputLane } from './outputs.ts';
import { ProcessMemory, slotReader } from './process-image.ts';
import { TagDirectory } from './tag-directory.ts';
import { TagTable } from './tag-table.ts';

/** Attempts to copy the newest slot: each failure means that the ring went round once during a copy. */
const COPY_ATTEMPTS_MAX = 16;

/** How to look at a bus. */
export interface BusViewOptions {
  /** Called on this thread when there may be something to pump. Without it somebody else rings. */
  readonly bell?: () => void;
  /** Why nothing can be written at the moment; by the state of the bus unless given. */
  readonly refusal?: () => EtherCatError | undefined;
}

/** One thread's view of a bus. It holds the shared memory until it is released. */
export class BusView {
  readonly handle: BusHandle;
  readonly directory: TagDirectory;
  readonly table: TagTable;
  readonly memory: ProcessMemory;
  readonly decoder: Decoder;
  /** Of the decode workers, one a partition. */
  readonly statuses: readonly DecodeStatus[];
  readonly loss: LossPolicy;
  readonly consumer: Consumer;
  readonly cycleNumber: CycleNumber;
  /** Told what changed, by {@link BusView.pump}. */
  onBatch: (batch: Batch) => void = () => undefined;
  readonly #attachment: BindingAttachment;
  readonly #refusal: () => EtherCatError | undefined;
  readonly #lanes: OutputLane[] = [];
  readonly #newest: SlotBuffer;
  #released = false;

  /** @throws `ECAT_ERR_CLOSED` when the bus is closed, `ECAT_ERR_LAYOUT_MISMATCH`, `ECAT_ERR_ADDON_MISSING` */
  constructor(handle: BusHandle, { bell, refusal }: BusViewOptions = {}) {
    this.handle = handle;
    this.#refusal = refusal ?? (() => this.#refusalByState());
    this.directory = new TagDirectory(handle.directory);
    this.table = new TagTable(handle.table);
    this.memory = new ProcessMemory(handle.memory);
    this.statuses = Array.from(
      { length: this.table.partitionCount },
      (_, partition) => new DecodeStatus(handle.status, partition),
    );
    this.loss = new LossPolicy(handle.outputs);
    this.cycleNumber = new CycleNumber(handle.clock);
    this.decoder = new Decoder(this.table, this.memory.sections);
    this.#newest = new SlotBuffer(this.memory.slotBytes);
    const attachment = translated(() => new (native().BindingAttachment)(handle.engineId, this.memory.bytes, bell));
    this.#attachment = attachment;
    this.consumer = new Consumer({
      table: this.table,
      decoder: this.decoder,
      reader: slotReader,
      cycleNumber: this.cycleNumber,
      slot: new SlotBuffer(this.memory.slotBytes),
      logRecords: handle.logRecords,
      leavesOut: !handle.virtualTime,
      source: {
        drain: (partition, tail, records) => attachment.drain(partition, tail, records),
        copyNewest: (slot) => attachment.copyNewest(slot),
        copyCycle: (cycle, slot) => attachment.copyCycle(cycle, slot),
        decodedCycle: (partition) => this.#decodedCycle(partition),
        awaitDecoded: (partition, cycle) => this.statuses[partition]!.awaitCycle(cycle),
      },
      deliver: (batch) => this.onBatch(batch),
    });
  }

  get state(): BusState {
    return this.memory.engineState;
  }

  /** Whether no cycle will follow. */
  get hasEnded(): boolean {
    const { state } = this;
    return state === 'closed' || state === 'faulted';
  }

  /** Whether this view was given up. */
  get isReleased(): boolean {
    return this.#released;
  }

  /** The lanes that this thread owns. */
  get lanes(): readonly OutputLane[] {
    return this.#lanes;
  }

  /**
   * Takes over a lane.
   * @throws `ECAT_ERR_OUTPUT_CLAIMED` when another lane has one of the bits, `ECAT_ERR_CLOSED`
   */
  claim(lane: number, claims: Claims): OutputLane {
    const attachment = this.#open();
    const port: LanePort = {
      claim: (of, bits) => attachment.claim(of, bits),
      commit: (of, shadow) => attachment.commit(of, shadow),
      beat: (of) => attachment.beat(of),
      resume: (of, shadow) => attachment.resume(of, shadow),
      laneEpoch: (of) => this.memory.laneEpoch(of),
      drainReceipts: (of, tail, out) => attachment.drainReceipts(of, tail, out),
    };
    const { table, directory, cycleNumber } = this;
    const options = { port, lane, table, directory, cycleNumber, claims, refusal: this.#refusal };
    const claimed = translated(() => new OutputLane(options));
    this.#lanes.push(claimed);
    return claimed;
  }

  /** Whether every decode worker has come to a cycle. */
  get hasDecoded(): boolean {
    return this.statuses.every(({ hasDecoded }) => hasDecoded);
  }

  /** Asks for this thread to be woken once every decode worker has come to this cycle, whether or not it changed. */
  awaitCycle(cycle: number): void {
    for (const status of this.statuses) status.awaitCycle(cycle);
  }

  /** The number of the tag. @throws `ECAT_ERR_TAG_UNKNOWN` */
  numberOf(name: string): number {
    return this.directory.numberOf(name);
  }

  /** Copies the newest slot into a buffer of the caller's. @throws `ECAT_ERR_CLOSED` when it was released */
  copyNewest(slot: SlotBuffer): void {
    for (let attempt = 1; attempt <= COPY_ATTEMPTS_MAX; attempt += 1) {
      if (translated(() => this.#open().copyNewest(slot.bytes)) !== CopyOutcome.Fresh) continue;
      if (this.hasEnded) this.decoder.distrust(slot);
      return;
    }
    throw new EtherCatError(
      'ECAT_ERR_INTERNAL',
      'the newest cycle cannot be copied, the input ring is too short for this machine',
    );
  }

  /** The newest slot, in a buffer that is valid until the next call. */
  newestSlot(): SlotBuffer {
    this.copyNewest(this.#newest);
    return this.#newest;
  }

  /** Copies a cycle of the history into a buffer of the caller's; whether the ring has it. */
  copyCycle(cycle: number, slot: SlotBuffer): boolean {
    return translated(() => this.#open().copyCycle(cycle >>> 0, slot.bytes)) === CopyOutcome.Fresh;
  }

  /**
   * Blocks this thread natively until there is a cycle newer than `after` (any cycle: −1), and copies it. One call
   * waits for 50 ms at most. Returns a {@link CopyOutcome}.
   */
  waitCopy(after: number, timeoutMs: number, slot: SlotBuffer): number {
    return translated(() => this.#open().waitCopy(after, timeoutMs, slot.bytes));
  }

  /**
   * Hands over everything that the decode worker has published.
   * @returns false when the ring overtook every attempt to copy the newest slot: call again soon
   */
  pump(): boolean {
    if (!this.hasEnded) return this.consumer.pump();
    this.consumer.end();
    return true;
  }

  /** Settles the writes of every lane. */
  settle(): void {
    for (const lane of this.#lanes) lane.settle();
  }

  /** Shows that this thread lives, for every lane. */
  beat(): void {
    for (const lane of this.#lanes) lane.beat();
  }

  /** Rejects every outstanding write of this thread. */
  failAll(code: ErrorCode, message: string, details?: ErrorDetails): void {
    for (const lane of this.#lanes) lane.failAll(code, message, details);
  }

  /** Lets go of the lanes and the memory. Idempotent. */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.failAll('ECAT_ERR_CLOSED', 'the bus was closed before a cycle carried the values');
    this.#lanes.length = 0;
    this.#attachment.release();
  }

  #open(): BindingAttachment {
    if (this.#released) throw new EtherCatError('ECAT_ERR_CLOSED', 'the bus is closed');
    return this.#attachment;
  }

  #refusalByState(): EtherCatError | undefined {
    const { state } = this;
    if (state === 'OP') return undefined;
    if (state === 'closed') return new EtherCatError('ECAT_ERR_CLOSED', 'the bus is closed');
    if (state === 'faulted') {
      return new EtherCatError('ECAT_ERR_CLOSED', 'the engine stopped by a defect; faults$ of the MainDevice says why');
    }
    return new EtherCatError('ECAT_ERR_NOT_OPERATIONAL', `the bus is in ${state}, not in OP`);
  }

  #decodedCycle(partition: number): number | undefined {
    const status = this.statuses[partition]!;
    return status.hasDecoded ? status.decodedCycle : undefined;
  }
}

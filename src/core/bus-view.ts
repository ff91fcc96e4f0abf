/**
 * Everything that one thread needs of a running bus: the shared memory, tags, decoder, consumer, cycle numbers, and the
 * lanes that it owns. Made from a handle, on any thread; the thread that opened the bus has one like everybody else.
 */

import type { BusHandle } from './bus-handle.ts';
import { type Batch, Consumer } from './consumer.ts';
import { CycleNumber, cyclesBetween } from './cycle-number.ts';
import { Decoder, SlotBuffer } from './decode.ts';
import { DecodeStatus } from './decode-status.ts';
import { type ErrorDetails, EtherCatError } from './errors/ethercat-error.ts';
import { translated } from './errors/from-binding.ts';
import type { ErrorCode } from './errors/table.ts';
import type { BusState } from './events.ts';
import { CopyOutcome, LaneState } from './generated/layout.ts';
import { LaneDirectory, MAIN_LANE, MAIN_LANE_NAME } from './lane-directory.ts';
import { claimsOf, LossPolicy } from './loss-policy.ts';
import { type BindingAttachment, type BindingLane, native } from './native.ts';
import { type LanePort, OutputLane } from './outputs.ts';
import { ProcessMemory, slotReader } from './process-image.ts';
import { TagDirectory } from './tag-directory.ts';
import { Direction, TagTable } from './tag-table.ts';

/** Attempts to copy the newest slot: each failure means that the ring went round once during a copy. */
const COPY_ATTEMPTS_MAX = 16;

/** What to claim. */
export interface LaneClaim {
  /** Number of the lane; −1 is any that is free. */
  readonly lane: number;
  /** What errors and events call whoever claims. */
  readonly name: string;
  /** The tags; unless given, those that are assigned to the lane. */
  readonly outputs?: readonly number[];
  /** Silence after which the lane is lost; 0 is never. */
  readonly deadlineMs: number;
  /** The same without a write. */
  readonly commitDeadlineMs?: number | undefined;
}

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
  readonly owners: LaneDirectory;
  readonly cycleNumber: CycleNumber;
  /** Told what changed, by {@link BusView.pump}. */
  onBatch: (batch: Batch) => void = () => undefined;
  readonly #attachment: BindingAttachment;
  #consumer: Consumer | undefined;
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
    this.owners = new LaneDirectory(handle.owners, this.table.count);
    this.cycleNumber = new CycleNumber(handle.clock);
    this.decoder = new Decoder(this.table, this.memory.sections);
    this.#newest = new SlotBuffer(this.memory.slotBytes);
    const attachment = translated(() => new (native().BindingAttachment)(handle.engineId, this.memory.bytes, bell));
    this.#attachment = attachment;
  }

  /**
   * What this thread holds of every tag, kept up to date by {@link BusView.pump}. Made when it is asked for: whoever reads
   * slots alone does without its arrays.
   */
  get consumer(): Consumer {
    const { handle } = this;
    const attachment = this.#attachment;
    this.#consumer ??= new Consumer({
      table: this.table,
      decoder: this.decoder,
      reader: slotReader,
      cycleNumber: this.cycleNumber,
      slot: new SlotBuffer(this.memory.slotBytes),
      leavesOut: !handle.virtualTime,
      source: {
        drain: (partition, tail, records) => (this.#released ? 0 : attachment.drain(partition, tail, records)),
        copyNewest: (slot) => (this.#released ? CopyOutcome.Closed : attachment.copyNewest(slot)),
        copyCycle: (cycle, slot) => attachment.copyCycle(cycle, slot),
        latestCycle: () => this.memory.latestCycle,
        follow: (on) => {
          if (!this.#released) attachment.follow(on);
        },
        decodedCycle: (partition) => this.#decodedCycle(partition),
        awaitDecoded: (partition, cycle) => this.statuses[partition]!.awaitCycle(cycle),
      },
      deliver: (batch) => this.onBatch(batch),
    });
    return this.#consumer;
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
   * Takes over a lane with the outputs that are assigned to it, or a free lane with outputs that nobody has.
   * @throws `ECAT_ERR_OUTPUT_CLAIMED` when another lane has one of them, `ECAT_ERR_LANE_BUSY` when somebody has the lane
   * or none is free, `ECAT_ERR_CLOSED`
   */
  claim({ lane, name, outputs, deadlineMs, commitDeadlineMs = 0 }: LaneClaim): OutputLane {
    const attachment = this.#open();
    const port: LanePort = {
      claim: (of, bits) => attachment.claim(of, bits),
      commit: (of, shadow) => attachment.commit(of, shadow),
      commitUrgent: (of, shadow) => attachment.commitUrgent(of, shadow),
      beat: (of) => attachment.beat(of),
      resume: (of, shadow) => attachment.resume(of, shadow),
      laneEpoch: (of) => this.memory.laneEpoch(of),
      drainReceipts: (of, tail, out) => attachment.drainReceipts(of, tail, out),
      qualities: (cycle) => this.#qualities(cycle),
    };
    const tags = outputs ?? this.owners.tagsOf(lane);
    const claims = claimsOf(this.table, tags, this.loss, {
      name,
      deadlineCycles: this.cyclesOf(deadlineMs),
      commitDeadlineCycles: this.cyclesOf(commitDeadlineMs),
    });
    const { table, directory, cycleNumber } = this;
    const subDevices = this.handle.devices;
    const owners = { ownerOf: (tag: number) => this.ownerOf(tag), nameOf: (of: number) => this.laneName(of) };
    const options = { port, lane, table, directory, cycleNumber, claims, owners, subDevices, refusal: this.#refusal };
    const claimed = translated(() => new OutputLane(options));
    for (const tag of tags) this.owners.setOwner(tag, claimed.number);
    this.#lanes.push(claimed);
    return claimed;
  }

  /** Whether every decode worker has come to a cycle. */
  get hasDecoded(): boolean {
    return this.statuses.every(({ hasDecoded }) => hasDecoded);
  }

  /** Whether every decode worker has come to this cycle. */
  isDecoded(cycle: number): boolean {
    return this.statuses.every(({ decodedCycle }) => cyclesBetween(decodedCycle, cycle) >= 0);
  }

  /** Asks for this thread to be woken once every decode worker has come to this cycle, whether or not it changed. */
  awaitCycle(cycle: number): void {
    for (const status of this.statuses) status.awaitCycle(cycle);
  }

  /** Gives a lane of this thread up: its outputs take their loss values, and somebody else can have it. */
  giveUp(lane: OutputLane): void {
    const place = this.#lanes.indexOf(lane);
    if (place === -1) return;
    this.#lanes.splice(place, 1);
    this.#leave(lane);
    this.#open().releaseLane(lane.number);
  }

  /**
   * Has a lane of this thread go on with other outputs, without a break for those that it keeps.
   * @throws `ECAT_ERR_OUTPUT_CLAIMED` when another lane has one of the new ones
   */
  reassign(lane: OutputLane, outputs: readonly number[]): void {
    const { outputs: from } = this.memory.sections;
    const sent = this.newestSlot().bytes.subarray(from, from + this.memory.outputBytes);
    const claims = claimsOf(this.table, outputs, this.loss, lane.options);
    translated(() => lane.reclaim(claims, sent));
    const kept = new Set(outputs);
    for (const tag of this.owners.tagsOf(lane.number)) if (!kept.has(tag)) this.owners.setOwner(tag, undefined);
    for (const tag of outputs) this.owners.setOwner(tag, lane.number);
  }

  /** A lane of the configuration, to be claimed. @throws `ECAT_ERR_INVALID_ARGUMENT` when there is none of that name */
  configuredLane(name: string): LaneClaim {
    const { lanes } = this.handle;
    const place = lanes.findIndex((lane) => lane.name === name);
    if (place !== -1) return { ...lanes[place]!, lane: place + 1 };
    const names = lanes.map((lane) => lane.name).join(', ');
    throw new EtherCatError(
      'ECAT_ERR_INVALID_ARGUMENT',
      `there is no lane ${name}; the configuration has ${names === '' ? 'none' : names}`,
    );
  }

  /** What errors and events call a lane. */
  laneName(lane: number): string {
    return this.ownName(lane) ?? `lane ${lane}`;
  }

  /** The name of a lane, by the configuration or as its owner calls itself; undefined where nobody has it. */
  ownName(lane: number): string | undefined {
    if (lane === MAIN_LANE) return MAIN_LANE_NAME;
    return this.handle.lanes[lane - 1]?.name ?? this.#laneOwners()[lane]?.name;
  }

  /** The lane that an output belongs to: by the configuration, or since a thread that lives has claimed it. */
  ownerOf(tag: number): number | undefined {
    const owner = this.owners.ownerOf(tag);
    return owner === undefined || this.ownName(owner) === undefined ? undefined : owner;
  }

  /** @throws `ECAT_ERR_OUTPUT_CLAIMED` when one of the outputs belongs to a lane, and not to `own` */
  checkUnowned(outputs: readonly number[], own: { readonly name: string; readonly number?: number }): void {
    for (const tag of outputs) {
      const owner = this.ownerOf(tag);
      if (owner === undefined || owner === own.number) continue;
      const name = this.directory.name(tag);
      const message = `output ${name}, which ${own.name} claims, belongs to lane ${this.laneName(owner)}`;
      throw new EtherCatError('ECAT_ERR_OUTPUT_CLAIMED', message, { tag: name });
    }
  }

  /** Whether a claim failed since what it wants was given up just now: it can be had within a few cycles. */
  isFreeing(error: unknown): boolean {
    const { code } = EtherCatError.from(error);
    if (code === 'ECAT_ERR_OUTPUT_CLAIMED') return true;
    return (
      code === 'ECAT_ERR_LANE_BUSY' &&
      this.#laneOwners().some(({ name, state }) => name === undefined && state !== LaneState.Free)
    );
  }

  /** The tags of an output or a device. @throws `ECAT_ERR_TAG_UNKNOWN`, `ECAT_ERR_NOT_AN_OUTPUT` */
  outputsOf(name: string): number[] {
    const number = this.directory.find(name);
    const position = this.handle.devices.indexOf(name);
    if (number === undefined && position === -1) {
      throw new EtherCatError('ECAT_ERR_TAG_UNKNOWN', `there is no output or device ${name}`, { tag: name });
    }
    const { table } = this;
    const outputs =
      number === undefined
        ? Array.from(table.subDevice.keys()).filter((tag) => table.subDevice[tag] === position)
        : [number];
    const found = outputs.filter((tag) => table.direction(tag) === Direction.output);
    if (found.length > 0) return found;
    const what = number === undefined ? `device ${name} has no outputs` : `tag ${name} is an input`;
    throw new EtherCatError('ECAT_ERR_NOT_AN_OUTPUT', what, { tag: name });
  }

  /** Cycles in a time, rounded up. */
  cyclesOf(ms: number): number {
    return Math.ceil((ms * 1e6) / this.memory.cyclePeriodNs);
  }

  /** The number of the tag. @throws `ECAT_ERR_TAG_UNKNOWN` */
  numberOf(name: string): number {
    return this.directory.numberOf(name);
  }

  /** Acknowledges an interlock; false where it has not fired. @throws `ECAT_ERR_INTERLOCK_HOLDS` */
  acknowledgeInterlock(name: string): boolean {
    const place = this.handle.interlocks.indexOf(name);
    if (place === -1) throw new EtherCatError('ECAT_ERR_INVALID_ARGUMENT', `there is no interlock ${name}`);
    return translated(() => this.#open().acknowledgeInterlock(place));
  }

  /** Has virtual time wait for this thread: no cycle runs before it has acknowledged the one before. */
  enterLockstep(): void {
    translated(() => this.#open().enterLockstep());
  }

  /** This thread is done with everything up to that cycle. */
  acknowledgeCycle(cycle: number): void {
    translated(() => this.#open().acknowledge(cycle));
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

  /** Copies a cycle of the history, by its long number, into a buffer of the caller's. */
  copyCycle(cycle: number, slot: SlotBuffer): CopyOutcome {
    return translated(() => this.#open().copyCycle(cycle % 2 ** 32, slot.bytes)) as CopyOutcome;
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
    for (const lane of this.#lanes.splice(0)) this.#leave(lane);
    this.#attachment.release();
  }

  /** In order: whoever hears of the free lane knows that nothing went wrong. */
  #leave(lane: OutputLane): void {
    lane.failAll('ECAT_ERR_CLOSED', 'the lane was given up before a cycle carried the values');
    this.owners.leave(lane.number);
    // Outputs that the configuration sets aside stay so, and the opener's its own; others are nobody's now.
    if (lane.number > this.handle.lanes.length)
      for (const tag of this.owners.tagsOf(lane.number)) this.owners.setOwner(tag, undefined);
  }

  /** Of the SubDevices in a cycle, or in the newest; valid until the next slot is copied. */
  #qualities(cycle: number): Uint8Array {
    const slot = this.#newest;
    if (this.#open().copyCycle(cycle, slot.bytes) !== CopyOutcome.Fresh) this.copyNewest(slot);
    const { quality } = this.memory.sections;
    return slot.bytes.subarray(quality, quality + this.memory.subDeviceCount);
  }

  #laneOwners(): BindingLane[] {
    return translated(() => this.#open().lanes());
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

/**
 * One running engine: from the configuration to OP, and in order back. Holds everything native and shared, pumps
 * what the bells announce, and knows neither workers nor streams.
 */

import { logRecords } from './change-log.ts';
import type { NormalizedConfiguration } from './configuration/types.ts';
import { type Batch, Consumer } from './consumer.ts';
import { CycleNumber, cyclesBetween } from './cycle-number.ts';
import { Decoder, SlotBuffer } from './decode.ts';
import { DecodeStatus } from './decode-status.ts';
import { EngineLink } from './engine-link.ts';
import { EtherCatError } from './errors/ethercat-error.ts';
import { errorFromFailures, translated } from './errors/from-binding.ts';
import { type BusState, EVENT_WORDS, type NativeEvent, readEvent } from './events.ts';
import { CopyOutcome } from './generated/layout.ts';
import type { BindingAttachment } from './native.ts';
import { compareIdentities, type Network, type SubDeviceSummary, summarize } from './network.ts';
import { OutputLane } from './outputs.ts';
import { type ProcessMemory, slotReader } from './process-image.ts';
import { type ResolvedTag, resolveTags, type TagInfo } from './resolve-tags.ts';
import { TagTable } from './tag-table.ts';

/** The main thread's lane. */
const MAIN_LANE = 0;
const LANE_COUNT = 4;
/** What the input ring covers unless more is asked for: a garbage collection and more. */
const HISTORY_NS = 32_000_000;
const HISTORY_SLOTS_MIN = 8;
/** How often this thread shows that it lives, at the least, and looks for what no bell announced. */
const TICK_MS_MAX = 25;
/** How long the orderly stop may take before the threads are no longer waited for. The engine's own bound is 300 ms. */
const CLOSE_MS = 1000;
/** Events that are taken in one native call. */
const EVENTS_AT_ONCE = 64;
/** Attempts to copy the newest slot: each failure means that the ring went round once during a copy. */
const COPY_ATTEMPTS_MAX = 16;

/** Told what happens; never throws. */
export interface SessionListener {
  event(event: NativeEvent): void;
  /** The engine reports failures: on the way to OP, or a defect. */
  failure(error: EtherCatError): void;
  batch(batch: Batch): void;
  /** Everything that was there has been handed over. */
  pumped(): void;
}

/** A started engine with its memory, tags and lane. Make one with {@link Session.bringUp}. */
export class Session {
  readonly configuration: NormalizedConfiguration;
  /** By position. */
  readonly subDevices: readonly SubDeviceSummary[];
  readonly tags: readonly TagInfo[];
  /** Numbers of the tags by name. */
  readonly numbers: ReadonlyMap<string, number>;
  readonly table: TagTable;
  readonly memory: ProcessMemory;
  readonly decoder: Decoder;
  readonly status: DecodeStatus = new DecodeStatus();
  readonly consumer: Consumer;
  readonly cycleNumber: CycleNumber = new CycleNumber();
  readonly lane: OutputLane;
  readonly #link: EngineLink;
  readonly #attachment: BindingAttachment;
  readonly #events: Uint32Array<ArrayBuffer> = new Uint32Array(EVENTS_AT_ONCE * EVENT_WORDS);
  readonly #newest: SlotBuffer;
  readonly #tick: NodeJS.Timeout;
  readonly #deadlineCycles: number;
  #listener: SessionListener | undefined;
  /** Why the engine ended, when it was a defect. */
  #fault: EtherCatError | undefined;
  /** Until OP every failure is one of the opening. */
  #isOpening = true;
  #closing = false;
  #released = false;

  /** Opens the link, waits for PRE-OP, checks who is there, resolves the tags, and lets the cycle begin. */
  static async bringUp(configuration: NormalizedConfiguration, signal: AbortSignal | undefined): Promise<Session> {
    const link = new EngineLink(configuration);
    try {
      const network = await link.bringUp(signal);
      const { tags, errors } = resolveTags(configuration, network);
      const problems = [...compareIdentities(configuration.devices, network), ...errors];
      if (problems.length > 0) throw EtherCatError.combine(problems);
      return new Session(configuration, network, tags, link);
    } catch (error) {
      link.abandon();
      throw EtherCatError.from(error);
    }
  }

  private constructor(
    configuration: NormalizedConfiguration,
    network: Network,
    tags: readonly ResolvedTag[],
    link: EngineLink,
  ) {
    this.configuration = configuration;
    this.subDevices = summarize(network);
    // Without their rows, which the table holds.
    this.tags = tags.map(({ name, type, direction, unit }) => ({ name, type, direction, unit }));
    this.#link = link;
    this.numbers = new Map(tags.map(({ name }, number) => [name, number]));
    this.table = TagTable.build(
      tags.map(({ row }) => row),
      network.subDevices.length,
    );
    const { cyclePeriodNs, outputDeadlineMs } = configuration;
    const options = { slotCount: slotCount(configuration), logRecords: logRecords(tags.length), laneCount: LANE_COUNT };
    const { memory, attachment } = link.start(options);
    this.memory = memory;
    this.#attachment = attachment;
    this.#newest = new SlotBuffer(memory.slotBytes);
    this.decoder = new Decoder(this.table, this.memory.sections);
    this.consumer = new Consumer({
      table: this.table,
      decoder: this.decoder,
      reader: slotReader,
      cycleNumber: this.cycleNumber,
      slot: new SlotBuffer(this.memory.slotBytes),
      logRecords: options.logRecords,
      source: {
        drain: (tail, records) => attachment.drain(tail, records),
        copyNewest: (slot) => attachment.copyNewest(slot),
        copyCycle: (cycle, slot) => attachment.copyCycle(cycle, slot),
        decodedCycle: () => this.#decodedCycle(),
      },
      deliver: (batch) => this.#listener?.batch(batch),
    });
    const deadlineCycles = Math.ceil((outputDeadlineMs * 1e6) / cyclePeriodNs);
    this.#deadlineCycles = deadlineCycles;
    this.lane = translated(
      () =>
        new OutputLane({
          port: {
            claim: (lane, claims) => attachment.claim(lane, claims),
            commit: (lane, shadow) => attachment.commit(lane, shadow),
            beat: (lane) => attachment.beat(lane),
            resume: (lane, shadow) => attachment.resume(lane, shadow),
            laneEpoch: (lane) => this.memory.laneEpoch(lane),
            drainReceipts: (lane, tail, out) => attachment.drainReceipts(lane, tail, out),
          },
          lane: MAIN_LANE,
          table: this.table,
          tags,
          numbers: this.numbers,
          cycleNumber: this.cycleNumber,
          outputBytes: this.memory.outputBytes,
          deadlineCycles,
          refusal: () => this.#refusal(),
        }),
    );
    link.onBell = () => this.#pump();
    const tickMs = outputDeadlineMs === 0 ? TICK_MS_MAX : Math.min(TICK_MS_MAX, outputDeadlineMs / 4);
    this.#tick = setInterval(() => this.#beat(), tickMs).unref();
  }

  get engineId(): number {
    return this.#link.engine.id;
  }

  get state(): BusState {
    return this.memory.engineState;
  }

  /** Whether no cycle will follow. */
  get hasEnded(): boolean {
    const { state } = this;
    return state === 'closed' || state === 'faulted';
  }

  /** Begins to hand over what happens, and fills the consumer's arrays. */
  listen(listener: SessionListener): void {
    this.#listener = listener;
    this.#pump();
  }

  /**
   * Waits until the bus is in OP and the consumer has seen a cycle of it.
   * @throws every failure that the engine reports on the way, `ECAT_ERR_ABORTED`
   */
  async reachOp(signal: AbortSignal | undefined): Promise<void> {
    await this.#link.until(() => {
      // The engine goes to OP with those that can. Whom it left behind is known before its state says so: look in
      // this order.
      const { state } = this;
      this.#pump();
      if (this.#fault !== undefined) throw this.#fault;
      if (this.hasEnded) throw new EtherCatError('ECAT_ERR_CLOSED', 'the engine ended on the way to OP');
      return state === 'OP' && this.consumer.isFilled;
    }, signal);
    this.#isOpening = false;
  }

  /** Waits until something is so; it is looked at after every wake-up of this thread. */
  async until(condition: () => boolean, signal?: AbortSignal): Promise<void> {
    await this.#link.until(condition, signal);
  }

  /** Copies the newest slot into a buffer of the caller's. */
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

  /** Sends a command to the embedded segment; `ECAT_ERR_UNSUPPORTED` where there is none. */
  segmentCommand(command: object): void {
    if (this.configuration.link.kind !== 'segment') {
      throw new EtherCatError(
        'ECAT_ERR_UNSUPPORTED',
        'the bus runs on a network interface, there is no simulated segment to command',
      );
    }
    const taken = translated(() => this.#link.engine.segmentCommand(JSON.stringify(command)));
    if (!taken) throw new EtherCatError('ECAT_ERR_INTERNAL', 'the queue of commands to the simulated segment is full');
  }

  /** Virtual time: lets cycles run and waits until this thread has seen them all. */
  async advance(cycles: number): Promise<void> {
    this.#open();
    if (cycles === 0) await this.catchUp(undefined);
    // A silent writer loses its lane after so many cycles; nobody is silent who waits here.
    const most = this.#deadlineCycles === 0 ? cycles : Math.max(1, Math.floor(this.#deadlineCycles / 2));
    for (let left = cycles; left > 0; ) {
      const step = Math.min(left, most);
      left -= step;
      this.#open();
      this.lane.beat();
      const target = this.#grant(step);
      this.status.awaitCycle(target);
      await this.#seen(target);
    }
  }

  /** Virtual time: lets cycles run while this thread does nothing else, and shows no sign of life. */
  stall(cycles: number): void {
    this.#open();
    const target = this.#grant(cycles);
    const nothing = new Int32Array(new SharedArrayBuffer(4));
    while (cyclesBetween(this.memory.latestCycle, target) < 0 && !this.hasEnded) Atomics.wait(nothing, 0, 0, 1);
  }

  /** Waits until this thread has seen everything up to the cycle that is the newest now. */
  async catchUp(signal: AbortSignal | undefined): Promise<void> {
    const target = this.memory.latestCycle;
    this.status.awaitCycle(target);
    await this.#seen(target, signal);
  }

  /** Asks for the orderly stop; writes are refused from now on. */
  requestClose(): void {
    this.#closing = true;
    this.#link.engine.requestClose();
  }

  /** Waits for the end of the cycle thread, bounded, and takes what it left. */
  async awaitClosed(): Promise<void> {
    await this.#link.until(() => this.hasEnded, AbortSignal.timeout(CLOSE_MS)).catch(() => undefined);
    this.closeNow();
    this.#pump();
    this.consumer.end();
    this.lane.failAll('ECAT_ERR_CLOSED', 'the MainDevice was closed before a cycle carried the values');
  }

  /** Stops without the event loop, bounded. */
  closeNow(): void {
    this.#closing = true;
    this.#link.closeNow();
  }

  /** Lets go of everything native. The process may end after this. */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    clearInterval(this.#tick);
    this.#listener = undefined;
    this.lane.failAll('ECAT_ERR_CLOSED', 'the MainDevice was closed before a cycle carried the values');
    this.#link.abandon();
  }

  /** Lets cycles run; returns the number of the last. All granted before have run. */
  #grant(cycles: number): number {
    const last = (this.memory.latestCycle + cycles) >>> 0;
    this.#link.engine.grant(cycles);
    return last;
  }

  async #seen(cycle: number, signal?: AbortSignal): Promise<void> {
    await this.#link.until(() => {
      if (this.hasEnded || this.#closing) throw this.#endError();
      return cyclesBetween(this.consumer.seenCycle, cycle) >= 0;
    }, signal);
  }

  #open(): BindingAttachment {
    if (this.#released) throw new EtherCatError('ECAT_ERR_CLOSED', 'the MainDevice is closed');
    return this.#attachment;
  }

  /** Why no cycle will follow. */
  #endError(): EtherCatError {
    this.#takeFailures();
    return this.#fault ?? new EtherCatError('ECAT_ERR_CLOSED', 'the MainDevice is closed');
  }

  /** Why nothing can be written now. */
  #refusal(): EtherCatError | undefined {
    const { state } = this;
    if (this.#fault !== undefined || this.#closing || this.hasEnded) return this.#endError();
    return state === 'OP'
      ? undefined
      : new EtherCatError('ECAT_ERR_NOT_OPERATIONAL', `the bus is in ${state}, not in OP`);
  }

  /** Before the first cycle of a worker nothing counts as seen. */
  #decodedCycle(): number {
    return this.status.hasDecoded ? this.status.decodedCycle : this.consumer.seenCycle;
  }

  #beat(): void {
    // Nobody may ask for a cycle number, or anything change, for longer than the 32-bit number lasts.
    this.cycleNumber.extend(this.memory.latestCycle);
    if (!this.#closing) this.lane.beat();
    this.#pump();
    this.#link.recheck();
  }

  /** Hands over everything that is there. Runs on every bell. */
  #pump(): void {
    if (this.#released || this.#listener === undefined) return;
    this.#drainEvents();
    this.#takeFailures();
    if (this.#released) return;
    if (this.hasEnded) this.consumer.end();
    else if (!this.consumer.pump()) setImmediate(() => this.#pump());
    // A subscriber may have closed everything.
    if (this.#released) return;
    this.lane.settle();
    if (this.#fault !== undefined) this.lane.failAll(this.#fault.code, this.#fault.message, { cause: this.#fault });
    this.#listener?.pumped();
  }

  #drainEvents(): void {
    for (;;) {
      const count = this.#link.engine.drainEvents(this.#events);
      for (let i = 0; i < count; i += 1) {
        const event = readEvent(this.#events, i * EVENT_WORDS);
        if (event !== undefined) this.#listener?.event(event);
        if (this.#released) return;
      }
      if (count < EVENTS_AT_ONCE) return;
    }
  }

  #takeFailures(): void {
    if (this.#released) return;
    const failures = this.#link.engine.takeFailures();
    if (failures.length === 0) return;
    const error = errorFromFailures(failures, this.configuration.devices);
    if (this.#isOpening || this.state === 'faulted') this.#fault ??= error;
    this.#listener?.failure(error);
  }
}

/** Slots of the input ring: a power of two. */
function slotCount({ historySlots, cyclePeriodNs }: NormalizedConfiguration): number {
  return historySlots ?? Math.max(HISTORY_SLOTS_MIN, 2 ** Math.ceil(Math.log2(HISTORY_NS / cyclePeriodNs)));
}

/**
 * The opener's part of a running engine: from the configuration to OP, events, failures, and in order back. What every
 * thread has of a bus is in its view; workers and streams are not known here.
 */

import { setImmediate as turnOfEventLoop } from 'node:timers/promises';
import { makeHandle } from './bus-handle.ts';
import { BusView } from './bus-view.ts';
import { logRecords } from './change-log.ts';
import type { NormalizedConfiguration } from './configuration/types.ts';
import { CycleNumber, cyclesBetween } from './cycle-number.ts';
import { DecodeStatus } from './decode-status.ts';
import { EngineLink } from './engine-link.ts';
import { EtherCatError } from './errors/ethercat-error.ts';
import { errorFromFailures } from './errors/from-binding.ts';
import { EVENT_WORDS, type NativeEvent, readEvent } from './events.ts';
import { outputOptions } from './interlocks.ts';
import { assignOutputs, LaneDirectory, laneCount, MAIN_LANE, MAIN_LANE_NAME } from './lane-directory.ts';
import { LossPolicy } from './loss-policy.ts';
import { compareIdentities, type Network, nameSubDevices, type SubDeviceSummary, summarize } from './network.ts';
import type { OutputLane } from './outputs.ts';
import { assignPartitions } from './partitions.ts';
import { RegisterReader } from './registers.ts';
import { type ResolvedTag, resolveTags } from './resolve-tags.ts';
import type { SegmentPort } from './segment-port.ts';
import { TagDirectory } from './tag-directory.ts';
import { TagTable } from './tag-table.ts';

/** What the input ring covers unless more is asked for: a garbage collection and more. */
const HISTORY_NS = 32_000_000;
const HISTORY_SLOTS_MIN = 8;
/** How often this thread shows that it lives, at the least, and looks for what no bell announced. */
const TICK_MS_MAX = 25;
/** How long a cycle in lockstep is looked for before this thread is given away: most take less than being woken does. */
const WATCH_MS = 0.2;
/** How long the orderly stop may take before the threads are no longer waited for. The engine's own bound is 300 ms. */
const CLOSE_MS = 1000;
/** Events that are taken in one native call. */
const EVENTS_AT_ONCE = 64;

/** Told what happens; never throws. */
export interface SessionListener {
  event(event: NativeEvent): void;
  /** The engine reports failures: on the way to OP, or a defect. */
  failure(error: EtherCatError): void;
  /** Everything that was there has been handed over. */
  pumped(): void;
}

/** A started engine with the opener's view of it. Make one with {@link Session.bringUp}. */
export class Session {
  readonly configuration: NormalizedConfiguration;
  /** By position. */
  readonly subDevices: readonly SubDeviceSummary[];
  readonly view: BusView;
  /** The opener's own lane. */
  readonly lane: OutputLane;
  readonly registers: RegisterReader;
  readonly #link: EngineLink;
  readonly #events: Uint32Array<ArrayBuffer> = new Uint32Array(EVENTS_AT_ONCE * EVENT_WORDS);
  readonly #tick: NodeJS.Timeout;
  readonly #deadlineCycles: number;
  #listener: SessionListener | undefined;
  /** Why the engine ended, when it was a defect. */
  #fault: EtherCatError | undefined;
  /** Called in virtual time after each step that was advanced, and waited for. */
  onStep: () => Promise<void> = () => Promise.resolve();
  /** Until OP every failure is one of the opening. */
  #isOpening = true;
  #closing = false;

  /**
   * Opens the link, waits for PRE-OP, checks who is there, resolves the tags, and lets the cycle begin.
   * @param segment - the simulated segment, where the configuration has one
   * @param firstCycle - number of the first cycle
   */
  static async bringUp(
    configuration: NormalizedConfiguration,
    signal: AbortSignal | undefined,
    segment?: SegmentPort,
    firstCycle?: number,
  ): Promise<Session> {
    const link = new EngineLink(configuration, segment, firstCycle);
    try {
      const network = await link.bringUp(signal);
      const { tags: resolved, errors } = resolveTags(configuration, network);
      const tags = assignPartitions(resolved, configuration);
      const { owners, errors: unowned } = assignOutputs(configuration, tags);
      // An output that a lane names may be one of the tags that could not be resolved.
      const problems = [
        ...compareIdentities(configuration.devices, network),
        ...(errors.length > 0 ? errors : unowned),
      ];
      if (problems.length > 0) throw EtherCatError.combine(problems);
      return new Session(configuration, network, tags, owners, link);
    } catch (error) {
      link.abandon();
      throw EtherCatError.from(error);
    }
  }

  private constructor(
    configuration: NormalizedConfiguration,
    network: Network,
    tags: readonly ResolvedTag[],
    owners: readonly number[],
    link: EngineLink,
  ) {
    this.configuration = configuration;
    this.subDevices = summarize(network);
    this.#link = link;
    this.registers = new RegisterReader(link.engine);
    const table = TagTable.build(
      tags.map(({ row }) => row),
      network.subDevices.length,
    );
    const { outputDeadlineMs } = configuration;
    const directory = TagDirectory.build(tags);
    const { partitionCount } = table;
    const options = {
      slotCount: slotCount(configuration),
      logRecords: logRecords(table.partitionSizeMax()),
      partitionCount,
      laneCount: laneCount(configuration),
    };
    const handle = makeHandle({
      engineId: link.engine.id,
      memory: link.start(options, outputOptions(configuration, network, table, directory)),
      table: table.buffer,
      directory: directory.buffer,
      status: DecodeStatus.makeShared(partitionCount),
      outputs: LossPolicy.build(table, tags, network.outputBytes).buffer,
      owners: LaneDirectory.build(owners, options.laneCount).buffer,
      lanes: configuration.lanes.map(({ name, deadlineMs, commitDeadlineMs }) => ({
        name,
        deadlineMs,
        commitDeadlineMs,
      })),
      outputDeadlineMs,
      interlocks: configuration.interlocks.map(({ name }) => name),
      devices: nameSubDevices(configuration.devices, this.subDevices),
      clock: CycleNumber.makeShared(),
      virtualTime: configuration.virtualTime,
    });
    this.view = new BusView(handle, { refusal: () => this.#refusal() });
    this.#deadlineCycles = this.view.cyclesOf(outputDeadlineMs);
    try {
      this.lane = this.view.claim({ lane: MAIN_LANE, name: MAIN_LANE_NAME, deadlineMs: outputDeadlineMs });
    } catch (error) {
      this.view.release();
      throw error;
    }
    link.onBell = () => this.#pump();
    const tickMs = outputDeadlineMs === 0 ? TICK_MS_MAX : Math.min(TICK_MS_MAX, outputDeadlineMs / 4);
    this.#tick = setInterval(() => this.#beat(), tickMs).unref();
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
      const { state } = this.view;
      this.#pump();
      if (this.#fault !== undefined) throw this.#fault;
      if (this.view.hasEnded) throw new EtherCatError('ECAT_ERR_CLOSED', 'the engine ended on the way to OP');
      return state === 'OP' && this.view.consumer.isFilled;
    }, signal);
    this.#isOpening = false;
  }

  /** Waits until something is so; it is looked at after every wake-up of this thread. */
  async until(condition: () => boolean, signal?: AbortSignal): Promise<void> {
    await this.#link.until(condition, signal);
  }

  /** Virtual time: lets cycles run and waits until this thread has seen them all. */
  async advance(cycles: number, lockstep = false): Promise<void> {
    this.#checkOpen();
    if (cycles === 0) await this.catchUp(undefined);
    // A silent writer loses its lane after so many cycles; nobody is silent who waits here.
    const unlost = this.#deadlineCycles === 0 ? cycles : Math.max(1, Math.floor(this.#deadlineCycles / 2));
    const most = lockstep ? 1 : unlost;
    for (let left = cycles; left > 0; ) {
      const step = Math.min(left, most);
      left -= step;
      this.#checkOpen();
      this.view.beat();
      const last = this.#grant(step);
      if (lockstep) this.#watch(last);
      await this.#seen(last);
      // What subscribers and settled promises of this cycle write goes with the next.
      if (lockstep) await turnOfEventLoop();
      await this.onStep();
    }
  }

  /** Virtual time: lets cycles run while this thread does nothing else, and shows no sign of life. */
  stall(cycles: number): void {
    this.#checkOpen();
    const target = this.#grant(cycles);
    const nothing = new Int32Array(new SharedArrayBuffer(4));
    while (cyclesBetween(this.view.memory.latestCycle, target) < 0 && !this.view.hasEnded)
      Atomics.wait(nothing, 0, 0, 1);
  }

  /** Waits until this thread has seen everything up to the cycle that is the newest now. */
  async catchUp(signal: AbortSignal | undefined): Promise<void> {
    await this.#seen(this.view.memory.latestCycle, signal);
  }

  /** Asks for the orderly stop; writes are refused from now on. */
  requestClose(): void {
    this.#closing = true;
    this.#link.engine.requestClose();
  }

  /** Waits for the end of the cycle thread, bounded, and takes what it left. */
  async awaitClosed(): Promise<void> {
    await this.#link.until(() => this.view.hasEnded, AbortSignal.timeout(CLOSE_MS)).catch(() => undefined);
    this.closeNow();
    this.#pump();
    this.view.consumer.end();
    this.view.failAll('ECAT_ERR_CLOSED', 'the MainDevice was closed before a cycle carried the values');
    this.registers.failAll(this.#endError());
  }

  /** Stops without the event loop, bounded. */
  closeNow(): void {
    this.#closing = true;
    this.#link.closeNow();
  }

  /** Lets go of everything native. The process may end after this. */
  release(): void {
    if (this.view.isReleased) return;
    clearInterval(this.#tick);
    this.#listener = undefined;
    this.view.release();
    this.#link.abandon();
  }

  /** Lets cycles run; returns the number of the last. All granted before have run. */
  #grant(cycles: number): number {
    const last = (this.view.memory.latestCycle + cycles) >>> 0;
    this.#link.engine.grant(cycles);
    return last;
  }

  /** Looks for a cycle that is about to come without giving the thread away, for a while. */
  #watch(cycle: number): void {
    const endMs = performance.now() + WATCH_MS;
    while (!this.view.isDecoded(cycle)) if (performance.now() > endMs) return;
    this.#pump();
  }

  async #seen(cycle: number, signal?: AbortSignal): Promise<void> {
    await this.#link.until(() => {
      if (this.view.hasEnded || this.#closing) throw this.#endError();
      if (cyclesBetween(this.view.consumer.seenCycle, cycle) >= 0) return true;
      this.view.awaitCycle(cycle);
      // The workers may have come there just before, and wake nobody any more.
      if (!this.view.isDecoded(cycle)) return false;
      this.#pump();
      return this.view.isReleased || cyclesBetween(this.view.consumer.seenCycle, cycle) >= 0;
    }, signal);
  }

  #checkOpen(): void {
    if (this.view.isReleased) throw new EtherCatError('ECAT_ERR_CLOSED', 'the MainDevice is closed');
  }

  /** Why no cycle will follow. */
  #endError(): EtherCatError {
    this.#takeFailures();
    return this.#fault ?? new EtherCatError('ECAT_ERR_CLOSED', 'the MainDevice is closed');
  }

  /** Why nothing can be written now. */
  #refusal(): EtherCatError | undefined {
    const { state } = this.view;
    if (this.#fault !== undefined || this.#closing || this.view.hasEnded) return this.#endError();
    return state === 'OP'
      ? undefined
      : new EtherCatError('ECAT_ERR_NOT_OPERATIONAL', `the bus is in ${state}, not in OP`);
  }

  #beat(): void {
    // Nobody may ask for a cycle number, or anything change, for longer than the 32-bit number lasts.
    const { cycleNumber, memory } = this.view;
    cycleNumber.extend(memory.latestCycle);
    cycleNumber.share();
    if (!this.#closing) this.view.beat();
    this.#pump();
    this.#link.recheck();
  }

  /** Hands over everything that is there. Runs on every bell. */
  #pump(): void {
    if (this.view.isReleased || this.#listener === undefined) return;
    this.#drainEvents();
    this.#takeFailures();
    if (this.view.isReleased) return;
    if (!this.view.pump()) setImmediate(() => this.#pump());
    // A subscriber may have closed everything.
    if (this.view.isReleased) return;
    this.view.settle();
    this.registers.settle();
    if (this.#fault !== undefined) {
      this.view.failAll(this.#fault.code, this.#fault.message, { cause: this.#fault });
      this.registers.failAll(this.#fault);
    }
    this.#listener?.pumped();
  }

  #drainEvents(): void {
    for (;;) {
      const count = this.#link.engine.drainEvents(this.#events);
      for (let i = 0; i < count; i += 1) {
        const event = readEvent(this.#events, i * EVENT_WORDS);
        if (event !== undefined) this.#listener?.event(event);
        if (this.view.isReleased) return;
      }
      if (count < EVENTS_AT_ONCE) return;
    }
  }

  #takeFailures(): void {
    if (this.view.isReleased) return;
    const failures = this.#link.engine.takeFailures();
    if (failures.length === 0) return;
    const error = errorFromFailures(failures, this.configuration.devices);
    if (this.#isOpening || this.view.state === 'faulted') this.#fault ??= error;
    this.#listener?.failure(error);
  }
}

/** Slots of the input ring: a power of two. */
function slotCount({ historySlots, cyclePeriodNs }: NormalizedConfiguration): number {
  return historySlots ?? Math.max(HISTORY_SLOTS_MIN, 2 ** Math.ceil(Math.log2(HISTORY_NS / cyclePeriodNs)));
}

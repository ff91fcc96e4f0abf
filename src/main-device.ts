/** The MainDevice: what an application opens, reads, watches, writes and closes. */

import { loadConfiguration } from './core/configuration/load.ts';
import type { SegmentDocument } from './core/configuration/segment-types.ts';
import type { ConfigurationDocument, NormalizedConfiguration } from './core/configuration/types.ts';
import type { Batch } from './core/consumer.ts';
import { SlotBuffer } from './core/decode.ts';
import { EtherCatError } from './core/errors/ethercat-error.ts';
import type { BusState, NativeEvent } from './core/events.ts';
import { closeOnExit, closeOnSignals } from './core/exits.ts';
import { type Fault, faultOfEvent } from './core/faults.ts';
import { nameSubDevices } from './core/network.ts';
import type { WriteResult } from './core/outputs.ts';
import { joinTimes, slotReader } from './core/process-image.ts';
import { Session } from './core/session.ts';
import { checkVirtualCycles, Simulator } from './core/simulator.ts';
import { Snapshot } from './core/snapshot.ts';
import { type CycleStatistics, readStatistics } from './core/statistics.ts';
import type { SubDevice } from './core/sub-device.ts';
import { SubDevices } from './core/sub-devices.ts';
import type { TagValue } from './core/tag-types.ts';
import type { BusObservable } from './streams/bus-observable.ts';
import type { ChangeBatch } from './streams/change-batch.ts';
import { type CycleInfo, CycleStream } from './streams/cycle-stream.ts';
import { EventStream } from './streams/event-stream.ts';
import { type StateChange, stateChangeOf } from './streams/state-change.ts';
import { BusTag, type Tag } from './streams/tag.ts';
import { TagStreams } from './streams/tag-streams.ts';
import { DecodePool } from './workers/decode-pool.ts';

/** How to open. */
export interface OpenOptions {
  /** Aborts the opening at any time; without effect once it is open. */
  readonly signal?: AbortSignal;
  /** Network interface to use in place of what the configuration names. */
  readonly interface?: string;
  /**
   * Simulated segment to use in place of what the configuration names: a segment file, or its content. So the
   * configuration of a real plant runs on a desk as it stands.
   */
  readonly segment?: string | SegmentDocument;
  /** Told of every state on the way to OP. Called on this thread; what it throws becomes a warning of the process. */
  readonly onState?: (state: BusState, cycle: number | undefined) => void;
}

/**
 * An open EtherCAT segment.
 *
 * Everything that it emits comes on the thread that opened it. An open MainDevice keeps the process alive until it is
 * closed.
 */
export class MainDevice implements AsyncDisposable {
  /** The configuration as it was understood. */
  readonly configuration: NormalizedConfiguration;
  /** Every SubDevice, by position. */
  readonly subDevices: readonly SubDevice[];
  /** Every tag, in the order of the configuration; one for every entry when it names none. */
  readonly tags: readonly Tag[];
  /**
   * Everything that changed in a cycle, once.
   *
   * Rate: at most one batch a cycle, none for a cycle without changes. When this thread is late by more than 32
   * cycles, one batch stands for all that were missed, and says how many.
   */
  readonly changes$: BusObservable<ChangeBatch>;
  /**
   * The newest cycle.
   *
   * Rate: at most once every wake-up of this thread, and about every 25 ms when nothing wakes it; `cycles` says how many
   * have passed since the last emission. Never a backlog.
   */
  readonly cycles$: BusObservable<CycleInfo>;
  /**
   * Changes of state: of the bus, of SubDevices, of the link, and of this thread's lane. Begins with the state of the
   * bus. Rate: as they happen; unbounded, but rare.
   */
  readonly states$: BusObservable<StateChange>;
  /**
   * What goes wrong. Begins with what the system refused at open, which lasts (`real-time-refused`); old faults of any
   * other kind are not repeated for new subscribers. Rate: as it happens; what lasts is reported once.
   */
  readonly faults$: BusObservable<Fault>;
  readonly #session: Session;
  readonly #pool: DecodePool;
  readonly #streams: TagStreams;
  readonly #cycles: CycleStream;
  readonly #states: EventStream<StateChange>;
  readonly #faults: EventStream<Fault>;
  readonly #devices: SubDevices;
  readonly #names: readonly string[];
  readonly #simulator: Simulator | undefined;
  readonly #leaveExit: () => void;
  readonly #leaveSignals: () => void;
  readonly #onState: OpenOptions['onState'];
  #advancing: Promise<unknown> = Promise.resolve();
  #closing: Promise<void> | undefined;
  #isOpen = false;
  readonly #refusals: Fault[] = [];
  #failedOpening: EtherCatError | undefined;

  /**
   * Opens a segment and takes it to OP.
   *
   * @param source - path or file: URL of a YAML file, or the same as a plain object
   * @throws (rejects with) `ECAT_ERR_CONFIGURATION_*`, `ECAT_ERR_UNSUPPORTED`, `ECAT_ERR_SEGMENT_INVALID`,
   * `ECAT_ERR_INVALID_ARGUMENT`, `ECAT_ERR_TAG_UNRESOLVED`, `ECAT_ERR_TAG_TYPE`, `ECAT_ERR_VALUE_RANGE` (of `on_loss`),
   * `ECAT_ERR_DEVICE_MISMATCH`, `ECAT_ERR_DEVICE_MISSING`,
   * `ECAT_ERR_LINK_*`, `ECAT_ERR_NO_SUBDEVICES`, `ECAT_ERR_TOO_MANY_SUBDEVICES`, `ECAT_ERR_EEPROM_*`,
   * `ECAT_ERR_STATE_*`, `ECAT_ERR_SUBDEVICE_LOST`, `ECAT_ERR_CONFIGURATION_VERIFY`, `ECAT_ERR_LAYOUT_INVALID`,
   * `ECAT_ERR_TIMEOUT`, `ECAT_ERR_BRING_UP`, `ECAT_ERR_PANIC`, `ECAT_ERR_ADDON_MISSING`, `ECAT_ERR_LAYOUT_MISMATCH`,
   * `ECAT_ERR_ABORTED`. With several failures, `errors` holds them all. Nothing is left behind.
   */
  static async open(source: string | URL | ConfigurationDocument, options: OpenOptions = {}): Promise<MainDevice> {
    const { signal } = options;
    if (signal?.aborted)
      throw new EtherCatError('ECAT_ERR_ABORTED', 'the opening was aborted', { cause: signal.reason });
    const configuration = await loadConfiguration(source, {
      interface: options.interface,
      segment: options.segment,
    });
    // Its thread starts while the segment is brought up.
    const pool = new DecodePool();
    let bus: MainDevice | undefined;
    try {
      bus = new MainDevice(await Session.bringUp(configuration, signal), pool, options);
      await bus.#reachOp(signal);
      return bus;
    } catch (error) {
      await (bus ?? { close: () => pool.stop() }).close();
      throw EtherCatError.from(error);
    }
  }

  private constructor(session: Session, pool: DecodePool, { onState }: OpenOptions) {
    this.#session = session;
    this.#pool = pool;
    this.#onState = onState;
    this.configuration = session.configuration;
    this.#names = nameSubDevices(session.configuration.devices, session.subDevices);
    this.#devices = new SubDevices(session, this.#names);
    this.subDevices = this.#devices.all;
    this.#states = new EventStream(
      (error) => this.#reportThrown(error, undefined),
      () => [{ subject: 'bus', state: session.state, cycle: undefined }],
    );
    this.states$ = this.#states.stream;
    // What a subscriber of faults$ throws would lead back here for ever.
    this.#faults = new EventStream(
      (error) => process.emitWarning(`a subscriber of faults$ threw: ${String(error)}`, 'EtherCatWarning'),
      () => this.#refusals,
    );
    this.faults$ = this.#faults.stream;
    this.#streams = new TagStreams({
      table: session.table,
      names: session.tags.map(({ name }) => name),
      consumer: session.consumer,
      cycleNumber: session.cycleNumber,
      reportOf: (tag) => (error) => this.#reportThrown(error, tag),
    });
    this.changes$ = this.#streams.changes$;
    this.#cycles = new CycleStream(session, (error) => this.#reportThrown(error, undefined));
    this.cycles$ = this.#cycles.stream;
    this.tags = Object.freeze(session.tags.map((tag, number) => new BusTag(tag, number, this.#streams, session.lane)));
    this.#simulator = session.configuration.link.kind === 'segment' ? new Simulator(session) : undefined;
    this.#leaveExit = closeOnExit({ closeNow: () => session.closeNow(), close: () => this.close() });
    this.#leaveSignals = session.configuration.signals
      ? closeOnSignals({ closeNow: () => session.closeNow(), close: () => this.close() })
      : () => undefined;
    pool.start({
      status: session.status,
      task: {
        engineId: session.engineId,
        memory: session.memory.buffer,
        tags: session.table.buffer,
        status: session.status.buffer,
      },
      onFailure: (error) => this.#fault({ kind: 'decode-worker', cycle: undefined, error }),
    });
    session.listen({
      event: (event) => this.#onEvent(event),
      failure: (error) => this.#fault({ kind: 'engine', cycle: undefined, error }),
      batch: (batch) => this.#onBatch(batch),
      pumped: () => this.#cycles.look(),
    });
  }

  /** State of the bus. */
  get state(): BusState {
    return this.#session.state;
  }

  /** Whether the outputs of this thread are at their loss values, until {@link MainDevice.resume}. */
  get isLaneLost(): boolean {
    return this.#session.lane.isLost;
  }

  /**
   * The simulated segment behind this bus: unplug devices, lose frames, set inputs.
   * @throws `ECAT_ERR_UNSUPPORTED` when the bus runs on a network interface
   */
  get simulator(): Simulator {
    if (this.#simulator !== undefined) return this.#simulator;
    throw new EtherCatError(
      'ECAT_ERR_UNSUPPORTED',
      'the bus runs on a network interface, there is no simulated segment',
    );
  }

  /** The tag of that name. @throws `ECAT_ERR_TAG_UNKNOWN` */
  tag<T extends TagValue = TagValue>(name: string): Tag<T> {
    return this.tags[this.#numberOf(name)] as unknown as Tag<T>;
  }

  /** The SubDevice of that name or position. @throws `ECAT_ERR_DEVICE_MISSING` */
  subDevice(nameOrPosition: string | number): SubDevice {
    const found = this.subDevices.find(({ name, position }) => name === nameOrPosition || position === nameOrPosition);
    if (found !== undefined) return found;
    throw new EtherCatError('ECAT_ERR_DEVICE_MISSING', `there is no SubDevice ${nameOrPosition}`);
  }

  /**
   * The newest cycle, whole: one native copy, and values decoded when they are asked for. Synchronous; does not depend
   * on the decode worker.
   *
   * @param names - tags to have in it; all unless given
   * @throws `ECAT_ERR_TAG_UNKNOWN`, `ECAT_ERR_CLOSED`
   */
  snapshot(names?: readonly string[]): Snapshot {
    const session = this.#session;
    const numbers = names === undefined ? session.numbers : new Map(names.map((name) => [name, this.#numberOf(name)]));
    const slot = new SlotBuffer(session.memory.slotBytes);
    session.copyNewest(slot);
    const times = new Uint32Array(4);
    slotReader.times(slot, times);
    const cycle = session.cycleNumber.extend(slotReader.cycle(slot));
    return new Snapshot({ cycle, ...joinTimes(times), slot, decoder: session.decoder, numbers });
  }

  /**
   * Writes outputs, all in the same cycle. Resolves with the first cycle that carried them, once its frames came back
   * as they should.
   *
   * When a later write changes one of the values before any frame went out, `superseded` is true, and the cycle is that
   * of the later write: a pulse shorter than a cycle is not seen by anybody. At most 64 writes may be outstanding.
   *
   * @throws (rejects with) `ECAT_ERR_TAG_UNKNOWN`, `ECAT_ERR_NOT_AN_OUTPUT`, `ECAT_ERR_VALUE_RANGE` (nothing is written
   * then), `ECAT_ERR_NOT_OPERATIONAL`, `ECAT_ERR_LANE_LOST` (until {@link MainDevice.resume}),
   * `ECAT_ERR_WRITE_QUEUE_FULL`, `ECAT_ERR_WRITE_FAILED` (the values are still sent in every cycle),
   * `ECAT_ERR_CLOSED`, `ECAT_ERR_PANIC`, `ECAT_ERR_INVALID_ARGUMENT`
   */
  write(values: Readonly<Record<string, TagValue>>): Promise<WriteResult> {
    return this.#session.lane.write(values);
  }

  /**
   * Takes the outputs up again after this thread was silent for longer than `output_deadline_ms`: they stay as they are
   * sent now (at their loss values) until the next write. Resolves with the first cycle that they are this thread's
   * again; without effect when they were not lost.
   *
   * @throws (rejects with) `ECAT_ERR_NOT_OPERATIONAL`, `ECAT_ERR_CLOSED`, `ECAT_ERR_WRITE_FAILED`
   */
  resume(): Promise<WriteResult> {
    return this.#session.lane.resume();
  }

  /** Counters and times of the cycle thread since the start. */
  statistics(): CycleStatistics & { readonly replacedDecodeWorkers: number } {
    return { ...readStatistics(this.#session.memory), replacedDecodeWorkers: this.#pool.replaced };
  }

  /**
   * Virtual time only: lets cycles run, as fast as they can, and resolves with the number of the newest one when they
   * all have run and everything that they changed has been delivered. Calls queue up.
   *
   * @throws (rejects with) `ECAT_ERR_INVALID_ARGUMENT` on the wall clock or for anything but a whole number from 0,
   * `ECAT_ERR_CLOSED`
   */
  advance(cycles: number): Promise<number> {
    const session = this.#session;
    try {
      checkVirtualCycles(session.configuration, cycles);
    } catch (error) {
      return Promise.reject(EtherCatError.from(error));
    }
    const step = this.#advancing.then(async () => {
      await session.advance(cycles);
      return session.cycleNumber.extend(session.consumer.seenCycle);
    });
    this.#advancing = step.catch(() => undefined);
    return step;
  }

  /**
   * Closes in order: outputs to their loss values, the SubDevices to INIT, the threads ended, every stream completed,
   * every outstanding write rejected. Idempotent; never rejects; may be called inside a subscriber.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    const session = this.#session;
    session.requestClose();
    await session.awaitClosed();
    await this.#pool.stop();
    session.release();
    this.#leaveSignals();
    this.#leaveExit();
    this.#streams.complete();
    this.#cycles.complete();
    this.#states.complete();
    this.#faults.complete();
  }

  async #reachOp(signal: AbortSignal | undefined): Promise<void> {
    const session = this.#session;
    await session.reachOp(signal);
    await session.until(() => {
      if (this.#failedOpening !== undefined) throw this.#failedOpening;
      return session.status.hasDecoded;
    }, signal);
    // What the application sees first is of the bus in OP.
    await session.catchUp(signal);
    this.#isOpen = true;
  }

  #onBatch(batch: Batch): void {
    this.#streams.deliver(batch);
  }

  #onEvent(event: NativeEvent): void {
    const cycle = this.#session.cycleNumber.extend(event.cycle);
    this.#devices.onEvent(event);
    if (event.kind === 'engine-state' && !this.#isOpen) this.#tellState(event.state, cycle);
    const change = stateChangeOf(event, cycle, this.#names);
    if (change !== undefined) this.#states.emit(change);
    const fault = faultOfEvent(event, cycle, this.#names);
    // Closing takes the outputs to their loss values too, as it should.
    const isOwnEnd = event.kind === 'lane-lost' && this.#closing !== undefined;
    if (fault !== undefined && !isOwnEnd) this.#fault(fault);
  }

  /** The callback of the application must not be able to stop what calls it. */
  #tellState(state: BusState, cycle: number): void {
    try {
      this.#onState?.(state, cycle);
    } catch (error) {
      this.#reportThrown(error, undefined);
    }
  }

  #fault(fault: Fault): void {
    // Before it is open nobody can have subscribed: a worker that cannot even start fails the opening.
    if (!this.#isOpen && fault.kind === 'decode-worker') this.#failedOpening ??= fault.error;
    if (fault.kind === 'real-time-refused') this.#refusals.push(fault);
    this.#faults.emit(fault);
  }

  #reportThrown(cause: unknown, tag: string | undefined): void {
    const where = tag === undefined ? '' : ` of tag ${tag}`;
    const error = new EtherCatError('ECAT_ERR_SUBSCRIBER', `a subscriber${where} threw: ${String(cause)}`, {
      tag,
      cause,
    });
    if (!this.#faults.hasSubscribers) process.emitWarning(error.message, 'EtherCatWarning');
    this.#fault({ kind: 'subscriber', cycle: undefined, error });
  }

  #numberOf(name: string): number {
    const number = this.#session.numbers.get(name);
    if (number === undefined) throw new EtherCatError('ECAT_ERR_TAG_UNKNOWN', `there is no tag ${name}`, { tag: name });
    return number;
  }
}

/** The MainDevice: opens and closes a segment; what it has in common with every thread's view of it is in `bus.ts`. */

import type { Subscriber } from 'rxjs';
import { Bus } from './bus.ts';
import type { AnalyseOptions, AnalysisResult } from './core/analysis.ts';
import { loadConfiguration } from './core/configuration/load.ts';
import type { SegmentDocument } from './core/configuration/segment-types.ts';
import type { ConfigurationDocument, NormalizedConfiguration } from './core/configuration/types.ts';
import { EtherCatError } from './core/errors/ethercat-error.ts';
import type { BusState, NativeEvent } from './core/events.ts';
import { closeOnExit, closeOnSignals } from './core/exits.ts';
import { type Fault, faultOfEvent } from './core/faults.ts';
import { type BusHealth, readHealth } from './core/health.ts';
import { LaneKeeper } from './core/lane-keeper.ts';
import { didYouMean } from './core/nearest.ts';
import { nameSubDevices } from './core/network.ts';
import type { OutputLane } from './core/outputs.ts';
import { Session } from './core/session.ts';
import { type CycleStatistics, readStatistics } from './core/statistics.ts';
import type { SubDevice } from './core/sub-device.ts';
import { SubDevices } from './core/sub-devices.ts';
import { checkVirtualCycles } from './core/virtual-time.ts';
import { Lane } from './lane.ts';
import { SimulatedSegment, type TimeDriver } from './simulator/simulated-segment.ts';
import type { BusObservable } from './streams/bus-observable.ts';
import { EventStream } from './streams/event-stream.ts';
import { type StateChange, stateChangeOf } from './streams/state-change.ts';
import type { TagMap, Typed } from './typed-bus.ts';
import { startAnalysis } from './workers/analysis-pool.ts';
import { analysisOf } from './workers/analysis-run.ts';
import { DecodePools } from './workers/decode-pools.ts';

/** How to open. */
export interface OpenOptions {
  /** Aborts the opening at any time; without effect once it is open. */
  readonly signal?: AbortSignal;
  /** Network interface to use in place of what the configuration names. */
  readonly interface?: string;
  /**
   * Simulated segment to use in place of what the configuration names: a segment file, its content, or what `simulate`
   * of `bifrost-ethercat/simulator` has made, which keeps its own time. So the configuration of a real plant runs on a
   * desk as it stands.
   */
  readonly segment?: string | SegmentDocument | SimulatedSegment;
  /**
   * Number of the first cycle, 0 to 2³² − 1; 0 unless given. Cycle numbers have 32 bits in memory, which last for 12 days at
   * 250 µs: with a number near the end a test sees in seconds what a program does when they wrap.
   */
  readonly firstCycle?: number;
  /** Told of every state on the way to OP. Called on this thread; what it throws becomes a warning of the process. */
  readonly onState?: (state: BusState, cycle: number | undefined) => void;
}

/**
 * An open EtherCAT segment.
 *
 * Everything that it emits comes on the thread that opened it. An open MainDevice keeps the process alive until it is
 * closed.
 */
export class MainDevice extends Bus implements AsyncDisposable {
  /** The configuration as it was understood. */
  readonly configuration: NormalizedConfiguration;
  /** Every SubDevice, by position. */
  readonly subDevices: readonly SubDevice[];
  /**
   * Changes of state: of the bus, of SubDevices, of the link, and of this thread's lane. Begins with the state of the
   * bus. Rate: as they happen; unbounded, but rare.
   */
  readonly states$: BusObservable<StateChange>;
  readonly #session: Session;
  readonly #lanes: LaneKeeper;
  readonly #pools: DecodePools;
  readonly #states: EventStream<StateChange>;
  readonly #devices: SubDevices;
  readonly #names: readonly string[];
  readonly #simulator: SimulatedSegment | undefined;
  readonly #driver: TimeDriver;
  readonly #leaveExit: () => void;
  readonly #leaveSignals: () => void;
  readonly #onState: OpenOptions['onState'];
  /** Ends the analyses that run. */
  readonly #analyses: Set<() => void> = new Set();
  #advancing: Promise<unknown> = Promise.resolve();
  #closing: Promise<void> | undefined;
  #isOpen = false;
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
  static open(source: string | URL | ConfigurationDocument, options?: OpenOptions): Promise<MainDevice>;
  /** The same, with tags that the compiler knows: `MainDevice.open<PlantTags>('plant.yaml')`. */
  static open<T extends TagMap>(
    source: string | URL | ConfigurationDocument,
    options?: OpenOptions,
  ): Promise<Typed<MainDevice, T>>;
  static async open(source: string | URL | ConfigurationDocument, options: OpenOptions = {}): Promise<object> {
    const { signal } = options;
    if (signal?.aborted)
      throw new EtherCatError('ECAT_ERR_ABORTED', 'the opening was aborted', { cause: signal.reason });
    const { segment, firstCycle } = options;
    if (firstCycle !== undefined && !(Number.isInteger(firstCycle) && firstCycle >= 0 && firstCycle < 2 ** 32)) {
      const message = `firstCycle: expected a whole number from 0 to 4294967295, got ${firstCycle}`;
      throw new EtherCatError('ECAT_ERR_INVALID_ARGUMENT', message);
    }
    const given = segment instanceof SimulatedSegment ? segment : undefined;
    const configuration = await loadConfiguration(source, {
      interface: options.interface,
      ...(segment instanceof SimulatedSegment ? { simulated: segment } : { segment }),
    });
    const { link, virtualTime } = configuration;
    const simulator =
      given ?? (link.kind === 'segment' ? new SimulatedSegment(link.description, virtualTime) : undefined);
    // Its thread starts while the segment is brought up.
    const pools = new DecodePools();
    let bus: MainDevice | undefined;
    try {
      bus = new MainDevice(
        await Session.bringUp(configuration, signal, simulator?.port, firstCycle),
        pools,
        options,
        simulator,
      );
      await bus.#reachOp(signal);
      return bus;
    } catch (error) {
      await (bus ?? { close: () => pools.stop() }).close();
      throw EtherCatError.from(error);
    }
  }

  private constructor(
    session: Session,
    pools: DecodePools,
    { onState }: OpenOptions,
    simulator: SimulatedSegment | undefined,
  ) {
    super(session.view);
    this.#session = session;
    this.#lanes = new LaneKeeper(session);
    this.#pools = pools;
    this.#onState = onState;
    this.configuration = session.configuration;
    this.#names = nameSubDevices(session.configuration.devices, session.subDevices);
    this.#devices = new SubDevices(session.view, session.registers, session.subDevices, this.#names);
    this.subDevices = this.#devices.all;
    this.#states = new EventStream(
      (error) => this.reportThrown(error, undefined),
      () => [{ subject: 'bus', state: session.view.state, cycle: undefined }],
    );
    this.states$ = this.#states.stream;
    this.#simulator = simulator;
    this.#driver = {
      cyclePeriodNs: session.configuration.cyclePeriodNs,
      advance: (cycles) => this.advance(cycles, { lockstep: true }),
      stall: (cycles) => session.stall(cycles),
    };
    simulator?.attach(this.#driver);
    if (simulator !== undefined) session.onStep = () => simulator.step();
    this.#leaveExit = closeOnExit({ closeNow: () => session.closeNow(), close: () => this.close() });
    this.#leaveSignals = session.configuration.signals
      ? closeOnSignals({ closeNow: () => session.closeNow(), close: () => this.close() })
      : () => undefined;
    pools.start(session.view, (error) => this.emitFault({ kind: 'decode-worker', cycle: undefined, error }));
    session.listen({
      event: (event) => this.#onEvent(event),
      failure: (error) => this.emitFault({ kind: 'engine', cycle: undefined, error }),
      pumped: () => this.showCycle(),
    });
  }

  /**
   * The simulated segment behind this bus: unplug devices, lose frames, set inputs, look at what devices have. The same
   * object that it was opened on, where it was.
   * @throws `ECAT_ERR_UNSUPPORTED` when the bus runs on a network interface
   */
  get simulator(): SimulatedSegment {
    if (this.#simulator !== undefined) return this.#simulator;
    throw new EtherCatError(
      'ECAT_ERR_UNSUPPORTED',
      'the bus runs on a network interface, there is no simulated segment',
      { action: 'Give a simulated segment to open().' },
    );
  }

  /** The SubDevice of that name or position. @throws `ECAT_ERR_DEVICE_MISSING` */
  subDevice(nameOrPosition: string | number): SubDevice {
    const found = this.subDevices.find(({ name, position }) => name === nameOrPosition || position === nameOrPosition);
    if (found !== undefined) return found;
    const guess = typeof nameOrPosition === 'string' ? didYouMean(nameOrPosition, this.#names) : '';
    throw new EtherCatError('ECAT_ERR_DEVICE_MISSING', `there is no SubDevice ${nameOrPosition}${guess}`, {
      action: 'Compare the name or position with what subDevices lists.',
    });
  }

  /**
   * Takes over a lane of the configuration (`lanes`), as a worker would with `attach(handle, { lane })`: its outputs are
   * written through what this resolves with, and no longer set aside. They stay as they are until the first write.
   *
   * @throws (rejects with) `ECAT_ERR_INVALID_ARGUMENT` when there is no such lane, `ECAT_ERR_LANE_BUSY` when a thread has
   * it, `ECAT_ERR_CLOSED`
   */
  async lane(name: string): Promise<Lane> {
    return new Lane(await this.#lanes.claim(name), this.#session.view);
  }

  /**
   * Gives outputs back, so that a worker can take them over with `attach(handle, { outputs })`; resolves when one can,
   * three cycles later (in virtual time they have to be granted). They stay as they are sent until somebody writes them.
   *
   * @param names - names of outputs, or of devices for all of their outputs
   * @throws (rejects with) `ECAT_ERR_TAG_UNKNOWN`, `ECAT_ERR_NOT_AN_OUTPUT`, `ECAT_ERR_OUTPUT_CLAIMED` when one of them is
   * not this thread's, `ECAT_ERR_CLOSED`
   */
  async releaseOutputs(names: readonly string[]): Promise<void> {
    await this.#lanes.release(names);
  }

  /**
   * Takes outputs back that nobody has any more. They stay as they are sent until they are written.
   *
   * @param names - as for {@link MainDevice.releaseOutputs}
   * @throws (rejects with) the same; `ECAT_ERR_OUTPUT_CLAIMED` when one of them is another thread's
   */
  async claimOutputs(names: readonly string[]): Promise<void> {
    await this.#lanes.reclaim(names);
  }

  /**
   * Runs a module over windows of raw cycles, in a thread of its own for each subscription, until it is unsubscribed from.
   *
   * The module's default export is called with each window (typed arrays of its own, filled in that thread) and a context
   * with `missed` and `lost`, and what it returns, or resolves with, is emitted: {@link Analyse}. Ready-made modules are in
   * `analyses`. At most 64 results wait for this thread; what is dropped beyond is counted in `dropped`. Errors with
   * `ECAT_ERR_ANALYSIS` when the module throws, exits or runs out of memory, which harms nothing else.
   *
   * @param script - path or URL of the module
   * @throws `ECAT_ERR_INVALID_ARGUMENT`, also for a window or hop that the history cannot hold (`history_ms` of the
   * configuration); `ECAT_ERR_TAG_UNKNOWN`, `ECAT_ERR_CLOSED`
   */
  analyse<T = unknown>(script: string | URL, options: AnalyseOptions): BusObservable<AnalysisResult<T>> {
    if (this.#closing !== undefined) throw new EtherCatError('ECAT_ERR_CLOSED', 'the MainDevice is closed');
    const run = analysisOf(this.#session.view, script, options);
    return this.cyclic<AnalysisResult<T>>((subscriber) => {
      const { signal } = options;
      const stop = startAnalysis(run, subscriber as Subscriber<AnalysisResult>);
      const complete = (): void => subscriber.complete();
      this.#analyses.add(complete);
      if (signal?.aborted) complete();
      signal?.addEventListener('abort', complete);
      return () => {
        signal?.removeEventListener('abort', complete);
        this.#analyses.delete(complete);
        stop();
      };
    });
  }

  /**
   * How the bus and every SubDevice are doing: the counters of the cycle thread, states, and error counters and clocks as
   * the registers have them now. They are read behind the cyclic frames, a few SubDevices at a time, and delay no cycle. In
   * virtual time cycles have to run meanwhile.
   *
   * @throws (rejects with) `ECAT_ERR_REQUEST_QUEUE_FULL` when other reads of registers leave it no room, `ECAT_ERR_CLOSED`
   */
  async health(): Promise<BusHealth> {
    const subDevices = await readHealth(this.subDevices, this.configuration.distributedClocks);
    return { state: this.state, statistics: this.statistics(), subDevices };
  }

  /** Counters and times of the cycle thread since the start. */
  statistics(): CycleStatistics & { readonly replacedDecodeWorkers: number } {
    return { ...readStatistics(this.#session.view.memory), replacedDecodeWorkers: this.#pools.replaced };
  }

  /**
   * Virtual time only: lets cycles run, as fast as they can, and resolves with the number of the newest one when they
   * all have run and everything that they changed has been delivered. Calls queue up. With `lockstep` each cycle waits
   * until this thread is done with the one before, so that what it writes in reaction to a cycle goes with the next.
   *
   * @throws (rejects with) `ECAT_ERR_INVALID_ARGUMENT` on the wall clock or for anything but a whole number from 0,
   * `ECAT_ERR_CLOSED`
   */
  advance(cycles: number, { lockstep = false }: { readonly lockstep?: boolean } = {}): Promise<number> {
    const session = this.#session;
    try {
      checkVirtualCycles(session.configuration, cycles);
    } catch (error) {
      return Promise.reject(EtherCatError.from(error));
    }
    const step = this.#advancing.then(async () => {
      await session.advance(cycles, lockstep);
      return session.view.cycleNumber.extend(session.view.consumer.seenCycle);
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
    this.#simulator?.detach(this.#driver);
    await session.awaitClosed();
    await this.#pools.stop();
    for (const complete of [...this.#analyses]) complete();
    session.release();
    this.#leaveSignals();
    this.#leaveExit();
    this.completeValues();
    this.#states.complete();
    this.completeFaults();
  }

  /** @internal */
  protected override writer(): OutputLane {
    return this.#session.lane;
  }

  /** @internal Before it is open nobody can have subscribed: a worker that cannot even start fails the opening. */
  protected override emitFault(fault: Fault): void {
    if (!this.#isOpen && fault.kind === 'decode-worker') this.#failedOpening ??= fault.error;
    super.emitFault(fault);
  }

  async #reachOp(signal: AbortSignal | undefined): Promise<void> {
    const session = this.#session;
    await session.reachOp(signal);
    await session.until(() => {
      if (this.#failedOpening !== undefined) throw this.#failedOpening;
      if (session.view.hasDecoded) return true;
      session.view.awaitCycle(session.view.memory.latestCycle);
      return false;
    }, signal);
    // What the application sees first is of the bus in OP.
    await session.catchUp(signal);
    this.#isOpen = true;
  }

  #onEvent(event: NativeEvent): void {
    const cycle = this.#session.view.cycleNumber.extend(event.cycle);
    this.#devices.onEvent(event);
    if (event.kind === 'engine-state' && !this.#isOpen) this.#tellState(event.state, cycle);
    const change = stateChangeOf(event, cycle, this.#names, {
      laneName: (lane) => this.#lanes.nameOf(lane),
      interlocks: this.handle.interlocks,
    });
    if (change !== undefined) this.#states.emit(change);
    const fault = faultOfEvent(event, cycle, this.#names, this.handle.interlocks) ?? this.#lanes.faultOf(event, cycle);
    // Closing takes the outputs to their loss values too, as it should.
    const isOwnEnd = fault?.kind === 'lane-lost' && this.#closing !== undefined;
    if (fault !== undefined && !isOwnEnd) this.emitFault(fault);
  }

  /** The callback of the application must not be able to stop what calls it. */
  #tellState(state: BusState, cycle: number): void {
    try {
      this.#onState?.(state, cycle);
    } catch (error) {
      this.reportThrown(error, undefined);
    }
  }
}

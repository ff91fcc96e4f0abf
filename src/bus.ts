/** What an application does with a running bus on any thread: the part that MainDevice and AttachedBus have in common. */

import type { Subscriber } from 'rxjs';
import type { BusHandle } from './core/bus-handle.ts';
import type { BusView } from './core/bus-view.ts';
import { Columns } from './core/columns.ts';
import { CycleClock } from './core/cycle-clock.ts';
import { SlotBuffer } from './core/decode.ts';
import { EtherCatError } from './core/errors/ethercat-error.ts';
import type { BusState } from './core/events.ts';
import type { Fault } from './core/faults.ts';
import { CopyOutcome } from './core/generated/layout.ts';
import { type CycleWindow, History } from './core/history.ts';
import { type Interlock, interlockState } from './core/interlocks.ts';
import type { OutputLane, WriteResult } from './core/outputs.ts';
import { joinTimes, slotReader } from './core/process-image.ts';
import { Snapshot } from './core/snapshot.ts';
import type { TagValue } from './core/tag-types.ts';
import { isGapPolicy, type WindowOptions, WindowStream, windowSource } from './core/window-stream.ts';
import { BusObservable } from './streams/bus-observable.ts';
import type { ChangeBatch } from './streams/change-batch.ts';
import { type CycleInfo, CycleStream } from './streams/cycle-stream.ts';
import { EventStream } from './streams/event-stream.ts';
import { SampledStream } from './streams/sampled-stream.ts';
import { BusTag, type Tag, type TagContext } from './streams/tag.ts';
import type { TagsSample } from './streams/tag-group.ts';
import { TagList } from './streams/tag-list.ts';
import { TagStreams } from './streams/tag-streams.ts';

/** Cycles of a window at most: what a typed array of a moderate process holds. */
const WINDOW_CYCLES_MAX = 1 << 20;

/** A running bus, as one thread sees it. Everything that it emits comes on that thread. */
export abstract class Bus {
  /** Every tag, in the order of the configuration; one for every entry when it names none. */
  readonly tags: TagList;
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
   * What goes wrong, as far as this thread learns of it. Begins with what lasts (`real-time-refused`); old faults of any
   * other kind are not repeated for new subscribers. Rate: as it happens; what lasts is reported once.
   */
  readonly faults$: BusObservable<Fault>;
  readonly #view: BusView;
  readonly #streams: TagStreams;
  readonly #cycles: CycleStream;
  /** Goes by the cycles of the ring. */
  readonly #clock: CycleClock;
  /** Goes by the cycles that this thread has seen every change of. */
  readonly #seenClock: CycleClock;
  readonly #tagContext: TagContext;
  readonly #faults: EventStream<Fault>;
  readonly #lasting: Fault[] = [];
  #ended = false;

  /** @internal */
  protected constructor(view: BusView) {
    this.#view = view;
    // What a subscriber of faults$ throws would lead back here for ever.
    this.#faults = new EventStream(
      (error) => process.emitWarning(`a subscriber of faults$ threw: ${String(error)}`, 'EtherCatWarning'),
      () => this.#lasting,
    );
    this.faults$ = this.#faults.stream;
    this.#streams = new TagStreams({
      directory: view.directory,
      consumer: view.consumer,
      cycleNumber: view.cycleNumber,
      reportOf: (tag) => (error) => this.reportThrown(error, tag),
    });
    this.changes$ = this.#streams.changes$;
    this.#cycles = new CycleStream(view, (error) => this.reportThrown(error, undefined));
    this.cycles$ = this.#cycles.stream;
    const wake = (cycle: number): void => view.awaitCycle(cycle % 2 ** 32);
    this.#clock = new CycleClock(() => view.cycleNumber.extend(view.memory.latestCycle), wake);
    this.#seenClock = new CycleClock(() => view.cycleNumber.extend(view.consumer.seenCycle), wake);
    this.#tagContext = {
      directory: view.directory,
      table: view.table,
      subDevices: view.handle.devices,
      streams: this.#streams,
      clock: this.#seenClock,
      cyclePeriodNs: view.memory.cyclePeriodNs,
      writer: this,
    };
    this.tags = new TagList(view.directory, view.table, (tag) => new BusTag(this.#tagContext, tag));
    view.onBatch = (batch) => this.#streams.deliver(batch);
  }

  /** State of the bus. */
  get state(): BusState {
    return this.#view.state;
  }

  /** To be posted to other threads of the process, for `attach()`. Valid until the bus closes. */
  get handle(): BusHandle {
    return this.#view.handle;
  }

  /** Whether the outputs of this thread are at their loss values, until {@link Bus.resume}. */
  get isLaneLost(): boolean {
    return this.#view.lanes[0]?.isLost ?? false;
  }

  /** The tag of that name. @throws `ECAT_ERR_TAG_UNKNOWN` */
  tag<T extends TagValue = TagValue>(name: string): Tag<T> {
    return new BusTag(this.#tagContext, this.#view.numberOf(name)) as unknown as Tag<T>;
  }

  /**
   * Several tags as one stream: the values of all of them, from one cycle, when one of them changed; at first as they
   * are.
   *
   * Rate: at most one emission a cycle. When this thread is late by more than 32 cycles, one stands for all that were
   * missed, and says how many.
   *
   * @throws `ECAT_ERR_TAG_UNKNOWN`, `ECAT_ERR_INVALID_ARGUMENT` without any name
   */
  tags$<T extends Readonly<Record<string, TagValue>> = Readonly<Record<string, TagValue>>>(
    names: readonly (string & keyof T)[],
  ): BusObservable<TagsSample<T>> {
    if (!Array.isArray(names as unknown) || names.length === 0) {
      throw new EtherCatError('ECAT_ERR_INVALID_ARGUMENT', 'tags$() takes a list of the names of tags');
    }
    return this.#streams.tags$([...names], this.#numbersOf(names)) as BusObservable<TagsSample<T>>;
  }

  /**
   * A snapshot every n cycles, of exactly those cycles as long as the history has them; the first at once.
   *
   * Rate: one every n cycles. When this thread is late by more, the latest wins, and its `missed` says how many were left
   * out. Wakes this thread for each.
   *
   * @param names - tags to have in it; all unless given
   * @throws `ECAT_ERR_INVALID_ARGUMENT`, `ECAT_ERR_TAG_UNKNOWN`
   */
  every(n: number, names?: readonly string[]): BusObservable<Snapshot> {
    checkCycles('every', 'n', n, 2 ** 31);
    const tags = names === undefined ? undefined : this.#numbersOf(names);
    const take = (cycle: number, missed: number): Snapshot => this.#snapshot(tags, cycle, missed);
    return this.cyclic((subscriber) => {
      const first = this.#snapshot(tags);
      const stream = new SampledStream({ every: n, first, take, clock: this.#clock }, subscriber);
      return () => stream.stop();
    });
  }

  /**
   * Windows of raw cycles, without dead bands, as columns of typed arrays; the first begins with the next cycle.
   *
   * Rate: one every `hop` cycles that ran. A period in which none ran is a gap in the window, which says where (`gaps`,
   * `missed`), or makes it begin anew with `gaps: 'restart'`. Nothing else is dropped as long as the history holds what
   * this thread is late by; beyond that a window begins anew with the oldest cycle there is, and its `lost` says how many
   * periods later that is than it should be.
   *
   * @throws `ECAT_ERR_INVALID_ARGUMENT`, `ECAT_ERR_TAG_UNKNOWN`
   */
  windows({ tags: names, window, hop = window, gaps = 'report' }: WindowOptions): BusObservable<CycleWindow> {
    checkCycles('windows', 'window', window, WINDOW_CYCLES_MAX);
    checkCycles('windows', 'hop', hop, 2 ** 31);
    if (!isGapPolicy(gaps)) {
      const message = `windows(): gaps has to be 'report' or 'restart', not ${String(gaps)}`;
      throw new EtherCatError('ECAT_ERR_INVALID_ARGUMENT', message);
    }
    const tags = this.#numbersOf(names);
    return this.cyclic((subscriber) => {
      const source = windowSource(this.#view, this.#clock);
      const stream = new WindowStream(source, { tags, window, hop, gaps }, subscriber);
      return () => stream.stop();
    });
  }

  /**
   * The last n cycles that the input ring holds, without dead bands, as columns of typed arrays. Synchronous; does not
   * depend on the decode worker, nor on another thread. `missed` says how many of them are not there, and `gaps` where.
   *
   * @param names - tags to have in it; all unless given
   * @throws `ECAT_ERR_INVALID_ARGUMENT` when the ring is shorter (`history_ms` of the configuration),
   * `ECAT_ERR_TAG_UNKNOWN`, `ECAT_ERR_CLOSED`
   */
  history(n: number, names?: readonly string[]): History {
    const view = this.#view;
    checkCycles('history', 'n', n, view.memory.slotCount);
    const tags =
      names === undefined ? Uint32Array.from({ length: this.tags.length }, (_, tag) => tag) : this.#numbersOf(names);
    const columns = new Columns(view.decoder, tags, n);
    const slot = new SlotBuffer(view.memory.slotBytes);
    const latest = view.cycleNumber.extend(view.memory.latestCycle);
    for (let cycle = Math.max(0, latest - n + 1); cycle <= latest; cycle += 1) {
      if (view.copyCycle(cycle, slot) === CopyOutcome.Fresh) columns.append(slot, cycle);
    }
    return new History(columns, n - columns.rows, view.directory);
  }

  /**
   * The newest cycle, whole: one native copy, and values decoded when they are asked for. Synchronous; does not depend
   * on the decode worker, nor on another thread.
   *
   * @param names - tags to have in it; all unless given
   * @throws `ECAT_ERR_TAG_UNKNOWN`, `ECAT_ERR_CLOSED`
   */
  snapshot(names?: readonly string[]): Snapshot {
    return this.#snapshot(names === undefined ? undefined : this.#numbersOf(names));
  }

  /**
   * Writes outputs, all in the same cycle. Resolves with the first cycle that carried them, once its frames came back
   * as they should.
   *
   * When a later write changes one of the values before any frame went out, `superseded` is true, and the cycle is that
   * of the later write: a pulse shorter than a cycle is not seen by anybody. At most 64 writes may be outstanding.
   *
   * A SubDevice that is lost or has left OP takes no outputs: a write with one of its tags rejects as soon as that is
   * known, mostly with its first cycle, and writes to others go on. The values are sent all the same, and it takes them
   * once it is back in OP.
   *
   * @throws (rejects with) `ECAT_ERR_TAG_UNKNOWN`, `ECAT_ERR_NOT_AN_OUTPUT`, `ECAT_ERR_OUTPUT_CLAIMED` (it is another
   * thread's, or another lane's), `ECAT_ERR_VALUE_RANGE` (nothing is written then), `ECAT_ERR_NOT_OPERATIONAL` (of the bus:
   * nothing is written then; of a SubDevice: see above), `ECAT_ERR_LANE_LOST` (until {@link Bus.resume}),
   * `ECAT_ERR_WRITE_QUEUE_FULL`, `ECAT_ERR_WRITE_FAILED` (frames were lost for eight cycles; the values are still sent in
   * every cycle), `ECAT_ERR_CLOSED`, `ECAT_ERR_PANIC`, `ECAT_ERR_INVALID_ARGUMENT`
   */
  write(values: Readonly<Record<string, TagValue>>): Promise<WriteResult> {
    return this.#withLane((lane) => lane.write(values));
  }

  /**
   * As {@link Bus.write}, and sends what changes at once, out of cycle, in a frame of its own; where that would not leave
   * before the next cycle begins, it goes with that cycle. Resolves with the cycle that it came before. Interlocks are
   * applied first.
   *
   * @throws (rejects with) what `write` does, and `ECAT_ERR_URGENT_NOT_ALLOWED`, with nothing written, for an output of a
   * SubDevice that an extra frame could disturb (`urgent` in the configuration)
   */
  writeUrgent(values: Readonly<Record<string, TagValue>>): Promise<WriteResult> {
    return this.#withLane((lane) => lane.write(values, true));
  }

  /** The interlocks of the configuration, as they are now. */
  get interlocks(): readonly Interlock[] {
    const { handle, memory } = this.#view;
    return handle.interlocks.map((name, place) => ({ name, state: interlockState(memory, place) }));
  }

  /**
   * Releases an interlock that has fired, with the next cycle; `states$` says when. An interlock is no safety function.
   *
   * @returns false where it has not fired
   * @throws `ECAT_ERR_INTERLOCK_HOLDS` while its condition holds or its input is not good, `ECAT_ERR_INVALID_ARGUMENT`
   * when there is none of that name, `ECAT_ERR_CLOSED`
   */
  acknowledge(name: string): boolean {
    return this.#view.acknowledgeInterlock(name);
  }

  /**
   * Takes the outputs up again after this thread was silent for longer than its deadline: they stay as they are sent
   * now (at their loss values) until the next write. Resolves with the first cycle that they are this thread's again;
   * without effect when they were not lost.
   *
   * @throws (rejects with) `ECAT_ERR_NOT_OPERATIONAL`, `ECAT_ERR_CLOSED`, `ECAT_ERR_WRITE_FAILED`
   */
  resume(): Promise<WriteResult> {
    return this.#withLane((lane) => lane.resume());
  }

  /** @internal Where this thread's writes go. @throws when it owns no outputs */
  protected abstract writer(): OutputLane;

  /** @internal Emits the newest cycle. */
  protected showCycle(): void {
    this.#cycles.look();
    this.#clock.look();
    this.#seenClock.look();
  }

  /** @internal Emits a fault; one that lasts is repeated for every new subscriber. */
  protected emitFault(fault: Fault): void {
    if (fault.kind === 'real-time-refused') this.#lasting.push(fault);
    this.#faults.emit(fault);
  }

  /** @internal A subscriber or a callback of the application threw. */
  protected reportThrown(cause: unknown, tag: string | undefined): void {
    const where = tag === undefined ? '' : ` of tag ${tag}`;
    const error = new EtherCatError('ECAT_ERR_SUBSCRIBER', `a subscriber${where} threw: ${String(cause)}`, {
      tag,
      cause,
    });
    if (!this.#faults.hasSubscribers) process.emitWarning(error.message, 'EtherCatWarning');
    this.emitFault({ kind: 'subscriber', cycle: undefined, error });
  }

  /** @internal Ends every stream of values. */
  protected completeValues(): void {
    this.#ended = true;
    this.#streams.complete();
    this.#clock.complete();
    this.#seenClock.complete();
    this.#cycles.complete();
  }

  /** @internal Ends the stream of faults: the last, since others may fail while they end. */
  protected completeFaults(): void {
    this.#faults.complete();
  }

  #numbersOf(names: readonly string[]): Uint32Array {
    // A text would be taken for its letters, and a number for no tags.
    if (!Array.isArray(names as unknown)) {
      const message = `names: expected a list of names of tags, got ${typeof names}`;
      throw new EtherCatError('ECAT_ERR_INVALID_ARGUMENT', message);
    }
    return Uint32Array.from(names, (name) => this.#view.numberOf(name));
  }

  /** Of that cycle where the history has it, of the newest otherwise. */
  #snapshot(tags: Uint32Array | undefined, wanted?: number, missed?: number): Snapshot {
    const { memory, cycleNumber, decoder, directory } = this.#view;
    const slot = new SlotBuffer(memory.slotBytes);
    if (wanted === undefined || this.#view.copyCycle(wanted, slot) !== CopyOutcome.Fresh) this.#view.copyNewest(slot);
    const times = new Uint32Array(4);
    slotReader.times(slot, times);
    const cycle = cycleNumber.extend(slotReader.cycle(slot));
    return new Snapshot({
      cycle,
      ...joinTimes(times),
      slot,
      memory,
      decoder,
      directory,
      tags,
      ...(missed && { missed }),
    });
  }

  /** @internal A stream that goes by cycle numbers and ends with the bus. */
  protected cyclic<T>(begin: (subscriber: Subscriber<T>) => () => void): BusObservable<T> {
    return new BusObservable<T>(
      (error) => this.reportThrown(error, undefined),
      (subscriber) => {
        if (!this.#ended) return begin(subscriber);
        subscriber.complete();
        return undefined;
      },
    );
  }

  #withLane<T>(work: (lane: OutputLane) => Promise<T>): Promise<T> {
    try {
      return work(this.writer());
    } catch (error) {
      return Promise.reject(EtherCatError.from(error));
    }
  }
}

/** @throws ECAT_ERR_INVALID_ARGUMENT for anything but a whole number of cycles from 1 to `most` */
function checkCycles(method: string, name: string, value: number, most: number): void {
  if (Number.isInteger(value) && value >= 1 && value <= most) return;
  throw new EtherCatError(
    'ECAT_ERR_INVALID_ARGUMENT',
    `${method}(): ${name} has to be a whole number of cycles from 1 to ${most}, not ${value}`,
  );
}

/** What an application does with a running bus on any thread: the part that MainDevice and AttachedBus have in common. */

import type { BusHandle } from './core/bus-handle.ts';
import type { BusView } from './core/bus-view.ts';
import { SlotBuffer } from './core/decode.ts';
import { EtherCatError } from './core/errors/ethercat-error.ts';
import type { BusState } from './core/events.ts';
import type { Fault } from './core/faults.ts';
import type { OutputLane, WriteResult } from './core/outputs.ts';
import { joinTimes, slotReader } from './core/process-image.ts';
import { Snapshot } from './core/snapshot.ts';
import type { TagValue } from './core/tag-types.ts';
import type { BusObservable } from './streams/bus-observable.ts';
import type { ChangeBatch } from './streams/change-batch.ts';
import { type CycleInfo, CycleStream } from './streams/cycle-stream.ts';
import { EventStream } from './streams/event-stream.ts';
import { BusTag, type Tag } from './streams/tag.ts';
import { TagStreams } from './streams/tag-streams.ts';

/** A running bus, as one thread sees it. Everything that it emits comes on that thread. */
export abstract class Bus {
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
   * What goes wrong, as far as this thread learns of it. Begins with what lasts (`real-time-refused`); old faults of any
   * other kind are not repeated for new subscribers. Rate: as it happens; what lasts is reported once.
   */
  readonly faults$: BusObservable<Fault>;
  readonly #view: BusView;
  readonly #streams: TagStreams;
  readonly #cycles: CycleStream;
  readonly #faults: EventStream<Fault>;
  readonly #lasting: Fault[] = [];

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
      table: view.table,
      names: view.tags.map(({ name }) => name),
      consumer: view.consumer,
      cycleNumber: view.cycleNumber,
      reportOf: (tag) => (error) => this.reportThrown(error, tag),
    });
    this.changes$ = this.#streams.changes$;
    this.#cycles = new CycleStream(view, (error) => this.reportThrown(error, undefined));
    this.cycles$ = this.#cycles.stream;
    this.tags = Object.freeze(view.tags.map((tag, number) => new BusTag(tag, number, this.#streams, this)));
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
    return this.#view.lanes.some((lane) => lane.isLost);
  }

  /** The tag of that name. @throws `ECAT_ERR_TAG_UNKNOWN` */
  tag<T extends TagValue = TagValue>(name: string): Tag<T> {
    return this.tags[this.#view.numberOf(name)] as Tag<T>;
  }

  /**
   * The newest cycle, whole: one native copy, and values decoded when they are asked for. Synchronous; does not depend
   * on the decode worker, nor on another thread.
   *
   * @param names - tags to have in it; all unless given
   * @throws `ECAT_ERR_TAG_UNKNOWN`, `ECAT_ERR_CLOSED`
   */
  snapshot(names?: readonly string[]): Snapshot {
    const view = this.#view;
    const numbers = names === undefined ? view.numbers : new Map(names.map((name) => [name, view.numberOf(name)]));
    const slot = new SlotBuffer(view.memory.slotBytes);
    view.copyNewest(slot);
    const times = new Uint32Array(4);
    slotReader.times(slot, times);
    const cycle = view.cycleNumber.extend(slotReader.cycle(slot));
    return new Snapshot({ cycle, ...joinTimes(times), slot, decoder: view.decoder, numbers });
  }

  /**
   * Writes outputs, all in the same cycle. Resolves with the first cycle that carried them, once its frames came back
   * as they should.
   *
   * When a later write changes one of the values before any frame went out, `superseded` is true, and the cycle is that
   * of the later write: a pulse shorter than a cycle is not seen by anybody. At most 64 writes may be outstanding.
   *
   * @throws (rejects with) `ECAT_ERR_TAG_UNKNOWN`, `ECAT_ERR_NOT_AN_OUTPUT`, `ECAT_ERR_OUTPUT_CLAIMED` (it is another
   * thread's), `ECAT_ERR_VALUE_RANGE` (nothing is written then), `ECAT_ERR_NOT_OPERATIONAL`, `ECAT_ERR_LANE_LOST` (until
   * {@link Bus.resume}), `ECAT_ERR_WRITE_QUEUE_FULL`, `ECAT_ERR_WRITE_FAILED` (the values are still sent in every
   * cycle), `ECAT_ERR_CLOSED`, `ECAT_ERR_PANIC`, `ECAT_ERR_INVALID_ARGUMENT`
   */
  write(values: Readonly<Record<string, TagValue>>): Promise<WriteResult> {
    return this.#withLane((lane) => lane.write(values));
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
  protected abstract lane(): OutputLane;

  /** @internal Emits the newest cycle. */
  protected showCycle(): void {
    this.#cycles.look();
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
    this.#streams.complete();
    this.#cycles.complete();
  }

  /** @internal Ends the stream of faults: the last, since others may fail while they end. */
  protected completeFaults(): void {
    this.#faults.complete();
  }

  #withLane<T>(work: (lane: OutputLane) => Promise<T>): Promise<T> {
    try {
      return work(this.lane());
    } catch (error) {
      return Promise.reject(EtherCatError.from(error));
    }
  }
}

/** A running bus in a thread that did not open it. */

import { threadId } from 'node:worker_threads';
import { Bus } from './bus.ts';
import { type BusHandle, checkHandle } from './core/bus-handle.ts';
import { BusView, type LaneClaim } from './core/bus-view.ts';
import { SlotBuffer } from './core/decode.ts';
import { EtherCatError } from './core/errors/ethercat-error.ts';
import { laneLost } from './core/faults.ts';
import { CopyOutcome } from './core/generated/layout.ts';
import { ANY_LANE } from './core/lane-directory.ts';
import type { OutputLane } from './core/outputs.ts';
import { slotReader } from './core/process-image.ts';
import { type Quality, qualityOf } from './core/quality.ts';
import type { TagValue } from './core/tag-types.ts';

/** How often this thread shows that it lives, at the least, and looks for what no bell announced. */
const TICK_MS_MAX = 25;
/** One native wait at the longest; nothing can interrupt it. */
const WAIT_SLICE_MS = 50;
/** Cycles for which a lane that was given up just now is waited for. */
const PATIENCE_CYCLES = 8;

/** What an attaching thread takes over. */
export interface AttachOptions {
  /** Name of a lane of the configuration (`lanes`): its outputs are this thread's from now on. */
  readonly lane?: string;
  /**
   * In place of `lane`: outputs that nobody has, by the names of tags or devices; the MainDevice gives up its own with
   * `releaseOutputs()`.
   */
  readonly outputs?: readonly string[];
  /** What errors and events call this thread where it takes over `outputs`; `thread N` unless given. */
  readonly name?: string;
  /**
   * Silence of this thread after which its outputs go to their loss values, in ms; 0 is never. That of the lane, or
   * `output_deadline_ms`, unless given. Its event loop is a sign of life, and so is `waitCycle()`.
   */
  readonly deadlineMs?: number;
  /**
   * Virtual time: every cycle waits until this thread is done with the one before, so that what it writes in reaction to a
   * cycle goes with the next. Without effect on the wall clock.
   */
  readonly lockstep?: boolean;
  /** The same without a write, in ms; 0 (never) unless given here or in the lane. For threads that write every cycle. */
  readonly commitDeadlineMs?: number;
}

/**
 * Attaches this thread to a bus that another thread opened. It then reads, watches and writes without a round trip to
 * that thread, and goes on while that thread is blocked.
 *
 * The outputs that it takes over stay as they are until it writes. When it closes, ends or falls silent they go to their
 * loss values.
 *
 * @param handle - `bus.handle`, as it was posted to this thread
 * @throws `ECAT_ERR_CLOSED` when the bus is closed already, `ECAT_ERR_OUTPUT_CLAIMED` when an output is another
 * thread's (the error names both), `ECAT_ERR_LANE_BUSY` when the lane is another thread's or no lane is free,
 * `ECAT_ERR_TAG_UNKNOWN`, `ECAT_ERR_NOT_AN_OUTPUT`, `ECAT_ERR_INVALID_ARGUMENT`, `ECAT_ERR_ADDON_MISSING`,
 * `ECAT_ERR_LAYOUT_MISMATCH`
 */
export function attach(handle: BusHandle, options: AttachOptions = {}): AttachedBus {
  checkHandle(handle);
  return new AttachedBus(handle, options);
}

/**
 * A bus as a thread sees it that attached to it: everything of {@link Bus}, and {@link AttachedBus.waitCycle} for
 * control loops. It keeps the event loop of its thread alive until it is closed, here or by the MainDevice. Make one
 * with {@link attach}.
 */
export class AttachedBus extends Bus implements Disposable {
  readonly #view: BusView;
  readonly #lane: OutputLane | undefined;
  readonly #lockstep: boolean;
  readonly #tick: NodeJS.Timeout;
  readonly #slot: SlotBuffer;
  /** Cycle that the slot holds; undefined before the first. */
  #waited: number | undefined;
  #closed = false;
  /** Whether the loss of the lane was reported. */
  #lost = false;

  /** @internal */
  constructor(handle: BusHandle, options: AttachOptions) {
    const view = new BusView(handle, { bell: () => this.#pump() });
    super(view);
    this.#view = view;
    this.#slot = new SlotBuffer(view.memory.slotBytes);
    try {
      if (view.hasEnded) throw new EtherCatError('ECAT_ERR_CLOSED', 'the bus is closed');
      const claim = claimOf(view, options);
      this.#lane = claim && claimPatiently(view, claim);
      this.#lockstep = options.lockstep ?? false;
      if (this.#lockstep) view.enterLockstep();
      const deadlineMs = claim?.deadlineMs || Number.POSITIVE_INFINITY;
      this.#tick = setInterval(() => this.#pump(), Math.min(TICK_MS_MAX, deadlineMs / 4));
    } catch (error) {
      // A bell may be on its way already.
      this.#closed = true;
      view.release();
      throw error;
    }
    this.#pump();
  }

  /** Whether nothing more will come: closed here, or by the MainDevice. */
  get isClosed(): boolean {
    return this.#closed || this.#view.hasEnded;
  }

  /**
   * Blocks this thread until there is a cycle that it has not waited for yet; its values are then what
   * {@link AttachedBus.read} gives. Native, synchronous, without the event loop, and independent of the decode worker
   * and of every other thread. Who is late gets the next cycle that the history still holds, else the newest.
   *
   * Settles writes and shows that this thread lives, as the event loop would.
   *
   * @param timeoutMs - how long to wait at most, in ms
   * @returns the number of the cycle; undefined after the time, and once when the bus has closed
   * @throws `ECAT_ERR_CLOSED` when it was closed before the call
   */
  waitCycle(timeoutMs: number): number | undefined {
    if (this.isClosed) throw new EtherCatError('ECAT_ERR_CLOSED', 'the bus is closed');
    const view = this.#view;
    // Who waits for the next cycle is done with the last.
    if (this.#lockstep && this.#waited !== undefined) view.acknowledgeCycle(this.#waited);
    const endMs = performance.now() + timeoutMs;
    for (let leftMs = timeoutMs; ; leftMs = endMs - performance.now()) {
      view.beat();
      view.settle();
      const outcome = this.#wait(Math.min(Math.max(leftMs, 0), WAIT_SLICE_MS));
      if (outcome === CopyOutcome.Fresh) {
        this.#waited = slotReader.cycle(this.#slot);
        return view.cycleNumber.extend(this.#waited);
      }
      if (outcome === CopyOutcome.Closed || leftMs <= 0) return undefined;
    }
  }

  /** Value of a tag in the cycle that {@link AttachedBus.waitCycle} returned last. @throws `ECAT_ERR_TAG_UNKNOWN` */
  read(tag: string): TagValue {
    const number = this.#view.numberOf(tag);
    return this.#view.directory.labelled(number, this.#view.decoder.read(this.#waitedSlot(), number));
  }

  /** Quality of a tag in that cycle. @throws `ECAT_ERR_TAG_UNKNOWN` */
  readQuality(tag: string): Quality {
    return qualityOf(this.#view.decoder.quality(this.#waitedSlot(), this.#view.numberOf(tag)));
  }

  /** Lets go of the bus: streams complete, outstanding writes are rejected. The bus itself runs on. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#tick);
    this.#view.release();
    this.completeValues();
    this.completeFaults();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** @internal */
  protected override writer(): OutputLane {
    if (this.#closed) throw new EtherCatError('ECAT_ERR_CLOSED', 'the bus is closed');
    if (this.#lane !== undefined) return this.#lane;
    throw new EtherCatError(
      'ECAT_ERR_OUTPUT_CLAIMED',
      'this thread owns no outputs: it attached without lane and outputs',
    );
  }

  #wait(timeoutMs: number): number {
    // −1 is any cycle, so that the first one waits for nothing that is there already.
    const outcome = this.#view.waitCopy(this.#waited ?? -1, timeoutMs, this.#slot);
    if (outcome !== CopyOutcome.Overtaken) return outcome;
    return this.#view.waitCopy(-1, timeoutMs, this.#slot);
  }

  #waitedSlot(): SlotBuffer {
    if (this.#waited === undefined) this.#view.copyNewest(this.#slot);
    return this.#slot;
  }

  /** Hands over everything that is there. Runs on every bell. */
  #pump(): void {
    if (this.#closed) return;
    const view = this.#view;
    view.cycleNumber.extend(view.memory.latestCycle);
    view.beat();
    if (!view.pump()) setImmediate(() => this.#pump());
    // A subscriber may have closed it.
    if (this.#closed) return;
    view.settle();
    this.#watchLane();
    this.showCycle();
    if (view.hasEnded) this.close();
    else if (this.#lockstep && this.#waited === undefined) this.#acknowledge(view.consumer.seenCycle);
  }

  /** After the promises that were settled, and one turn of the event loop for what they led to. */
  #acknowledge(cycle: number): void {
    const view = this.#view;
    view.awaitCycle((cycle + 1) >>> 0);
    setImmediate(() => {
      if (!this.#closed) view.acknowledgeCycle(cycle);
    });
  }

  /** Reports once that the lane was lost; the thread that opened the bus learns it by an event. */
  #watchLane(): void {
    const lane = this.#lane;
    if (lane === undefined) return;
    const isLost = lane.isLost && !this.#view.hasEnded;
    if (isLost && !this.#lost) this.emitFault(laneLost(lane.name, undefined));
    this.#lost = isLost;
  }
}

/**
 * A lane or bits that were given up just now, as by the predecessor of a worker that was restarted, are free two cycles
 * later: blocks for that, and no longer.
 */
function claimPatiently(view: BusView, claim: LaneClaim): OutputLane {
  const slot = new SlotBuffer(view.memory.slotBytes);
  for (let cycle = 1; ; cycle += 1) {
    try {
      return view.claim(claim);
    } catch (error) {
      if (cycle > PATIENCE_CYCLES || !view.isFreeing(error)) throw error;
      view.waitCopy(view.memory.latestCycle, WAIT_SLICE_MS, slot);
    }
  }
}

/** What a thread takes over; undefined where it only reads. */
function claimOf(
  view: BusView,
  { lane, outputs, name, deadlineMs, commitDeadlineMs }: AttachOptions,
): LaneClaim | undefined {
  for (const [key, ms] of Object.entries({ deadlineMs, commitDeadlineMs })) {
    if (ms !== undefined && !(ms >= 0)) {
      throw new EtherCatError('ECAT_ERR_INVALID_ARGUMENT', `${key}: expected a number of ms from 0, got ${ms}`);
    }
  }
  if (lane === undefined && outputs === undefined) return undefined;
  if (lane !== undefined && outputs !== undefined) {
    throw new EtherCatError('ECAT_ERR_INVALID_ARGUMENT', 'lane and outputs exclude each other');
  }
  if (lane !== undefined) {
    const claim = view.configuredLane(lane);
    return {
      ...claim,
      deadlineMs: deadlineMs ?? claim.deadlineMs,
      commitDeadlineMs: commitDeadlineMs ?? claim.commitDeadlineMs,
    };
  }
  const own = name ?? `thread ${threadId}`;
  const tags = [...new Set(outputs!.flatMap((output) => view.outputsOf(output)))];
  view.checkUnowned(tags, { name: own });
  const { outputDeadlineMs } = view.handle;
  return { lane: ANY_LANE, name: own, outputs: tags, deadlineMs: deadlineMs ?? outputDeadlineMs, commitDeadlineMs };
}

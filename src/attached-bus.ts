/** A running bus in a thread that did not open it. */

import { Bus } from './bus.ts';
import { type BusHandle, checkHandle } from './core/bus-handle.ts';
import { BusView } from './core/bus-view.ts';
import { SlotBuffer } from './core/decode.ts';
import { EtherCatError } from './core/errors/ethercat-error.ts';
import { CopyOutcome } from './core/generated/layout.ts';
import type { OutputLane } from './core/outputs.ts';
import { slotReader } from './core/process-image.ts';
import { type Quality, qualityOf } from './core/quality.ts';
import type { TagValue } from './core/tag-types.ts';

/** How often this thread looks for what no bell announced. */
const TICK_MS = 25;
/** One native wait at the longest; nothing can interrupt it. */
const WAIT_SLICE_MS = 50;

/**
 * Attaches this thread to a bus that another thread opened. It then reads, watches and writes without a round trip to
 * that thread, and goes on while that thread is blocked.
 *
 * @param handle - `bus.handle`, as it was posted to this thread
 * @throws `ECAT_ERR_CLOSED` when the bus is closed already, `ECAT_ERR_INVALID_ARGUMENT`, `ECAT_ERR_ADDON_MISSING`,
 * `ECAT_ERR_LAYOUT_MISMATCH`
 */
export function attach(handle: BusHandle): AttachedBus {
  checkHandle(handle);
  return new AttachedBus(handle);
}

/**
 * A bus as a thread sees it that attached to it: everything of {@link Bus}, and {@link AttachedBus.waitCycle} for
 * control loops. It keeps the event loop of its thread alive until it is closed, here or by the MainDevice. Make one
 * with {@link attach}.
 */
export class AttachedBus extends Bus implements Disposable {
  readonly #view: BusView;
  readonly #tick: NodeJS.Timeout;
  readonly #slot: SlotBuffer;
  /** Cycle that the slot holds; undefined before the first. */
  #waited: number | undefined;
  #closed = false;

  /** @internal */
  constructor(handle: BusHandle) {
    const view = new BusView(handle, { bell: () => this.#pump() });
    super(view);
    this.#view = view;
    this.#slot = new SlotBuffer(view.memory.slotBytes);
    this.#tick = setInterval(() => this.#pump(), TICK_MS);
    if (view.hasEnded) {
      this.close();
      throw new EtherCatError('ECAT_ERR_CLOSED', 'the bus is closed');
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
  protected override lane(): OutputLane {
    const [lane] = this.#view.lanes;
    if (lane !== undefined) return lane;
    if (this.#closed) throw new EtherCatError('ECAT_ERR_CLOSED', 'the bus is closed');
    throw new EtherCatError('ECAT_ERR_OUTPUT_CLAIMED', 'this thread owns no outputs');
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
    this.showCycle();
    if (view.hasEnded) this.close();
  }
}

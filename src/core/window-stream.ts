/** Windows of raw cycles, for analysis: one implementation for streams and for analysis workers. */

import type { BusView } from './bus-view.ts';
import { Columns } from './columns.ts';
import type { CycleClock, CycleWatcher } from './cycle-clock.ts';
import { type Decoder, SlotBuffer } from './decode.ts';
import { CopyOutcome } from './generated/layout.ts';
import { CycleWindow } from './history.ts';
import type { TagDirectory } from './tag-directory.ts';

/**
 * What a window does about a period in which no cycle ran:
 *
 * - `report`: it goes on behind it, and says where it was (`gaps`, `missed`). A window has its length however busy the
 *   machine is, and what it means is left to its reader.
 * - `restart`: it begins anew behind it, so that every window is evenly spaced in time; what it gives up for that is in
 *   `lost`. A window that is long beside what the machine manages without a gap may never be complete.
 */
export type GapPolicy = 'report' | 'restart';

/** Whether a value is a {@link GapPolicy}. */
export function isGapPolicy(value: unknown): value is GapPolicy {
  return value === 'report' || value === 'restart';
}

/** Which cycles a window has. */
export interface WindowOptions {
  /** Names of the tags in it. */
  readonly tags: readonly string[];
  /** Cycles of a window: those that ran. */
  readonly window: number;
  /** Cycles that ran from the beginning of one window to that of the next; as many as `window` unless given. */
  readonly hop?: number;
  /** `report` unless given. */
  readonly gaps?: GapPolicy;
}

/** What a window stream reads from. */
export interface WindowSource {
  readonly decoder: Decoder;
  readonly directory: TagDirectory;
  readonly clock: CycleClock;
  /** A buffer for one slot. */
  readonly slot: SlotBuffer;
  /** Cycles that the ring holds. */
  readonly depth: number;
  /** Copies that cycle. */
  copy(cycle: number, slot: SlotBuffer): CopyOutcome;
}

/** The windows of a bus, by the cycles of a clock of this thread. */
export function windowSource(view: BusView, clock: CycleClock): WindowSource {
  return {
    decoder: view.decoder,
    directory: view.directory,
    clock,
    slot: new SlotBuffer(view.memory.slotBytes),
    depth: view.memory.slotCount,
    copy: (cycle, slot) => view.copyCycle(cycle, slot),
  };
}

/**
 * One subscription to windows: of all cycles that ran, `window` in a row, beginning anew every `hop` of them. Only where
 * the ring has gone past a cycle, and so nobody knows what was in it, does a window begin anew for want of data.
 */
export class WindowStream implements CycleWatcher {
  readonly #source: WindowSource;
  readonly #columns: Columns;
  readonly #hop: number;
  readonly #gaps: GapPolicy;
  readonly #tags: Uint32Array;
  readonly #subscriber: { next(window: CycleWindow): void; complete(): void };
  /** Cycle to copy next. */
  #next: number;
  /** Cycles to leave out before the next window: those between two where the hop is longer than the window. */
  #skip = 0;
  /** Where the next window begins if nothing is lost; undefined until the first of its cycles has run. */
  #begin: number | undefined;

  constructor(
    source: WindowSource,
    options: { tags: Uint32Array; window: number; hop: number; gaps: GapPolicy },
    subscriber: { next(window: CycleWindow): void; complete(): void },
  ) {
    this.#source = source;
    this.#tags = options.tags;
    this.#columns = new Columns(source.decoder, options.tags, options.window);
    this.#hop = options.hop;
    this.#gaps = options.gaps;
    this.#subscriber = subscriber;
    this.#next = source.clock.latest() + 1;
    source.clock.add(this);
  }

  /** In time for the next window, and before the ring goes past what it needs. */
  get due(): number {
    const missing = this.#skip + this.#columns.capacity - this.#columns.rows;
    return this.#next - 1 + Math.min(missing, Math.max(1, this.#source.depth >>> 2));
  }

  look(latest: number): void {
    while (this.#next <= latest) {
      switch (this.#source.copy(this.#next, this.#source.slot)) {
        case CopyOutcome.Fresh:
          this.#take(this.#next);
          this.#next += 1;
          break;
        case CopyOutcome.Missed:
          // Nothing that ran is lost by it, unless evenly spaced cycles are wanted.
          if (this.#gaps === 'restart') this.#columns.drop(this.#columns.rows);
          this.#next += 1;
          break;
        case CopyOutcome.Overtaken:
          // Nothing older than what the ring still holds needs to be tried.
          this.#restart(Math.max(this.#next + 1, latest - this.#source.depth + 1));
          break;
        default:
          return; // still to come
      }
    }
  }

  complete(): void {
    this.#subscriber.complete();
  }

  stop(): void {
    this.#source.clock.delete(this);
  }

  /** Takes the slot that was copied. */
  #take(cycle: number): void {
    if (this.#skip > 0) {
      this.#skip -= 1;
      return;
    }
    this.#begin ??= cycle;
    this.#columns.append(this.#source.slot, cycle);
    if (this.#columns.rows === this.#columns.capacity) this.#emit(this.#begin);
  }

  /** Goes on with a later cycle; what lies before it is lost, whether it ran or not. */
  #restart(cycle: number): void {
    const between = Math.min(this.#skip, cycle - this.#next);
    this.#skip -= between;
    if (this.#skip === 0) this.#begin ??= this.#next + between;
    this.#columns.drop(this.#columns.rows);
    this.#next = cycle;
  }

  /** @param begin - where the window would have begun if nothing had been lost */
  #emit(begin: number): void {
    const copy = new Columns(this.#source.decoder, this.#tags, this.#columns.capacity);
    copy.assign(this.#columns);
    this.#columns.drop(this.#hop);
    this.#skip = Math.max(0, this.#hop - this.#columns.capacity);
    this.#begin = this.#columns.rows > 0 ? this.#columns.cycles[0]! : undefined;
    this.#subscriber.next(new CycleWindow(copy, copy.cycles[0]! - begin, this.#source.directory));
  }
}

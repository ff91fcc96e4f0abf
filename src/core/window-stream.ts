/** Windows of raw cycles, for analysis. */

import { Columns } from './columns.ts';
import type { CycleClock, CycleWatcher } from './cycle-clock.ts';
import type { Decoder, SlotBuffer } from './decode.ts';
import { History } from './history.ts';
import type { TagDirectory } from './tag-directory.ts';

/** Which cycles a window has. */
export interface WindowOptions {
  /** Names of the tags in it. */
  readonly tags: readonly string[];
  /** Cycles of a window. */
  readonly window: number;
  /** Cycles from the beginning of one window to that of the next; as many as `window` unless given. */
  readonly hop?: number;
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
  /** Copies that cycle; whether the ring has it. */
  copy(cycle: number, slot: SlotBuffer): boolean;
}

/**
 * One subscription to windows. Every cycle of a window follows the one before: where the ring has gone past a cycle, or
 * its period was missed, a window begins anew behind it.
 */
export class WindowStream implements CycleWatcher {
  readonly #source: WindowSource;
  readonly #columns: Columns;
  readonly #hop: number;
  readonly #tags: Uint32Array;
  readonly #subscriber: { next(window: History): void; complete(): void };
  /** Cycle to copy next. */
  #next: number;
  /** First cycle of the next window if nothing is lost. */
  #wanted: number;

  constructor(
    source: WindowSource,
    { tags, window, hop }: { tags: Uint32Array; window: number; hop: number },
    subscriber: { next(window: History): void; complete(): void },
  ) {
    this.#source = source;
    this.#tags = tags;
    this.#columns = new Columns(source.decoder, tags, window);
    this.#hop = hop;
    this.#subscriber = subscriber;
    this.#next = source.clock.latest() + 1;
    this.#wanted = this.#next;
    source.clock.add(this);
  }

  /** In time for the next window, and before the ring goes past what it needs. */
  get due(): number {
    const missing = this.#columns.capacity - this.#columns.rows;
    return this.#next - 1 + Math.min(missing, Math.max(1, this.#source.depth >>> 2));
  }

  look(latest: number): void {
    for (; this.#next <= latest; this.#next += 1) {
      if (this.#next < this.#wanted) continue; // between two windows
      if (this.#source.copy(this.#next, this.#source.slot)) {
        this.#columns.append(this.#source.slot, this.#next);
        if (this.#columns.rows === this.#columns.capacity) this.#emit();
      } else {
        this.#columns.drop(this.#columns.rows);
        // Nothing older than what the ring still holds needs to be tried.
        this.#next = Math.max(this.#next, latest - this.#source.depth);
      }
    }
  }

  complete(): void {
    this.#subscriber.complete();
  }

  stop(): void {
    this.#source.clock.delete(this);
  }

  #emit(): void {
    const first = this.#columns.cycles[0]!;
    const missed = first - this.#wanted;
    this.#wanted = first + this.#hop;
    const copy = new Columns(this.#source.decoder, this.#tags, this.#columns.capacity);
    copy.assign(this.#columns);
    this.#columns.drop(this.#hop);
    this.#subscriber.next(new History(copy, missed, this.#source.directory));
  }
}

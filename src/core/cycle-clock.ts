/** What happens by cycle numbers and not by changes: snapshots every n cycles, windows, samples that were held back. */

/** Looked at after every wake-up of this thread. */
export interface CycleWatcher {
  /** The newest cycle of the clock; does not wrap. */
  look(latest: number): void;
  /** The cycle that it wants to be woken for; undefined when it waits for none. */
  readonly due: number | undefined;
  /** Nothing more will come. */
  complete(): void;
}

/** The watchers of one thread. Without any it costs one look at their number. */
export class CycleClock {
  readonly #watchers: Set<CycleWatcher> = new Set();
  /** Number of the newest cycle; does not wrap. */
  readonly latest: () => number;
  readonly #wake: (cycle: number) => void;

  /**
   * @param latest - number of the newest cycle; does not wrap
   * @param wake - asks for this thread to be woken once there is that cycle
   */
  constructor(latest: () => number, wake: (cycle: number) => void) {
    this.latest = latest;
    this.#wake = wake;
  }

  add(watcher: CycleWatcher): void {
    this.#watchers.add(watcher);
    this.#arm();
  }

  delete(watcher: CycleWatcher): void {
    this.#watchers.delete(watcher);
  }

  /** Lets every watcher look at the newest cycle. */
  look(): void {
    if (this.#watchers.size === 0) return;
    const latest = this.latest();
    for (const watcher of [...this.#watchers]) if (this.#watchers.has(watcher)) watcher.look(latest);
    this.#arm();
  }

  /** Ends every watcher. */
  complete(): void {
    for (const watcher of [...this.#watchers]) watcher.complete();
    this.#watchers.clear();
  }

  #arm(): void {
    let first: number | undefined;
    for (const { due } of this.#watchers) if (due !== undefined && (first === undefined || due < first)) first = due;
    if (first !== undefined) this.#wake(first);
  }
}

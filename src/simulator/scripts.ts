/**
 * What a test or an application has the segment do by itself, outside the cycle: functions that run at intervals, or when
 * a value has changed. In virtual time they run between two cycles, one after another, and time waits for them.
 */

const MS_PER_NS = 1e-6;

/** A function that runs at intervals. It is told the segment's time. */
export type IntervalScript = (nowMs: number) => unknown;

interface Interval {
  readonly periodMs: number;
  readonly run: IntervalScript;
  dueMs: number;
}

/** The scripts of one segment. */
export class Scripts {
  readonly #intervals: Set<Interval> = new Set();
  readonly #queue: (() => unknown)[] = [];
  readonly #nowNs: () => number;
  readonly #virtualTime: boolean;
  readonly #report: (error: unknown) => void;

  constructor(options: { nowNs: () => number; virtualTime: boolean; report: (error: unknown) => void }) {
    this.#nowNs = options.nowNs;
    this.#virtualTime = options.virtualTime;
    this.#report = options.report;
  }

  /** Runs a function every so many ms from now on. Returns what ends that. */
  every(periodMs: number, run: IntervalScript): () => void {
    const interval = { periodMs, run, dueMs: this.#nowMs() + periodMs };
    this.#intervals.add(interval);
    if (this.#virtualTime) return () => void this.#intervals.delete(interval);
    const timer = setInterval(() => this.#loose(() => run(this.#nowMs())), periodMs).unref();
    return () => {
      this.#intervals.delete(interval);
      clearInterval(timer);
    };
  }

  /** Runs a function once, as soon as may be. */
  soon(run: () => unknown): void {
    if (this.#virtualTime) this.#queue.push(run);
    else this.#loose(run);
  }

  /** When the next interval ends, in ms of the segment's time; Infinity without one. */
  get nextDueMs(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const { dueMs } of this.#intervals) next = Math.min(next, dueMs);
    return next;
  }

  /** Virtual time: runs everything that is due, in the order of time. What throws ends it. */
  async run(): Promise<void> {
    while (this.#queue.length > 0) await this.#queue.shift()!();
    const nowMs = this.#nowMs();
    const due = [...this.#intervals].filter(({ dueMs }) => dueMs <= nowMs).sort((a, b) => a.dueMs - b.dueMs);
    for (const interval of due) {
      // Intervals that ended unseen, within one cycle, are one.
      const passed = Math.floor((nowMs - interval.dueMs) / interval.periodMs) + 1;
      interval.dueMs += passed * interval.periodMs;
      if (this.#intervals.has(interval)) await interval.run(nowMs);
    }
  }

  /** Runs what nobody waits for. */
  #loose(run: () => unknown): void {
    void (async () => run())().catch(this.#report);
  }

  #nowMs(): number {
    return this.#nowNs() * MS_PER_NS;
  }
}

/** What an analysis is given and what comes of it: the words between an application, its module, and the worker. */

import type { CycleWindow } from './history.ts';
import type { WindowOptions } from './window-stream.ts';

/** What to analyse. */
export interface AnalyseOptions extends WindowOptions {
  /** Handed to the module as `context.workerData`; anything that can be posted. */
  readonly workerData?: unknown;
  /** Ends the analysis: the stream completes. */
  readonly signal?: AbortSignal;
}

/** What a module learns besides the window. */
export interface AnalysisContext {
  /** Period of a cycle, in ns. */
  readonly cyclePeriodNs: number;
  /** Names of the tags. */
  readonly tags: readonly string[];
  /** What the application gave. */
  readonly workerData: unknown;
  /** For the module to keep something from window to window; of this analysis alone. */
  readonly state: Record<string, unknown>;
}

/** The default export of a module for `bus.analyse()`; what it returns, or resolves with, is emitted, unless it is undefined. */
export type Analyse<T = unknown> = (window: CycleWindow, context: AnalysisContext) => T | Promise<T>;

/** What a module made of one window. */
export interface AnalysisResult<T = unknown> {
  /** What it returned. */
  readonly result: T;
  /** Number of the first cycle of the window; does not wrap. */
  readonly firstCycle: number;
  /** Number of the last cycle of the window. */
  readonly lastCycle: number;
  /** Periods in the window without a cycle: its values are not evenly spaced in time unless it is 0. */
  readonly missed: number;
  /** Periods by which the window begins later than it should: the worker was late by more than the history, or a gap made it begin anew. */
  readonly lost: number;
  /** Results before this one that were dropped, since this thread did not take them. */
  readonly dropped: number;
}

/** Results that wait for a stalled thread at most. */
export const RESULTS_WAITING_MAX = 64;

/** Words between the thread that asked for an analysis and its worker. */
export class AnalysisControl {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array;

  constructor(buffer: SharedArrayBuffer = new SharedArrayBuffer(8)) {
    this.buffer = buffer;
    this.#words = new Int32Array(buffer);
  }

  /** Asks the worker to end; it does within one slice of waiting, and after the window that it is at. */
  stop(): void {
    Atomics.store(this.#words, 0, 1);
  }

  get isStopped(): boolean {
    return Atomics.load(this.#words, 0) !== 0;
  }

  /** Notes a result on its way; false when too many are. */
  tryPost(): boolean {
    if (Atomics.load(this.#words, 1) >= RESULTS_WAITING_MAX) return false;
    Atomics.add(this.#words, 1, 1);
    return true;
  }

  /** Notes that a result was taken. */
  take(): void {
    Atomics.sub(this.#words, 1, 1);
  }
}

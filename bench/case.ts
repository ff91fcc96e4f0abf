// What a case is, and what it is given.

import type { Row } from './report.ts';

/** One group of measurements. */
export interface BenchCase {
  /** For `--only`. */
  readonly name: string;
  run(context: BenchContext): Promise<CaseResult>;
}

/** How thoroughly to measure, and whom to tell. */
export interface BenchContext {
  /** Alternating repeats: ours, reference, ours, … */
  readonly repeats: number;
  /** Whether everything is to take a minute, for a look and for the test of this runner. */
  readonly quick: boolean;
  /** Processor that cycle threads are bound to: the last one. */
  readonly cpu: number;
  /** Their SCHED_FIFO priority. */
  readonly priority: number;
  /** Shows that something has begun. */
  progress(text: string): void;
}

/** What a case found. */
export interface CaseResult {
  readonly rows: readonly Row[];
  /** What has to be known beside the rows: what was not granted or could not be measured here. */
  readonly notes: readonly string[];
}

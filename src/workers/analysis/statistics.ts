/**
 * Ready-made analysis: least, greatest, mean, root mean square and standard deviation of every tag in each window: of the
 * cycles that ran, each counting the same.
 */

import type { AnalysisContext } from '../../core/analysis.ts';
import type { CycleWindow } from '../../core/history.ts';

/** Of one tag over one window, in its unit. */
export interface TagStatistics {
  /** The least value. */
  readonly min: number;
  /** The greatest value. */
  readonly max: number;
  /** Arithmetic mean. */
  readonly mean: number;
  /** Root mean square. */
  readonly rms: number;
  /** Standard deviation of the window's own values (divided by their number). */
  readonly std: number;
}

/** By the name of the tag. */
export type StatisticsResult = Readonly<Record<string, TagStatistics>>;

export default function statistics(window: CycleWindow, { tags }: Pick<AnalysisContext, 'tags'>): StatisticsResult {
  return Object.fromEntries(tags.map((tag) => [tag, of(window.column(tag))]));
}

function of(values: ArrayLike<number | bigint>): TagStatistics {
  let [min, max, mean, squares] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 0];
  // Welford: the squares are those of the distances from the mean, so that a large offset takes no digits away.
  for (let i = 0; i < values.length; i += 1) {
    const value = Number(values[i]);
    if (value < min) min = value;
    if (value > max) max = value;
    const distance = value - mean;
    mean += distance / (i + 1);
    squares += distance * (value - mean);
  }
  const variance = squares / values.length;
  return { min, max, mean, rms: Math.sqrt(variance + mean * mean), std: Math.sqrt(variance) };
}

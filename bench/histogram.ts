// A window of a histogram that the cycle thread writes: what it counted between two looks.

import {
  HISTOGRAM_BUCKETS,
  HISTOGRAM_BUCKETS_U64,
  HISTOGRAM_PARTS,
  LATENESS_OFFSET,
} from '../src/core/generated/layout.ts';
import type { ProcessMemory } from '../src/core/process-image.ts';
import type { Figures } from './report.ts';

/** What the histogram of the cycles' lateness has counted so far. */
export function lookAtLateness(memory: ProcessMemory): readonly number[] {
  const words = new BigUint64Array(memory.buffer, LATENESS_OFFSET + HISTOGRAM_BUCKETS_U64 * 8, HISTOGRAM_BUCKETS);
  return Array.from({ length: HISTOGRAM_BUCKETS }, (_, bucket) => Number(Atomics.load(words, bucket)));
}

/** Percentiles of what was counted between two looks, in µs, each rounded up to the end of its bucket (6 % at most). */
export function figuresBetween(before: readonly number[], after: readonly number[]): Figures {
  const counts = after.map((count, bucket) => count - before[bucket]!);
  const total = counts.reduce((sum, count) => sum + count, 0);
  const at = (share: number): number => {
    const rank = Math.max(1, Math.ceil(total * share));
    let seen = 0;
    const bucket = counts.findIndex((count) => {
      seen += count;
      return seen >= rank;
    });
    return endOfBucketNs(bucket) / 1_000;
  };
  return { p50: at(0.5), p99: at(0.99), p999: at(0.999), max: at(1) };
}

function endOfBucketNs(bucket: number): number {
  if (bucket < HISTOGRAM_PARTS) return bucket;
  const shift = Math.floor(bucket / HISTOGRAM_PARTS) - 1;
  return ((bucket % HISTOGRAM_PARTS) + HISTOGRAM_PARTS + 1) * 2 ** shift - 1;
}

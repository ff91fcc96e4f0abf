import test from 'ava';
import {
  HISTOGRAM_BUCKETS,
  HISTOGRAM_BUCKETS_U64,
  HISTOGRAM_BYTES,
  HISTOGRAM_COUNT_U64,
  HISTOGRAM_MAX_NS_U64,
  HISTOGRAM_PARTS,
  HISTOGRAM_SUM_NS_U64,
} from '../../src/core/generated/layout.ts';
import { readHistogram } from '../../src/core/statistics.ts';

/** Counts as the cycle thread does. */
function recorded(values: readonly number[]): BigUint64Array {
  const words = new BigUint64Array(HISTOGRAM_BYTES / 8);
  for (const value of values) {
    const shift = value < HISTOGRAM_PARTS ? 0 : Math.floor(Math.log2(value)) - Math.log2(HISTOGRAM_PARTS);
    const bucket =
      value < HISTOGRAM_PARTS
        ? value
        : Math.min(HISTOGRAM_BUCKETS - 1, shift * HISTOGRAM_PARTS + Math.floor(value / 2 ** shift));
    words[HISTOGRAM_BUCKETS_U64 + bucket]! += 1n;
    words[HISTOGRAM_COUNT_U64]! += 1n;
    words[HISTOGRAM_SUM_NS_U64]! += BigInt(value);
    if (BigInt(value) > words[HISTOGRAM_MAX_NS_U64]!) words[HISTOGRAM_MAX_NS_U64] = BigInt(value);
  }
  return words;
}

test('percentiles are right to the width of a bucket, and never above the largest value', (t) => {
  const values = Array.from({ length: 1000 }, (_, i) => (i + 1) * 100);
  const { count, mean, p50, p99, p999, max } = readHistogram(recorded(values), 0);
  t.is(count, 1000);
  t.is(mean, 50_050);
  t.is(max, 100_000);
  for (const [percentile, exact] of [
    [p50, 50_000],
    [p99, 99_000],
    [p999, 99_900],
  ] as const) {
    t.true(percentile >= exact && percentile <= exact * 1.0625);
  }
  t.true(p999 <= max);
});

test('small values are exact, and nothing recorded is 0', (t) => {
  t.deepEqual(readHistogram(recorded([3, 3, 3, 7]), 0), { count: 4, mean: 4, p50: 3, p99: 7, p999: 7, max: 7 });
  t.deepEqual(readHistogram(recorded([]), 0), { count: 0, mean: 0, p50: 0, p99: 0, p999: 0, max: 0 });
});

test('durations beyond the last bucket are reported as the largest', (t) => {
  t.is(readHistogram(recorded([60e9]), 0).p99, 60e9);
});

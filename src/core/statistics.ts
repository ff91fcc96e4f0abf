/** Counters and histograms of the cycle thread, read from the shared memory. */

import {
  COUNTERS_COMMITS_FAILED_U64,
  COUNTERS_COMMITS_U64,
  COUNTERS_CYCLES_U64,
  COUNTERS_EVENTS_DROPPED_U64,
  COUNTERS_FRAMES_FOREIGN_U64,
  COUNTERS_FRAMES_LATE_U64,
  COUNTERS_FRAMES_LOST_U64,
  COUNTERS_FRAMES_RECEIVED_U64,
  COUNTERS_FRAMES_SENT_U64,
  COUNTERS_LANES_LOST_U64,
  COUNTERS_OFFSET,
  COUNTERS_OVERRUNS_U64,
  COUNTERS_PERIODS_MISSED_U64,
  COUNTERS_SYSTEM_CALLS_U64,
  COUNTERS_URGENT_FRAMES_U64,
  COUNTERS_WORKING_COUNTER_ERRORS_U64,
  HISTOGRAM_BUCKETS,
  HISTOGRAM_BUCKETS_U64,
  HISTOGRAM_COUNT_U64,
  HISTOGRAM_MAX_NS_U64,
  HISTOGRAM_PARTS,
  HISTOGRAM_SUM_NS_U64,
  LATENESS_OFFSET,
  PUBLISH_OFFSET,
  ROUND_TRIP_OFFSET,
} from './generated/layout.ts';
import type { ProcessMemory } from './process-image.ts';

/** Durations of one kind, in ns. Percentiles are exact to 6.25 %, everything else exactly. All 0 before the first. */
export interface DurationStatistics {
  /** How many were measured. */
  readonly count: number;
  /** Arithmetic mean. */
  readonly mean: number;
  /** Half of them took no longer. */
  readonly p50: number;
  /** 99 % took no longer. */
  readonly p99: number;
  /** 99.9 % took no longer. */
  readonly p999: number;
  /** The longest. */
  readonly max: number;
}

/** What the cycle thread has counted since the start. Each number is exact; two of them need not be of the same cycle. */
export interface CycleStatistics {
  /** Cycles run. */
  readonly cycles: number;
  /** Periods in which no cycle ran, since the thread was late. */
  readonly missedCycles: number;
  /** Cycles that ended after the next one should have begun. */
  readonly overruns: number;
  /** Frames with process data. */
  readonly sentFrames: number;
  /** Frames that came back in their cycle. */
  readonly receivedFrames: number;
  /** Frames that did not. */
  readonly lostFrames: number;
  /** Frames of an earlier cycle that came back late, and were thrown away. */
  readonly lateFrames: number;
  /** Frames that were not ours, or damaged. */
  readonly foreignFrames: number;
  /** Datagrams that came back with a wrong working counter. */
  readonly workingCounterErrors: number;
  /** Writes that went into a frame. */
  readonly commits: number;
  /** Writes that did not arrive. */
  readonly failedCommits: number;
  /** Times that a writer missed its deadline. */
  readonly lostLanes: number;
  /** Frames with urgent writes, out of cycle. */
  readonly urgentFrames: number;
  /** System calls of the cycle thread. Readings of the clock are none. */
  readonly systemCalls: number;
  /** Events that nobody took in time; states and counters stay exact. */
  readonly droppedEvents: number;
  /** How late a cycle began. */
  readonly lateness: DurationStatistics;
  /** From the first frame sent to the last one back. */
  readonly roundTrip: DurationStatistics;
  /** Publishing a cycle to the readers. */
  readonly publish: DurationStatistics;
}

/** Cycles run since the start. */
export function cyclesRun({ buffer }: ProcessMemory): number {
  return Number(Atomics.load(new BigUint64Array(buffer, COUNTERS_OFFSET), COUNTERS_CYCLES_U64));
}

/** Reads everything at once. A few µs. */
export function readStatistics({ buffer }: ProcessMemory): CycleStatistics {
  const words = new BigUint64Array(buffer);
  const counter = (index: number): number => Number(Atomics.load(words, COUNTERS_OFFSET / 8 + index));
  return {
    cycles: counter(COUNTERS_CYCLES_U64),
    missedCycles: counter(COUNTERS_PERIODS_MISSED_U64),
    overruns: counter(COUNTERS_OVERRUNS_U64),
    sentFrames: counter(COUNTERS_FRAMES_SENT_U64),
    receivedFrames: counter(COUNTERS_FRAMES_RECEIVED_U64),
    lostFrames: counter(COUNTERS_FRAMES_LOST_U64),
    lateFrames: counter(COUNTERS_FRAMES_LATE_U64),
    foreignFrames: counter(COUNTERS_FRAMES_FOREIGN_U64),
    workingCounterErrors: counter(COUNTERS_WORKING_COUNTER_ERRORS_U64),
    commits: counter(COUNTERS_COMMITS_U64),
    failedCommits: counter(COUNTERS_COMMITS_FAILED_U64),
    lostLanes: counter(COUNTERS_LANES_LOST_U64),
    urgentFrames: counter(COUNTERS_URGENT_FRAMES_U64),
    systemCalls: counter(COUNTERS_SYSTEM_CALLS_U64),
    droppedEvents: counter(COUNTERS_EVENTS_DROPPED_U64),
    lateness: readHistogram(words, LATENESS_OFFSET / 8),
    roundTrip: readHistogram(words, ROUND_TRIP_OFFSET / 8),
    publish: readHistogram(words, PUBLISH_OFFSET / 8),
  };
}

/** A histogram whose words begin at `at`. */
export function readHistogram(words: BigUint64Array, at: number): DurationStatistics {
  const buckets = Array.from({ length: HISTOGRAM_BUCKETS }, (_, i) =>
    Number(Atomics.load(words, at + HISTOGRAM_BUCKETS_U64 + i)),
  );
  // The buckets are the truth for percentiles: the count may be of a later moment.
  const total = buckets.reduce((sum, count) => sum + count, 0);
  const count = Number(Atomics.load(words, at + HISTOGRAM_COUNT_U64));
  const max = Number(Atomics.load(words, at + HISTOGRAM_MAX_NS_U64));
  const percentile = (part: number): number => {
    let rest = Math.ceil(total * part);
    for (let bucket = 0; bucket < buckets.length; bucket += 1) {
      rest -= buckets[bucket]!;
      if (rest <= 0) return Math.min(highestOf(bucket), max);
    }
    return max;
  };
  const mean = count === 0 ? 0 : Number(Atomics.load(words, at + HISTOGRAM_SUM_NS_U64)) / count;
  return { count, mean, p50: percentile(0.5), p99: percentile(0.99), p999: percentile(0.999), max };
}

/** Largest value of a bucket: those below `HISTOGRAM_PARTS` hold one value, the others a part of a power of two. */
function highestOf(bucket: number): number {
  if (bucket === HISTOGRAM_BUCKETS - 1) return Number.POSITIVE_INFINITY;
  if (bucket < HISTOGRAM_PARTS) return bucket;
  const exponent = Math.floor(bucket / HISTOGRAM_PARTS) - 1;
  const part = (bucket % HISTOGRAM_PARTS) + HISTOGRAM_PARTS;
  return (part + 1) * 2 ** exponent - 1;
}

/** What one subscription does not want to hear: small changes, and too many of them. */

import type { CycleClock, CycleWatcher } from '../core/cycle-clock.ts';
import { type DeadBand, leavesBand, parseDeadBand } from '../core/dead-band.ts';
import { EtherCatError } from '../core/errors/ethercat-error.ts';
import { Band } from '../core/tag-table.ts';
import type { Sample, SampleWatcher } from './tag-streams.ts';

/** What a subscription is spared. */
export interface WatchOptions {
  /**
   * Changes up to this much are left out, counted from the value emitted last: in units of the value, or as part of that
   * value (`'2 %'`). A change of quality is always emitted. Numbers only.
   */
  readonly deadBand?: DeadBand;
  /**
   * Time between two emissions at least, in ms of the schedule, rounded up to whole cycles. The latest sample wins, and
   * comes when the time is over.
   */
  readonly minIntervalMs?: number;
}

/** The options in the units of the filter. @throws ECAT_ERR_INVALID_ARGUMENT */
export function checkWatchOptions(
  { deadBand = 0, minIntervalMs = 0 }: WatchOptions,
  tag: { readonly name: string; readonly isNumber: boolean },
  cyclePeriodNs: number,
): { band: number; deadBand: number; cycles: number } {
  const refuse = (message: string): never => {
    throw new EtherCatError('ECAT_ERR_INVALID_ARGUMENT', `watch() of tag ${tag.name}: ${message}`, { tag: tag.name });
  };
  const parsed = parseDeadBand(deadBand);
  if (parsed === undefined) return refuse(`deadBand has to be a number from 0, or text such as "2 %", not ${deadBand}`);
  if (parsed.deadBand > 0 && !tag.isNumber) return refuse('a dead band means nothing for what is no single number');
  if (typeof minIntervalMs !== 'number' || !(minIntervalMs >= 0) || minIntervalMs === Number.POSITIVE_INFINITY) {
    return refuse(`minIntervalMs has to be a number from 0, not ${minIntervalMs}`);
  }
  const band = parsed.deadBand === 0 ? Band.none : parsed.band;
  return { band, deadBand: parsed.deadBand, cycles: Math.ceil((minIntervalMs * 1e6) / cyclePeriodNs) };
}

/** Stands between a tag's samples and one subscriber. */
export class WatchFilter implements SampleWatcher, CycleWatcher {
  readonly #band: number;
  readonly #deadBand: number;
  readonly #cycles: number;
  readonly #clock: CycleClock;
  readonly #subscriber: { next(sample: Sample): void; complete(): void };
  #last: Sample | undefined;
  /** The newest sample that has to wait. */
  #waiting: Sample | undefined;
  #earliest = Number.NEGATIVE_INFINITY;

  constructor(
    { band, deadBand, cycles }: ReturnType<typeof checkWatchOptions>,
    clock: CycleClock,
    subscriber: { next(sample: Sample): void; complete(): void },
  ) {
    this.#band = band;
    this.#deadBand = deadBand;
    this.#cycles = cycles;
    this.#clock = clock;
    this.#subscriber = subscriber;
  }

  /** The cycle in which the waiting sample may be emitted. */
  get due(): number | undefined {
    return this.#waiting === undefined ? undefined : this.#earliest;
  }

  next(sample: Sample): void {
    if (!this.#isNews(sample)) {
      // What was waiting is not true any more, and what is true was told.
      this.#wait(undefined);
    } else if (sample.cycle >= this.#earliest || this.#cycles === 0) this.#emit(sample);
    else this.#wait(sample);
  }

  look(latest: number): void {
    if (this.#waiting !== undefined && latest >= this.#earliest) this.#emit(this.#waiting, latest);
  }

  complete(): void {
    const last = this.#waiting;
    this.stop();
    if (last !== undefined) this.#subscriber.next(last);
    this.#subscriber.complete();
  }

  /** Forgets what is waiting. */
  stop(): void {
    this.#wait(undefined);
  }

  #isNews({ value, quality }: Sample): boolean {
    const last = this.#last;
    if (last === undefined || quality !== last.quality) return true;
    if (typeof value !== 'number' && typeof value !== 'bigint') return value !== last.value;
    if (this.#band === Band.none) return !Object.is(value, last.value);
    return leavesBand(this.#band, this.#deadBand, Number(last.value), Number(value));
  }

  /** @param cycle - from which the time to the next emission counts */
  #emit(sample: Sample, cycle: number = sample.cycle): void {
    this.#wait(undefined);
    // The first sample may be of long ago, and is emitted now.
    this.#earliest = (this.#last === undefined ? this.#clock.latest() : cycle) + this.#cycles;
    this.#last = sample;
    this.#subscriber.next(sample);
  }

  #wait(sample: Sample | undefined): void {
    const waited = this.#waiting !== undefined;
    this.#waiting = sample;
    if (sample === undefined && waited) this.#clock.delete(this);
    else if (sample !== undefined && !waited) this.#clock.add(this);
  }
}

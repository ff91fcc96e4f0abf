/** What the demo knows of a running bus, gathered in one place so that every way to show it says the same. */

import type { BusState } from '../core/events.ts';
import { hex } from '../core/network.ts';
import type { CycleStatistics, DurationStatistics } from '../core/statistics.ts';
import { formatElapsed, formatNanoseconds, formatValue, grouped, type Value } from './format.ts';

/** Samples of a tag that its trend shows. */
export const TREND_SAMPLES = 24;
/** Kinds of faults that are shown before older ones make way. */
const FAULTS_MAX = 4;

/** A SubDevice of the segment. */
export interface DeviceRow {
  readonly position: number;
  readonly name: string;
  /** Order name of the SII. */
  readonly orderName: string;
  readonly vendorId: number;
  readonly productCode: number;
  readonly revision: number;
  readonly inputBits: number;
  readonly outputBits: number;
}

/** A tag and what was last seen of it. */
export interface TagRow {
  readonly name: string;
  readonly direction: 'input' | 'output';
  readonly unit: string;
  readonly scale: number;
  value: Value;
  quality: string;
  /** Cycle of the last change. */
  cycle: number;
  /** Changes since the start. */
  changes: number;
  /** Changes per second, over about the last second. */
  rate: number;
  /** The newest sampled values, oldest first; only of numbers. */
  readonly trend: number[];
}

/** What is shown of durations, in ns. */
export type Distribution = Pick<DurationStatistics, 'p50' | 'p99' | 'max'>;

/** What is shown of the cycle thread's counters. */
export interface ShownStatistics
  extends Pick<CycleStatistics, 'cycles' | 'missedCycles' | 'lostFrames' | 'workingCounterErrors'> {
  readonly lateness: Distribution;
  readonly roundTrip: Distribution;
}

/** States of the climb, in their order. */
export const climb: readonly BusState[] = ['starting', 'PRE-OP', 'SAFE-OP', 'OP'];

/** Everything that the demo shows. */
export class DemoModel {
  /** File or name of what is running. */
  readonly title: string;
  readonly link: string;
  readonly cyclePeriodNs: number;
  readonly startedMs: number;
  state: BusState = 'starting';
  devices: readonly DeviceRow[] = [];
  readonly tags: Map<string, TagRow> = new Map();
  statistics: ShownStatistics | undefined;
  /** The newest kinds of faults by their codes: what was last said, and how often. */
  readonly faults: Map<string, { text: string; count: number }> = new Map();
  /** Output that keys act on. */
  selected = '';
  #lastTickMs: number;
  readonly #lastChanges: Map<string, number> = new Map();

  constructor(title: string, link: string, cyclePeriodNs: number, nowMs: number) {
    this.title = title;
    this.link = link;
    this.cyclePeriodNs = cyclePeriodNs;
    this.startedMs = nowMs;
    this.#lastTickMs = nowMs;
  }

  addTag(tag: Pick<TagRow, 'name' | 'direction' | 'unit' | 'scale'>): void {
    this.tags.set(tag.name, { ...tag, value: undefined, quality: '', cycle: 0, changes: 0, rate: 0, trend: [] });
  }

  /** Takes over a change of a tag. */
  sample(name: string, value: Value, quality: string, cycle: number): void {
    const tag = this.tags.get(name);
    if (tag === undefined) return;
    tag.value = value;
    tag.quality = quality;
    tag.cycle = cycle;
    tag.changes += 1;
  }

  /** Takes over a fault. One that comes a hundred times a second is one line with a count. */
  fault(code: string, text: string): void {
    const count = (this.faults.get(code)?.count ?? 0) + 1;
    // Set anew, so that the newest is last.
    this.faults.delete(code);
    this.faults.set(code, { text, count });
    const [oldest] = this.faults.keys();
    if (this.faults.size > FAULTS_MAX && oldest !== undefined) this.faults.delete(oldest);
  }

  /** Updates rates and trends; to be called several times a second. */
  tick(nowMs: number): void {
    const seconds = (nowMs - this.#lastTickMs) / 1000;
    if (seconds <= 0) return;
    this.#lastTickMs = nowMs;
    // An average that forgets with a time constant of half a second.
    const weight = 1 - Math.exp(-seconds / 0.5);
    for (const tag of this.tags.values()) {
      // What a tag begins with is no change.
      const changes = tag.changes - (this.#lastChanges.get(tag.name) ?? tag.changes);
      this.#lastChanges.set(tag.name, tag.changes);
      tag.rate += weight * (changes / seconds - tag.rate);
      if (tag.rate < 0.05) tag.rate = 0;
      if (typeof tag.value === 'number' || typeof tag.value === 'boolean') {
        tag.trend.push(Number(tag.value));
        if (tag.trend.length > TREND_SAMPLES) tag.trend.shift();
      }
    }
  }

  /** The outputs, in the order of the configuration. */
  outputs(): TagRow[] {
    return [...this.tags.values()].filter(({ direction }) => direction === 'output');
  }

  /** The output that keys act on: the selected one, or the first switch. */
  chosen(): TagRow | undefined {
    const outputs = this.outputs();
    return (
      outputs.find(({ name }) => name === this.selected) ??
      outputs.find(({ value }) => typeof value === 'boolean') ??
      outputs[0]
    );
  }

  /** Moves the choice among the outputs. */
  choose(step: 1 | -1): void {
    const outputs = this.outputs();
    const chosen = this.chosen();
    if (chosen === undefined) return;
    const next = (outputs.indexOf(chosen) + step + outputs.length) % outputs.length;
    this.selected = outputs[next]?.name ?? '';
  }
}

/** A tag's value with its unit. */
export function valueText({ value, unit, scale }: TagRow): string {
  const text = formatValue(value, scale);
  return unit === '' || value === undefined ? text : `${text} ${unit}`;
}

/** `4.0/s`; nothing for a tag that stands still. */
export function rateText({ rate }: TagRow): string {
  if (rate === 0) return '';
  return `${rate < 10 ? rate.toFixed(1) : Math.round(rate)}/s`;
}

/** A SubDevice as one row of a table. */
export function deviceCells({
  position,
  name,
  orderName,
  vendorId,
  productCode,
  revision,
  inputBits,
  outputBits,
}: DeviceRow): string[] {
  const identity = `${hex(vendorId, 8)}:${hex(productCode, 8)} rev ${hex(revision, 8)}`;
  const sizes = [inputBits > 0 ? `${inputBits} bits in` : '', outputBits > 0 ? `${outputBits} bits out` : ''];
  return [
    String(position),
    name,
    orderName || '–',
    identity,
    sizes.filter((part) => part !== '').join(', ') || 'no process data',
  ];
}

/** One line of numbers, for the end of a run and for output that is not a terminal. */
export function statisticsText({
  cycles,
  missedCycles,
  lostFrames,
  workingCounterErrors,
  lateness,
  roundTrip,
}: ShownStatistics): string {
  const times = ({ p50, p99, max }: Distribution): string =>
    `p50 ${formatNanoseconds(p50)} p99 ${formatNanoseconds(p99)} max ${formatNanoseconds(max)}`;
  return `${grouped(cycles)} cycles, ${missedCycles} missed, ${lostFrames} frames lost, ${workingCounterErrors} working counter errors; lateness ${times(lateness)}; round trip ${times(roundTrip)}`;
}

/** The line that a run ends with. */
export function closedText(statistics: ShownStatistics, elapsedMs: number): string {
  return `closed after ${formatElapsed(elapsedMs)}: ${statisticsText(statistics)}`;
}

/** Two ways to show the demo where there is no terminal: JSON lines for programs, plain lines for logs. */

import type { EtherCatError } from '../core/errors/ethercat-error.ts';
import type { BusState } from '../core/events.ts';
import {
  closedText,
  type DemoModel,
  type Distribution,
  deviceCells,
  rateText,
  type ShownStatistics,
  statisticsText,
  type TagRow,
  valueText,
} from './demo-model.ts';
import { formatElapsed, jsonValue, table } from './format.ts';

/** A way to show the demo. */
export interface DemoView extends Disposable {
  /** The MainDevice came to a state. */
  state(state: BusState, cycle: number | undefined): void;
  /** SubDevices and tags are known. */
  opened(): void;
  /** Something went wrong that does not end the run. */
  fault(error: EtherCatError): void;
  /** Time to show what changed; called several times a second. */
  refresh(nowMs: number): void;
  /** The bus is closed; these are its last numbers. */
  summary(statistics: ShownStatistics, elapsedMs: number): void;
}

/** Milliseconds between two blocks of plain lines. */
const LINES_PERIOD_MS = 1000;

/** One JSON object a line. Tags come at most once a refresh, with their newest value. */
export class JsonView implements DemoView {
  readonly #model: DemoModel;
  readonly #write: (text: string) => void;
  readonly #shown: Map<string, number> = new Map();

  constructor(model: DemoModel, write: (text: string) => void) {
    this.#model = model;
    this.#write = write;
  }

  state(state: BusState, cycle: number | undefined): void {
    this.#line({ event: 'state', state, cycle });
  }

  opened(): void {
    for (const device of this.#model.devices) this.#line({ event: 'device', ...device });
  }

  fault(error: EtherCatError): void {
    this.#line({ event: 'fault', ...error.toJSON() });
  }

  refresh(): void {
    if (isEnding(this.#model)) return;
    for (const { name, value, quality, cycle } of changedTags(this.#model, this.#shown)) {
      this.#line({ event: 'tag', name, value: jsonValue(value), quality, cycle });
    }
  }

  summary(statistics: ShownStatistics, elapsedMs: number): void {
    // All counters there are, and every kind of times in the same unit.
    const numbers = Object.entries(statistics as unknown as Record<string, number | Distribution>).map(
      ([name, value]) => [name, typeof value === 'number' ? value : microseconds(value)] as const,
    );
    this.#line({ event: 'summary', seconds: Math.round(elapsedMs) / 1000, ...Object.fromEntries(numbers) });
  }

  [Symbol.dispose](): void {}

  #line(event: object): void {
    this.#write(`${JSON.stringify(event)}\n`);
  }
}

/** Plain lines: the devices once, then what changed, once a second. */
export class LinesView implements DemoView {
  readonly #model: DemoModel;
  readonly #write: (text: string) => void;
  readonly #shown: Map<string, number> = new Map();
  /** How often each fault had come when it was last said. */
  readonly #faults: Map<string, number> = new Map();
  #nextMs = 0;

  constructor(model: DemoModel, write: (text: string) => void) {
    this.#model = model;
    this.#write = write;
    this.#line(`${model.title}, ${model.link}`);
  }

  state(state: BusState): void {
    this.#line(`state ${state}`);
  }

  opened(): void {
    for (const line of table(this.#model.devices.map(deviceCells))) this.#line(line);
  }

  /** The first of its kind at once; how often it came again is said with the next block. */
  fault({ code, message }: EtherCatError): void {
    if (this.#faults.has(code)) return;
    this.#faults.set(code, this.#model.faults.get(code)?.count ?? 0);
    this.#line(`${code}: ${message}`);
  }

  refresh(nowMs: number): void {
    if (nowMs < this.#nextMs || this.#model.statistics === undefined || isEnding(this.#model)) return;
    this.#nextMs = nowMs + LINES_PERIOD_MS;
    const time = formatElapsed(nowMs - this.#model.startedMs);
    this.#line(`${time}  ${statisticsText(this.#model.statistics)}`);
    const rows = changedTags(this.#model, this.#shown).map((tag) => [
      '     ',
      tag.name,
      valueText(tag),
      tag.quality,
      rateText(tag),
    ]);
    for (const line of table(rows, [2])) this.#line(line.trimEnd());
    for (const [code, { text, count }] of this.#model.faults) {
      const again = count - (this.#faults.get(code) ?? 0);
      if (again > 0) this.#line(`      ${code}: ${text} (${again} times)`);
      this.#faults.set(code, count);
    }
  }

  summary(statistics: ShownStatistics, elapsedMs: number): void {
    this.#line(closedText(statistics, elapsedMs));
  }

  [Symbol.dispose](): void {}

  #line(text: string): void {
    this.#write(`${text}\n`);
  }
}

/** On the way out every tag goes bad, which nobody wants to read. */
function isEnding({ state }: DemoModel): boolean {
  return state === 'closing' || state === 'closed';
}

/** Tags that changed since they were last shown. */
function changedTags(model: DemoModel, shown: Map<string, number>): TagRow[] {
  const changed = [...model.tags.values()].filter(({ name, changes }) => changes !== (shown.get(name) ?? 0));
  for (const { name, changes } of changed) shown.set(name, changes);
  return changed;
}

function microseconds({ p50, p99, max }: Distribution): Record<string, number | string> {
  const us = (ns: number): number => Math.round(ns) / 1000;
  return { unit: 'us', p50: us(p50), p99: us(p99), max: us(max) };
}

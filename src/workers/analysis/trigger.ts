/**
 * Ready-made analysis: captures the cycles around an event, as an oscilloscope does. It fires when the condition comes
 * true, and again after the capture is complete. Windows should follow each other (`hop` as long as `window`). A gap in
 * them ends no capture: its cycles say where it is, and an event that came true in it counts from the cycle behind it.
 */

import type { AnalysisContext } from '../../core/analysis.ts';
import { EtherCatError } from '../../core/errors/ethercat-error.ts';
import type { CycleWindow } from '../../core/history.ts';

/** What to wait for, as `workerData`; exactly one of `above`, `below` and `equals`. */
export interface TriggerOptions {
  /** The tag that the condition is about; one of the tags of the analysis. */
  readonly tag: string;
  /** Fires when the value becomes greater. */
  readonly above?: number;
  /** Fires when the value becomes less. */
  readonly below?: number;
  /** Fires when the value becomes this one; bools are 0 and 1. */
  readonly equals?: number;
  /** Cycles before the event. */
  readonly pre: number;
  /** Cycles after the event. */
  readonly post: number;
}

/** The cycles around one event. */
export interface Capture {
  /** Number of the cycle in which the condition came true; does not wrap. */
  readonly cycle: number;
  /** Place of that cycle in the columns: `pre`, or less right after the start or a loss. */
  readonly at: number;
  /** Number of every cycle. */
  readonly cycles: Float64Array<ArrayBuffer>;
  /** Periods between the first and the last of them without a cycle. */
  readonly missed: number;
  /** Values of every tag, one for each cycle. */
  readonly values: Readonly<Record<string, Float64Array<ArrayBuffer>>>;
}

/** Cycles seen and not yet forgotten, and the capture that is under way. */
interface Recording {
  cycles: number[];
  readonly values: number[][];
  /** Place of the event; undefined while waiting for one. */
  event: number | undefined;
  /** Whether the condition held in the cycle before; undefined where there is none. */
  held: boolean | undefined;
}

/** The captures that were completed in this window; nothing where there was none. */
export default function trigger(
  window: CycleWindow,
  { tags, workerData, state }: Pick<AnalysisContext, 'tags' | 'workerData' | 'state'>,
): Capture[] | undefined {
  const options = check(workerData, tags);
  state['recording'] ??= begin(tags.length);
  const recording = state['recording'] as Recording;
  // What was lost may have held the event, or its end.
  if (window.lost > 0) Object.assign(recording, begin(tags.length));
  const columns = tags.map((tag) => window.column(tag) as ArrayLike<number | bigint>);
  const watched = tags.indexOf(options.tag);
  const captures: Capture[] = [];
  for (let row = 0; row < window.length; row += 1) {
    const cycle = window.cycles[row]!;
    // Windows may overlap.
    if (cycle <= (recording.cycles.at(-1) ?? Number.NEGATIVE_INFINITY)) continue;
    recording.cycles.push(cycle);
    for (const [tag, column] of columns.entries()) recording.values[tag]!.push(Number(column[row]));
    const holds = isMet(options, Number(columns[watched]![row]));
    if (recording.event === undefined && holds && recording.held === false)
      recording.event = recording.cycles.length - 1;
    recording.held = holds;
    if (recording.event === undefined) forget(recording, options.pre, 2 * options.pre + 64);
    else if (recording.cycles.length - 1 - recording.event >= options.post) {
      captures.push(capture(recording, recording.event, options.pre, tags));
      recording.event = undefined;
      forget(recording, options.pre, options.pre);
    }
  }
  return captures.length === 0 ? undefined : captures;
}

function begin(tags: number): Recording {
  return { cycles: [], values: Array.from({ length: tags }, () => []), event: undefined, held: undefined };
}

function capture({ cycles, values }: Recording, event: number, pre: number, tags: readonly string[]): Capture {
  const first = Math.max(0, event - pre);
  const captured = Float64Array.from(cycles.slice(first));
  return {
    cycle: cycles[event]!,
    at: event - first,
    cycles: captured,
    missed: captured.at(-1)! - captured[0]! + 1 - captured.length,
    values: Object.fromEntries(tags.map((tag, n) => [tag, Float64Array.from(values[n]!.slice(first))])),
  };
}

/** Keeps the newest `kept` cycles, once there are more than `most`. */
function forget(recording: Recording, kept: number, most: number): void {
  const surplus = recording.cycles.length - kept;
  // The newest cycle always stays: the next one is compared with it.
  if (recording.cycles.length <= Math.max(1, most) || surplus <= 0) return;
  recording.cycles.splice(0, Math.min(surplus, recording.cycles.length - 1));
  for (const column of recording.values) column.splice(0, Math.min(surplus, column.length - 1));
}

function isMet({ above, below, equals }: TriggerOptions, value: number): boolean {
  if (above !== undefined) return value > above;
  return below === undefined ? value === equals : value < below;
}

function check(workerData: unknown, tags: readonly string[]): TriggerOptions {
  const options = (workerData ?? {}) as Partial<TriggerOptions>;
  const { tag, above, below, equals, pre, post } = options;
  const conditions = [above, below, equals].filter((value) => value !== undefined);
  const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
  if (tag !== undefined && tags.includes(tag) && conditions.length === 1 && isCount(pre) && isCount(post))
    return options as TriggerOptions;
  throw new EtherCatError(
    'ECAT_ERR_INVALID_ARGUMENT',
    'trigger takes workerData with tag (one of the tags), one of above, below and equals, and pre and post in cycles',
  );
}

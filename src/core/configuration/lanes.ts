/** The lanes of a configuration: what a schema cannot say about them, and their defaults. */

import { didYouMean } from '../nearest.ts';
import type { ParsedDocument, Path } from './document.ts';
import { shown } from './problems.ts';
import type { ConfigurationDocument, DeviceConfiguration, LaneConfiguration, TagConfiguration } from './types.ts';

/** A writer beats once in a while, not once a cycle: a shorter deadline would trip without reason. */
export const DEADLINE_CYCLES_MIN = 4;

/** What lanes are checked against. */
export interface LaneContext {
  readonly devices: readonly DeviceConfiguration[];
  readonly tags: readonly TagConfiguration[];
  readonly cyclePeriodMs: number;
  /** Deadline of a lane that names none. */
  readonly deadlineMs: number;
  /** Told every problem, with the path of the part. */
  readonly complain: (path: Path, message: string) => void;
}

/** Every lane, in the order of the document. */
export function normalizeLanes(document: ParsedDocument, context: LaneContext): LaneConfiguration[] {
  const { lanes = [] } = (document.value as ConfigurationDocument).ethercat;
  const names = new Set<string>();
  const taken = new Map<string, string>();
  return lanes.map((lane, index) => {
    const path: Path = ['ethercat', 'lanes', index];
    if (names.has(lane.name))
      context.complain([...path, 'name'], `is ${shown(lane.name)}, which another lane is called already`);
    names.add(lane.name);
    for (const [place, output] of lane.outputs.entries())
      checkOutput(output, lane.name, [...path, 'outputs', place], taken, context);
    checkDeadline(lane.deadline_ms, [...path, 'deadline_ms'], context);
    checkDeadline(lane.commit_deadline_ms, [...path, 'commit_deadline_ms'], context);
    return {
      name: lane.name,
      outputs: lane.outputs,
      deadlineMs: lane.deadline_ms ?? context.deadlineMs,
      commitDeadlineMs: lane.commit_deadline_ms ?? 0,
      location: document.locate(path),
      locations: lane.outputs.map((_, place) => document.locate([...path, 'outputs', place])),
    };
  });
}

/** A tag or device that is not there, an input, or something that another lane has by the same name. */
function checkOutput(
  output: string,
  lane: string,
  path: Path,
  taken: Map<string, string>,
  { devices, tags, complain }: LaneContext,
): void {
  const owner = taken.get(output);
  if (owner !== undefined) complain(path, `is ${shown(output)}, which lane ${owner} has already`);
  taken.set(output, lane);
  // Without tags in the file there will be one for every entry, which is only known once the segment is.
  if (devices.some(({ name }) => name === output) || tags.length === 0) return;
  const tag = tags.find(({ name }) => name === output);
  if (tag?.direction === 'input') complain(path, `is ${shown(output)}, which is an input`);
  if (tag !== undefined) return;
  const outputs = tags.filter(({ direction }) => direction === 'output').map(({ name }) => name);
  const hint = didYouMean(output, [...outputs, ...devices.map(({ name }) => name)]);
  complain(path, `is ${shown(output)}, which is neither an output nor a device${hint}`);
}

function checkDeadline(deadlineMs: number | undefined, path: Path, { cyclePeriodMs, complain }: LaneContext): void {
  const least = DEADLINE_CYCLES_MIN * cyclePeriodMs;
  if (deadlineMs === undefined || deadlineMs === 0 || deadlineMs >= least) return;
  complain(path, `must be 0 (never) or at least ${DEADLINE_CYCLES_MIN} cycles (${least} ms), not ${deadlineMs}`);
}

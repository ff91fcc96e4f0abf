/** The page beside a scenario's test, whose YAML is the fault of both, or the plant. */

import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { SegmentDocument, SegmentFault } from '../../src/simulator/index.ts';

/** What the page beside a test writes: keys of a segment file. */
export function yamlOfPage(test: string): SegmentDocument {
  const page = readFileSync(new URL(test.replace(/\.test\.ts$/, '.md')), 'utf8');
  const yaml = /```yaml\n([\s\S]*?)```/.exec(page)?.[1];
  if (yaml === undefined) throw new Error(`${test}: its page has no YAML`);
  return parse(yaml) as SegmentDocument;
}

/** The faults of the page beside a test. */
export function faultsOfPage(test: string): readonly SegmentFault[] {
  return yamlOfPage(test).faults ?? [];
}

/** One of them, by its name. */
export function faultOfPage(test: string, name: string): SegmentFault {
  const fault = faultsOfPage(test).find((one) => one.name === name);
  if (fault === undefined) throw new Error(`${test}: its page has no fault ${name}`);
  return fault;
}

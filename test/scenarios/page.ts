/** The page beside a scenario's test, whose YAML is the fault of both. */

import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { SegmentFault } from '../../src/simulator/index.ts';

/** The faults that the page beside a test writes. */
export function faultsOfPage(test: string): SegmentFault[] {
  const page = readFileSync(new URL(test.replace(/\.test\.ts$/, '.md')), 'utf8');
  const yaml = /```yaml\n([\s\S]*?)```/.exec(page)?.[1];
  if (yaml === undefined) throw new Error(`${test}: its page has no YAML`);
  return (parse(yaml) as { faults: SegmentFault[] }).faults;
}

/** One of them, by its name. */
export function faultOfPage(test: string, name: string): SegmentFault {
  const fault = faultsOfPage(test).find((one) => one.name === name);
  if (fault === undefined) throw new Error(`${test}: its page has no fault ${name}`);
  return fault;
}

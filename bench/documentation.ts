// The figures in `docs/performance.md`: everything between two marks is of one run, the rest is written by hand.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeMachine, type Machine } from './machine.ts';
import { type Row, renderMarkdown } from './report.ts';

const path = join(import.meta.dirname, '../docs/performance.md');
const BEGIN = '<!-- figures: written by `npm run bench -- --docs` -->';
const END = '<!-- end of figures -->';

/** Replaces the figures by those of a run. */
export function writeDocumentation(run: {
  readonly machine: Machine;
  readonly notes: readonly string[];
  readonly rows: readonly Row[];
}): void {
  const text = readFileSync(path, 'utf8');
  const [before, rest] = splitOnce(text, BEGIN);
  const [, after] = splitOnce(rest, END);
  const facts = [...describeMachine(run.machine), ...run.notes].map((line) => `- ${line}`).join('\n');
  writeFileSync(path, `${before}${BEGIN}\n${facts}\n\n${renderMarkdown(run.rows)}\n${END}${after}`);
}

function splitOnce(text: string, mark: string): [string, string] {
  const at = text.indexOf(mark);
  if (at < 0) throw new Error(`${path} has no line ${mark}`);
  return [text.slice(0, at), text.slice(at + mark.length)];
}

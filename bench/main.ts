// `npm run bench`: measures, prints one table, and says which bounds are kept.
//
//   npm run bench [-- --only NAME[,NAME…]] [--quick] [--json FILE] [--docs]
//
// Everything alternates (ours, the reference, ours, …) and is shown as medians over the repeats. Nothing here fails
// because of a figure: on a shared machine an absolute time proves nothing.

import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { keepAwake } from './awake.ts';
import type { BenchCase, BenchContext } from './case.ts';
import { answer } from './cases/answer.ts';
import { decode } from './cases/decode.ts';
import { exchange } from './cases/exchange.ts';
import { gaps } from './cases/gaps.ts';
import { jsLoad } from './cases/js-load.ts';
import { latency } from './cases/latency.ts';
import { lateness } from './cases/lateness.ts';
import { lockstep } from './cases/lockstep.ts';
import { memory } from './cases/memory.ts';
import { open } from './cases/open.ts';
import { path } from './cases/path.ts';
import { points } from './cases/points.ts';
import { segment } from './cases/segment.ts';
import { subscriber } from './cases/subscriber.ts';
import { urgent } from './cases/urgent.ts';
import { write } from './cases/write.ts';
import { writeDocumentation } from './documentation.ts';
import { describeMachine, describeOthers, lookAtProcessors, machine } from './machine.ts';
import { type Row, renderTable, verdictsOf } from './report.ts';

const cases: readonly BenchCase[] = [
  gaps,
  lateness,
  jsLoad,
  exchange,
  answer,
  open,
  path,
  segment,
  lockstep,
  decode,
  points,
  latency,
  subscriber,
  write,
  urgent,
  memory,
];

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
    docs: { type: 'boolean', default: false },
  },
});

const wanted = options.only?.split(',');
const unknown = wanted?.find((name) => !cases.some((one) => one.name === name));
if (unknown !== undefined) {
  process.stderr.write(`bench: no case ${unknown}; there are ${cases.map(({ name }) => name).join(', ')}\n`);
  process.exit(2);
}
if (options.docs && (wanted !== undefined || options.quick)) {
  process.stderr.write('bench: the documentation shows a whole run, without --only and --quick\n');
  process.exit(2);
}

const facts = machine();
const processors = lookAtProcessors();
const context: BenchContext = {
  repeats: options.quick ? 2 : 5,
  quick: options.quick,
  cpu: availableParallelism() - 1,
  priority: 80,
  progress: (text) => process.stderr.write(`bench: ${(performance.now() / 1_000).toFixed(0).padStart(3)} s  ${text}\n`),
};
const rows: Row[] = [];
const notes: string[] = [];
notes.push(
  keepAwake()
    ? 'the processors are kept from sleeping (/dev/cpu_dma_latency at 0), unless a row says otherwise'
    : 'the processors may sleep between cycles (/dev/cpu_dma_latency could not be held)',
);
for (const one of cases) {
  if (wanted !== undefined && !wanted.includes(one.name)) continue;
  const result = await one.run(context);
  rows.push(...result.rows);
  notes.push(...result.notes);
}

notes.unshift(describeOthers(processors, lookAtProcessors()));
const judged = rows.flatMap(verdictsOf);
const missed = judged.filter(({ ok }) => !ok).length;
process.stdout.write(`${[...describeMachine(facts), ...notes].map((line) => `- ${line}`).join('\n')}\n\n`);
process.stdout.write(`${renderTable(rows)}\n\n${judged.length - missed} bounds kept, ${missed} missed\n`);
if (options.json !== undefined) {
  const judgedRows = rows.map((row) => ({ ...row, verdicts: verdictsOf(row) }));
  writeFileSync(options.json, `${JSON.stringify({ machine: facts, notes, rows: judgedRows }, undefined, 2)}\n`);
}
if (options.docs) writeDocumentation({ machine: facts, notes, rows });

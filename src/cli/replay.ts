/** `bifrost-ethercat replay`: does a simulated segment answer as the devices of a capture did? */

import { readFile } from 'node:fs/promises';
import { styleText } from 'node:util';
import { fileError } from '../core/configuration/files.ts';
import { loadSegmentOf } from '../core/configuration/load.ts';
import { located } from '../core/configuration/segment-source.ts';
import type { SegmentDescription } from '../core/configuration/segment-types.ts';
import { EtherCatError } from '../core/errors/ethercat-error.ts';
import { native } from '../core/native.ts';
import { hex } from '../core/network.ts';
import { formatNanoseconds, table } from './format.ts';

/** Datagrams by what their comparison ended in; the others sum up to `total`. */
interface Counts {
  readonly identical: number;
  readonly clock: number;
  readonly live: number;
  readonly unanswered: number;
  readonly skipped: number;
  readonly structural: number;
  readonly total: number;
}

/** What the addon returns (`ReplayReport` in simulators/src/replay). */
interface ReplayReport {
  readonly frames: number;
  readonly requests: number;
  readonly counts: Counts;
  readonly skipped: Readonly<Record<string, number>>;
  readonly differences: readonly {
    readonly requestFrame: number;
    readonly answerFrame: number;
    readonly datagram: number;
    readonly command: string;
    readonly field: string;
    readonly register: number | null;
    readonly registerName: string | null;
    readonly expected: string;
    readonly got: string;
    readonly device: string | null;
    readonly hint: string;
  }[];
  readonly unknownWords: readonly { readonly device: number; readonly word: number; readonly count: number }[];
  readonly clocks: readonly { readonly device: number; readonly samples: number; readonly worstResidualNs: number }[];
  readonly latencies: readonly {
    readonly event: string;
    readonly count: number;
    readonly leastNs: number;
    readonly meanNs: number;
    readonly greatestNs: number;
  }[];
}

const CLASSES: readonly (readonly [keyof Counts, string])[] = [
  ['identical', 'as recorded'],
  ['clock', 'but for clocks, which fit their model'],
  ['live', 'but for input process data and what is not known'],
  ['unanswered', 'the capture has no answer'],
  ['skipped', ''],
  ['structural', 'different'],
];

/** Replays `capture` and prints what was found. The exit code is 1 when an answer is structurally different. */
export async function replay(
  capture: string,
  options: { readonly segment: string; readonly explain?: boolean; readonly json: boolean },
): Promise<void> {
  const [bytes, description] = await Promise.all([readCapture(capture), loadSegmentOf(options.segment)]);
  const report = played(capture, bytes, description);
  if (report.counts.structural > 0) process.exitCode = 1;
  const lines = options.json
    ? [JSON.stringify({ event: 'replay', capture, ...report })]
    : readable(capture, report, options.explain);
  process.stdout.write(`${lines.join('\n')}\n`);
}

async function readCapture(capture: string): Promise<Uint8Array> {
  try {
    return await readFile(capture);
  } catch (error) {
    throw fileError('the capture', capture, error);
  }
}

function played(capture: string, bytes: Uint8Array, segment: SegmentDescription): ReplayReport {
  try {
    return JSON.parse(located(segment, (json) => native().replay(bytes, json))) as ReplayReport;
  } catch (error) {
    const { code, message } = EtherCatError.from(error);
    if (code !== 'ECAT_ERR_INVALID_ARGUMENT') throw error;
    throw fileError('the capture', capture, new Error(message, { cause: error }));
  }
}

function readable(
  capture: string,
  { frames, requests, counts, ...report }: ReplayReport,
  explain: boolean | undefined,
): string[] {
  const skipped = Object.entries(report.skipped).map(([what, count]) => `${count} ${what}`);
  const rows = CLASSES.map(([name, meaning]) => [
    `  ${name}`,
    String(counts[name]),
    counts.total === 0 ? '' : `${((100 * counts[name]) / counts.total).toFixed(1)} %`,
    name === 'skipped' ? skipped.join(', ') : meaning,
  ]);
  const lines = [
    `${capture}: ${frames} frames, ${requests} requests`,
    ...table([...rows, ['  total', String(counts.total), '', 'datagrams, and skipped frames']], [1, 2]),
  ];
  for (const { device, samples, worstResidualNs } of report.clocks) {
    lines.push(`clock of device ${device}: ${samples} samples within ${formatNanoseconds(worstResidualNs)}`);
  }
  for (const { event, count, leastNs, meanNs, greatestNs } of report.latencies) {
    const off = `${signed(leastNs)} to ${signed(greatestNs)}, ${signed(meanNs)} in the mean`;
    lines.push(`${event}: ${count} times, seen ${off} after the device's own model`);
  }
  for (const { device, word, count } of report.unknownWords) {
    lines.push(`word ${hex(word, 4)} of device ${device}'s EEPROM was read ${count} times, and is not described`);
  }
  for (const one of report.differences) {
    const register = one.register === null ? '' : ` at ${hex(one.register, 4)}`;
    const name = one.registerName === null ? '' : ` (${one.registerName})`;
    lines.push(
      `${styleText('red', '✗', { stream: process.stdout })} frame ${one.requestFrame}, answer ${one.answerFrame}, ` +
        `datagram ${one.datagram}, ${one.command}: ${one.field}${register}${name}: ` +
        `expected ${one.expected}, got ${one.got === '' ? 'nothing' : one.got}`,
    );
    if (explain === true) {
      const device = one.device === null ? '' : `${one.device}: `;
      lines.push(`    ${device}${one.hint === '' ? 'no key of a segment file tells of this' : one.hint}`);
    }
  }
  if (report.differences.length < counts.structural) {
    lines.push(`and ${counts.structural - report.differences.length} datagrams more that differ`);
  }
  return lines;
}
function signed(ns: number): string {
  return ns < 0 ? `−${formatNanoseconds(-ns)}` : formatNanoseconds(ns);
}

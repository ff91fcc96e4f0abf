/** `bifrost-ethercat simulate`: a simulated segment on a network card, for a MainDevice elsewhere. */

import { createInterface } from 'node:readline';
import { parse } from 'yaml';
import type { SegmentFault } from '../core/configuration/fault-types.ts';
import { EtherCatError } from '../core/errors/ethercat-error.ts';
import { simulate as simulated } from '../simulator/simulate.ts';
import type { SimulatedSegment } from '../simulator/simulated-segment.ts';
import { reportFailure, stopSignal, untilAborted } from './failure.ts';

/** How often hits are printed. */
const HITS_MS = 100;

/** Serves the segment of `file` on a network interface until the process is told to stop. */
export async function simulate(
  file: string,
  options: {
    readonly interface: string;
    readonly secondInterface?: string;
    readonly priority?: number;
    readonly cpu?: number;
    readonly commands: boolean;
    /** Faults from the first frame on, as YAML or JSON. */
    readonly fault?: readonly string[];
    /** Whether what they do is printed. */
    readonly hits?: boolean;
  },
): Promise<void> {
  const segment = await simulated(file, { time: 'wall' });
  for (const fault of options.fault ?? []) segment.inject(faultOf(fault));
  const stopping = stopSignal();
  const server = segment.serve(options.interface, options);
  const commands = options.commands ? createInterface({ input: process.stdin }) : undefined;
  commands?.on('line', (line) => obey(line, segment));
  const printHits = options.hits === true ? hitsPrinter(segment) : undefined;
  const watch = printHits === undefined ? undefined : setInterval(printHits, HITS_MS);
  try {
    const ready = { event: 'ready', interface: options.interface, subDevices: segment.devices.length };
    process.stdout.write(`${JSON.stringify(ready)}\n`);
    await untilAborted(stopping.signal);
  } finally {
    clearInterval(watch);
    printHits?.();
    commands?.close();
    server.close();
    stopping.dispose();
  }
}

/** Carries out a command of stdin and says so; what is wrong with one ends nothing. */
function obey(line: string, segment: SimulatedSegment): void {
  if (line.trim() === '') return;
  try {
    const command = JSON.parse(line) as { kind?: string; fault?: SegmentFault; name?: string };
    let answer = {};
    if (command.kind === 'inject' && command.fault !== undefined)
      answer = { fault: segment.inject(command.fault).name };
    else if (command.kind === 'clearFault') segment.port.clearFaults(command.name);
    else segment.port.command(line);
    process.stdout.write(`${JSON.stringify({ event: 'commanded', ...answer })}\n`);
  } catch (error) {
    const wrong = error instanceof SyntaxError;
    reportFailure(wrong ? new EtherCatError('ECAT_ERR_INVALID_ARGUMENT', `command: ${error.message}`) : error, true);
  }
}

/** A fault of an option. */
function faultOf(text: string): SegmentFault {
  try {
    const fault: unknown = parse(text);
    if (typeof fault === 'object' && fault !== null && 'effect' in fault) return fault as SegmentFault;
  } catch {
    // Said below.
  }
  const expected =
    'expected a fault such as { on: { device: axis }, effect: { kind: power-off }, when: { after_ms: 500 } }';
  throw new EtherCatError('ECAT_ERR_INVALID_ARGUMENT', `--fault: ${expected}, got ${text}`);
}

/** Prints what faults have done since it last did, a line each, and how many of those were lost or not taken. */
function hitsPrinter(segment: SimulatedSegment): () => void {
  let before = { lost: 0, refused: 0 };
  return () => {
    const { hits, lost, refused } = segment.hits();
    for (const hit of hits) process.stdout.write(`${JSON.stringify({ event: 'hit', ...hit })}\n`);
    if (lost > before.lost || refused > before.refused) {
      const missing = { lost: lost - before.lost, refused: refused - before.refused };
      process.stdout.write(`${JSON.stringify({ event: 'hits-missing', ...missing })}\n`);
    }
    before = { lost, refused };
  };
}

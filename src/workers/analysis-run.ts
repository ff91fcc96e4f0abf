/** Checks what an application wants analysed, before any thread is started for it. */

import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { AnalyseOptions } from '../core/analysis.ts';
import type { BusView } from '../core/bus-view.ts';
import { EtherCatError } from '../core/errors/ethercat-error.ts';
import { isGapPolicy } from '../core/window-stream.ts';
import type { AnalysisRun } from './analysis-pool.ts';

/** @throws `ECAT_ERR_INVALID_ARGUMENT`, `ECAT_ERR_TAG_UNKNOWN` */
export function analysisOf(view: BusView, script: string | URL, options: AnalyseOptions): AnalysisRun {
  const { tags, window, hop = window, gaps = 'report', workerData } = options;
  if (!Array.isArray(tags as unknown) || tags.length === 0) throw invalid('tags has to be a list of names of tags');
  for (const name of tags) view.numberOf(name);
  checkCycles('window', window, view);
  checkCycles('hop', hop, view);
  if (!isGapPolicy(gaps)) throw invalid(`gaps has to be 'report' or 'restart', not ${String(gaps)}`);
  return { handle: view.handle, script: urlOf(script), tags: [...tags], window, hop, gaps, workerData };
}

/** What falls out of the ring while the worker is at a window would be in no other one. */
function checkCycles(name: string, cycles: number, { memory }: BusView): void {
  if (!Number.isSafeInteger(cycles) || cycles < 1) throw invalid(`${name} has to be a whole number of cycles from 1`);
  if (cycles <= memory.slotCount) return;
  const ms = Math.ceil((cycles * memory.cyclePeriodNs) / 1e6);
  throw invalid(
    `a ${name} of ${cycles} cycles is more than the history of ${memory.slotCount}; set history_ms to ${ms} or more`,
  );
}

/** A URL as it stands; a path from the working directory. */
function urlOf(script: string | URL): string {
  if (script instanceof URL) return script.href;
  if (typeof script !== 'string' || script === '') throw invalid('script has to be the path or URL of a module');
  return /^[a-z]+:/.test(script) ? script : pathToFileURL(resolve(script)).href;
}

function invalid(message: string): EtherCatError {
  return new EtherCatError('ECAT_ERR_INVALID_ARGUMENT', `analyse(): ${message}`);
}

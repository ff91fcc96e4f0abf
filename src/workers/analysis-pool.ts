/**
 * Runs analyses, each in a thread of its own of a second pool. A module that throws, exits or runs out of memory ends its
 * own analysis and nothing else; one that does not end is terminated.
 */

import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { AnalysisControl, type AnalysisResult } from '../core/analysis.ts';
import { EtherCatError } from '../core/errors/ethercat-error.ts';
import type { AnalysisTask } from './analysis.worker.ts';
import { workerUrl } from './worker-url.ts';

/** Analyses of one process at once. */
const THREADS_MAX = 16;
/** How long a thread without an analysis is kept. */
const IDLE_MS = 1000;
/** Heap of one thread; windows are outside of it. */
const HEAP_MB = 256;
/** Time that a module may take to come to its end once it is told to; then its thread is terminated. */
const STOP_MS = 200;

/** Told what comes of an analysis. */
export interface AnalysisObserver {
  next(result: AnalysisResult): void;
  error(error: EtherCatError): void;
  complete(): void;
}

/** What to run. */
export type AnalysisRun = Omit<AnalysisTask, 'control' | 'port'>;

let pool: Piscina<AnalysisTask, void> | undefined;

/** Made with the first analysis; without one its threads end, and it costs nothing. */
function analysisPool(): Piscina<AnalysisTask, void> {
  if (pool !== undefined) return pool;
  pool = new Piscina<AnalysisTask, void>({
    filename: workerUrl('analysis'),
    minThreads: 0,
    maxThreads: THREADS_MAX,
    maxQueue: 0,
    concurrentTasksPerWorker: 1,
    atomics: 'disabled',
    idleTimeout: IDLE_MS,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
  });
  // Every task says it too.
  pool.on('error', () => undefined);
  return pool;
}

/** Starts an analysis; the returned function ends it. */
export function startAnalysis(run: AnalysisRun, observer: AnalysisObserver): () => void {
  const { port1: port, port2: far } = new MessageChannel();
  const control = new AnalysisControl();
  const aborting = new AbortController();
  let ended = false;
  let overdue: NodeJS.Timeout | undefined;
  const take = (result: AnalysisResult): void => {
    control.take();
    if (!ended) observer.next(result);
  };
  const stop = (): void => {
    if (ended) return;
    ended = true;
    control.stop();
    overdue = setTimeout(() => aborting.abort(), STOP_MS);
  };
  port.on('message', take);
  // The bus holds the process, and not what is made of it.
  port.unref();
  analysisPool()
    .run({ ...run, control: control.buffer, port: far }, { transferList: [far], signal: aborting.signal })
    .then(
      () => {
        // What it posted last may not have arrived as a message yet.
        for (let last = receiveMessageOnPort(port); last !== undefined; last = receiveMessageOnPort(port))
          take(last.message as AnalysisResult);
        if (!ended) observer.complete();
      },
      (cause: unknown) => {
        if (!ended) observer.error(failure(run.script, cause));
      },
    )
    .finally(() => {
      ended = true;
      clearTimeout(overdue);
      port.close();
    });
  return stop;
}

function failure(script: string, cause: unknown): EtherCatError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new EtherCatError('ECAT_ERR_ANALYSIS', `the analysis ${script} failed: ${reason}`, { cause });
}

/**
 * Keeps one decode worker running: a crashed, killed or silent one is reported and replaced, with a back-off.
 * Cycles go on meanwhile; the successor begins with a FULL batch, which brings every consumer up to date.
 *
 * Each worker has a piscina pool of its own. The log has one writer, so a successor is only started once the
 * thread before it has ended. A worker whose task ended by itself is kept for a moment: who closes and opens again
 * finds its thread ready, and pays no isolate for every round.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { Piscina } from 'piscina';
import type { DecodeStatus } from '../core/decode-status.ts';
import { EtherCatError } from '../core/errors/ethercat-error.ts';
import type { DecodeTask } from './decode.worker.ts';
import { workerUrl } from './worker-url.ts';

/** Silence after which a worker counts as stuck; a living one beats every 50 ms. */
const SILENCE_MS = 1000;
/** Time that a new worker may take to come to its first beat: it loads this package on a busy machine. */
const START_MS = 20_000;
/** Time that a worker may take to end once it is told to; then its thread is terminated. */
const STOP_MS = 200;
const BACK_OFF_MIN_MS = 20;
const BACK_OFF_MAX_MS = 2000;
/** A worker that ran so long failed for a new reason: the back-off begins anew. */
const BACK_OFF_RESET_MS = 10_000;
/** How long a worker without a task is kept. */
const PARKED_MS = 1000;
/** A worker needs little; when it needs more it fails alone, and not the process. */
const HEAP_MB = 64;

/** What to run, and whom to tell. */
export interface DecodeRun {
  readonly task: DecodeTask;
  readonly status: DecodeStatus;
  /** Told once for every worker that has to be replaced. */
  readonly onFailure: (error: EtherCatError) => void;
}

/** For tests of the supervision. */
export interface DecodePoolOptions {
  /** File of the worker. */
  readonly filename?: string;
  /** Silence after which a worker counts as stuck, in ms. */
  readonly silenceMs?: number;
}

type Pool = Piscina<DecodeTask, void>;

/** The worker that is kept for the next opening, and what ends it. At most one: a second one ends at once. */
let parked: { readonly pool: Pool; readonly filename: string; readonly timer: NodeJS.Timeout } | undefined;

/** Supervises the decode worker of one partition. */
export class DecodePool {
  readonly #filename: string;
  readonly #silenceMs: number;
  readonly #stopping: AbortController = new AbortController();
  /** The pool of the worker that runs, or is about to. */
  #pool: Pool | undefined;
  #run: DecodeRun | undefined;
  #supervision: Promise<void> | undefined;
  #replaced = 0;

  /** Starts a thread that loads the worker, so that it is ready when there is something to decode. */
  constructor({ filename = workerUrl('decode'), silenceMs = SILENCE_MS }: DecodePoolOptions = {}) {
    this.#filename = filename;
    this.#silenceMs = silenceMs;
    this.#pool = takeParked(filename) ?? this.#makePool();
  }

  /** Workers that had to be replaced so far. */
  get replaced(): number {
    return this.#replaced;
  }

  /** Begins to decode. Once. */
  start(run: DecodeRun): void {
    this.#run = run;
    this.#supervision = this.#supervise(run);
  }

  /** Terminates the worker's thread, as a crash would. For tests. */
  async kill(): Promise<void> {
    await Promise.all((this.#pool?.threads ?? []).map((thread) => thread.terminate()));
  }

  /** Ends the worker and its thread. Idempotent; never rejects. */
  async stop(): Promise<void> {
    this.#run?.status.stop();
    this.#stopping.abort();
    await (this.#supervision ?? (this.#pool && park(this.#pool, this.#filename)));
    this.#pool = undefined;
  }

  #makePool(): Pool {
    const pool: Pool = new Piscina<DecodeTask, void>({
      filename: this.#filename,
      minThreads: 1,
      maxThreads: 1,
      concurrentTasksPerWorker: 1,
      atomics: 'disabled',
      idleTimeout: Number.POSITIVE_INFINITY,
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
    });
    // A pool that fails between tasks says so here, and the next task says it too.
    pool.on('error', () => undefined);
    return pool;
  }

  async #supervise(run: DecodeRun): Promise<void> {
    let backOffMs = BACK_OFF_MIN_MS;
    while (!this.#stopping.signal.aborted) {
      const startedMs = performance.now();
      this.#pool ??= this.#makePool();
      const failure = await this.#runWorker(this.#pool, run);
      this.#pool = undefined;
      if (failure === undefined || this.#stopping.signal.aborted) return;
      this.#replaced += 1;
      run.onFailure(failure);
      if (performance.now() - startedMs > BACK_OFF_RESET_MS) backOffMs = BACK_OFF_MIN_MS;
      await sleep(backOffMs, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
      backOffMs = Math.min(2 * backOffMs, BACK_OFF_MAX_MS);
    }
  }

  /** Runs one worker to its end; undefined when it ended since the engine closed or it was told to. */
  async #runWorker(pool: Pool, { task, status }: DecodeRun): Promise<EtherCatError | undefined> {
    let silent = false;
    // A second `destroy()` would not wait for the threads that the first one is ending.
    let ending: Promise<void> | undefined;
    const end = (): Promise<void> => {
      ending ??= pool.destroy().catch(() => undefined);
      return ending;
    };
    const watch = this.#watchHeartbeat(status, () => {
      silent = true;
      void end();
    });
    const stop = this.#watchStop(() => void end());
    try {
      await pool.run(task);
      ending ??= park(pool, this.#filename);
      return undefined;
    } catch (cause) {
      const reason = silent ? 'fell silent' : `ended: ${cause instanceof Error ? cause.message : String(cause)}`;
      return new EtherCatError('ECAT_ERR_DECODE_WORKER', `the decode worker ${reason}; it is being replaced`, {
        cause,
      });
    } finally {
      watch[Symbol.dispose]();
      stop[Symbol.dispose]();
      await end();
    }
  }

  /** Calls back once when the worker's heartbeat stands still for too long. */
  #watchHeartbeat(status: DecodeStatus, onSilence: () => void): Disposable {
    const silenceMs = this.#silenceMs;
    const periodMs = silenceMs / 4;
    const first = status.heartbeat;
    let last = first;
    let lastMs = performance.now();
    let lookedMs = lastMs;
    const timer = setInterval(() => {
      const nowMs = performance.now();
      // When this thread itself was away, the worker gets a full period to show that it was not.
      if (nowMs - lookedMs > 2 * periodMs) lastMs = nowMs;
      lookedMs = nowMs;
      const { heartbeat } = status;
      if (heartbeat !== last) {
        last = heartbeat;
        lastMs = nowMs;
      } else if (nowMs - lastMs > (heartbeat === first ? START_MS : silenceMs)) {
        clearInterval(timer);
        onSilence();
      }
    }, periodMs);
    return { [Symbol.dispose]: () => clearInterval(timer) };
  }

  /** Calls back once when the worker should have ended since it was told to, and has not. */
  #watchStop(onOverdue: () => void): Disposable {
    const { signal } = this.#stopping;
    let timer: NodeJS.Timeout | undefined;
    const begin = (): void => {
      timer = setTimeout(onOverdue, STOP_MS);
    };
    if (signal.aborted) begin();
    else signal.addEventListener('abort', begin);
    return {
      [Symbol.dispose](): void {
        signal.removeEventListener('abort', begin);
        clearTimeout(timer);
      },
    };
  }
}

/** Keeps an idle worker for the next opening, or ends it where one is kept already. */
async function park(pool: Pool, filename: string): Promise<void> {
  if (parked !== undefined) return pool.destroy().catch(() => undefined);
  const timer = setTimeout(() => {
    parked = undefined;
    pool.destroy().catch(() => undefined);
  }, PARKED_MS);
  timer.unref();
  parked = { pool, filename, timer };
}

/** The kept worker, where there is one of this file and its thread is alive. */
function takeParked(filename: string): Pool | undefined {
  if (parked?.filename !== filename) return undefined;
  const { pool, timer } = parked;
  clearTimeout(timer);
  parked = undefined;
  return pool;
}

/**
 * The analysis worker: attaches by the handle, fills windows by native copies of raw cycles, and hands each to the
 * module. Windows have memory of their own: a module may keep or transfer them.
 */

import type { MessagePort } from 'node:worker_threads';
import { type Analyse, type AnalysisContext, AnalysisControl, type AnalysisResult } from '../core/analysis.ts';
import type { BusHandle } from '../core/bus-handle.ts';
import { BusView } from '../core/bus-view.ts';
import { CycleClock } from '../core/cycle-clock.ts';
import { SlotBuffer } from '../core/decode.ts';
import { EtherCatError } from '../core/errors/ethercat-error.ts';
import { CopyOutcome } from '../core/generated/layout.ts';
import type { CycleWindow } from '../core/history.ts';
import { type GapPolicy, WindowStream, windowSource } from '../core/window-stream.ts';

/** One native wait at the longest; nothing can interrupt it. */
const WAIT_SLICE_MS = 50;

/** What a worker works on. */
export interface AnalysisTask {
  readonly handle: BusHandle;
  /** URL of the module. */
  readonly script: string;
  readonly tags: readonly string[];
  readonly window: number;
  readonly hop: number;
  readonly gaps: GapPolicy;
  readonly workerData: unknown;
  readonly control: SharedArrayBuffer;
  readonly port: MessagePort;
}

/** Runs until it is told to stop, or the bus has closed. */
export default async function analysis(task: AnalysisTask): Promise<void> {
  const analyse = await load(task.script);
  const view = new BusView(task.handle);
  try {
    await new AnalysisLoop(view, task, analyse).run();
  } finally {
    view.release();
    task.port.close();
  }
}

async function load(script: string): Promise<Analyse> {
  const { default: analyse } = (await import(script)) as { default?: unknown };
  if (typeof analyse === 'function') return analyse as Analyse;
  throw new EtherCatError(
    'ECAT_ERR_INVALID_ARGUMENT',
    `${script} has no default export that is a function (window, context)`,
  );
}

class AnalysisLoop {
  readonly #view: BusView;
  readonly #task: AnalysisTask;
  readonly #analyse: Analyse;
  readonly #control: AnalysisControl;
  readonly #windows: WindowStream;
  readonly #context: AnalysisContext;
  /** At most one: cycles are looked at no further than to the end of a window. */
  #full: CycleWindow | undefined;
  #dropped = 0;

  constructor(view: BusView, task: AnalysisTask, analyse: Analyse) {
    this.#view = view;
    this.#task = task;
    this.#analyse = analyse;
    this.#control = new AnalysisControl(task.control);
    const latest = (): number => view.cycleNumber.extend(view.memory.latestCycle);
    const tags = Uint32Array.from(task.tags, (name) => view.numberOf(name));
    const { window, hop, gaps } = task;
    this.#windows = new WindowStream(
      windowSource(view, new CycleClock(latest, () => undefined)),
      { tags, window, hop, gaps },
      {
        next: (full) => {
          this.#full = full;
        },
        complete: () => undefined,
      },
    );
    const { cyclePeriodNs } = view.memory;
    this.#context = { cyclePeriodNs, tags: task.tags, workerData: task.workerData, state: {} };
  }

  async run(): Promise<void> {
    const view = this.#view;
    const slot = new SlotBuffer(view.memory.slotBytes);
    let seen = view.memory.latestCycle;
    while (!this.#control.isStopped) {
      const outcome = view.waitCopy(seen, WAIT_SLICE_MS, slot);
      if (outcome === CopyOutcome.Closed) return;
      seen = view.memory.latestCycle;
      await this.#lookUpTo(view.cycleNumber.extend(seen));
    }
  }

  async #lookUpTo(latest: number): Promise<void> {
    for (let end = 0; end < latest && !this.#control.isStopped; ) {
      end = Math.min(latest, this.#windows.due);
      this.#windows.look(end);
      const full = this.#full;
      this.#full = undefined;
      if (full !== undefined) await this.#hand(full);
    }
  }

  async #hand(window: CycleWindow): Promise<void> {
    const { missed, lost } = window;
    const [firstCycle, lastCycle] = [window.cycles[0]!, window.cycles.at(-1)!];
    const result = await this.#analyse(window, this.#context);
    if (result === undefined) return;
    if (!this.#control.tryPost()) {
      this.#dropped += 1;
      return;
    }
    this.#task.port.postMessage({
      result,
      firstCycle,
      lastCycle,
      missed,
      lost,
      dropped: this.#dropped,
    } satisfies AnalysisResult);
    this.#dropped = 0;
  }
}

// What a decode worker does, with its times taken: waits natively for a cycle, copies it, and decodes what changed.

import { parentPort, workerData } from 'node:worker_threads';
import { BatchWriter } from '../src/core/change-log.ts';
import { Decoder, SlotBuffer } from '../src/core/decode.ts';
import { ChangeDetector } from '../src/core/detect.ts';
import { CopyOutcome } from '../src/core/generated/layout.ts';
import { native } from '../src/core/native.ts';
import { ProcessMemory, slotReader } from '../src/core/process-image.ts';
import { TagTable } from '../src/core/tag-table.ts';
import { type Figures, figuresOf } from './report.ts';

/** What to measure, and where. */
export interface DecodedTask {
  readonly engineId: number;
  readonly memory: SharedArrayBuffer;
  readonly tags: SharedArrayBuffer;
  readonly repeats: number;
  readonly cycles: number;
  /** From the monotonic clock to the time of day, in ns. */
  readonly offsetNs: bigint;
}

/** From the start of a cycle, in µs, for each repeat. */
export interface DecodedTimes {
  readonly copied: readonly Figures[];
  readonly decoded: readonly Figures[];
  /** Comparing and decoding alone, in µs. */
  readonly compared: readonly Figures[];
  /** Share of the cycles that the worker did not get to see. */
  readonly unseen: readonly number[];
  readonly changes: readonly number[];
}

const WAIT_MS = 50;

const task = workerData as DecodedTask;
const memory = new ProcessMemory(task.memory);
const attachment = new (native().BindingAttachment)(task.engineId, memory.bytes);
try {
  parentPort?.postMessage(measure());
} finally {
  attachment.release();
}

function measure(): DecodedTimes {
  const table = new TagTable(task.tags);
  const detector = new ChangeDetector(
    table,
    new Decoder(table, memory.sections),
    memory.sections,
    memory.slotBytes,
    table.tagsOf(0),
  );
  const batch = new BatchWriter(table.count);
  const times = new Uint32Array(4);
  let previous = new SlotBuffer(memory.slotBytes);
  let current = new SlotBuffer(memory.slotBytes);
  let last = -1;
  const samples: Record<'copied' | 'decoded' | 'compared', Float64Array[]> = { copied: [], decoded: [], compared: [] };
  const counts = { unseen: [] as number[], changes: [] as number[] };
  // The first round only warms up.
  for (let round = 0; round <= task.repeats; round += 1) {
    const copied = new Float64Array(task.cycles);
    const decoded = new Float64Array(task.cycles);
    const compared = new Float64Array(task.cycles);
    let [changes, unseen] = [0, 0];
    let seen = last;
    for (let n = 0; n < task.cycles; ) {
      const outcome = attachment.waitCopy(last, WAIT_MS, current.bytes);
      const copiedAt = process.hrtime.bigint();
      if (outcome === CopyOutcome.Closed) throw new Error('the engine ended while it was measured');
      if (outcome !== CopyOutcome.Fresh) {
        if (outcome === CopyOutcome.Overtaken) last = -1;
        continue;
      }
      const cycle = slotReader.cycle(current);
      if (seen !== -1) unseen += ((cycle - seen) >>> 0) - 1;
      seen = cycle;
      if (last !== -1) changes += detector.compare(previous, current, cycle, batch);
      const decodedAt = process.hrtime.bigint();
      last = cycle;
      slotReader.times(current, times);
      const startNs = ((BigInt(times[1]!) << 32n) | BigInt(times[0]!)) - task.offsetNs;
      copied[n] = Number(copiedAt - startNs);
      decoded[n] = Number(decodedAt - startNs);
      compared[n] = Number(decodedAt - copiedAt);
      n += 1;
      [previous, current] = [current, previous];
    }
    if (round === 0) continue;
    samples.copied.push(copied);
    samples.decoded.push(decoded);
    samples.compared.push(compared);
    counts.unseen.push(unseen / (task.cycles + unseen));
    counts.changes.push(changes / task.cycles);
  }
  // At the end: whatever a worker does between two rounds makes it late in the next.
  const figures = (rounds: readonly Float64Array[]): Figures[] =>
    rounds.map((round) => figuresOf(Array.from(round), 1_000));
  return {
    copied: figures(samples.copied),
    decoded: figures(samples.decoded),
    compared: figures(samples.compared),
    ...counts,
  };
}

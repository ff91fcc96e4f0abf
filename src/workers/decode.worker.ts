/**
 * The decode worker: one task that never ends. It waits natively for the next cycle, compares it with the one
 * before, and publishes what changed. While no thread wants to be told, it compares nothing.
 *
 * Its state is private and can be lost at any moment: what replaces it begins with a FULL batch.
 */

import type { BusHandle } from '../core/bus-handle.ts';
import { BatchWriter } from '../core/change-log.ts';
import { cyclesBetween } from '../core/cycle-number.ts';
import { Decoder, SlotBuffer } from '../core/decode.ts';
import { DecodeStatus } from '../core/decode-status.ts';
import { ChangeDetector } from '../core/detect.ts';
import { CopyOutcome, LOG_BATCH_FULL } from '../core/generated/layout.ts';
import { type BindingAttachment, native } from '../core/native.ts';
import { ProcessMemory, slotReader } from '../core/process-image.ts';
import { TagTable } from '../core/tag-table.ts';

/** One native wait at the longest: as long as nothing can interrupt it, and as a stop takes. */
const WAIT_SLICE_MS = 50;

/** What a decode worker works on: these parts of a bus's handle, and the tags of one partition. */
export type DecodeTask = Pick<BusHandle, 'engineId' | 'memory' | 'table' | 'status'> & { readonly partition: number };

/** Runs until it is told to stop, or the engine has closed. */
export default function decode(task: DecodeTask): void {
  const { partition } = task;
  const status = new DecodeStatus(task.status, partition);
  const memory = new ProcessMemory(task.memory);
  const attachment = new (native().BindingAttachment)(task.engineId, memory.bytes);
  try {
    new DecodeLoop(memory, new TagTable(task.table), partition, status, attachment).run();
  } finally {
    attachment.release();
  }
}

class DecodeLoop {
  readonly #partition: number;
  readonly #status: DecodeStatus;
  readonly #attachment: BindingAttachment;
  readonly #detector: ChangeDetector;
  readonly #batch: BatchWriter;
  readonly #times: Uint32Array<ArrayBuffer> = new Uint32Array(4);
  #previous: SlotBuffer;
  #current: SlotBuffer;
  /** Cycle last looked at; undefined before the first. */
  #last: number | undefined;
  /** Cycles since the last batch that were not looked at. */
  #missed = 0;
  /** Whether the next batch has to be FULL. */
  #full = true;
  /** Whether nobody followed when the last cycle was looked at. */
  #idle = false;

  constructor(
    memory: ProcessMemory,
    table: TagTable,
    partition: number,
    status: DecodeStatus,
    attachment: BindingAttachment,
  ) {
    this.#partition = partition;
    this.#status = status;
    this.#attachment = attachment;
    const decoder = new Decoder(table, memory.sections);
    const tags = table.tagsOf(partition);
    this.#detector = new ChangeDetector(table, decoder, memory.sections, memory.slotBytes, tags);
    this.#batch = new BatchWriter(tags.length);
    this.#previous = new SlotBuffer(memory.slotBytes);
    this.#current = new SlotBuffer(memory.slotBytes);
    if (status.hasDecoded) this.#last = status.decodedCycle;
  }

  run(): void {
    while (!this.#status.isStopped) {
      this.#status.beat();
      const outcome = this.#next();
      if (outcome === CopyOutcome.Closed) return;
      if (outcome === CopyOutcome.Fresh) this.#look(slotReader.cycle(this.#current));
      else if (this.#last !== undefined) this.#wakeWhoWaits(this.#last);
    }
  }

  /** Copies the next cycle, or, where the ring has gone past it, the newest. */
  #next(): number {
    const { bytes } = this.#current;
    // A new worker has no slot to compare with: it begins at the newest.
    const after = this.#full ? -1 : this.#last!;
    const outcome = this.#attachment.waitCopy(after, WAIT_SLICE_MS, bytes);
    if (outcome !== CopyOutcome.Overtaken) return outcome;
    this.#full = true;
    return this.#attachment.copyNewest(bytes);
  }

  #look(cycle: number): void {
    if (this.#last !== undefined) {
      const ahead = cyclesBetween(cycle, this.#last);
      // A successor may find nothing newer than what its predecessor looked at; it still takes it as its first.
      if (ahead > 0) this.#missed += ahead - 1;
    }
    // Asked after the slot was copied: whoever begins to follow now takes this slot, or a newer one, by itself.
    if (this.#attachment.isFollowed()) this.#tell(cycle);
    else {
      this.#idle = true;
      this.#missed = 0;
    }
    this.#full = false;
    this.#last = cycle;
    this.#status.setDecoded(cycle);
    const looked = this.#current;
    this.#current = this.#previous;
    this.#previous = looked;
    this.#wakeWhoWaits(cycle);
  }

  /** Publishes what has changed since the cycle before. */
  #tell(cycle: number): void {
    // What followers hold is of the newest slot then, or of one behind it.
    if (this.#idle && !this.#full) this.#detector.tellAll(this.#previous);
    this.#idle = false;
    if (this.#full) this.#detector.tellAll(this.#current);
    const count = this.#full
      ? LOG_BATCH_FULL
      : this.#detector.compare(this.#previous, this.#current, cycle, this.#batch);
    if (count !== 0) this.#publish(cycle, count);
  }

  #publish(cycle: number, count: number): void {
    slotReader.times(this.#current, this.#times);
    this.#attachment.publish(
      this.#partition,
      this.#batch.bytes,
      this.#batch.finish(cycle, count, this.#missed, this.#times),
    );
    this.#missed = 0;
  }

  /** Publishes a batch without entries when somebody waits for this cycle. */
  #wakeWhoWaits(cycle: number): void {
    if (!this.#status.takeAwaited(cycle)) return;
    this.#times.fill(0);
    this.#attachment.publish(this.#partition, this.#batch.bytes, this.#batch.finish(cycle, 0, 0, this.#times));
  }
}

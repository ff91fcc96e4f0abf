/**
 * Reads whole slots of the input ring by `Atomics.load` alone, for threads that cannot load the addon.
 *
 * It follows the ring's protocol (`native/engine/src/shared/ring.rs`): the first word of a slot is odd while the slot is
 * being written, the second its cycle. A copy is whole when neither changed while it was made. `Atomics.load` is
 * sequentially consistent, so that the check cannot be moved before the words that it stands for; plain reads could
 * be. The price: a slot of 12.5 kB takes about 50 µs in place of the 1 µs of the native copy, so a reader that is to
 * keep up with fast cycles takes the addon.
 */

import { cyclesBetween } from './cycle-number.ts';
import type { SlotBuffer } from './decode.ts';
import { CopyOutcome, SLOT_HEADER_CYCLE_I32, SLOT_HEADER_SEQ_I32 } from './generated/layout.ts';
import type { ProcessMemory } from './process-image.ts';

/** Copies of the newest slot that are tried: each failure means that the writer went once round the ring. */
const NEWEST_ATTEMPTS = 4;

/** Copies slots into private buffers. Any number of readers, on any thread; needs the shared memory only. */
export class AtomicsReader {
  readonly #memory: ProcessMemory;

  constructor(memory: ProcessMemory) {
    this.#memory = memory;
  }

  /** Copies the newest cycle: `Fresh`; `Empty` before the first; `Overtaken` when every attempt was. */
  copyNewest(slot: SlotBuffer): CopyOutcome {
    let outcome: CopyOutcome = CopyOutcome.Overtaken;
    for (let attempt = 0; attempt < NEWEST_ATTEMPTS && outcome === CopyOutcome.Overtaken; attempt += 1) {
      outcome = this.copyCycle(this.#memory.latestCycle, slot);
    }
    // The word of the newest cycle is one before the first until that is published: such a slot was never written.
    return outcome === CopyOutcome.Missed ? CopyOutcome.Empty : outcome;
  }

  /** Copies one cycle: `Fresh`; `Overtaken` when it is gone; `Empty` when it is to come; `Missed` when it never ran. */
  copyCycle(cycle: number, slot: SlotBuffer): CopyOutcome {
    const { words, latestCycle, ringOffset, slotCount, slotStrideBytes, slotBytes } = this.#memory;
    // Before the attempt: what is published by now cannot be absent by then.
    const published = cyclesBetween(latestCycle, cycle) >= 0;
    const first = (ringOffset + (cycle & (slotCount - 1)) * slotStrideBytes) / 4;
    const sequence = Atomics.load(words, first + SLOT_HEADER_SEQ_I32);
    const held = Atomics.load(words, first + SLOT_HEADER_CYCLE_I32);
    const ahead = cyclesBetween(held, cycle);
    if (ahead > 0) return CopyOutcome.Overtaken;
    if (ahead < 0 || (sequence & 1) !== 0) return published ? CopyOutcome.Missed : CopyOutcome.Empty;
    for (let word = 0; word < slotBytes / 4; word += 1) slot.words[word] = Atomics.load(words, first + word);
    const unchanged =
      Atomics.load(words, first + SLOT_HEADER_SEQ_I32) === sequence &&
      Atomics.load(words, first + SLOT_HEADER_CYCLE_I32) === held;
    return unchanged ? CopyOutcome.Fresh : CopyOutcome.Overtaken;
  }
}

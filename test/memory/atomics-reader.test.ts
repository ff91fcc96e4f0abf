import test from 'ava';
import { AtomicsReader } from '../../src/core/atomics-reader.ts';
import { SlotBuffer } from '../../src/core/decode.ts';
import type { EtherCatError } from '../../src/core/errors/ethercat-error.ts';
import {
  CONTROL_LATEST_CYCLE_I32,
  CopyOutcome,
  DYNAMIC_OFFSET,
  HEADER_LAYOUT_HASH_I32,
  HEADER_MAGIC_I32,
  HEADER_RING_OFFSET_I32,
  HEADER_SLOT_BYTES_I32,
  HEADER_SLOT_COUNT_I32,
  HEADER_SLOT_INPUTS_OFFSET_I32,
  HEADER_SLOT_STRIDE_BYTES_I32,
  HEADER_VERSION_I32,
  LAYOUT_HASH,
  MAGIC,
  SLOT_HEADER_BYTES,
  SLOT_HEADER_CYCLE_I32,
  SLOT_HEADER_SEQ_I32,
  VERSION,
} from '../../src/core/generated/layout.ts';
import { ProcessMemory, slotReader } from '../../src/core/process-image.ts';

const SLOTS = 4;
const INPUT_BYTES = 64;
const SLOT_BYTES = SLOT_HEADER_BYTES + INPUT_BYTES;
const STRIDE = 128;

/** A ring as the native side lays it out, written by hand. */
class Ring {
  readonly words: Int32Array;
  readonly memory: ProcessMemory;
  publications = 0;

  constructor(firstCycle: number) {
    const buffer = new SharedArrayBuffer(DYNAMIC_OFFSET + SLOTS * STRIDE);
    this.words = new Int32Array(buffer);
    this.words[HEADER_RING_OFFSET_I32] = DYNAMIC_OFFSET;
    this.words[HEADER_SLOT_COUNT_I32] = SLOTS;
    this.words[HEADER_SLOT_STRIDE_BYTES_I32] = STRIDE;
    this.words[HEADER_SLOT_BYTES_I32] = SLOT_BYTES;
    this.words[HEADER_SLOT_INPUTS_OFFSET_I32] = SLOT_HEADER_BYTES;
    this.words[HEADER_MAGIC_I32] = MAGIC;
    this.words[HEADER_VERSION_I32] = VERSION;
    this.words[HEADER_LAYOUT_HASH_I32] = LAYOUT_HASH;
    this.words[CONTROL_LATEST_CYCLE_I32] = firstCycle - 1;
    for (let back = 1; back <= SLOTS; back += 1) {
      const at = this.at((firstCycle - back) >>> 0);
      this.words[at + SLOT_HEADER_SEQ_I32] = 1;
      this.words[at + SLOT_HEADER_CYCLE_I32] = firstCycle - back;
    }
    this.memory = new ProcessMemory(buffer);
  }

  at(cycle: number): number {
    return (DYNAMIC_OFFSET + (cycle & (SLOTS - 1)) * STRIDE) / 4;
  }

  begin(cycle: number): void {
    this.publications += 1;
    this.words[this.at(cycle) + SLOT_HEADER_SEQ_I32] = 2 * this.publications + 1;
    this.words[this.at(cycle) + SLOT_HEADER_CYCLE_I32] = cycle;
  }

  publish(cycle: number, value: number): void {
    this.begin(cycle);
    this.words.fill(value, this.at(cycle) + SLOT_HEADER_BYTES / 4, this.at(cycle) + SLOT_BYTES / 4);
    this.words[this.at(cycle) + SLOT_HEADER_SEQ_I32] = 2 * this.publications;
    this.words[CONTROL_LATEST_CYCLE_I32] = cycle;
  }
}

test('copies whole slots, and says which are gone, to come, or never were', (t) => {
  for (const first of [1, 2 ** 32 - 3]) {
    const ring = new Ring(first);
    const reader = new AtomicsReader(ring.memory);
    const slot = new SlotBuffer(SLOT_BYTES);
    const cycle = (n: number): number => (first + n) >>> 0;
    t.is(reader.copyNewest(slot), CopyOutcome.Empty);
    for (const n of [0, 1, 2, 4, 5]) ring.publish(cycle(n), n);
    t.is(reader.copyNewest(slot), CopyOutcome.Fresh);
    t.is(slotReader.cycle(slot), cycle(5));
    t.true(slot.words.subarray(SLOT_HEADER_BYTES / 4, SLOT_BYTES / 4).every((word) => word === 5));
    t.is(reader.copyCycle(cycle(2), slot), CopyOutcome.Fresh);
    t.is(slotReader.cycle(slot), cycle(2));
    t.is(reader.copyCycle(cycle(1), slot), CopyOutcome.Overtaken);
    t.is(reader.copyCycle(cycle(3), slot), CopyOutcome.Missed);
    t.is(reader.copyCycle(cycle(6), slot), CopyOutcome.Empty);
  }
});

test('a slot that is being written is not copied', (t) => {
  const ring = new Ring(1);
  const reader = new AtomicsReader(ring.memory);
  const slot = new SlotBuffer(SLOT_BYTES);
  for (const n of [1, 2, 3, 4]) ring.publish(n, n);
  ring.begin(5);
  t.is(reader.copyCycle(1, slot), CopyOutcome.Overtaken);
  t.is(reader.copyCycle(5, slot), CopyOutcome.Empty);
  t.is(reader.copyNewest(slot), CopyOutcome.Fresh);
  t.is(slotReader.cycle(slot), 4);
});

test('a memory of another build is refused before a byte of it is used', (t) => {
  const ring = new Ring(1);
  ring.words[HEADER_LAYOUT_HASH_I32] = LAYOUT_HASH ^ 1;
  const error = t.throws(() => new ProcessMemory(ring.memory.buffer)) as EtherCatError;
  t.is(error.code, 'ECAT_ERR_LAYOUT_MISMATCH');
  t.throws(() => new ProcessMemory(new SharedArrayBuffer(4096)), { code: 'ECAT_ERR_LAYOUT_MISMATCH' });
});

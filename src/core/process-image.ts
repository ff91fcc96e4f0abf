/**
 * The shared memory as JavaScript sees it: sizes and offsets of the header, control words by Atomics, and the head
 * of a slot copy. Whole slots are copied by the native side (`BindingAttachment`), or word by word by
 * `atomics-reader.ts`.
 */

import type { SlotReader } from './consumer.ts';
import type { SlotBuffer, SlotSections } from './decode.ts';
import { EtherCatError } from './errors/ethercat-error.ts';
import { type BusState, busStateOf } from './events.ts';
import {
  CONTROL_ENGINE_STATE_I32,
  CONTROL_LATEST_CYCLE_I32,
  HEADER_CYCLE_PERIOD_NS_I32,
  HEADER_INPUT_BYTES_I32,
  HEADER_LANES_OFFSET_I32,
  HEADER_LAYOUT_HASH_I32,
  HEADER_MAGIC_I32,
  HEADER_OUTPUT_BYTES_I32,
  HEADER_RING_OFFSET_I32,
  HEADER_SLOT_BYTES_I32,
  HEADER_SLOT_COUNT_I32,
  HEADER_SLOT_INPUTS_OFFSET_I32,
  HEADER_SLOT_OUTPUTS_OFFSET_I32,
  HEADER_SLOT_QUALITY_OFFSET_I32,
  HEADER_SLOT_STRIDE_BYTES_I32,
  HEADER_SUB_DEVICE_COUNT_I32,
  HEADER_VERSION_I32,
  LANE_CYCLE_LINE_EPOCH_I32,
  LANE_CYCLE_LINE_OFFSET,
  LANE_STRIDE_BYTES,
  LAYOUT_HASH,
  MAGIC,
  SLOT_HEADER_CYCLE_I32,
  SLOT_HEADER_DC_TIME_NS_I32,
  SLOT_HEADER_HOST_TIME_NS_I32,
  VERSION,
} from './generated/layout.ts';

/** Views of one shared memory; any thread may make one. */
export class ProcessMemory {
  readonly buffer: SharedArrayBuffer;
  /** All of it, as the native side takes it. */
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
  readonly cyclePeriodNs: number;
  readonly inputBytes: number;
  readonly outputBytes: number;
  readonly subDeviceCount: number;
  readonly ringOffset: number;
  readonly slotCount: number;
  readonly slotStrideBytes: number;
  readonly slotBytes: number;
  readonly sections: SlotSections;
  readonly #lanesOffset: number;

  /** @throws ECAT_ERR_LAYOUT_MISMATCH when the memory was laid out by another build */
  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer;
    this.bytes = new Uint8Array(buffer);
    this.words = new Int32Array(buffer);
    const word = (index: number): number => Atomics.load(this.words, index) >>> 0;
    // The magic is stored last: with it, everything else is complete.
    const found = [word(HEADER_MAGIC_I32), word(HEADER_VERSION_I32), word(HEADER_LAYOUT_HASH_I32)];
    if (found[0] !== MAGIC || found[1] !== VERSION || found[2] !== LAYOUT_HASH) {
      throw new EtherCatError(
        'ECAT_ERR_LAYOUT_MISMATCH',
        `the shared memory begins with ${found.join(', ')}, expected ${[MAGIC, VERSION, LAYOUT_HASH].join(', ')}`,
      );
    }
    this.cyclePeriodNs = word(HEADER_CYCLE_PERIOD_NS_I32);
    this.inputBytes = word(HEADER_INPUT_BYTES_I32);
    this.outputBytes = word(HEADER_OUTPUT_BYTES_I32);
    this.subDeviceCount = word(HEADER_SUB_DEVICE_COUNT_I32);
    this.ringOffset = word(HEADER_RING_OFFSET_I32);
    this.slotCount = word(HEADER_SLOT_COUNT_I32);
    this.slotStrideBytes = word(HEADER_SLOT_STRIDE_BYTES_I32);
    this.slotBytes = word(HEADER_SLOT_BYTES_I32);
    this.sections = {
      quality: word(HEADER_SLOT_QUALITY_OFFSET_I32),
      inputs: word(HEADER_SLOT_INPUTS_OFFSET_I32),
      outputs: word(HEADER_SLOT_OUTPUTS_OFFSET_I32),
    };
    this.#lanesOffset = word(HEADER_LANES_OFFSET_I32);
  }

  get engineState(): BusState {
    return busStateOf(Atomics.load(this.words, CONTROL_ENGINE_STATE_I32));
  }

  /** 32-bit number of the newest published cycle; the one before the first cycle when there is none. */
  get latestCycle(): number {
    return Atomics.load(this.words, CONTROL_LATEST_CYCLE_I32) >>> 0;
  }

  /** Changes when a lane is lost or freed. */
  laneEpoch(lane: number): number {
    const line = this.#lanesOffset + lane * LANE_STRIDE_BYTES + LANE_CYCLE_LINE_OFFSET;
    return Atomics.load(this.words, line / 4 + LANE_CYCLE_LINE_EPOCH_I32) >>> 0;
  }
}

/** Reads the head of a private slot copy. */
export const slotReader: SlotReader = {
  cycle: ({ words }: SlotBuffer): number => words[SLOT_HEADER_CYCLE_I32]! >>> 0,
  times({ words }: SlotBuffer, out: Uint32Array): void {
    out[0] = words[SLOT_HEADER_HOST_TIME_NS_I32]!;
    out[1] = words[SLOT_HEADER_HOST_TIME_NS_I32 + 1]!;
    out[2] = words[SLOT_HEADER_DC_TIME_NS_I32]!;
    out[3] = words[SLOT_HEADER_DC_TIME_NS_I32 + 1]!;
  },
};

/** The times of a slot or batch from their halves: host low and high, DC low and high. */
export function joinTimes(halves: Uint32Array): { hostTimeNs: bigint; dcTimeNs: bigint | undefined } {
  const hostTimeNs = (BigInt(halves[1]!) << 32n) | BigInt(halves[0]!);
  const dc = (BigInt(halves[3]!) << 32n) | BigInt(halves[2]!);
  return { hostTimeNs, dcTimeNs: dc === 0n ? undefined : dc };
}

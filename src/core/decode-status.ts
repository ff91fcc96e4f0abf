/**
 * Words between every other thread and the decode worker of a partition, in a SharedArrayBuffer of their own. They
 * outlive a worker: its successor goes on from them.
 */

/** Views of the words of one partition; any thread may make one. */
export class DecodeStatus {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array;

  /** @param buffer - with the words of all partitions: {@link DecodeStatus.makeShared} */
  constructor(buffer: SharedArrayBuffer, partition: number) {
    this.buffer = buffer;
    this.#words = new Int32Array(buffer, partition * LINE_BYTES, WORDS);
  }

  /** Words for so many partitions, on lines of their own. */
  static makeShared(partitionCount: number): SharedArrayBuffer {
    return new SharedArrayBuffer(partitionCount * LINE_BYTES);
  }

  /** Asks the worker to end its task; it does within one slice of waiting. */
  stop(): void {
    Atomics.store(this.#words, STOP, 1);
  }

  get isStopped(): boolean {
    return Atomics.load(this.#words, STOP) !== 0;
  }

  /** Shows that the worker lives; at least every 50 ms. */
  beat(): void {
    Atomics.add(this.#words, HEARTBEAT, 1);
  }

  /** Changes as long as the worker lives. */
  get heartbeat(): number {
    return Atomics.load(this.#words, HEARTBEAT);
  }

  /** Takes a cycle as the one up to which every change is in the log. */
  setDecoded(cycle: number): void {
    Atomics.store(this.#words, DECODED, cycle | 0);
    Atomics.store(this.#words, HAS_DECODED, 1);
  }

  /** Cycle up to which every change is in the log. */
  get decodedCycle(): number {
    return Atomics.load(this.#words, DECODED) >>> 0;
  }

  /** Whether any worker has come to a cycle yet. */
  get hasDecoded(): boolean {
    return Atomics.load(this.#words, HAS_DECODED) !== 0;
  }

  /**
   * Asks for everybody to be woken once the worker has come to this cycle, whether or not anything changed. An earlier
   * cycle that is asked for already comes first: whoever is woken and still waits asks again.
   */
  awaitCycle(cycle: number): void {
    if (Atomics.load(this.#words, IS_AWAITED) !== 0 && ((Atomics.load(this.#words, AWAITED) - cycle) | 0) < 0) return;
    Atomics.store(this.#words, AWAITED, cycle | 0);
    Atomics.store(this.#words, IS_AWAITED, 1);
  }

  /** Whether the main thread waits for this cycle or an earlier one; asks once. */
  takeAwaited(cycle: number): boolean {
    if (Atomics.load(this.#words, IS_AWAITED) === 0) return false;
    if (((cycle - Atomics.load(this.#words, AWAITED)) | 0) < 0) return false;
    return Atomics.exchange(this.#words, IS_AWAITED, 0) !== 0;
  }
}

const STOP = 0;
const HEARTBEAT = 1;
const DECODED = 2;
const HAS_DECODED = 3;
const AWAITED = 4;
const IS_AWAITED = 5;
const WORDS = 8;
const LINE_BYTES = 64;

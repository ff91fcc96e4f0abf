/**
 * Cycle numbers: 32 bits in memory, where they wrap after 12.4 days at 250 µs, and 53 bits for applications.
 */

/** How far `a` is after `b`, both 32-bit cycle numbers less than 2³¹ cycles apart; negative when before. */
export function cyclesBetween(a: number, b: number): number {
  return (a - b) | 0;
}

/** Extends 32-bit cycle numbers to 53 bits by the newest one it has seen. */
export class CycleNumber {
  /** What threads begin with that attach later, and would not know how often the short number has wrapped. */
  readonly #shared: BigInt64Array;
  #newest: number | undefined;

  /** @param shared - of {@link CycleNumber.makeShared}, where several threads number the same cycles */
  constructor(shared: SharedArrayBuffer = CycleNumber.makeShared()) {
    this.#shared = new BigInt64Array(shared);
    const begun = Atomics.load(this.#shared, 0);
    this.#newest = begun === 0n ? undefined : Number(begun - 1n);
  }

  /** What the threads of one bus share of their numbers. */
  static makeShared(): SharedArrayBuffer {
    return new SharedArrayBuffer(8);
  }

  /** The long form of a cycle number less than 2³¹ cycles away from the newest. */
  extend(cycle: number): number {
    if (this.#newest === undefined) {
      this.#newest = cycle;
      return cycle;
    }
    const long = this.#newest + cyclesBetween(cycle, this.#newest % 0x1_0000_0000);
    if (long > this.#newest) this.#newest = long;
    return long;
  }

  /** Shows the newest number to threads that attach from now on. One thread does this. */
  share(): void {
    if (this.#newest !== undefined) Atomics.store(this.#shared, 0, BigInt(this.#newest) + 1n);
  }
}

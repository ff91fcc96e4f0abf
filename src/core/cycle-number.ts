/**
 * Cycle numbers: 32 bits in memory, where they wrap after 12.4 days at 250 µs, and 53 bits for applications.
 */

/** How far `a` is after `b`, both 32-bit cycle numbers less than 2³¹ cycles apart; negative when before. */
export function cyclesBetween(a: number, b: number): number {
  return (a - b) | 0;
}

/** Extends 32-bit cycle numbers to 53 bits by the newest one it has seen. */
export class CycleNumber {
  #newest: number | undefined;

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
}

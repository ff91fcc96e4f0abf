/**
 * In which cycle every tag changed last, and when that began. Tags that changed in the same cycle share its head, so that
 * a tag costs one number, and a change the stores of two counts: in a plant most tags share a few hundred heads.
 */

/** Heads that there is room for at first. */
const CAPACITY = 64;

/** The head of the last change of every tag. Allocates only where more heads are in use than ever before. */
export class ChangeHeads {
  readonly #of: Uint32Array;
  /** By head: the cycle, 53 bits since it may be long ago; its times, four words each; tags that share it. */
  #cycles: Float64Array = new Float64Array(CAPACITY);
  #times: Uint32Array = new Uint32Array(4 * CAPACITY);
  #users: Uint32Array = new Uint32Array(CAPACITY);
  /** Heads that nobody uses, a stack. */
  #free: Uint32Array = new Uint32Array(CAPACITY);
  #freeCount = CAPACITY - 1;
  /** The one that tags are dated with. */
  #current = 0;

  /** All tags begin with cycle 0. */
  constructor(tags: number) {
    this.#of = new Uint32Array(tags);
    this.#users[0] = tags;
    for (let head = 1; head < CAPACITY; head += 1) this.#free[CAPACITY - 1 - head] = head;
  }

  /** Begins a head: {@link date} gives it to tags. */
  begin(cycle: number, times: Uint32Array): void {
    if (this.#users[this.#current] !== 0) {
      if (this.#freeCount === 0) this.#grow();
      this.#freeCount -= 1;
      this.#current = this.#free[this.#freeCount]!;
    }
    this.#cycles[this.#current] = cycle;
    for (let half = 0; half < 4; half += 1) this.#times[4 * this.#current + half] = times[half]!;
  }

  /** The tag changed in the cycle that was begun last. */
  date(tag: number): void {
    const before = this.#of[tag]!;
    const current = this.#current;
    if (before === current) return;
    const users = this.#users;
    users[before]! -= 1;
    if (users[before] === 0) {
      this.#free[this.#freeCount] = before;
      this.#freeCount += 1;
    }
    users[current]! += 1;
    this.#of[tag] = current;
  }

  /** Cycle in which a tag changed last; does not wrap. */
  cycle(tag: number): number {
    return this.#cycles[this.#of[tag]!]!;
  }

  /** Times of that cycle: host time low and high half, DC time low and high half. Valid until the next {@link begin}. */
  times(tag: number): Uint32Array {
    const at = 4 * this.#of[tag]!;
    return this.#times.subarray(at, at + 4);
  }

  #grow(): void {
    const from = this.#cycles.length;
    const cycles = new Float64Array(2 * from);
    const times = new Uint32Array(8 * from);
    const users = new Uint32Array(2 * from);
    cycles.set(this.#cycles);
    times.set(this.#times);
    users.set(this.#users);
    [this.#cycles, this.#times, this.#users] = [cycles, times, users];
    this.#free = new Uint32Array(2 * from);
    for (let head = from; head < 2 * from; head += 1) this.#free[head - from] = head;
    this.#freeCount = from;
  }
}

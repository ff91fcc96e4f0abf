// The engine stamps cycles with the time of day, and measuring needs one clock: how far the two are apart.

/** Ticks of the time of day that are looked at. */
const TICKS = 20;
const NS_PER_MS = 1_000_000n;

/**
 * Nanoseconds from `process.hrtime.bigint()` to the time of day, in ns since 1970.
 *
 * JavaScript reads the time of day in whole milliseconds only. The moment at which it moves on is known exactly, and
 * lies between two looks at the monotonic clock; several such moments narrow the difference down to less than one look.
 */
export function timeOfDayOffsetNs(): bigint {
  let least = -(1n << 62n);
  let most = 1n << 62n;
  let before = process.hrtime.bigint();
  let last = Date.now();
  for (let ticks = 0; ticks < TICKS; ) {
    const between = process.hrtime.bigint();
    const now = Date.now();
    const after = process.hrtime.bigint();
    // `last` was read after `before`, and `now` before `after`.
    if (now === last + 1) {
      const edge = BigInt(now) * NS_PER_MS;
      if (edge - after > least) least = edge - after;
      if (edge - before < most) most = edge - before;
      ticks += 1;
    }
    last = now;
    before = between;
  }
  return (least + most) / 2n;
}

/** What `process.hrtime.bigint()` would say, as a number: made of no object, exact to a few hundred nanoseconds. */
export function nowNs(): number {
  return performance.now() * 1e6 + ORIGIN_NS;
}

/** Looks at both clocks: the first ones take tens of microseconds, since their code is not compiled yet. */
const LOOKS = 1_000;

/** What `performance.now()` counts from. Of many looks the one counts in which the least time passed. */
function originNs(): number {
  let [least, origin] = [Number.POSITIVE_INFINITY, 0];
  for (let look = 0; look < LOOKS; look += 1) {
    const before = Number(process.hrtime.bigint());
    const between = performance.now();
    const after = Number(process.hrtime.bigint());
    if (after - before < least) [least, origin] = [after - before, (before + after) / 2 - between * 1e6];
  }
  return origin;
}

const ORIGIN_NS = originNs();

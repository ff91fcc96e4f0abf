// What the references share: when values change, and from when to when it is measured.

import { createInterface } from 'node:readline';

/** Changes before the first measurement, so that the code is compiled. */
const WARM_UP = 1_000;
const PERIOD_MS = 1;
/** What has not arrived by then does not arrive. */
const PATIENCE_MS = 5_000;

/**
 * Measures as often as the standard input asks for it, until it ends.
 *
 * @param {{ told: object, listen: (callback: (value: number) => void) => void, change: (value: number) => void }} path
 *   `told` goes with every line, `change` sends a value, and the callback of `listen` has to get it
 */
export async function serve(path) {
  await measure(path, WARM_UP);
  process.stdout.write(`${JSON.stringify({ ready: true, ...path.told })}\n`);
  for await (const line of createInterface({ input: process.stdin })) {
    const { count } = JSON.parse(line);
    process.stdout.write(`${JSON.stringify({ ...path.told, us: percentiles(await measure(path, count)) })}\n`);
  }
}

/** Nanoseconds from each of `count` changes to its callback. */
async function measure({ listen, change }, count) {
  const changed = new Float64Array(count);
  const samples = [];
  const { promise, resolve, reject } = Promise.withResolvers();
  listen((value) => {
    const now = Number(process.hrtime.bigint());
    if (value < 0 || value >= count || changed[value] === 0) return;
    samples.push(now - changed[value]);
    changed[value] = 0;
    if (samples.length === count) resolve(samples);
  });
  let next = 0;
  const timer = setInterval(() => {
    changed[next] = Number(process.hrtime.bigint());
    change(next);
    next += 1;
    if (next === count) clearInterval(timer);
  }, PERIOD_MS);
  const patience = setTimeout(
    () => reject(new Error(`${samples.length} of ${count} values arrived`)),
    count * PERIOD_MS * 4 + PATIENCE_MS,
  );
  try {
    return await promise;
  } finally {
    clearInterval(timer);
    clearTimeout(patience);
  }
}

function percentiles(samples) {
  const sorted = samples.toSorted((a, b) => a - b);
  const at = (share) => sorted[Math.max(1, Math.ceil(sorted.length * share)) - 1] / 1_000;
  return { p50: at(0.5), p99: at(0.99), p999: at(0.999), max: at(1) };
}

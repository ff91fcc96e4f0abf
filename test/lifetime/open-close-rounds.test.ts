import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import type { Measured } from './fixtures/footprint.ts';

/** Growth of resident memory that a round may leave behind, on average over the measured ones. */
const GROWTH_BYTES_MAX = 1_000;

/** What the resident memory of a process differs by that starts and ends workers all the time, whatever these did. */
const WORKERS_NOISE_BYTES = 1_500_000;

/**
 * The same of one that terminates them while they work, on a busy machine: their last memory goes late. An engine that
 * is left behind holds 400 kB, so that those of a part of the run are four times as much.
 */
const INTERRUPTED_NOISE_BYTES = 4_000_000;

/** Mappings that V8's heaps come and go with. */
const MAPPINGS_NOISE = 100;

/** Ends a process that hangs. Nothing is judged by it: a busy machine may need minutes. */
const HANGS_MS = 1_200_000;

async function rounds(fixture: string, warmUp: number, measured: number): Promise<Measured> {
  const script = fileURLToPath(new URL(`fixtures/${fixture}.ts`, import.meta.url));
  // One arena: else every thread that ever allocated keeps a heap of its own, which looks like a leak.
  const env = { ...process.env, MALLOC_ARENA_MAX: '1' };
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', script, `${warmUp}`, `${measured}`], {
    env,
    timeout: HANGS_MS,
  });
  return JSON.parse(stdout) as Measured;
}

function nothingIsLeft(t: ExecutionContext, { footprints, windowRounds }: Measured, noiseBytes = 0): void {
  const before = footprints[0]!;
  const after = footprints.at(-1)!;
  t.true(after.descriptors <= before.descriptors, `descriptors ${before.descriptors} → ${after.descriptors}`);
  t.true(after.threads <= before.threads, `threads ${before.threads} → ${after.threads}`);
  t.true(after.mappings - before.mappings < MAPPINGS_NOISE, `mappings ${before.mappings} → ${after.mappings}`);
  // A leak shows in every part of the run. What V8 takes once, for a larger heap or compiled code, shows in one.
  const growths = footprints
    .slice(1)
    .map(({ residentBytes }, part) => (residentBytes - footprints[part]!.residentBytes - noiseBytes) / windowRounds)
    .sort((a, b) => a - b);
  const growth = growths[Math.floor((growths.length - 1) / 2)]!;
  const each = growths.map((bytes) => bytes.toFixed(0)).join(', ');
  t.log(`${each} bytes a round beyond ${noiseBytes} per ${windowRounds} rounds; ${after.threads} threads`);
  t.true(growth <= GROWTH_BYTES_MAX, `${each} bytes a round`);
}

test('two thousand rounds of open, run and close leave nothing behind', async (t) => {
  t.timeout(HANGS_MS);
  nothingIsLeft(t, await rounds('rounds', 800, 1600));
});

test('a thousand MainDevices with their decode workers, opened and closed, leave nothing behind', async (t) => {
  t.timeout(HANGS_MS);
  nothingIsLeft(t, await rounds('rounds-of-main-device', 600, 800));
});

test('a thousand engines that are opened in workers, which are terminated with them open, leave nothing behind', async (t) => {
  t.timeout(HANGS_MS);
  nothingIsLeft(t, await rounds('rounds-in-workers', 200, 800), WORKERS_NOISE_BYTES);
});

test('engines that are dropped without being closed are closed by the garbage collector', async (t) => {
  t.timeout(HANGS_MS);
  nothingIsLeft(t, await rounds('rounds-collected', 100, 400));
});

test('workers that are terminated at any moment of an engine leave nothing behind', async (t) => {
  t.timeout(HANGS_MS);
  nothingIsLeft(t, await rounds('rounds-interrupted', 75, 150), INTERRUPTED_NOISE_BYTES);
});

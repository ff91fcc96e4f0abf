/** Gates that no clock can disturb: what the main thread collects, holds and grows by. Each in a process of its own. */

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';

/**
 * A tag with its share of table, directory, change log, arrays, and streams of several tags. Beside the engine's 512 kB ten
 * thousand of them stay below 2 MB.
 */
const BYTES_PER_TAG_MAX = 120;
/** Its share of table and directory, which all threads have in common; names of 14 bytes. */
const SHARED_BYTES_PER_TAG_MAX = 42;

/** Growth of the heap that is not told from what V8 keeps for a while: compiled code, feedback, maps. */
const GROWTH_BYTES_MAX = 50_000;

/** Ends a process that hangs. Nothing is judged by it: a busy machine may need minutes. */
const HANGS_MS = 1_200_000;

async function run<T>(fixture: string, ...args: readonly string[]): Promise<T> {
  const script = fileURLToPath(new URL(`fixtures/${fixture}.ts`, import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', script, ...args], {
    timeout: HANGS_MS,
  });
  return JSON.parse(stdout) as T;
}

test('in 10⁵ cycles in which nothing changes the main thread collects no garbage', async (t) => {
  t.timeout(HANGS_MS);
  const { cycles, ...found } = await run<Record<string, number>>('at-rest');
  t.deepEqual(found, { minor: 0, major: 0, other: 0, told: 0 });
  // The statistics are those of the cycle before while one is being published.
  t.true(Math.abs(cycles! - 100_000) <= 1, `${cycles}`);
});

test(`a tag costs at most ${BYTES_PER_TAG_MAX} bytes of this thread and of shared memory`, async (t) => {
  t.timeout(HANGS_MS);
  const { tags, heap, buffers, shared } = await run<Record<string, number>>('tag-bytes');
  t.is(tags, 10_000);
  const bytesPerTag = (heap! + buffers!) / tags!;
  t.log(`heap ${heap}, buffers ${buffers} (of them shared by all threads ${shared}): ${bytesPerTag} bytes a tag`);
  t.true(bytesPerTag <= BYTES_PER_TAG_MAX, `${bytesPerTag}`);
  t.true(shared! / tags! <= SHARED_BYTES_PER_TAG_MAX, `${shared! / tags!}`);
});

for (const [mode, cycles] of [
  ['free', 1_000_000],
  ['lockstep', 10_000],
] as const) {
  test(`${cycles} cycles with every kind of subscriber leave nothing behind (${mode})`, async (t) => {
    t.timeout(HANGS_MS);
    const { bytes, told, ...rest } = await run<{ bytes: number[]; cycles: number; told: Record<string, number> }>(
      'growth',
      mode,
      `${cycles}`,
    );
    // As above.
    t.true(Math.abs(rest.cycles - cycles) <= 1, `${rest.cycles}`);
    const growths = bytes.slice(1).map((now, part) => now - bytes[part]!);
    t.log(`${growths.join(', ')} bytes in a quarter; ${JSON.stringify(told)}`);
    // A leak shows in every part of the run.
    t.true(Math.min(...growths) <= GROWTH_BYTES_MAX, growths.join(', '));
    t.deepEqual(Object.keys(told).toSorted(), [
      'changes$',
      'cycles$',
      'edges$',
      'every',
      'tags$',
      'value$',
      'watch',
      'windows',
    ]);
  });
}

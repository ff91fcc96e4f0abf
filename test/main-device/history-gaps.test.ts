import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import test from 'ava';

interface Found {
  readonly asked: number;
  readonly missedCycles: number;
  readonly both: {
    readonly length: number;
    readonly missed: number;
    readonly gaps: { readonly at: number; readonly periods: number }[];
    readonly cycles: number[];
    readonly counts: number[];
  }[];
}

test('a history over periods that were missed names each gap, and counts what is not there', async (t) => {
  const script = fileURLToPath(new URL('fixtures/history-gaps.ts', import.meta.url));
  const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => child.kill('SIGKILL'));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  t.is((await lines.next()).value, 'ready');
  child.kill('SIGSTOP');
  await sleep(60);
  child.kill('SIGCONT');
  const { asked, missedCycles, both } = JSON.parse((await lines.next()).value as string) as Found;
  for (const { length, missed, gaps, cycles, counts } of both) {
    t.is(length + missed, asked);
    const left = gaps.reduce((sum, { periods }) => sum + periods, 0);
    t.is(left, cycles.at(-1)! - cycles[0]! + 1 - length);
    // Gaps at the very beginning are counted, and have no cycle before them to stand behind.
    t.true(left <= missed && left >= 30);
    t.true(missedCycles >= 30);
    for (const { at, periods } of gaps) t.is(cycles[at]! - cycles[at - 1]!, periods + 1);
    // The plant goes on in a gap: what stands behind it is of its own time, and not of that before it.
    for (const { at, periods } of gaps) if (periods >= 30) t.true(counts[at]! - counts[at - 1]! >= periods - 2);
  }
});

import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { figuresOf, medianFigures, type Row, renderMarkdown, renderTable, verdictsOf } from '../../bench/report.ts';

const root = join(import.meta.dirname, '../..');
const run = promisify(execFile);

const row: Row = {
  name: 'an exchange',
  load: '32 B',
  unit: 'µs',
  ours: { p50: 5, p99: 20 },
  reference: { name: 'bare', figures: { p50: 4, p99: 10 } },
  bounds: [
    { kind: 'ratio', at: ['p50', 'p99'], atMost: 1.25 },
    { kind: 'absolute', at: ['p99', 'max'], atMost: 30 },
  ],
  repeats: 5,
};

test('every bound of a row has a verdict, and a figure that is missing keeps none', (t) => {
  t.deepEqual(
    verdictsOf(row).map(({ ok }) => ok),
    [true, false, true, false],
  );
  const nothing = { ...row, ours: { p50: 0 }, reference: { name: 'bare', figures: { p50: 0 } } };
  t.true(verdictsOf({ ...nothing, bounds: [{ kind: 'ratio', at: ['p50'], atMost: 1 }] })[0]?.ok);
});

test('a ratio far below one is not shown as 0', (t) => {
  const far = { ...row, ours: { p50: 0.0031416 }, bounds: [{ kind: 'ratio', at: ['p50'], atMost: 0.01 }] } as const;
  t.deepEqual(verdictsOf(far), [{ ok: true, text: 'p50 0.00079 × ≤ 0.01 ×' }]);
  t.true(renderTable([far]).includes(' 0.00079 × '));
});

test('percentiles are values that occurred, and medians are taken figure by figure', (t) => {
  const samples = Array.from({ length: 1000 }, (_, n) => (1000 - n) * 1000);
  t.deepEqual(figuresOf(samples, 1000), { p50: 500, p99: 990, p999: 999, max: 1000 });
  t.deepEqual(medianFigures([{ p50: 1, p99: 9 }, { p50: 3, p99: 7 }, { p50: 2 }]), { p50: 2, p99: 7 });
});

test('table and documentation have the same columns', (t) => {
  const columns = (text: string): string[] => text.split(/\s{2,}|\s*\|\s*/).filter((cell) => cell !== '');
  const [header] = renderTable([row]).split('\n');
  t.deepEqual(columns(header!), columns(renderMarkdown([row]).split('\n')[0]!));
});

test('the runner prints a table and writes the same rows as JSON', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'bifrost-ethercat-bench-'));
  try {
    const json = join(folder, 'bench.json');
    const words = ['bench/main.ts', '--quick', '--only', 'decode', '--json', json];
    const { stdout } = await run(process.execPath, words, { cwd: root });
    const header = stdout.split('\n').find((line) => line.startsWith('what '));
    for (const column of ['load', 'p50', 'p99', 'p99.9', 'max', 'reference', 'bound']) t.true(header?.includes(column));
    const written = JSON.parse(readFileSync(json, 'utf8')) as { rows: Row[] };
    t.true(written.rows.length > 0);
    for (const { name, load, ours } of written.rows) {
      t.true(stdout.includes(name) && stdout.includes(load));
      t.true(ours.p50 > 0);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('a case that does not exist is an error', async (t) => {
  const error = await t.throwsAsync(run(process.execPath, ['bench/main.ts', '--only', 'nonsense'], { cwd: root }));
  t.regex(error?.message ?? '', /no case nonsense/);
});

test('a figure beside a reference of 0 is judged by how much more it is', (t) => {
  const bound = { kind: 'ratio', at: ['p50'], atMost: 1.2, orMore: 0.1 } as const;
  const missed = (p50: number): Row => ({
    ...row,
    unit: '%',
    ours: { p50 },
    reference: { name: 'bare', figures: { p50: 0 } },
    bounds: [bound],
  });
  t.deepEqual(verdictsOf(missed(0.05)), [{ ok: true, text: 'p50 0.05 % more ≤ 0.1 %' }]);
  t.deepEqual(verdictsOf(missed(0.47)), [{ ok: false, text: 'p50 0.47 % more > 0.1 %' }]);
  t.false(renderTable([missed(0.47)]).includes('Infinity'));
});

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import test from 'ava';

const fixture = fileURLToPath(new URL('fixtures/open-bus.ts', import.meta.url));

/** Runs a bus in a process of its own; `act` is called once it is open. */
async function run(
  how: string,
  act: (child: ChildProcess) => void = () => undefined,
): Promise<{ lines: string[]; code: number | null; signal: NodeJS.Signals | null; stderr: string }> {
  const child = spawn(process.execPath, [fixture, how], { stdio: ['ignore', 'pipe', 'pipe'] });
  const lines: string[] = [];
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    if (line === 'open') act(child);
  });
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  return { lines, code, signal, stderr };
}

test('an open bus keeps the process alive until it is closed, and no longer', async (t) => {
  const { lines, code } = await run('close');
  t.deepEqual(lines, ['open', 'closed', 'exit']);
  t.is(code, 0);
});

test('process.exit() with an open bus ends the process with its code', async (t) => {
  const { lines, code, signal } = await run('exit');
  t.deepEqual(lines, ['open', 'exit']);
  t.is(code, 3);
  t.is(signal, null);
});

test('an uncaught exception with an open bus ends the process as it does without one', async (t) => {
  const { code, signal, stderr } = await run('throw');
  t.is(code, 1);
  t.is(signal, null);
  t.regex(stderr, /nobody catches this/);
});

for (const name of ['SIGTERM', 'SIGINT'] as const) {
  test(`with signals: true ${name} closes in order and then ends the process`, async (t) => {
    const { lines, code, signal } = await run('signals', (child) => child.kill(name));
    t.deepEqual(lines, ['open', 'closed']);
    t.is(code, null);
    t.is(signal, name);
  });
}

test('without signals: true a signal ends the process at once', async (t) => {
  const { lines, signal } = await run('wait', (child) => child.kill('SIGTERM'));
  t.deepEqual(lines, ['open']);
  t.is(signal, 'SIGTERM');
});

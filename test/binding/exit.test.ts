import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { PATIENCE_MS } from './support.ts';

interface Ended {
  readonly code: number | string | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(way: string): Promise<Ended> {
  const script = fileURLToPath(new URL('fixtures/exit.ts', import.meta.url));
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [script, way], { timeout: PATIENCE_MS }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : (error.code ?? null), signal: child.signalCode, stdout, stderr });
    });
  });
}

test('closeNow works in an exit handler, after process.exit()', async (t) => {
  const { code, signal, stdout } = await run('process.exit');
  t.deepEqual({ code, signal, stdout }, { code: 7, signal: null, stdout: 'state 3\nclosed true\n' });
});

test('closeNow works in an exit handler, after an uncaught exception', async (t) => {
  const { code, signal, stdout, stderr } = await run('uncaught');
  t.deepEqual({ code, signal, stdout }, { code: 1, signal: null, stdout: 'state 3\nclosed true\n' });
  t.regex(stderr, /uncaught on purpose/);
});

test('a process that forgets to close ends all the same, without a crash', async (t) => {
  const { code, signal, stdout, stderr } = await run('unhandled-by-us');
  t.deepEqual({ code, signal, stdout, stderr }, { code: 8, signal: null, stdout: 'state 3\n', stderr: '' });
});

test('an open engine keeps the process alive, and a released one does not', async (t) => {
  const { code, signal, stdout } = await run('stays');
  t.deepEqual({ code, signal, stdout }, { code: 0, signal: null, stdout: 'state 3\nstill here\nclosed true\n' });
});

test('a process whose engine is released ends by itself', async (t) => {
  const { code, signal, stdout } = await run('natural');
  t.deepEqual({ code, signal, stdout }, { code: 0, signal: null, stdout: 'state 3\nclosed true\n' });
});

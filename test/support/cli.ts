// Runs the command line as a user does, in a process of its own.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const root = join(import.meta.dirname, '../..');

/** One line of `--json` output. */
export interface JsonEvent {
  readonly event: string;
  readonly [key: string]: unknown;
}

/** A running command. */
export interface RunningCli extends AsyncDisposable {
  readonly child: ChildProcess;
  /** Events so far. */
  readonly events: readonly JsonEvent[];
  /** Resolves with the first event, past or future, that satisfies `test`; rejects when the command ends without it. */
  waitFor(test: (event: JsonEvent) => boolean): Promise<JsonEvent>;
  /** Resolves with exit code and everything it printed. */
  readonly ended: Promise<{ readonly code: number | null; readonly stderr: string; readonly events: readonly JsonEvent[] }>;
}

/**
 * Starts `bifrost-ethercat` with `args`.
 *
 * @param prefix a command that runs it, for example `ip netns exec …`
 */
export function startCli(args: readonly string[], prefix: readonly string[] = []): RunningCli {
  const [command, ...rest] = [...prefix, process.execPath, 'src/cli/main.ts', ...args];
  const child = spawn(command ?? process.execPath, rest, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  const events: JsonEvent[] = [];
  const listeners = new Set<() => void>();
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (!line.startsWith('{')) return;
    events.push(JSON.parse(line) as JsonEvent);
    for (const listener of listeners) listener();
  });
  const ended = once(child, 'close').then(([code]) => {
    for (const listener of listeners) listener();
    return { code: code as number | null, stderr, events };
  });
  const waitFor = (test: (event: JsonEvent) => boolean): Promise<JsonEvent> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const found = events.find(test);
        if (found !== undefined) resolve(found);
        else if (child.exitCode !== null || child.signalCode !== null) {
          reject(new Error(`the command ended (${child.exitCode ?? child.signalCode}) before that event:\n${stderr}`));
        } else return;
        listeners.delete(look);
      };
      listeners.add(look);
      look();
    });
  return {
    child,
    events,
    waitFor,
    ended,
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      await ended;
    },
  };
}

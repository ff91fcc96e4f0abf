/** Runs the command line as a user would: a process of its own. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';

const root: string = fileURLToPath(new URL('../../', import.meta.url));

/** One line of `--json`. */
export interface JsonEvent {
  readonly event: string;
  readonly [key: string]: unknown;
}

/** A command that runs, and what it has said so far. */
export class Command {
  readonly process: ChildProcess;
  readonly lines: string[] = [];
  stderr = '';
  readonly #closed: Promise<unknown[]>;
  #wake: () => void = () => undefined;

  /** Starts `bifrost-ethercat ARGS`; killed after the test. */
  constructor(t: ExecutionContext, args: readonly string[]) {
    this.process = spawn(process.execPath, ['src/cli/main.ts', ...args], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NO_COLOR: '1' },
    });
    t.teardown(() => this.process.kill('SIGKILL'));
    this.#closed = once(this.process, 'close');
    this.process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    createInterface({ input: this.process.stdout! }).on('line', (line) => {
      this.lines.push(line);
      this.#wake();
    });
    void this.#closed.then(() => this.#wake());
  }

  /** The JSON lines so far. */
  get events(): JsonEvent[] {
    return this.lines.map((line) => JSON.parse(line) as JsonEvent);
  }

  /** Waits for a line; fails when the process ends without it. */
  async line(matches: (line: string) => boolean): Promise<string> {
    for (;;) {
      const found = this.lines.find(matches);
      if (found !== undefined) return found;
      if (this.process.exitCode !== null)
        throw new Error(`ended without the line:\n${this.lines.join('\n')}\n${this.stderr}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Waits for an event. */
  async event(matches: (event: JsonEvent) => boolean): Promise<JsonEvent> {
    return JSON.parse(await this.line((line) => matches(JSON.parse(line) as JsonEvent))) as JsonEvent;
  }

  /** Waits for the end and returns the exit code; a signal's name where one ended it. */
  async end(): Promise<number | string> {
    const [code, signal] = (await this.#closed) as [number | null, string | null];
    return code ?? signal ?? '';
  }
}

/** Runs a command to its end. */
export async function run(
  t: ExecutionContext,
  ...args: string[]
): Promise<{ code: number | string; lines: string[]; events: () => JsonEvent[]; stderr: string }> {
  const command = new Command(t, args);
  const code = await command.end();
  return { code, lines: command.lines, events: () => command.events, stderr: command.stderr };
}

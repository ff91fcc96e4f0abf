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

/** What a command had said when it ended. */
export interface EndedCommand {
  /** Exit code; the name of the signal where one ended it. */
  readonly code: number | NodeJS.Signals;
  readonly lines: readonly string[];
  readonly events: readonly JsonEvent[];
  readonly stderr: string;
}

/** A command that runs, and what it has said so far. Ended with SIGTERM when it is disposed of. */
export class RunningCommand implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly ended: Promise<EndedCommand>;
  readonly lines: string[] = [];
  readonly #listeners: Set<() => void> = new Set();
  #stderr = '';

  /**
   * @param args of `bifrost-ethercat`
   * @param prefix command and arguments that run it, for example in a network namespace
   * @param stdin `pipe` to write to it
   */
  constructor(args: readonly string[], prefix: readonly string[] = [], stdin: 'ignore' | 'pipe' = 'ignore') {
    const [command = '', ...rest] = [...prefix, process.execPath, 'src/cli/main.ts', ...args];
    const child = spawn(command, rest, {
      cwd: root,
      stdio: [stdin, 'pipe', 'pipe'],
      env: { ...process.env, NO_COLOR: '1' },
    });
    this.child = child;
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
    });
    if (child.stdout === null) throw new Error('a command without stdout');
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.lines.push(line);
      this.#look();
    });
    this.ended = once(child, 'close').then((how) => {
      const [code, signal] = how as [number | null, NodeJS.Signals];
      this.#look();
      return { code: code ?? signal, lines: this.lines, events: this.events, stderr: this.#stderr };
    });
  }

  /** The lines of JSON so far. */
  get events(): JsonEvent[] {
    return this.lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as JsonEvent);
  }

  /** Waits for a line; fails when the command ends without it. */
  line(matches: (line: string) => boolean): Promise<string> {
    return this.#found(() => this.lines.find(matches));
  }

  /** Waits for a line of JSON; fails when the command ends without it. */
  event(matches: (event: JsonEvent) => boolean): Promise<JsonEvent> {
    return this.#found(() => this.events.find(matches));
  }

  /** Waits for the n-th line of JSON of a kind, from 1; fails when the command ends without it. */
  nth(n: number, matches: (event: JsonEvent) => boolean): Promise<JsonEvent> {
    return this.#found(() => this.events.filter(matches)[n - 1]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#hasEnded()) this.child.kill('SIGTERM');
    await this.ended;
  }

  #found<T>(find: () => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const found = find();
        if (found !== undefined) resolve(found);
        else if (this.#hasEnded()) {
          const how = this.child.exitCode ?? this.child.signalCode;
          reject(new Error(`the command ended (${how}) before that:\n${this.lines.join('\n')}\n${this.#stderr}`));
        } else return;
        this.#listeners.delete(look);
      };
      this.#listeners.add(look);
      look();
    });
  }

  #hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  #look(): void {
    for (const listener of this.#listeners) listener();
  }
}

/** Runs a command to its end. */
export function runCli(...args: string[]): Promise<EndedCommand> {
  return new RunningCommand(args).ended;
}

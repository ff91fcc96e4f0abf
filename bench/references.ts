// What others wrote and `npm run bench` measures against, as programs of their own: packages of `tools/bench`, which
// nothing but a run of the benchmark installs.

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import type { BenchContext } from './case.ts';
import type { Figures } from './report.ts';

/** Where their programs and packages are. */
export const referenceFolder: string = join(import.meta.dirname, '../tools/bench');

const INSTALL_MS = 300_000;

let installed: Promise<string | undefined> | undefined;

/** Installs the packages where that has not been done. Resolves to why it cannot be done, if it cannot. */
export function installReferences(context: BenchContext): Promise<string | undefined> {
  installed ??= install(context);
  return installed;
}

async function install(context: BenchContext): Promise<string | undefined> {
  // npm writes this file last.
  if (modifiedMs('node_modules/.package-lock.json') >= modifiedMs('package-lock.json')) return undefined;
  context.progress('installing what to measure against');
  try {
    const words = ['install', '--no-save', '--loglevel=error'];
    await promisify(execFile)('npm', words, { cwd: referenceFolder, timeout: INSTALL_MS });
    return undefined;
  } catch (error) {
    return `the packages of tools/bench cannot be installed: ${firstLine(error)}`;
  }
}

function modifiedMs(file: string): number {
  return statSync(join(referenceFolder, file), { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function firstLine(error: unknown): string {
  const { stderr } = error as { stderr?: string };
  const text = stderr !== undefined && stderr.trim() !== '' ? stderr.trim() : String(error);
  return text.split('\n', 1)[0] ?? '';
}

/** What a reference prints: at first that it is ready, then the figures of a measurement. */
interface Line {
  /** Interval at which its server publishes, where it does. */
  readonly publishingMs?: number;
  readonly us?: Figures;
}

/** A running program of `tools/bench`, which measures when it is asked. It ends when it is disposed of. */
export interface Reference extends AsyncDisposable {
  readonly publishingMs: number | undefined;
  /** From each of `count` changes, one a ms, to the subscriber's callback, in µs. */
  measure(count: number): Promise<Figures>;
}

/** Starts `tools/bench/NAME.mjs`. */
export async function startReference(name: string, ...args: readonly string[]): Promise<Reference> {
  const child = spawn(process.execPath, [join(referenceFolder, `${name}.mjs`), ...args], {
    cwd: referenceFolder,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const closed = once(child, 'close');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<Line> => {
    for (;;) {
      const { done, value } = await lines.next();
      if (done === true) throw new Error(`${name} ended: ${stderr.trim()}`);
      // Their libraries print to the standard output, too.
      if (value.startsWith('{')) return JSON.parse(value) as Line;
    }
  };
  const { publishingMs } = await next();
  return {
    publishingMs,
    async measure(count) {
      child.stdin.write(`${JSON.stringify({ count })}\n`);
      const { us } = await next();
      if (us === undefined) throw new Error(`${name} measured nothing`);
      return us;
    },
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      await closed;
    },
  };
}

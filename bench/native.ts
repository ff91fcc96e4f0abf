// Runs `ecat-bench`, the part of the benchmark that is not JavaScript, and reads what it prints.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { BenchContext } from './case.ts';
import { type Figures, median, medianFigures } from './report.ts';

const root = join(import.meta.dirname, '..');

/** Percentiles as printed, in ns. */
interface NativeFigures {
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
  readonly count: number;
}

/** One outcome of a variant. */
interface Line {
  readonly variant: string;
  readonly what: string;
  readonly ns?: NativeFigures;
  readonly value?: number;
}

/** The last line. */
interface Granted {
  readonly cpu: number;
  readonly priority: number | null;
  readonly pinned: boolean;
  readonly fifo: boolean;
}

/** Everything that one run printed. */
export class NativeResult {
  #lines: readonly Line[];
  #granted: Granted | undefined;

  constructor(texts: readonly string[]) {
    const parsed = texts.map((text) => JSON.parse(text) as Line | Granted);
    this.#lines = parsed.filter((line) => 'variant' in line);
    this.#granted = parsed.find((line) => 'fifo' in line);
  }

  /** Everything that several runs printed. */
  static joined(results: readonly NativeResult[]): NativeResult {
    const all = new NativeResult([]);
    all.#lines = results.flatMap((result) => result.#lines);
    all.#granted = results.map((result) => result.#granted).find((granted) => granted !== undefined);
    return all;
  }

  /** Medians over the repeats of a variant's distribution, divided by `per` (1,000 makes µs). */
  figures(variant: string, what: string, per: number): Figures {
    const repeats = this.#of(variant, what).flatMap(({ ns }) => (ns === undefined ? [] : [ns]));
    return medianFigures(
      repeats.map(({ p50, p99, p999, max }) => ({ p50: p50 / per, p99: p99 / per, p999: p999 / per, max: max / per })),
    );
  }

  /** Median over the repeats of a variant's number, divided by `per`. */
  value(variant: string, what: string, per = 1): Figures {
    return { p50: median(this.values(variant, what)) / per };
  }

  /** A variant's number in every repeat. */
  values(variant: string, what: string): number[] {
    return this.#of(variant, what).flatMap(({ value }) => (value === undefined ? [] : [value]));
  }

  /** What the system refused, in words. */
  notes(name: string): string[] {
    const granted = this.#granted;
    if (granted === undefined || granted.priority === null) return [];
    return [
      ...(granted.fifo ? [] : [`${name}: SCHED_FIFO was refused; it ran in the default class`]),
      ...(granted.pinned ? [] : [`${name}: the thread could not be bound to CPU ${granted.cpu}`]),
    ];
  }

  #of(variant: string, what: string): Line[] {
    return this.#lines.filter((line) => line.variant === variant && line.what === what);
  }
}

let built: Promise<string> | undefined;

/** Path of the program, built once. */
function program(context: BenchContext): Promise<string> {
  built ??= build(context);
  return built;
}

async function build(context: BenchContext): Promise<string> {
  context.progress('building ecat-bench');
  const child = spawn('cargo', ['build', '--release', '--locked', '--quiet', '-p', 'ecat-bench'], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`cargo build -p ecat-bench failed with exit code ${code}`);
  return join(process.env['CARGO_TARGET_DIR'] ?? join(root, 'target'), 'release/ecat-bench');
}

type Arguments = Readonly<Record<string, string | number>>;

/**
 * Runs a measurement to its end.
 *
 * @param prefix a command that runs it, for example `ip netns exec …`
 */
export async function runNative(
  context: BenchContext,
  command: string,
  values: Arguments,
  prefix: readonly string[] = [],
): Promise<NativeResult> {
  const { child, lines, ended } = start(await program(context), command, values, prefix);
  child.stdin?.end();
  await ended;
  return new NativeResult(lines);
}

/** A segment that is served by another process, and what that has printed so far. */
export interface NativeServer extends AsyncDisposable {
  printed(): NativeResult;
}

/** Starts `ecat-bench serve` and resolves when it serves. It ends when it is disposed of, or when this process does. */
export async function serveNative(
  context: BenchContext,
  values: Arguments,
  prefix: readonly string[],
): Promise<NativeServer> {
  const server = start(await program(context), 'serve', values, prefix);
  await Promise.race([server.firstLine, server.ended]);
  return {
    printed: () => new NativeResult(server.lines),
    async [Symbol.asyncDispose]() {
      server.child.stdin?.end();
      await server.ended;
    },
  };
}

interface Running {
  readonly child: ChildProcess;
  readonly lines: readonly string[];
  readonly firstLine: Promise<void>;
  /** Rejects where it ends badly. */
  readonly ended: Promise<void>;
}

function start(path: string, command: string, values: Arguments, prefix: readonly string[]): Running {
  const words = [...prefix, path, command, ...Object.entries(values).map(([name, value]) => `${name}=${value}`)];
  const [first = path, ...rest] = words;
  const child = spawn(first, rest, { cwd: root, stdio: ['pipe', 'pipe', 'pipe'] });
  const lines: string[] = [];
  const { promise: firstLine, resolve } = Promise.withResolvers<void>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    resolve();
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = once(child, 'close').then(([code]) => {
    if (code !== 0) throw new Error(`${words.join(' ')} failed with exit code ${code}: ${stderr.trim()}`);
  });
  return { child, lines, firstLine, ended };
}

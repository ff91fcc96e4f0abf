/** How every command says that it failed, and how it is stopped. */

import { styleText } from 'node:util';
import { EtherCatError } from '../core/errors/ethercat-error.ts';

/** Exit code of a program that was told twice to stop: 128 + SIGINT. */
const EXIT_CODE_INTERRUPTED = 130;
/** Longest delay that a timer can have. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/**
 * Prints an error to stderr: `code: message`, with its place, and what to do; every failure of a
 * combined one. With `json`, one line to stdout as well. Sets the exit code 1.
 */
export function reportFailure(thrown: unknown, json: boolean): void {
  const error = EtherCatError.from(thrown);
  process.exitCode = 1;
  if (json) process.stdout.write(`${JSON.stringify({ event: 'error', ...error.toJSON() })}\n`);
  const all = error.errors ?? [error];
  const lines = all.map(({ code, message }) => `${styled('red', code)}: ${message}`);
  for (const action of new Set(all.map((one) => one.action))) lines.push(`  ${styled('bold', '→')} ${action}`);
  if (error.code === 'ECAT_ERR_INTERNAL' && error.cause instanceof Error) lines.push(error.cause.stack ?? '');
  process.stderr.write(`${lines.join('\n')}\n`);
}

/**
 * A signal that aborts when the process is told to stop: SIGINT, SIGTERM, SIGHUP, or nobody reading
 * stdout any more. Told a second time, the process exits at once; outputs are taken to safety even then.
 */
export function stopSignal(): { readonly signal: AbortSignal; stop(): void; dispose(): void } {
  const controller = new AbortController();
  const stop = (): void => {
    if (controller.signal.aborted) process.exit(EXIT_CODE_INTERRUPTED);
    controller.abort();
  };
  const stopWriting = (error: NodeJS.ErrnoException): void => {
    if (error.code !== 'EPIPE') throw error;
    if (!controller.signal.aborted) controller.abort();
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const name of signals) process.on(name, stop);
  process.stdout.on('error', stopWriting);
  return {
    signal: controller.signal,
    stop,
    dispose: () => {
      for (const name of signals) process.off(name, stop);
    },
  };
}

/** Resolves when `signal` aborts, and keeps the process alive until then. */
export async function untilAborted(signal: AbortSignal, timeoutMs: number = TIMER_MS_MAX): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, timeoutMs);
    signal.addEventListener('abort', end);
  });
}

function styled(style: 'red' | 'bold', text: string): string {
  return styleText(style, text, { stream: process.stderr });
}

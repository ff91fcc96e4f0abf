/** Ways out of the process that no promise waits for. */

import process from 'node:process';

/** Something that has to be stopped in order before the process ends. */
export interface Closable {
  /** Stops at once, bounded, without the event loop. */
  closeNow(): void;
  /** Stops in order. */
  close(): Promise<void>;
}

const open: Set<Closable> = new Set();

/** Neither finalisers nor clean-up hooks run on `process.exit()` or an uncaught exception; this event does. */
function closeAllNow(): void {
  for (const closable of open) closable.closeNow();
}

/** Has `closeNow()` called when the process ends before the returned function is. */
export function closeOnExit(closable: Closable): () => void {
  if (open.size === 0) process.on('exit', closeAllNow);
  open.add(closable);
  return () => {
    open.delete(closable);
    if (open.size === 0) process.off('exit', closeAllNow);
  };
}

const signals = ['SIGINT', 'SIGTERM'] as const;
const closedBySignal: Set<Closable> = new Set();

/** Closes everything, then ends the process the way that the signal would have. */
function onSignal(signal: NodeJS.Signals): void {
  const closing = [...closedBySignal].map((closable) => closable.close());
  void Promise.allSettled(closing).then(() => {
    stopListening();
    process.kill(process.pid, signal);
  });
}

function stopListening(): void {
  for (const signal of signals) process.off(signal, onSignal);
}

/** Closes in order on SIGINT and SIGTERM, then lets the signal end the process; until the returned function is called. */
export function closeOnSignals(closable: Closable): () => void {
  if (closedBySignal.size === 0) for (const signal of signals) process.on(signal, onSignal);
  closedBySignal.add(closable);
  return () => {
    closedBySignal.delete(closable);
    if (closedBySignal.size === 0) stopListening();
  };
}

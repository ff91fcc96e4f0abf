/**
 * What another thread needs to attach to an open bus: numbers and SharedArrayBuffers in a plain object that can be
 * posted. It holds no native resource, and stays valid until the bus closes.
 */

import { EtherCatError } from './errors/ethercat-error.ts';
import type { LaneInfo } from './lane-directory.ts';

/** A running bus, to be posted to another thread of the process and given to `attach()` there. Its fields are internal. */
export interface BusHandle {
  /** Says what this object is, wherever it comes out. */
  readonly kind: typeof HANDLE_KIND;
  /** Number of the engine in this process. */
  readonly engineId: number;
  /** The shared memory. */
  readonly memory: SharedArrayBuffer;
  /** The tag table. */
  readonly table: SharedArrayBuffer;
  /** The tag directory. */
  readonly directory: SharedArrayBuffer;
  /** Words of the decode workers. */
  readonly status: SharedArrayBuffer;
  /** What the outputs go to when their writer falls silent. */
  readonly outputs: SharedArrayBuffer;
  /** Who has which output. */
  readonly owners: SharedArrayBuffer;
  /** The lanes of the configuration. */
  readonly lanes: readonly LaneInfo[];
  /** Names of the interlocks, by their place. */
  readonly interlocks: readonly string[];
  /** Deadline of writers that name none, in ms; 0 is never. */
  readonly outputDeadlineMs: number;
  /** Names of the SubDevices, by position. */
  readonly devices: readonly string[];
  /** The long cycle number, kept by the thread that opened the bus. */
  readonly clock: SharedArrayBuffer;
  /** Whether cycles run as they are granted: nobody is late then, and every partition is waited for. */
  readonly virtualTime: boolean;
}

const HANDLE_KIND = 'bifrost-ethercat-bus';

const buffers = ['memory', 'table', 'directory', 'status', 'outputs', 'owners', 'clock'] as const;

/** A handle out of its parts. */
export function makeHandle(parts: Omit<BusHandle, 'kind'>): BusHandle {
  return Object.freeze({ kind: HANDLE_KIND, ...parts });
}

/** @throws `ECAT_ERR_INVALID_ARGUMENT` for anything that is not the handle of a bus */
export function checkHandle(value: unknown): asserts value is BusHandle {
  const handle = value as Partial<Record<keyof BusHandle, unknown>> | null | undefined;
  const isHandle =
    typeof handle === 'object' &&
    handle !== null &&
    handle.kind === HANDLE_KIND &&
    buffers.every((name) => handle[name] instanceof SharedArrayBuffer);
  if (isHandle) return;
  throw new EtherCatError(
    'ECAT_ERR_INVALID_ARGUMENT',
    'attach() takes the handle of an open MainDevice (`bus.handle`), as it was posted to this thread',
  );
}

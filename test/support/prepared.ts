/** Software of others that tests run: prepared once for a machine, outside the clone, and shared by all test files. */

import { existsSync, mkdirSync, readlinkSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** So long nobody tries again what has failed. */
const FAILED_MS = 600_000;
const LOOK_AGAIN_MS = 100;

/**
 * A folder that the first caller of this machine prepares while the others wait.
 *
 * @param name with the version of what is in it
 * @param prepare fills the folder; it may throw
 * @returns the folder, or `undefined` where it could not be prepared
 */
export function preparedFolder(name: string, prepare: (folder: string) => void): string | undefined {
  const folder = join(tmpdir(), `bifrost-ethercat-${name}`);
  const [done, failed, lock] = [join(folder, 'prepared'), `${folder}.failed`, `${folder}.preparing`];
  for (;;) {
    if (existsSync(done)) return folder;
    if (ageMs(failed) < FAILED_MS) return undefined;
    try {
      // It points at the process that prepares: it is abandoned when there is no such process.
      symlinkSync(`/proc/${process.pid}`, lock);
    } catch {
      if (isAbandoned(lock)) rmSync(lock, { force: true });
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOOK_AGAIN_MS);
      continue;
    }
    try {
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(folder, { recursive: true });
      prepare(folder);
      writeFileSync(`${done}.new`, '');
      renameSync(`${done}.new`, done);
    } catch (error) {
      rmSync(folder, { recursive: true, force: true });
      writeFileSync(failed, String(error));
    } finally {
      rmSync(lock, { force: true });
    }
  }
}

function isAbandoned(lock: string): boolean {
  try {
    return !existsSync(readlinkSync(lock));
  } catch {
    // It has just been opened.
    return false;
  }
}

function ageMs(path: string): number {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? Number.POSITIVE_INFINITY : Date.now() - stat.mtimeMs;
}

/** Software of others that tests run: prepared once for a machine, outside the clone, and shared by all test files. */

import { existsSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Longer than any preparation takes. */
const ABANDONED_MS = 300_000;
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
  const [done, failed, lock] = [join(folder, 'prepared'), `${folder}.failed`, `${folder}.lock`];
  for (;;) {
    if (existsSync(done)) return folder;
    if (ageMs(failed) < FAILED_MS) return undefined;
    try {
      mkdirSync(lock);
    } catch {
      if (ageMs(lock) > ABANDONED_MS) rmSync(lock, { recursive: true, force: true });
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
      rmSync(lock, { recursive: true, force: true });
    }
  }
}

function ageMs(path: string): number {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? Number.POSITIVE_INFINITY : Date.now() - stat.mtimeMs;
}

/** SOEM as a Python package, in a virtual environment of its own: a MainDevice that others wrote. */

import { execFileSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const VERSION = '1.1.13';

/** The Python that has it, or why there is none. */
export function pythonWithSoem(): { python: string } | { reason: string } {
  const folder = join(tmpdir(), `bifrost-ethercat-pysoem-${VERSION}`);
  const python = join(folder, 'bin', 'python');
  const has = (): boolean => {
    try {
      execFileSync(python, ['-c', 'import pysoem'], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  };
  if (existsSync(python) && has()) return { python };
  try {
    rmSync(folder, { recursive: true, force: true });
    execFileSync('python3', ['-m', 'venv', folder], { stdio: 'ignore' });
    execFileSync(python, ['-m', 'pip', 'install', '--quiet', `pysoem==${VERSION}`], {
      stdio: 'ignore',
      timeout: 120_000,
    });
    return has() ? { python } : { reason: 'pysoem does not load' };
  } catch {
    return { reason: 'pysoem cannot be installed' };
  }
}

/** A Python with SOEM's package, in a virtual environment of its own. Tests use it, and the benchmark does. */

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { preparedFolder } from './prepared.ts';

const VERSION = '1.1.13';

/** The Python that has it, or why there is none. */
export function pythonWithSoem(): { python: string } | { reason: string } {
  const folder = preparedFolder(`pysoem-${VERSION}`, (made) => {
    execFileSync('python3', ['-m', 'venv', made], { stdio: 'ignore' });
    const python = join(made, 'bin/python');
    execFileSync(python, ['-m', 'pip', 'install', '--quiet', `pysoem==${VERSION}`], {
      stdio: 'ignore',
      timeout: 120_000,
    });
    execFileSync(python, ['-c', 'import pysoem'], { stdio: 'ignore' });
  });
  return folder === undefined ? { reason: 'pysoem cannot be installed' } : { python: join(folder, 'bin/python') };
}

/** The file that `--out` names. */

import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { EtherCatError } from '../core/errors/ethercat-error.ts';

/** Writes it, and makes its folder. @throws (rejects with) `ECAT_ERR_INVALID_ARGUMENT` */
export async function writeOut(file: string, content: string | Uint8Array): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new EtherCatError('ECAT_ERR_INVALID_ARGUMENT', `--out: cannot write ${file}: ${message}`, {
      cause: error,
      action: 'Name a file in a folder that this user may write to.',
    });
  }
}

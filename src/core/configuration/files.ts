/** Files that a configuration names, and what went wrong with them in words. */

import { isAbsolute, join } from 'node:path';
import { EtherCatError, type Location } from '../errors/ethercat-error.ts';

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'no permission to read it',
  EISDIR: 'it is a folder',
};

/** `ECAT_ERR_CONFIGURATION_FILE` for `file`, which is `what` in the configuration. */
export function fileError(what: string, file: string, error: unknown, location?: Location): EtherCatError {
  const { code, message } = error as Partial<NodeJS.ErrnoException>;
  const reason = reasons[code ?? ''] ?? message ?? String(error);
  return new EtherCatError('ECAT_ERR_CONFIGURATION_FILE', `${what}: cannot read ${file}: ${reason}`, {
    location,
    cause: error,
  });
}

/** Keeps a relative path relative, as messages then show what a person typed. */
export function within(folder: string, path: string): string {
  return isAbsolute(path) ? path : join(folder, path);
}

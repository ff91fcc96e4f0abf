/** What went wrong with a file, in words. */

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
  return new EtherCatError('ECAT_ERR_CONFIGURATION_FILE', `${what}: cannot read ${file}: ${reason}`, { location, cause: error });
}

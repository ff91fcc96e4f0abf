/** What may be done with virtual time. */

import { EtherCatError } from './errors/ethercat-error.ts';

/** @throws `ECAT_ERR_INVALID_ARGUMENT` unless time is virtual and `cycles` a whole number from 0 */
export function checkVirtualCycles({ virtualTime }: { readonly virtualTime: boolean }, cycles: number): void {
  if (!virtualTime)
    throw new EtherCatError('ECAT_ERR_INVALID_ARGUMENT', 'only virtual time can be advanced (time: virtual)');
  if (!Number.isSafeInteger(cycles) || cycles < 0) {
    throw new EtherCatError('ECAT_ERR_INVALID_ARGUMENT', `cycles: expected a whole number from 0, got ${cycles}`);
  }
}

/** How far a value can be trusted. */

/**
 * - `good`: the SubDevice is in OP, and every datagram with its data came back with the expected working counter;
 * - `stale`: the frame was lost, the data are those of an earlier cycle;
 * - `uncertain`: a datagram came back with a wrong working counter and it is not known yet whose data are
 *   missing, or the SubDevice is not in OP;
 * - `bad`: the SubDevice does not answer, or has left SAFE-OP and OP.
 */
export type Quality = 'good' | 'stale' | 'uncertain' | 'bad';

const qualities: readonly Quality[] = ['good', 'stale', 'uncertain', 'bad'];

/** The code of `stale`. */
export const STALE: number = qualities.indexOf('stale');

/** The code of `uncertain`. */
export const UNCERTAIN: number = qualities.indexOf('uncertain');

/** The code of `bad`. */
export const BAD: number = qualities.indexOf('bad');

/** The quality of that code, as a slot and the change log hold it. */
export function qualityOf(code: number): Quality {
  return qualities[code] ?? 'bad';
}

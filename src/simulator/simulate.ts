/** From a segment file or an object to a segment that runs. */

import { loadSegment } from '../core/configuration/load.ts';
import { withSeed } from '../core/configuration/segment-source.ts';
import type { SegmentDocument } from '../core/configuration/segment-types.ts';
import { EtherCatError } from '../core/errors/ethercat-error.ts';
import { SimulatedSegment } from './simulated-segment.ts';

/** How to simulate. */
export interface SimulateOptions {
  /**
   * `virtual`: time passes only when it is advanced, and a MainDevice that is opened on the segment lives in it too,
   * whatever its configuration says. `wall`: the clock's. By default `virtual`.
   */
  readonly time?: 'virtual' | 'wall';
  /** What the segment's chance is made of, in place of what the segment says. */
  readonly seed?: number;
}

/**
 * Builds a simulated segment: give it to `MainDevice.open(configuration, { segment })`, or to a network card (`serve`).
 *
 * @param source - a segment file, or a configuration with a segment; or what a segment file says, as an object
 * @throws (rejects with) `ECAT_ERR_CONFIGURATION_*`, `ECAT_ERR_SEGMENT_INVALID`, `ECAT_ERR_INVALID_ARGUMENT`,
 * `ECAT_ERR_ADDON_MISSING`
 */
export async function simulate(
  source: string | URL | SegmentDocument,
  { time = 'virtual', seed }: SimulateOptions = {},
): Promise<SimulatedSegment> {
  if (seed !== undefined && !(Number.isSafeInteger(seed) && seed >= 0)) {
    throw new EtherCatError('ECAT_ERR_INVALID_ARGUMENT', `seed: expected a whole number from 0, got ${seed}`);
  }
  const description = await loadSegment(source);
  return new SimulatedSegment(seed === undefined ? description : withSeed(description, seed), time === 'virtual');
}

/** Who is on a segment: to PRE-OP, a look, and back to INIT. */

import type { NormalizedConfiguration } from './configuration/types.ts';
import { EngineLink } from './engine-link.ts';
import type { Network } from './network.ts';

/**
 * Takes a segment to PRE-OP, reads who is there, and leaves it in INIT.
 * @throws (rejects with) what `MainDevice.open` says about link and bring-up, `ECAT_ERR_ABORTED`
 */
export async function scanSegment(
  configuration: NormalizedConfiguration,
  signal: AbortSignal | undefined,
): Promise<Network> {
  const link = new EngineLink(configuration);
  try {
    return await link.bringUp(signal);
  } finally {
    link.abandon();
  }
}

/** A SubDevice as an application sees it. */

import type { DeviceIdentity } from './errors/ethercat-error.ts';
import type { SubDeviceState } from './events.ts';
import type { Quality } from './quality.ts';

/** One SubDevice of the segment. `state` and `quality` are read anew at each access; everything else is of the bring-up. */
export interface SubDevice {
  /** Name of the configuration, or order name and position. */
  readonly name: string;
  /** Position in the segment, from 0. */
  readonly position: number;
  /** Order name of the SII, for example `EL2889`; may be empty. */
  readonly orderName: string;
  /** Description of the SII; may be empty. */
  readonly description: string;
  /** Who it says it is, by its SII. */
  readonly identity: Required<DeviceIdentity>;
  /** Configured station address (register 0x0010). */
  readonly stationAddress: number;
  /** Station alias (register 0x0012). */
  readonly alias: number;
  /** Whether its clock registers answer. */
  readonly hasDistributedClock: boolean;
  /** Delay from the reference clock, in ns. */
  readonly propagationDelayNs: number;
  /** Bits of process data that it sends. */
  readonly inputBits: number;
  /** Bits of process data that it receives. */
  readonly outputBits: number;
  /** AL state as last reported. */
  readonly state: SubDeviceState;
  /** Quality of its data in the newest cycle; `bad` once the MainDevice is closed. */
  readonly quality: Quality;
}

/** A SubDevice as an application sees it. */

import type { DeviceIdentity } from './errors/ethercat-error.ts';
import type { SubDeviceState } from './events.ts';
import type { Quality } from './quality.ts';
import type { RegisterReading } from './registers.ts';

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
  /** First byte of its inputs in the image of all inputs. */
  readonly inputOffset: number;
  /** First byte of its outputs in the image of all outputs. */
  readonly outputOffset: number;
  /** Bits of process data that it sends. */
  readonly inputBits: number;
  /** Bits of process data that it receives. */
  readonly outputBits: number;
  /** Mailbox protocols that its SII names (word 0x1C): 0x01 AoE, 0x02 EoE, 0x04 CoE, 0x08 FoE, 0x10 SoE, 0x20 VoE. */
  readonly mailboxProtocols: number;
  /** AL state as last reported. */
  readonly state: SubDeviceState;
  /** Quality of its data in the newest cycle; `bad` once the MainDevice is closed. */
  readonly quality: Quality;
  /**
   * Reads registers of its controller with one datagram behind the cyclic ones, in any state of the bus. In virtual
   * time the datagram goes with the next cycle that runs.
   *
   * @param register - address of the first, below 0x1000
   * @param length - bytes, 1 to 64
   * @throws (rejects with) `ECAT_ERR_INVALID_ARGUMENT`, `ECAT_ERR_REQUEST_QUEUE_FULL` (64 wait already),
   * `ECAT_ERR_SUBDEVICE_LOST` (it is away, or has no such register), `ECAT_ERR_TIMEOUT` (three frames were lost),
   * `ECAT_ERR_CLOSED`
   */
  readRegister(register: number, length: number): Promise<RegisterReading>;
}

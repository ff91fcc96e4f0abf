/** How a bus and its SubDevices are doing: what the cycle thread has counted, and registers that are read when asked. */

import { EtherCatError } from './errors/ethercat-error.ts';
import type { BusState, SubDeviceState } from './events.ts';
import type { Quality } from './quality.ts';
import type { RegisterReading } from './registers.ts';
import type { CycleStatistics } from './statistics.ts';
import type { SubDevice } from './sub-device.ts';

/** AL status and, behind it, the AL status code (0x0134). */
const AL_STATUS = 0x0130;
const AL_STATUS_BYTES = 6;
const ERROR_COUNTERS = 0x0300;
const ERROR_COUNTER_BYTES = 0x14;
const SYSTEM_TIME_DIFFERENCE = 0x092c;
const PORTS = 4;
/** SubDevices that are asked at once, with three reads each: others have room in the queue of reads, too. */
const ASKED_AT_ONCE = 8;

/** Error counters of one port: each stops at 255, and nobody resets it here. */
export interface PortErrors {
  /** Frames with a bad checksum or length (registers 0x0300, 0x0302 …). */
  readonly invalidFrames: number;
  /** Damaged symbols, within frames or between them (0x0301, 0x0303 …). */
  readonly rxErrors: number;
  /** Frames that had been damaged before (0x0308 …). */
  readonly forwardedErrors: number;
  /** Links that went down (0x0310 …). */
  readonly lostLinks: number;
}

/** What the registers of a SubDevice say. */
export interface SubDeviceRegisters {
  /** Register 0x0134; 0 without an error. */
  readonly alStatusCode: number;
  /** By port, 0 to 3. */
  readonly ports: readonly PortErrors[];
  /** Frames that its processing unit found wrong (0x030C). */
  readonly processingUnitErrors: number;
  /** Wrong accesses of its application side (0x030D). */
  readonly pdiErrors: number;
  /**
   * How far its clock is from the reference clock (0x092C), in ns, negative where it is behind; undefined where it has no
   * distributed clock, or the configuration has none.
   */
  readonly clockDifferenceNs: number | undefined;
}

/** How one SubDevice is doing. */
export interface SubDeviceHealth {
  /** Its name. */
  readonly name: string;
  /** Its position, from 0. */
  readonly position: number;
  /** AL state as last reported. */
  readonly state: SubDeviceState;
  /** Of its data in the newest cycle. */
  readonly quality: Quality;
  /** Read just now; undefined where it does not answer. */
  readonly registers: SubDeviceRegisters | undefined;
}

/** How a bus is doing. */
export interface BusHealth {
  /** Of the bus. */
  readonly state: BusState;
  /** What the cycle thread has counted since the start. */
  readonly statistics: CycleStatistics & { readonly replacedDecodeWorkers: number };
  /** By position. */
  readonly subDevices: readonly SubDeviceHealth[];
}

/**
 * Reads what the registers of every SubDevice say. One that does not answer has none.
 * @throws (rejects with) what `SubDevice.readRegister` says but `ECAT_ERR_SUBDEVICE_LOST` and `ECAT_ERR_TIMEOUT`
 */
export async function readHealth(subDevices: readonly SubDevice[], hasClocks: boolean): Promise<SubDeviceHealth[]> {
  const found: SubDeviceHealth[] = [];
  let next = 0;
  const ask = async (): Promise<void> => {
    for (let at = next++; at < subDevices.length; at = next++) {
      const subDevice = subDevices[at]!;
      const registers = await readRegisters(subDevice, hasClocks).catch(ignoreSilence);
      const { name, position, state, quality } = subDevice;
      found[at] = { name, position, state, quality, registers };
    }
  };
  await Promise.all(Array.from({ length: ASKED_AT_ONCE }, ask));
  return found;
}

/** Reads the registers of one SubDevice. @throws (rejects with) what `SubDevice.readRegister` says */
export async function readRegisters(subDevice: SubDevice, hasClocks: boolean): Promise<SubDeviceRegisters> {
  const [status, errors, difference] = await Promise.all([
    subDevice.readRegister(AL_STATUS, AL_STATUS_BYTES),
    subDevice.readRegister(ERROR_COUNTERS, ERROR_COUNTER_BYTES),
    hasClocks ? readClockDifference(subDevice) : undefined,
  ]);
  const counter = (register: number): number => errors.data[register - ERROR_COUNTERS]!;
  return {
    alStatusCode: view(status).getUint16(4, true),
    ports: Array.from({ length: PORTS }, (_, port) => ({
      invalidFrames: counter(0x0300 + 2 * port),
      rxErrors: counter(0x0301 + 2 * port),
      forwardedErrors: counter(0x0308 + port),
      lostLinks: counter(0x0310 + port),
    })),
    processingUnitErrors: counter(0x030c),
    pdiErrors: counter(0x030d),
    clockDifferenceNs: difference,
  };
}

/** Register 0x092C in ns; undefined without a distributed clock. @throws (rejects with) what `SubDevice.readRegister` says */
export async function readClockDifference(subDevice: SubDevice): Promise<number | undefined> {
  if (!subDevice.hasDistributedClock) return undefined;
  const word = view(await subDevice.readRegister(SYSTEM_TIME_DIFFERENCE, 4)).getUint32(0, true);
  // Bit 31 is set where the local time is the smaller one (ETG.1000.4, table of the DC registers).
  const magnitude = word & 0x7fff_ffff;
  return word >>> 31 === 0 ? magnitude : -magnitude;
}

function ignoreSilence(thrown: unknown): undefined {
  const error = EtherCatError.from(thrown);
  if (error.code !== 'ECAT_ERR_SUBDEVICE_LOST' && error.code !== 'ECAT_ERR_TIMEOUT') throw error;
}

function view({ data }: RegisterReading): DataView {
  return new DataView(data.buffer, data.byteOffset, data.byteLength);
}

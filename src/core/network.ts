/** What bring-up found, as the rest of the package reads it (`BindingNetwork` has this shape), and its comparison with the configuration. */

import type { DeviceConfiguration } from './configuration/types.ts';
import { type DeviceIdentity, EtherCatError } from './errors/ethercat-error.ts';

/** One PDO entry and its place in the process image. */
export interface NetworkEntry {
  readonly direction: 'input' | 'output';
  readonly pdoIndex: number;
  readonly pdoName: string;
  /** 0 is a gap. */
  readonly index: number;
  readonly subindex: number;
  readonly name: string;
  /** Data type code of the SII. */
  readonly dataType: number;
  /** From the start of the image of its direction. */
  readonly bitOffset: number;
  readonly bitLength: number;
}

/** One SubDevice in PRE-OP. */
export interface NetworkSubDevice {
  readonly position: number;
  readonly stationAddress: number;
  readonly alias: number;
  /** Order name of the SII; may be empty. */
  readonly name: string;
  readonly description: string;
  readonly vendorId: number;
  readonly productCode: number;
  readonly revision: number;
  readonly serial: number;
  readonly hasDistributedClock: boolean;
  readonly propagationDelayNs: number;
  /** Whether the ESC itself answers state requests. */
  readonly deviceEmulation: boolean;
  /** Word 0x1C of the SII. */
  readonly mailboxProtocols: number;
  /** The content of its EEPROM as far as it is understood, the rest blank. */
  readonly sii: Uint8Array;
  /** First byte of its inputs and of its outputs in their images. */
  readonly inputOffset: number;
  readonly outputOffset: number;
  readonly entries: readonly NetworkEntry[];
}

/** What stays of a SubDevice once its entries have become tags. */
export type SubDeviceSummary = Omit<NetworkSubDevice, 'entries' | 'sii'> & {
  /** Bits of its process data, gaps included. */
  readonly inputBits: number;
  readonly outputBits: number;
};

/** The SubDevices of a segment by position, and the size of the process image. */
export interface Network {
  readonly subDevices: readonly NetworkSubDevice[];
  readonly inputBytes: number;
  readonly outputBytes: number;
}

const identityKeys = ['vendorId', 'productCode', 'revision', 'serial'] as const;

/** Compares the SubDevices that the configuration names with those that are there; one error for each that differs. */
export function compareIdentities(devices: readonly DeviceConfiguration[], network: Network): EtherCatError[] {
  return devices.flatMap((device) => {
    const { name, position, location } = device;
    const expected = pickIdentity(device);
    const found = network.subDevices[position];
    if (found === undefined) {
      return new EtherCatError(
        'ECAT_ERR_DEVICE_MISSING',
        `device ${name}: there is no SubDevice at position ${position}, the segment has ${network.subDevices.length}`,
        { position, subDevice: name, expected, location },
      );
    }
    const differing = identityKeys.filter((key) => device[key] !== undefined && device[key] !== found[key]);
    if (differing.length === 0) return [];
    const message = `device ${name} at position ${position}: expected ${describe(expected)}, found ${describe(found)}${found.name === '' ? '' : ` (${found.name})`}`;
    return new EtherCatError('ECAT_ERR_DEVICE_MISMATCH', message, {
      position,
      subDevice: name,
      expected,
      found: pickIdentity(found),
      location,
    });
  });
}

/** The SubDevices without their entries. */
export function summarize({ subDevices }: Network): SubDeviceSummary[] {
  return subDevices.map(({ entries, sii: _, ...subDevice }) => {
    const bits = (wanted: 'input' | 'output'): number =>
      entries.reduce((sum, { direction, bitLength }) => sum + (direction === wanted ? bitLength : 0), 0);
    return { ...subDevice, inputBits: bits('input'), outputBits: bits('output') };
  });
}

/** The name of every SubDevice by position: that of the configuration, or its order name and position. */
export function nameSubDevices(
  devices: readonly DeviceConfiguration[],
  subDevices: readonly Pick<NetworkSubDevice, 'name' | 'position'>[],
): string[] {
  const configured = new Map(devices.map(({ name, position }) => [position, name]));
  return subDevices.map(({ name, position }) => configured.get(position) ?? `${name || 'device'}-${position}`);
}

function pickIdentity(of: { readonly [key in (typeof identityKeys)[number]]: number | undefined }): DeviceIdentity {
  return Object.fromEntries(identityKeys.flatMap((key) => (of[key] === undefined ? [] : [[key, of[key]]])));
}

function describe({ vendorId, productCode, revision }: DeviceIdentity): string {
  const parts = [
    ['vendor', vendorId],
    ['product', productCode],
    ['revision', revision],
  ] as const;
  return parts.flatMap(([name, value]) => (value === undefined ? [] : `${name} ${hex(value, 8)}`)).join(', ');
}

/** `0x0000abcd` */
export function hex(value: number, digits: number): string {
  return `0x${value.toString(16).padStart(digits, '0')}`;
}

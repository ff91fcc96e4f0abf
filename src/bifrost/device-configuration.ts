/** From a device of the gateway to the configuration of its segment, and to the SubDevice that it means. */

import type { ConfigurationDocument } from '../core/configuration/types.ts';
import { EtherCatError } from '../core/errors/ethercat-error.ts';
import type { SubDevice } from '../core/sub-device.ts';
import type { BifrostDevice, BifrostDeviceConfig } from './types.ts';

const keys: ReadonlySet<string> = new Set<keyof BifrostDeviceConfig>([
  'position',
  'sub_device',
  'slave',
  'vendor_id',
  'product_code',
  'revision',
  'serial',
  'ethercat',
  'configuration_file',
  'network_interface',
  'cycle_time',
  'enable_dc',
  'max_slaves',
]);

/** How the segment of a device is opened. */
export interface SegmentSource {
  /** A YAML file, or the same as an object. */
  readonly source: string | ConfigurationDocument;
  /** Interface that takes the place of what the configuration names. */
  readonly interface: string | undefined;
  /** Whether the device itself says how; otherwise it takes the segment as another one has opened it. */
  readonly isOwn: boolean;
}

/**
 * Checks what can be checked of a device without its segment.
 * @throws `ECAT_ERR_INVALID_ARGUMENT` with the key
 */
export function checkDevice(device: BifrostDevice): void {
  const { protocol, address, port = 0, config = {} } = device;
  if (protocol !== 'ethercat') throw invalid(device, `its protocol is ${JSON.stringify(protocol)}, not "ethercat"`);
  if (typeof address !== 'string' || address === '')
    throw invalid(device, 'its address has to name a network interface');
  if (port !== 0) throw invalid(device, `its port is ${port}; EtherCAT has none, which is 0`);
  for (const key of Object.keys(config)) {
    if (!keys.has(key)) throw invalid(device, `config.${key} is not a known key`);
  }
  const { position, max_slaves } = config;
  if (position !== undefined && !(Number.isInteger(position) && position >= 0)) {
    throw invalid(device, `config.position ${String(position)} is no whole number from 0`);
  }
  if (max_slaves !== undefined && !(Number.isInteger(max_slaves) && max_slaves >= 1)) {
    throw invalid(device, `config.max_slaves ${String(max_slaves)} is no whole number from 1`);
  }
  if (config.ethercat !== undefined && config.configuration_file !== undefined) {
    throw invalid(device, 'config has both ethercat and configuration_file');
  }
}

/** How the segment of a device is opened. */
export function segmentSource({ address, config = {} }: BifrostDevice): SegmentSource {
  const { ethercat, configuration_file, network_interface, cycle_time, enable_dc } = config;
  const settings = {
    ...(cycle_time !== undefined && { cycle_time }),
    ...(enable_dc !== undefined && { distributed_clocks: enable_dc }),
  };
  if (configuration_file !== undefined) {
    return { source: configuration_file, interface: network_interface, isOwn: true };
  }
  const key = ethercat !== undefined && 'main_device' in ethercat ? 'main_device' : 'master';
  const given = (ethercat?.[key] ?? {}) as Record<string, unknown>;
  const isSimulated = given['segment'] !== undefined;
  const mainDevice = {
    ...(!isSimulated && { interface: network_interface ?? address }),
    ...given,
    ...settings,
  };
  // What is wrong with it, the configuration's own checks say, with the place.
  const source = { ethercat: { ...ethercat, [key]: mainDevice } } as unknown as ConfigurationDocument;
  return { source, interface: network_interface, isOwn: ethercat !== undefined || Object.keys(settings).length > 0 };
}

/**
 * The SubDevice that a device means: by position, by name, or, where `config` says neither, by the device's own name or as
 * the only one with this identity.
 * @throws `ECAT_ERR_DEVICE_MISSING`, `ECAT_ERR_DEVICE_MISMATCH`
 */
export function findSubDevice(device: BifrostDevice, subDevices: readonly SubDevice[]): SubDevice {
  const { config = {} } = device;
  const { max_slaves } = config;
  if (max_slaves !== undefined && subDevices.length > max_slaves) {
    const message = `device ${device.name}: the segment has ${subDevices.length} SubDevices, config.max_slaves allows ${max_slaves}`;
    throw new EtherCatError('ECAT_ERR_TOO_MANY_SUBDEVICES', message, { subDevice: device.name });
  }
  const found = search(device, subDevices);
  const expected = expectedIdentity(config);
  if (matches(found, expected)) return found;
  const message = `device ${device.name}: ${found.name} at position ${found.position} has another identity than config says`;
  throw new EtherCatError('ECAT_ERR_DEVICE_MISMATCH', message, {
    position: found.position,
    subDevice: found.name,
    expected,
    found: found.identity,
  });
}

function search(device: BifrostDevice, subDevices: readonly SubDevice[]): SubDevice {
  const { config = {} } = device;
  const missing = (what: string): EtherCatError =>
    new EtherCatError(
      'ECAT_ERR_DEVICE_MISSING',
      `device ${device.name}: ${what}; the segment has ${subDevices.map(({ name, position }) => `${position} ${name}`).join(', ')}`,
      { subDevice: device.name, position: config.position },
    );
  const name = config.sub_device ?? config.slave;
  if (config.position !== undefined) {
    const found = subDevices[config.position];
    if (found === undefined) throw missing(`there is no SubDevice at position ${config.position}`);
    if (name !== undefined && found.name !== name)
      throw missing(`the SubDevice at position ${config.position} is ${found.name}, not ${name}`);
    return found;
  }
  const wanted = name ?? device.name;
  const named = subDevices.find((subDevice) => subDevice.name === wanted);
  if (named !== undefined) return named;
  if (name !== undefined) throw missing(`there is no SubDevice ${name}`);
  const expected = expectedIdentity(config);
  if (Object.values(expected).every((part) => part === undefined)) {
    throw missing('config.position or config.sub_device has to say which SubDevice it is');
  }
  const same = subDevices.filter((subDevice) => matches(subDevice, expected));
  if (same.length !== 1)
    throw missing(`${same.length} SubDevices have its identity, config.position has to say which it is`);
  return same[0]!;
}

type Identity = SubDevice['identity'];

function expectedIdentity({ vendor_id, product_code, revision, serial }: BifrostDeviceConfig): Partial<Identity> {
  return {
    ...(vendor_id !== undefined && { vendorId: vendor_id }),
    ...(product_code !== undefined && { productCode: product_code }),
    ...(revision !== undefined && { revision }),
    ...(serial !== undefined && { serial }),
  };
}

function matches({ identity }: SubDevice, expected: Partial<Identity>): boolean {
  return (Object.keys(expected) as (keyof Identity)[]).every((key) => identity[key] === expected[key]);
}

function invalid({ name }: BifrostDevice, what: string): EtherCatError {
  return new EtherCatError('ECAT_ERR_INVALID_ARGUMENT', `device ${name}: ${what}`, { subDevice: name });
}

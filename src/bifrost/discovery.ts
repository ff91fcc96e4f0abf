/** Who is on the segments of some network interfaces, as devices of the gateway. */

import { loadConfiguration } from '../core/configuration/load.ts';
import { EtherCatError } from '../core/errors/ethercat-error.ts';
import { nameSubDevices } from '../core/network.ts';
import { scanSegment } from '../core/scan.ts';
import type { SubDevice } from '../core/sub-device.ts';
import type { MainDevice } from '../main-device.ts';
import type { BifrostDevice } from './types.ts';

/** IFNAMSIZ of Linux, without the NUL. */
const INTERFACE_CHARACTERS_MAX = 15;

/**
 * The interfaces of a range: one name, or several with commas between.
 * @throws `ECAT_ERR_INVALID_ARGUMENT`
 */
export function parseRange(range: string): string[] {
  const names = typeof range === 'string' ? range.split(',').map((name) => name.trim()) : [''];
  for (const name of names) {
    const isNetwork = name.includes('/') || /^\d{1,3}(\.\d{1,3}){3}/.test(name) || name.includes(':');
    if (name !== '' && !isNetwork && name.length <= INTERFACE_CHARACTERS_MAX && !/\s/.test(name)) continue;
    const why = isNetwork
      ? 'EtherCAT has no IP addresses'
      : `${JSON.stringify(name)} is no name of a network interface`;
    throw new EtherCatError(
      'ECAT_ERR_INVALID_ARGUMENT',
      `range ${JSON.stringify(range)}: ${why}; expected one or more network interfaces, for example "eth0" or "eth0,eth1"`,
    );
  }
  return [...new Set(names)];
}

/** The devices on one interface: from the bus that runs there, or by bringing the segment to PRE-OP and back to INIT. */
export async function discover(
  address: string,
  running: MainDevice | undefined,
  signal: AbortSignal | undefined,
): Promise<BifrostDevice[]> {
  if (running !== undefined) return running.subDevices.map((subDevice) => describe(address, subDevice));
  const configuration = await loadConfiguration({ ethercat: { master: { interface: address } } });
  try {
    const network = await scanSegment(configuration, signal);
    const names = nameSubDevices([], network.subDevices);
    return network.subDevices.map((found) =>
      describe(address, { ...found, identity: found, name: names[found.position]! }),
    );
  } catch (error) {
    if (EtherCatError.from(error).code === 'ECAT_ERR_NO_SUBDEVICES') return [];
    throw error;
  }
}

function describe(address: string, found: Pick<SubDevice, 'name' | 'position' | 'identity'>): BifrostDevice {
  const { vendorId, productCode, revision, serial } = found.identity;
  return {
    id: `ethercat:${address}:${found.position}`,
    name: found.name,
    protocol: 'ethercat',
    address,
    port: 0,
    config: { position: found.position, vendor_id: vendorId, product_code: productCode, revision, serial },
    connected: false,
    last_seen: new Date(),
  };
}

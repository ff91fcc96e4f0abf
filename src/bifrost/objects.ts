/** What the handler needs of a mailbox: the one narrow way to objects that are not in the process data. */

import { EtherCatError } from '../core/errors/ethercat-error.ts';
import { hex } from '../core/network.ts';
import type { SubDevice } from '../core/sub-device.ts';
import type { TagValue } from '../core/tag-types.ts';
import type { MainDevice } from '../main-device.ts';
import type { BifrostDataType } from './types.ts';

/** An object of a SubDevice. */
export interface ObjectAddress {
  /** The bus of the SubDevice. */
  readonly bus: MainDevice;
  /** Whose object it is. */
  readonly subDevice: SubDevice;
  /** 0 to 0xFFFF. */
  readonly index: number;
  /** 0 to 255. */
  readonly subindex: number;
  /** How its bytes are to be read; undefined asks the SubDevice. */
  readonly type: BifrostDataType | undefined;
}

/** Reads and writes objects (CoE SDO upload and download). Rejects with an {@link EtherCatError}. */
export interface ObjectAccess {
  /** Uploads an object. */
  read(object: ObjectAddress, signal?: AbortSignal): Promise<TagValue>;
  /** Downloads a value into an object. */
  write(object: ObjectAddress, value: TagValue, signal?: AbortSignal): Promise<void>;
}

/** As long as there is no mailbox: says so. */
export const noObjects: ObjectAccess = {
  read: (object) => Promise.reject(unavailable(object)),
  write: (object) => Promise.reject(unavailable(object)),
};

function unavailable({ subDevice, index, subindex }: ObjectAddress): EtherCatError {
  const object = `${hex(index, 4)}:${subindex}`;
  return new EtherCatError(
    'ECAT_ERR_UNSUPPORTED',
    `${subDevice.name} has no object ${object} in its process data, and this version cannot ask its mailbox for it`,
    {
      position: subDevice.position,
      subDevice: subDevice.name,
      action: 'Map the object into a PDO of the SubDevice, or address one of the tags that are there.',
    },
  );
}

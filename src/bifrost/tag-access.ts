/** From a tag of the gateway to the tag, the object or the place that its address means, and what to do with it. */

import type { Observable } from 'rxjs';
import type { TagType } from '../core/configuration/types.ts';
import { Decoder, SlotBuffer } from '../core/decode.ts';
import { EtherCatError } from '../core/errors/ethercat-error.ts';
import { hex } from '../core/network.ts';
import type { Quality } from '../core/quality.ts';
import type { Snapshot } from '../core/snapshot.ts';
import { Direction, TagTable } from '../core/tag-table.ts';
import { Kind, type TagValue, typeBits } from '../core/tag-types.ts';
import type { Sample } from '../streams/tag-streams.ts';
import type { Connection } from './connections.ts';
import type { ObjectAccess } from './objects.ts';
import { parseTagAddress, type TagAddress } from './tag-address.ts';
import type { BifrostTag } from './types.ts';
import { checkType, fromBifrost, toBifrost } from './values.ts';

/** A value as it was read. */
export interface Reading {
  readonly value: TagValue;
  readonly quality: Quality;
  readonly hostTimeNs: bigint;
}

/** What a write comes to. */
export type PreparedWrite =
  | { readonly kind: 'process-data'; readonly name: string; readonly value: TagValue }
  | { readonly kind: 'object'; run(): Promise<void> };

type Target = { readonly kind: 'tag'; readonly name: string } | Extract<TagAddress, { kind: 'object' | 'place' }>;

/**
 * What an address means on this bus.
 * @throws `ECAT_ERR_INVALID_ARGUMENT`, `ECAT_ERR_TAG_UNKNOWN` (also for a tag of another SubDevice)
 */
function targetOf({ bus, subDevice }: Connection, { address }: BifrostTag): Target {
  const parsed = parseTagAddress(address);
  const owner = parsed.kind === 'name' ? bus.tag(parsed.name).subDevice : parsed.subDevice;
  if (owner !== subDevice.name) {
    const message = `tag address ${address} is of ${owner}, the device is ${subDevice.name}`;
    throw new EtherCatError('ECAT_ERR_TAG_UNKNOWN', message, { tag: address, subDevice: subDevice.name });
  }
  if (parsed.kind === 'name') return { kind: 'tag', name: parsed.name };
  const name =
    parsed.kind === 'object'
      ? `${parsed.subDevice}.${hex(parsed.index, 4)}.${parsed.subindex}`
      : bus.tags.covering(subDevice, parsed.direction, parsed.bitOffset, typeBits[parsed.type])?.name;
  return name !== undefined && bus.tags.has(name) ? { kind: 'tag', name } : parsed;
}

/**
 * Checks a read, and says how it is done with the snapshot of a cycle.
 * @throws as the handler's `readTag`
 */
export function prepareRead(
  connection: Connection,
  tag: BifrostTag,
  objects: ObjectAccess,
  signal: AbortSignal | undefined,
): (snapshot: Snapshot) => Reading | Promise<Reading> {
  const { bus, subDevice } = connection;
  const target = targetOf(connection, tag);
  switch (target.kind) {
    case 'tag': {
      checkType(tag, bus.tag(target.name).type);
      return (snapshot) => ({
        value: toBifrost(tag, snapshot.value(target.name)),
        quality: snapshot.quality(target.name),
        hostTimeNs: snapshot.hostTimeNs,
      });
    }
    case 'place': {
      checkType(tag, target.type);
      return (snapshot) => ({
        value: toBifrost(tag, readPlace(snapshot.processData(subDevice, target.direction), target, tag)),
        quality: snapshot.subDeviceQuality(subDevice),
        hostTimeNs: snapshot.hostTimeNs,
      });
    }
    case 'object': {
      const type = tag.data_type === '' ? undefined : tag.data_type;
      const { index, subindex } = target;
      return async () => {
        const value = await objects.read({ bus, subDevice, index, subindex, type }, signal);
        return { value: toBifrost(tag, value), quality: 'good', hostTimeNs: BigInt(Date.now()) * 1_000_000n };
      };
    }
  }
}

/**
 * Checks a write: type and range come before anything is done.
 * @throws as the handler's `writeTag`
 */
export function prepareWrite(
  connection: Connection,
  tag: BifrostTag,
  value: TagValue,
  objects: ObjectAccess,
  signal: AbortSignal | undefined,
): PreparedWrite {
  const { bus, subDevice } = connection;
  const target = targetOf(connection, tag);
  if (target.kind === 'object') {
    const type = tag.data_type === '' ? undefined : tag.data_type;
    const { index, subindex } = target;
    return { kind: 'object', run: () => objects.write({ bus, subDevice, index, subindex, type }, value, signal) };
  }
  if (target.kind === 'place') {
    throw new EtherCatError(
      'ECAT_ERR_NOT_AN_OUTPUT',
      `tag ${tag.name}: no output tag has exactly the bits of ${tag.address}, so nobody owns them`,
      { tag: tag.name, action: 'Make a tag of these bits in ethercat.process_data.outputs.' },
    );
  }
  const { type, bitLength } = bus.tag(target.name);
  checkType(tag, type);
  return { kind: 'process-data', name: target.name, value: fromBifrost(tag, type, bitLength / 8, value) };
}

/**
 * The changes of a tag, and how its values are shown.
 * @throws as {@link prepareRead}; `ECAT_ERR_UNSUPPORTED` for what is not a tag of the process data
 */
export function watch(
  connection: Connection,
  tag: BifrostTag,
): { readonly source: Observable<Sample>; readonly show: (value: TagValue) => TagValue } {
  const target = targetOf(connection, tag);
  if (target.kind !== 'tag') {
    const message = `tag ${tag.name}: ${tag.address} is no tag of the process data, and only those can be watched`;
    throw new EtherCatError('ECAT_ERR_UNSUPPORTED', message, { tag: tag.name });
  }
  const found = connection.bus.tag(target.name);
  checkType(tag, found.type);
  return { source: found.value$, show: (value) => toBifrost(tag, value) };
}

function readPlace(
  bytes: Uint8Array,
  { direction, bitOffset, type }: { direction: string; bitOffset: number; type: Exclude<TagType, 'bytes'> },
  tag: BifrostTag,
): TagValue {
  if (bitOffset + typeBits[type] > 8 * bytes.length) {
    const message = `tag ${tag.name}: ${tag.address} is behind the ${bytes.length} bytes of its ${direction}s`;
    throw new EtherCatError('ECAT_ERR_TAG_UNKNOWN', message, { tag: tag.name });
  }
  const row = {
    kind: Kind[type],
    direction: Direction.input,
    bitOffset,
    bitLength: typeBits[type],
    subDevice: 0,
    scale: 1,
    offset: 0,
  };
  const slot = new SlotBuffer(bytes.length);
  slot.bytes.set(bytes);
  return new Decoder(TagTable.build([row], 1), { quality: 0, inputs: 0, outputs: 0 }).read(slot, 0);
}

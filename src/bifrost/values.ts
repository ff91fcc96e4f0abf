/** Between values of a tag and values as Bifrost's tags ask for them: type and scaling. */

import type { TagType } from '../core/configuration/types.ts';
import { EtherCatError } from '../core/errors/ethercat-error.ts';
import { isInteger, type TagValue, tagTypes } from '../core/tag-types.ts';
import type { BifrostDataType, BifrostTag } from './types.ts';

/** Every type that `data_type` can name. */
export const dataTypes: readonly BifrostDataType[] = Object.freeze([
  ...tagTypes.filter((type) => type !== 'bytes'),
  'string',
  'bytes',
]);

/**
 * Checks that a tag can be what `data_type` says.
 * @param type - of the tag
 * @throws `ECAT_ERR_TAG_TYPE`
 */
export function checkType(tag: BifrostTag, type: TagType): void {
  const wanted = tag.data_type ?? '';
  if (wanted === '' || wanted === type || (wanted === 'string' && type === 'bytes')) return;
  const known = (dataTypes as readonly string[]).includes(wanted);
  const why = known ? `it is a ${type}, not a ${wanted}` : `${JSON.stringify(wanted)} is no data type`;
  throw new EtherCatError('ECAT_ERR_TAG_TYPE', `tag ${tag.name}: ${why}`, { tag: tag.name });
}

/** A value as the tag of the gateway shows it. @throws `ECAT_ERR_TAG_TYPE` where it cannot be scaled */
export function toBifrost(tag: BifrostTag, value: TagValue): TagValue {
  if (tag.data_type === 'string' && value instanceof Uint8Array) return textOf(value);
  const { factor, offset } = scalingOf(tag);
  if (factor === 1 && offset === 0) return value;
  if (typeof value !== 'number' && typeof value !== 'bigint') throw cannotScale(tag);
  return Number(value) * factor + offset;
}

/** A value of the gateway as the tag takes it. @throws `ECAT_ERR_TAG_TYPE`, `ECAT_ERR_VALUE_RANGE` */
export function fromBifrost(tag: BifrostTag, type: TagType, bytes: number, value: TagValue): TagValue {
  if (tag.data_type === 'string') return bytesOf(tag, bytes, value);
  const { factor, offset } = scalingOf(tag);
  const is64 = type === 'int64' || type === 'uint64';
  if (factor === 1 && offset === 0)
    return is64 && typeof value === 'number' && Number.isInteger(value) ? BigInt(value) : value;
  if (typeof value !== 'number' && typeof value !== 'bigint') throw cannotScale(tag);
  const raw = (Number(value) - offset) / factor;
  if (!isInteger(type)) return raw;
  return is64 ? BigInt(Math.round(raw)) : Math.round(raw);
}

function scalingOf({ scale_factor = 0, offset = 0 }: BifrostTag): { factor: number; offset: number } {
  return { factor: scale_factor === 0 ? 1 : scale_factor, offset };
}

function cannotScale(tag: BifrostTag): EtherCatError {
  return new EtherCatError('ECAT_ERR_TAG_TYPE', `tag ${tag.name}: only numbers can be scaled`, { tag: tag.name });
}

/** VISIBLE_STRING up to its first NUL. */
function textOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return Buffer.from(end < 0 ? bytes : bytes.subarray(0, end)).toString('utf8');
}

function bytesOf(tag: BifrostTag, length: number, value: unknown): Uint8Array {
  const text = typeof value === 'string' ? Buffer.from(value, 'utf8') : undefined;
  if (text === undefined || text.length > length) {
    const message = `tag ${tag.name}: expected a string of at most ${length} bytes in UTF-8`;
    throw new EtherCatError('ECAT_ERR_VALUE_RANGE', message, { tag: tag.name });
  }
  const bytes = new Uint8Array(length);
  bytes.set(text);
  return bytes;
}

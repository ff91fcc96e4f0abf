/** How a tag is addressed: by its name, by an object, or by its place in the process data of a SubDevice. */

import type { TagType } from '../core/configuration/types.ts';
import { EtherCatError } from '../core/errors/ethercat-error.ts';
import { tagTypes } from '../core/tag-types.ts';

/** An address that has been understood. */
export type TagAddress =
  /** A tag of the configuration, or one that was discovered. */
  | { readonly kind: 'name'; readonly name: string }
  /** An object: `slave.0x6064.0`. */
  | { readonly kind: 'object'; readonly subDevice: string; readonly index: number; readonly subindex: number }
  /** A place: `slave.input.4.int16`, and for single bits `slave.output.0.3.bool`. */
  | {
      readonly kind: 'place';
      readonly subDevice: string;
      readonly direction: 'input' | 'output';
      /** From the start of the SubDevice's part of the image. */
      readonly bitOffset: number;
      readonly type: Exclude<TagType, 'bytes'>;
    };

const SUBINDEX_MAX = 255;
/** No SubDevice has more process data than an ESC has memory. */
const BYTE_MAX = 0xffff;

/**
 * Reads an address; needs no bus.
 * @throws `ECAT_ERR_INVALID_ARGUMENT` with what is wrong and what would be right
 */
export function parseTagAddress(address: string): TagAddress {
  const refuse = (why: string): never => {
    throw new EtherCatError(
      'ECAT_ERR_INVALID_ARGUMENT',
      `tag address ${JSON.stringify(address)}: ${why}; expected the name of a tag, slave.0x6064.0, or slave.input.4.int16`,
      { tag: typeof address === 'string' ? address : undefined },
    );
  };
  if (typeof address !== 'string' || address.trim() === '') return refuse('it is empty');
  if (address !== address.trim() || /[\p{Cc}]/u.test(address))
    return refuse('it has white space around it or control characters');
  const parts = address.split('.');
  if (parts.includes('')) return refuse('a part between two dots is empty');
  const object = parts.findIndex((part, at) => at > 0 && /^0x/i.test(part));
  if (object > 0) return objectAddress(parts, object, refuse);
  const place = parts.findIndex((part, at) => at > 0 && (part === 'input' || part === 'output'));
  const rest = parts.length - place - 1;
  // `tank.input.level` is a name: only a number behind the direction makes it a place.
  if (place > 0 && rest > 0 && /^\d+$/.test(parts[place + 1]!)) return placeAddress(parts, place, refuse);
  return { kind: 'name', name: address };
}

function objectAddress(parts: readonly string[], at: number, refuse: (why: string) => never): TagAddress {
  const [index = '', subindex, ...more] = parts.slice(at);
  if (!/^0x[0-9a-f]{1,4}$/i.test(index)) return refuse(`${index} is no object index from 0x0000 to 0xFFFF`);
  if (subindex === undefined) return refuse(`the subindex is missing, as in ${parts.join('.')}.0`);
  if (more.length > 0) return refuse('there is something behind the subindex');
  // An object that is mapped twice: the second is a discovered tag of this very name.
  if (/^\d{1,3}#\d+$/.test(subindex)) return { kind: 'name', name: parts.join('.') };
  if (!/^\d{1,3}$/.test(subindex) || Number(subindex) > SUBINDEX_MAX) {
    return refuse(`${subindex} is no subindex from 0 to ${SUBINDEX_MAX}`);
  }
  return {
    kind: 'object',
    subDevice: parts.slice(0, at).join('.'),
    index: Number.parseInt(index, 16),
    subindex: Number(subindex),
  };
}

function placeAddress(parts: readonly string[], at: number, refuse: (why: string) => never): TagAddress {
  const direction = parts[at] as 'input' | 'output';
  const rest = parts.slice(at + 1);
  const type = rest.at(-1)!;
  const [byte, bit, ...more] = rest.slice(0, -1);
  if (!(tagTypes as readonly string[]).includes(type) || type === 'bytes') {
    return refuse(`${JSON.stringify(type)} is no type of a place`);
  }
  if (byte === undefined || more.length > 0) return refuse('expected a byte offset and a type behind the direction');
  if (Number(byte) > BYTE_MAX) return refuse(`byte ${byte} is beyond ${BYTE_MAX}`);
  if (bit !== undefined && !/^[0-7]$/.test(bit)) return refuse(`${bit} is no bit from 0 to 7`);
  if (bit !== undefined && type !== 'bool') return refuse('only a bool stands at a bit');
  return {
    kind: 'place',
    subDevice: parts.slice(0, at).join('.'),
    direction,
    bitOffset: Number(byte) * 8 + Number(bit ?? 0),
    type: type as Exclude<TagType, 'bytes'>,
  };
}

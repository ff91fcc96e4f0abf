/**
 * From the tags of the configuration and the entries that were found to tags with a place in the process
 * image. A configuration without tags gets one for every entry, so that a bus can be looked at right away.
 */

import type { NormalizedConfiguration, OnLoss, TagConfiguration, TagType } from './configuration/types.ts';
import { parseDeadBand } from './dead-band.ts';
import { encodeLoss } from './encode.ts';
import { EtherCatError } from './errors/ethercat-error.ts';
import { hex, type Network, type NetworkEntry, type NetworkSubDevice, nameSubDevices } from './network.ts';
import type { TagNaming } from './tag-directory.ts';
import { Direction, type TagRow, TagTable } from './tag-table.ts';
import { defaultType, isInteger, isSigned, Kind, lengthsOf, typeBits, typeFits } from './tag-types.ts';

/**
 * A tag with its place, as it becomes a row of the tag table and one of the tag directory. Its index in the list is its
 * number everywhere.
 */
export interface ResolvedTag extends TagNaming {
  readonly type: TagType;
  readonly direction: 'input' | 'output';
  readonly onLoss: OnLoss;
  readonly row: TagRow;
}

/** Entries that a message lists before it only counts. */
const SHOWN_ENTRIES_MAX = 8;

/** Resolves every tag; one error for each that cannot be. */
export function resolveTags(
  configuration: Pick<NormalizedConfiguration, 'devices' | 'tags'>,
  network: Network,
): { tags: ResolvedTag[]; errors: EtherCatError[] } {
  if (configuration.tags.length === 0) return { tags: automaticTags(configuration, network), errors: [] };
  const positions = new Map(configuration.devices.map(({ name, position }) => [name, position]));
  const tags: ResolvedTag[] = [];
  const errors: EtherCatError[] = [];
  for (const tag of configuration.tags) {
    const subDevice = network.subDevices[positions.get(tag.device) ?? -1];
    // A device that is not there has an error of its own already.
    if (subDevice === undefined) continue;
    const resolved = resolveTag(tag, subDevice);
    if (resolved instanceof EtherCatError) errors.push(resolved);
    else tags.push(resolved);
  }
  return { tags, errors };
}

function resolveTag(tag: TagConfiguration, subDevice: NetworkSubDevice): ResolvedTag | EtherCatError {
  const fail = (code: 'ECAT_ERR_TAG_UNRESOLVED' | 'ECAT_ERR_TAG_TYPE', message: string): EtherCatError =>
    new EtherCatError(code, `tag ${tag.name}: ${message}`, {
      tag: tag.name,
      position: subDevice.position,
      subDevice: tag.device,
      location: tag.location,
    });
  const candidates = subDevice.entries.filter(({ direction, index }) => direction === tag.direction && index !== 0);
  const entry = findEntry(tag, candidates);
  if (typeof entry === 'string') {
    return fail(
      'ECAT_ERR_TAG_UNRESOLVED',
      `${tag.device} has ${entry}; its ${tag.direction}s are ${listEntries(candidates)}`,
    );
  }
  const first = tag.bitOffset ?? 0;
  const part = tag.bitOffset !== undefined || tag.bitLength !== undefined || tag.count !== undefined;
  const { count = 1 } = tag;
  const length = tag.bitLength ?? defaultLength(tag, entry.bitLength - first);
  if (length <= 0 || (first + length > entry.bitLength && count === 1)) {
    return fail('ECAT_ERR_TAG_TYPE', `bits ${first} to ${first + length - 1} are not all in ${describe(entry)}`);
  }
  if (first + count * length > entry.bitLength) {
    const broken = checkRun(candidates, entry, { first, length, count });
    if (broken !== undefined) return fail('ECAT_ERR_TAG_TYPE', broken);
  }
  const type = tag.type ?? defaultType(part ? 0 : entry.dataType, length);
  if (!typeFits(type, length)) {
    return fail('ECAT_ERR_TAG_TYPE', `${describe(entry)} gives ${length} bits, and ${type} takes ${lengthsOf(type)}`);
  }
  const scaled = tag.scale !== 1 || tag.offset !== 0;
  if (scaled && (type === 'bool' || type === 'bytes')) return fail('ECAT_ERR_TAG_TYPE', `${type} cannot be scaled`);
  const unmeant = checkMeaning(tag, type, length);
  if (unmeant !== undefined) return fail('ECAT_ERR_TAG_TYPE', unmeant);
  const row: TagRow = {
    kind: Kind[type],
    direction: Direction[tag.direction],
    bitOffset: entry.bitOffset + first,
    bitLength: count * length,
    subDevice: subDevice.position,
    scale: tag.scale,
    offset: tag.offset,
    elements: count,
    ...parseDeadBand(tag.deadBand),
  };
  const { name, direction, unit, labels, onLoss } = tag;
  if (direction === 'output' && onLoss !== 'hold') {
    try {
      encodeLoss(TagTable.build([row], 1), 0, `${name}: on_loss`, onLoss);
    } catch (error) {
      const { message } = EtherCatError.from(error);
      return new EtherCatError('ECAT_ERR_VALUE_RANGE', message, { tag: name, location: tag.location });
    }
  }
  return { name, type, direction, unit, labels, onLoss, row };
}

/** Bits of a tag, or of one element of an array, that says nothing about it itself. */
function defaultLength({ type, bitOffset, count }: TagConfiguration, rest: number): number {
  const full = type === undefined ? 0 : typeBits[type];
  if (count === undefined) return bitOffset !== undefined && full > 0 ? full : rest;
  // An entry of the type's length, or shorter, is one element of several; a longer one holds them all.
  return full > 0 && full < rest ? full : rest;
}

/**
 * Why an array that is longer than its entry cannot go on through the entries behind it: they have to follow each other
 * in the process image without a gap, and each has to hold one element. Undefined when it can.
 */
function checkRun(
  entries: readonly NetworkEntry[],
  entry: NetworkEntry,
  { first, length, count }: { first: number; length: number; count: number },
): string | undefined {
  if (first !== 0 || length !== entry.bitLength) {
    return `${count} elements of ${length} bits are more than ${describe(entry)} has`;
  }
  const places = new Map(entries.map((one) => [one.bitOffset, one]));
  for (let n = 0; n < count; n += 1) {
    const next = places.get(entry.bitOffset + n * length);
    if (next?.bitLength === length) continue;
    const found = next === undefined ? 'a gap' : describe(next);
    return `${count} elements of ${length} bits from ${describe(entry)} on: in place of element ${n + 1} there is ${found}`;
  }
  return undefined;
}

/** What only the type, that may be the entry's, shows to mean nothing; undefined when all is well. */
function checkMeaning({ labels, deadBand }: TagConfiguration, type: TagType, length: number): string | undefined {
  if (deadBand !== undefined && (type === 'bool' || type === 'bytes')) return `${type} has no use for a dead band`;
  if (labels === undefined) return undefined;
  if (type !== 'bool' && !isInteger(type)) return `${type} cannot have labels, only whole numbers and bools can`;
  const bits = type === 'bool' ? 1 : length;
  const low = isSigned(Kind[type]) ? -(2 ** (bits - 1)) : 0;
  const high = isSigned(Kind[type]) ? 2 ** (bits - 1) - 1 : 2 ** bits - 1;
  const beyond = Object.keys(labels).find((value) => Number(value) < low || Number(value) > high);
  return beyond === undefined ? undefined : `the label of ${beyond} is of no value from ${low} to ${high} (${type})`;
}

/** The entry that a tag means, or why there is none. */
function findEntry(tag: TagConfiguration, entries: readonly NetworkEntry[]): NetworkEntry | string {
  if (tag.index !== undefined) {
    const { index, subindex = 0 } = tag;
    return only(
      entries.filter((entry) => entry.index === index && entry.subindex === subindex),
      `entry ${hex(index, 4)}:${subindex}`,
    );
  }
  const pdos = [...Map.groupBy(entries, ({ pdoIndex }) => pdoIndex).values()];
  if (tag.channel !== undefined) {
    const pdo = pdos[tag.channel - 1];
    if (pdo === undefined) return `no channel ${tag.channel}`;
    if (tag.entry !== undefined) return only(byName(pdo, tag.entry), `entry "${tag.entry}" in channel ${tag.channel}`);
    return pdo.reduce((longest, entry) => (entry.bitLength > longest.bitLength ? entry : longest));
  }
  const name = tag.entry ?? '';
  const named = byName(entries, name);
  if (named.length > 0) return only(named, `entry "${name}"`);
  const inPdo = pdos.filter(([first]) => sameName(first!.pdoName, name)).flat();
  return only(inPdo, `entry or PDO "${name}"`);
}

function byName(entries: readonly NetworkEntry[], name: string): NetworkEntry[] {
  return entries.filter((entry) => sameName(entry.name, name));
}

/** Vendors are not consistent about capitals and spaces in the SII. */
function sameName(a: string, b: string): boolean {
  return a.trim().toLowerCase() === b.trim().toLowerCase();
}

function only(entries: readonly NetworkEntry[], what: string): NetworkEntry | string {
  const [first] = entries;
  if (first === undefined) return `no ${what}`;
  return entries.length === 1 ? first : `${entries.length} times ${what}`;
}

function describe({ index, subindex, pdoName, name, bitLength }: NetworkEntry): string {
  const names = [pdoName, name].filter((part) => part !== '').join(' / ');
  return `${hex(index, 4)}:${subindex}${names === '' ? '' : ` "${names}"`} (${bitLength} bits)`;
}

function listEntries(entries: readonly NetworkEntry[]): string {
  if (entries.length === 0) return 'none';
  const shown = entries.slice(0, SHOWN_ENTRIES_MAX).map(describe).join(', ');
  return entries.length > SHOWN_ENTRIES_MAX ? `${shown} and ${entries.length - SHOWN_ENTRIES_MAX} more` : shown;
}

/**
 * One tag for every entry, named `device.0xINDEX.SUBINDEX`, which stays what it is whatever the names of the SII are. Its
 * alias is `device.PDO.entry` by those names, where that is the only one of its kind. Outputs go to zero on loss.
 */
function automaticTags(configuration: Pick<NormalizedConfiguration, 'devices'>, network: Network): ResolvedTag[] {
  const names = nameSubDevices(configuration.devices, network.subDevices);
  const found = network.subDevices.flatMap((subDevice) =>
    subDevice.entries
      .filter(({ index, bitLength }) => index !== 0 && (bitLength <= 64 || bitLength % 8 === 0))
      .map((entry) => {
        const device = names[subDevice.position]!;
        const parts = entry.pdoName === entry.name ? [entry.name] : [entry.pdoName, entry.name];
        const text = parts.map((part) => part.trim()).filter((part) => part !== '');
        return {
          entry,
          position: subDevice.position,
          address: `${device}.${hex(entry.index, 4)}.${entry.subindex}`,
          readable: text.length === 0 ? undefined : `${device}.${text.join('.')}`,
        };
      }),
  );
  const taken = new Set<string>();
  const unique = found.map(({ address }) => {
    // The same object may be mapped twice, or in both directions.
    let name = address;
    for (let n = 2; taken.has(name); n += 1) name = `${address}#${n}`;
    taken.add(name);
    return name;
  });
  const times = Map.groupBy(found, ({ readable }) => readable);
  return found.map(({ entry, position, readable }, n) => {
    const type = defaultType(entry.dataType, entry.bitLength);
    const { direction, bitOffset, bitLength } = entry;
    const isAlias = readable !== undefined && times.get(readable)!.length === 1 && !taken.has(readable);
    return {
      name: unique[n]!,
      alias: isAlias ? readable : undefined,
      type,
      direction,
      onLoss: 'zero',
      row: {
        kind: Kind[type],
        direction: Direction[direction],
        bitOffset,
        bitLength,
        subDevice: position,
        scale: 1,
        offset: 0,
      },
    };
  });
}

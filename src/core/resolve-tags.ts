/**
 * From the tags of the configuration and the entries that were found to tags with a place in the process
 * image. A configuration without tags gets one for every entry, so that a bus can be looked at right away.
 */

import type { NormalizedConfiguration, OnLoss, TagConfiguration, TagType } from './configuration/types.ts';
import { encodeLoss } from './encode.ts';
import { EtherCatError } from './errors/ethercat-error.ts';
import { hex, type Network, type NetworkEntry, type NetworkSubDevice, nameSubDevices } from './network.ts';
import { Direction, type TagRow, TagTable } from './tag-table.ts';
import { defaultType, Kind, lengthsOf, typeBits, typeFits } from './tag-types.ts';

/** What stays of a tag beside its row in the table. The index in a list is the tag's number everywhere. */
export interface TagInfo {
  readonly name: string;
  readonly type: TagType;
  readonly direction: 'input' | 'output';
  readonly unit: string | undefined;
}

/** A tag with its place. */
export interface ResolvedTag extends TagInfo {
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
  const part = tag.bitOffset !== undefined || tag.bitLength !== undefined;
  const length =
    tag.bitLength ??
    (tag.bitOffset !== undefined && tag.type !== undefined && tag.type !== 'bytes'
      ? typeBits[tag.type]
      : entry.bitLength - first);
  if (length <= 0 || first + length > entry.bitLength) {
    return fail('ECAT_ERR_TAG_TYPE', `bits ${first} to ${first + length - 1} are not all in ${describe(entry)}`);
  }
  const type = tag.type ?? defaultType(part ? 0 : entry.dataType, length);
  if (!typeFits(type, length)) {
    return fail('ECAT_ERR_TAG_TYPE', `${describe(entry)} gives ${length} bits, and ${type} takes ${lengthsOf(type)}`);
  }
  const scaled = tag.scale !== 1 || tag.offset !== 0;
  if (scaled && (type === 'bool' || type === 'bytes')) return fail('ECAT_ERR_TAG_TYPE', `${type} cannot be scaled`);
  const row: TagRow = {
    kind: Kind[type],
    direction: Direction[tag.direction],
    bitOffset: entry.bitOffset + first,
    bitLength: length,
    subDevice: subDevice.position,
    scale: tag.scale,
    offset: tag.offset,
  };
  const { name, direction, unit, onLoss } = tag;
  if (direction === 'output' && onLoss !== 'hold') {
    try {
      encodeLoss(TagTable.build([row], 1), 0, `${name}: on_loss`, onLoss);
    } catch (error) {
      const { message } = EtherCatError.from(error);
      return new EtherCatError('ECAT_ERR_VALUE_RANGE', message, { tag: name, location: tag.location });
    }
  }
  return { name, type, direction, unit, onLoss, row };
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
 * One tag for every entry, named `device.PDO.entry` by the names of the SII, or `device.0xINDEX.SUBINDEX`
 * where a name is missing or not the only one of its kind. Outputs go to zero on loss.
 */
function automaticTags(configuration: Pick<NormalizedConfiguration, 'devices'>, network: Network): ResolvedTag[] {
  const names = nameSubDevices(configuration.devices, network.subDevices);
  const found = network.subDevices.flatMap((subDevice) =>
    subDevice.entries
      .filter(({ index, bitLength }) => index !== 0 && (bitLength <= 64 || bitLength % 8 === 0))
      .map((entry) => {
        const device = names[subDevice.position]!;
        const address = `${device}.${hex(entry.index, 4)}.${entry.subindex}`;
        const parts = entry.pdoName === entry.name ? [entry.name] : [entry.pdoName, entry.name];
        const text = parts.map((part) => part.trim()).filter((part) => part !== '');
        return {
          entry,
          position: subDevice.position,
          address,
          name: text.length === 0 ? address : `${device}.${text.join('.')}`,
        };
      }),
  );
  const times = Map.groupBy(found, ({ name }) => name);
  const taken = new Set<string>();
  return found.map(({ entry, position, address, name }) => {
    const wanted = times.get(name)!.length === 1 ? name : address;
    // The same object may be mapped twice, or in both directions.
    let unique = wanted;
    for (let n = 2; taken.has(unique); n += 1) unique = `${wanted}#${n}`;
    taken.add(unique);
    const type = defaultType(entry.dataType, entry.bitLength);
    const { direction, bitOffset, bitLength } = entry;
    return {
      name: unique,
      type,
      direction,
      unit: undefined,
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

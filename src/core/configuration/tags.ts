/** The tags of a configuration: what a schema cannot say about them, and their defaults. */

import { didYouMean } from '../nearest.ts';
import { isInteger, typeBits } from '../tag-types.ts';
import type { ParsedDocument, Path } from './document.ts';
import { shown } from './problems.ts';
import type {
  ConfigurationDocument,
  DeviceConfiguration,
  InputDocument,
  OutputDocument,
  TagConfiguration,
} from './types.ts';

type Complain = (path: Path, message: string) => void;

/** Every tag, inputs first, in the order of the document. Problems go to `complain`; its path is that of the part. */
export function normalizeTags(
  document: ParsedDocument,
  devices: readonly DeviceConfiguration[],
  complain: Complain,
): TagConfiguration[] {
  const { inputs = [], outputs = [] } = (document.value as ConfigurationDocument).ethercat.process_data ?? {};
  const deviceNames = new Set(devices.map(({ name }) => name));
  const names = new Set<string>();
  const normalizeTag = (
    tag: OutputDocument,
    direction: TagConfiguration['direction'],
    path: Path,
  ): TagConfiguration => {
    if (names.has(tag.name)) complain([...path, 'name'], `is ${shown(tag.name)}, which another tag is called already`);
    names.add(tag.name);
    const device = tag.slave ?? tag.sub_device ?? '';
    if (!deviceNames.has(device)) {
      const hint = didYouMean(device, deviceNames);
      complain(
        [...path, tag.slave === undefined ? 'sub_device' : 'slave'],
        `is ${shown(device)}, which is not the name of a device${hint}`,
      );
    }
    checkAddress(tag, path, complain);
    checkType(tag, path, complain);
    checkMeaning(tag, path, complain);
    if (direction === 'output') checkLoss(tag, path, complain);
    return {
      name: tag.name,
      direction,
      device,
      index: tag.index,
      subindex: tag.index === undefined ? undefined : (tag.subindex ?? 0),
      channel: tag.channel,
      entry: tag.entry,
      bitOffset: tag.bit_offset,
      bitLength: tag.bit_length,
      type: tag.type,
      scale: tag.scale ?? 1,
      offset: tag.offset ?? 0,
      unit: tag.unit,
      count: tag.count,
      labels: tag.labels,
      deadBand: tag.dead_band,
      onLoss: tag.on_loss ?? 'hold',
      location: document.locate(path),
    };
  };
  const path = (direction: 'inputs' | 'outputs', index: number): Path => ['ethercat', 'process_data', direction, index];
  return [
    ...inputs.map((tag, index) => normalizeTag(tag, 'input', path('inputs', index))),
    ...outputs.map((tag, index) => normalizeTag(tag, 'output', path('outputs', index))),
  ];
}

function checkAddress(tag: InputDocument, path: Path, complain: Complain): void {
  if (tag.index === undefined && tag.channel === undefined && tag.entry === undefined) {
    complain(path, 'needs index (and subindex), channel, or entry: which process data it is');
  } else if (tag.index !== undefined && (tag.channel !== undefined || tag.entry !== undefined)) {
    complain(
      [...path, 'index'],
      `cannot stand beside ${tag.channel === undefined ? 'entry' : 'channel'}: either one finds the process data`,
    );
  } else if (tag.index === undefined && tag.subindex !== undefined) {
    complain([...path, 'subindex'], 'needs index beside it');
  }
}

function checkType({ type, bit_length: bits, scale, offset }: InputDocument, path: Path, complain: Complain): void {
  if (type === undefined) return;
  const full = typeBits[type];
  if (bits !== undefined) {
    const rule =
      type === 'bytes'
        ? { fits: bits % 8 === 0, text: 'a multiple of 8' }
        : type === 'bool' || type.startsWith('float')
          ? { fits: bits === full, text: String(full) }
          : { fits: bits <= full, text: `at most ${full}` };
    if (!rule.fits) complain([...path, 'bit_length'], `must be ${rule.text} for ${type}, not ${bits}`);
  }
  if (type !== 'bool' && type !== 'bytes') return;
  if (scale !== undefined) complain([...path, 'scale'], `means nothing for ${type}`);
  if (offset !== undefined) complain([...path, 'offset'], `means nothing for ${type}`);
}

/** What scaling, labels, dead bands and arrays mean together. */
function checkMeaning(tag: InputDocument, path: Path, complain: Complain): void {
  const { type, count, labels, dead_band: deadBand } = tag;
  if (count !== undefined && type === 'bytes') {
    complain([...path, 'count'], 'means nothing for bytes: bit_length says how many they are');
  }
  if (labels !== undefined) {
    const isWhole = type === undefined || type === 'bool' || isInteger(type);
    if (!isWhole) complain([...path, 'labels'], `mean nothing for ${type}: they name whole numbers`);
    else if (count !== undefined) complain([...path, 'labels'], 'mean nothing for an array');
    else if (tag.scale !== undefined || tag.offset !== undefined) {
      complain([...path, 'labels'], 'cannot stand beside scale or offset: they name raw values');
    }
    const values = new Map<string, string>();
    for (const [value, label] of Object.entries(labels)) {
      const same = values.get(label);
      if (same !== undefined) complain([...path, 'labels', value], `is ${shown(label)}, as that of ${same} is already`);
      values.set(label, value);
    }
  }
  if (deadBand !== undefined) {
    const what = count !== undefined ? 'an array' : labels !== undefined ? 'an enumeration' : type;
    if (count !== undefined || labels !== undefined || type === 'bool' || type === 'bytes') {
      complain([...path, 'dead_band'], `means nothing for ${what}`);
    }
  }
}

function checkLoss({ type, on_loss: loss }: OutputDocument, path: Path, complain: Complain): void {
  if (type === undefined || loss === undefined || typeof loss === 'string') return;
  if (type === 'bytes') complain([...path, 'on_loss'], `must be hold or zero for bytes, not ${shown(loss)}`);
  else if ((type === 'bool') !== (typeof loss === 'boolean')) {
    complain(
      [...path, 'on_loss'],
      `must be hold, zero${type === 'bool' ? ', true or false' : ' or a number'} for ${type}, not ${shown(loss)}`,
    );
  }
}

/** Simulated segments: from the file or object that a person writes to the description that the simulator reads. */

import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { EtherCatError } from '../errors/ethercat-error.ts';
import { didYouMean } from '../nearest.ts';
import { type ParsedDocument, type Path, pathText } from './document.ts';
import { checkFaults } from './faults.ts';
import { fileError, within } from './files.ts';
import { inOrder, problem, schemaProblems, shown } from './problems.ts';
import { withSource } from './segment-source.ts';
import type { SegmentDescription, SegmentDocument, SegmentEsiDocument, SimulatedDeviceType } from './segment-types.ts';

/** Bytes of the largest SII image: 64 Ki words is what an EEPROM address can reach. */
const SII_BYTES_MAX = 131_072;

/** Bytes of the largest ESI file: catalogues of vendors have some 20 MB (native/esi/src/file.rs). */
const ESI_BYTES_MAX = 67_108_864;

/** What signals and wires reach of a built-in device. */
interface Channels {
  readonly inputs?: number;
  readonly outputs?: number;
  /** With this, the segment may say how many; until then they are these. */
  readonly variable?: true;
}

/** Channels of the built-in devices. Those of a generic device or an SII image the simulator knows. */
const BUILT_IN_CHANNELS: Partial<Record<SimulatedDeviceType, Channels>> = {
  EK1100: {},
  EK1122: {},
  'CU1128-like': {},
  EL1004: { inputs: 4 },
  'EL1008-like': { inputs: 8 },
  'EL1018-like': { inputs: 8 },
  'EL1502-like': { inputs: 2, outputs: 1 },
  'EL1904-like': { inputs: 4 },
  EL2004: { outputs: 4 },
  'EL2008-like': { outputs: 8 },
  'EL2809-like': { outputs: 16 },
  EL2828: { outputs: 8 },
  EL2889: { outputs: 16 },
  'EL2904-like': { outputs: 4 },
  EL3004: { inputs: 4 },
  'EL3102-like': { inputs: 2 },
  'EL3204-like': { inputs: 4 },
  'EL3602-like': { inputs: 2 },
  'EL3xxx-like': { inputs: 4, variable: true },
  'EL4004-like': { outputs: 4 },
  'EL4132-like': { outputs: 2 },
  'EL6601-like': {},
  'EL6614-like': {},
  'EL4xxx-like': { outputs: 4, variable: true },
  'EL5001-like': { inputs: 3 },
  'EL5101-like': { inputs: 3 },
  'digital-inputs': { inputs: 8, variable: true },
  'digital-outputs': { outputs: 8, variable: true },
  'analogue-inputs': { inputs: 4, variable: true },
  'analogue-outputs': { outputs: 4, variable: true },
};

/**
 * Checks a parsed segment file and gives it the simulator's form.
 * @throws EtherCatError `ECAT_ERR_CONFIGURATION_INVALID` or `…_FILE` (an SII image), with every place in the file
 */
export async function describeSegmentFile(document: ParsedDocument, file: string): Promise<SegmentDescription> {
  const problems = schemaProblems('segment.schema.json', document);
  if (problems.length > 0) throw EtherCatError.combine(problems);
  return await describeSegment(document, [], dirname(file));
}

/**
 * Cross-checks the segment at `base` of a document that fits its schema, reads its SII images, and
 * gives it the simulator's form.
 */
export async function describeSegment(
  document: ParsedDocument,
  base: Path,
  folder: string,
): Promise<SegmentDescription> {
  let part: unknown = document.value;
  for (const key of base) part = (part as Record<string, unknown>)[key];
  const segment = part as SegmentDocument;
  const problems = crossCheck(document, base, segment);
  const images = await Promise.all(
    segment.devices.map(async ({ sii }, index) => {
      if (sii === undefined) return undefined;
      try {
        return await readSii(within(folder, sii));
      } catch (error) {
        const path = [...base, 'devices', index, 'sii'];
        problems.push(fileError(pathText(path), within(folder, sii), error, document.locate(path)));
        return undefined;
      }
    }),
  );
  const esiFiles = new Map<string, string>();
  for (const [index, { esi }] of segment.devices.entries()) {
    for (const [n, name] of (esi === undefined ? [] : esiPaths(esi)).entries()) {
      const file = within(folder, name);
      if (esiFiles.has(file)) continue;
      try {
        esiFiles.set(file, (await readEsi(file)).toString('base64'));
      } catch (error) {
        const path = [...base, 'devices', index, 'esi', ...esiKey(esi, n)];
        problems.push(fileError(pathText(path), file, error, document.locate(path)));
      }
    }
  }
  if (problems.length > 0) throw EtherCatError.combine(inOrder(problems));
  return withSource(document, base, {
    devices: segment.devices.map((device, index) => {
      const { sii: _, esi, ...rest } = device;
      const image = images[index];
      return camelCased({
        ...rest,
        ...(image === undefined ? {} : { sii: image.toString('base64') }),
        ...(esi === undefined ? {} : { esi: esiDescription(esi, folder) }),
      });
    }),
    signals: (segment.signals ?? []).map((signal) => camelCased(signal)),
    wires: (segment.wires ?? []).map((wire) => ({ ...wire })),
    ...(segment.ethernet === undefined ? {} : { ethernet: segment.ethernet.map((cable) => ({ ...cable })) }),
    ...(segment.faults === undefined ? {} : { faults: segment.faults.map((fault) => camelCased(fault)) }),
    ...(segment.seed === undefined ? {} : { seed: segment.seed }),
    ...(segment.ring === undefined ? {} : { ring: camelCased(segment.ring) }),
    ...(segment.compare === undefined ? {} : { compare: segment.compare.map((one) => ({ ...one })) }),
    ...(esiFiles.size === 0 ? {} : { esiFiles: [...esiFiles].map(([name, content]) => ({ name, content })) }),
  });
}

function esiPaths(esi: string | SegmentEsiDocument): readonly string[] {
  const paths = typeof esi === 'string' ? esi : esi.file;
  return typeof paths === 'string' ? [paths] : paths;
}

/** Where the n-th path stands. */
function esiKey(esi: string | SegmentEsiDocument | undefined, n: number): Path {
  if (typeof esi !== 'object') return [];
  return typeof esi.file === 'string' ? ['file'] : ['file', n];
}

function esiDescription(esi: string | SegmentEsiDocument, folder: string): object {
  const { file: _, ...rest } = typeof esi === 'string' ? { file: esi } : esi;
  return { ...rest, files: esiPaths(esi).map((path) => within(folder, path)) };
}

function crossCheck(
  document: ParsedDocument,
  base: Path,
  { devices, signals = [], wires = [], compare = [], faults = [] }: SegmentDocument,
): EtherCatError[] {
  const problems: EtherCatError[] = [];
  const complain = (path: Path, message: string): void =>
    void problems.push(problem(document, [...base, ...path], message));
  const names = new Set<string>();
  for (const [index, { name, type, pdos, channels, parent }] of devices.entries()) {
    const path: Path = ['devices', index];
    if (parent !== undefined && !names.has(parent))
      complain([...path, 'parent'], `is ${shown(parent)}, but no device before this one is called that`);
    if (name !== undefined && names.has(name))
      complain([...path, 'name'], `is ${shown(name)}, which another device is called already`);
    if (name !== undefined) names.add(name);
    if (type === 'generic' && pdos === undefined) complain(path, 'needs the key pdos: a generic device has no others');
    if (type !== 'generic' && pdos !== undefined)
      complain([...path, 'pdos'], 'means something only for the type generic');
    if (channels !== undefined && (type === undefined || BUILT_IN_CHANNELS[type]?.variable !== true)) {
      complain([...path, 'channels'], 'means something only for terminals with any number of them');
    }
  }
  checkFaults(
    faults,
    devices.map(({ name }) => name),
    complain,
  );
  for (const [index, { device }] of compare.entries()) {
    if (device !== undefined && !names.has(device))
      complain(['compare', index, 'device'], `is ${shown(device)}, but no device is called that`);
  }
  const checkChannel = (path: Path, channel: string, direction: 'inputs' | 'outputs'): void => {
    const point = channel.lastIndexOf('.');
    const name = channel.slice(0, point);
    const device = devices.find((one) => one.name === name);
    if (device === undefined) {
      const hint = didYouMean(name, names);
      complain(path, `is ${shown(channel)}, but no device is called ${shown(name)}${hint}`);
      return;
    }
    const kind = device.type === undefined ? undefined : BUILT_IN_CHANNELS[device.type];
    if (kind === undefined || device.mailbox !== undefined) return;
    const count = kind[direction] === undefined ? 0 : (device.channels ?? kind[direction]);
    if (Number(channel.slice(point + 1)) > count) {
      complain(path, `is ${shown(channel)}, but ${name} has ${count === 0 ? 'no' : count} ${direction}`);
    }
  };
  const driven = new Set<string>();
  const checkDriven = (path: Path, input: string): void => {
    checkChannel(path, input, 'inputs');
    if (driven.has(input)) complain(path, `is ${shown(input)}, which another signal or wire drives already`);
    driven.add(input);
  };
  for (const [index, { input }] of signals.entries()) checkDriven(['signals', index, 'input'], input);
  for (const [index, { from, to }] of wires.entries()) {
    checkChannel(['wires', index, 'from'], from, 'outputs');
    checkDriven(['wires', index, 'to'], to);
  }
  return problems;
}

async function readEsi(file: string): Promise<Buffer> {
  const content = await readFile(file);
  if (content.length > ESI_BYTES_MAX) throw new Error(`it has ${content.length} bytes, more than ${ESI_BYTES_MAX}`);
  return content;
}

async function readSii(file: string): Promise<Buffer> {
  const image = await readFile(file);
  if (image.length > SII_BYTES_MAX) throw new Error(`${image.length} bytes are more than an EEPROM can hold`);
  return image;
}

/** The same with `vendor_id` as `vendorId`, at every depth. */
export function camelCased(value: object): Record<string, unknown> {
  const convert = (part: unknown): unknown => {
    if (Array.isArray(part)) return part.map(convert);
    return typeof part === 'object' && part !== null ? camelCased(part) : part;
  };
  return Object.fromEntries(
    Object.entries(value).map(([key, part]) => [
      key.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase()),
      convert(part),
    ]),
  );
}

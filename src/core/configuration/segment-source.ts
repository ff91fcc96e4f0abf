/**
 * Where the description of a segment is from. What only the simulator can find wrong (modules, devices of ESI files, settings
 * of programs) it tells by a JSON pointer into the description; a person wrote a file.
 */

import { EtherCatError } from '../errors/ethercat-error.ts';
import { translated } from '../errors/from-binding.ts';
import { type ParsedDocument, type Path, pathText } from './document.ts';
import type { SegmentDescription } from './segment-types.ts';

interface Source {
  readonly document: ParsedDocument;
  /** Where in the document the segment stands. */
  readonly base: Path;
}

/** Beside the descriptions and not in them: they are compared, posted and printed. */
const sources: WeakMap<SegmentDescription, Source> = new WeakMap();

/** Remembers what `description` was made of, and returns it. */
export function withSource(document: ParsedDocument, base: Path, description: SegmentDescription): SegmentDescription {
  sources.set(description, { document, base });
  return description;
}

/** The same segment with another seed. */
export function withSeed(description: SegmentDescription, seed: number): SegmentDescription {
  const seeded = { ...description, seed };
  const source = sources.get(description);
  if (source !== undefined) sources.set(seeded, source);
  return seeded;
}

/** Runs a native call on the JSON of `description`; `ECAT_ERR_SEGMENT_INVALID` gets its place in the file. */
export function located<T>(description: SegmentDescription, call: (json: string) => T): T {
  try {
    return translated(() => call(JSON.stringify(description)));
  } catch (error) {
    throw placed(EtherCatError.from(error), sources.get(description));
  }
}

function placed(error: EtherCatError, source: Source | undefined): EtherCatError {
  const [, pointer, message] = /^(\/\S*?): (.*)$/s.exec(error.message) ?? [];
  if (error.code !== 'ECAT_ERR_SEGMENT_INVALID' || pointer === undefined || source === undefined) return error;
  const path = [...source.base, ...written(pointer, valueAt(source.document.value, source.base))];
  const location = source.document.locate(path);
  return new EtherCatError(error.code, `${pathText(path)}: ${message}`, { location, cause: error });
}

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((part, key) => (part as Record<string | number, unknown>)[key], value);
}

/** The path that a person wrote: keys with underscores, and files of ESI devices where they are named. */
function written(pointer: string, segment: unknown): Path {
  const path: (string | number)[] = [];
  let value: unknown = segment;
  const enter = (key: string | number): void => {
    path.push(key);
    value = (value as Record<string | number, unknown> | null | undefined)?.[key];
  };
  for (const part of pointer.split('/').slice(1)) {
    if (Array.isArray(value)) enter(Number(part));
    else if (value === undefined) enter(/^\d+$/.test(part) ? Number(part) : underscored(part));
    else if (!isMapping(value))
      break; // `esi: Vendor.xml`, of which the description makes a mapping
    else enter(part === 'files' && path.at(-1) === 'esi' ? 'file' : keyOf(value, part));
  }
  return path;
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The key that became `part`; where there is none, the one that a person would have written. */
function keyOf(mapping: Record<string, unknown>, part: string): string {
  const plain = (key: string): string => key.replaceAll('_', '').toLowerCase();
  return Object.keys(mapping).find((key) => plain(key) === part.toLowerCase()) ?? underscored(part);
}

function underscored(key: string): string {
  return key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

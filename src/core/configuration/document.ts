/** A configuration document and where each part of it stands: YAML text, or a plain object without places. */

import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, visit } from 'yaml';
import { EtherCatError, type Location } from '../errors/ethercat-error.ts';

/** Keys and indices from the top of a document to one of its parts. */
export type Path = readonly (string | number)[];

/** A parsed document. */
export interface ParsedDocument {
  /** File name; undefined for a plain object. */
  readonly file: string | undefined;
  /** The content as plain JavaScript values; nothing is known about its shape yet. */
  readonly value: unknown;
  /** Place of the part at `path`, or of the nearest part around it; undefined for a plain object. */
  locate(path: Path): Location | undefined;
  /** Place of the key at the end of `path`, in place of its value. */
  locateKey(path: Path): Location | undefined;
}

/** Aliases (`*name`) that one document may resolve to; bounds what a small file can expand to. */
const ALIASES_MAX = 1000;

/**
 * Parses YAML text.
 * @throws EtherCatError `ECAT_ERR_CONFIGURATION_SYNTAX`, with every syntax error and its place.
 */
export function parseYaml(text: string, file: string): ParsedDocument {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false, stringKeys: true });
  const place = (offset: number): Location => {
    const { line, col } = lineCounter.linePos(offset);
    return { file, line: Math.max(1, line), column: Math.max(1, col) };
  };
  const syntaxError = (message: string, offset: number): EtherCatError =>
    new EtherCatError('ECAT_ERR_CONFIGURATION_SYNTAX', message, { location: place(offset) });
  if (document.errors.length > 0) {
    throw EtherCatError.combine(document.errors.map(({ message, pos }) => syntaxError(message, pos[0])));
  }
  const inexact = inexactNumbers(document).map(({ text: number, offset }) =>
    syntaxError(
      `${number} is beyond ±${Number.MAX_SAFE_INTEGER} and would be rounded; write the bytes of such a value`,
      offset,
    ),
  );
  if (inexact.length > 0) throw EtherCatError.combine(inexact);
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: ALIASES_MAX });
  } catch (error) {
    throw syntaxError(error instanceof Error ? error.message : String(error), 0);
  }
  const start = (path: Path): number => nodeOffset(document, path) ?? 0;
  return {
    file,
    value,
    locate: (path) => place(start(path)),
    locateKey: (path) => place(keyOffset(document, path) ?? start(path)),
  };
}

/** Takes a plain object as it is. */
export function plainDocument(value: unknown): ParsedDocument {
  return { file: undefined, value, locate: () => undefined, locateKey: () => undefined };
}

/** `ethercat.devices[1].position`, as messages name a part. */
export function pathText(path: Path): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    const key = /^[\w-]+$/.test(part) ? part : JSON.stringify(part);
    return text === '' ? key : `${text}.${key}`;
  }, '');
}

/** Whole numbers that a double does not hold: what was written is not what would be read. */
function inexactNumbers(document: Document.Parsed): { text: string; offset: number }[] {
  const found: { text: string; offset: number }[] = [];
  visit(document, {
    Scalar: (_, { value, source = '', range }) => {
      const isWhole = typeof value === 'number' && /^[-+]?(\d+|0x[\da-f]+|0o[0-7]+)$/i.test(source);
      if (isWhole && !Number.isSafeInteger(value)) found.push({ text: source, offset: range?.[0] ?? 0 });
    },
  });
  return found;
}

/** Follows `path` as far as it leads. */
function nodeOffset(document: Document.Parsed, path: Path): number | undefined {
  let node: unknown = document.contents;
  let offset = rangeStart(node);
  for (const part of path) {
    node = child(document, node, part)?.value;
    offset = rangeStart(node) ?? offset;
    if (node === undefined || node === null) break;
  }
  return offset;
}

function keyOffset(document: Document.Parsed, path: Path): number | undefined {
  let node: unknown = document.contents;
  for (const part of path.slice(0, -1)) node = child(document, node, part)?.value;
  const last = path.at(-1);
  return last === undefined ? undefined : rangeStart(child(document, node, last)?.key);
}

function child(
  document: Document.Parsed,
  parent: unknown,
  part: string | number,
): { key?: unknown; value: unknown } | undefined {
  const node = isAlias(parent) ? parent.resolve(document) : parent;
  if (isMap(node)) return node.items.find(({ key }) => String(isScalar(key) ? key.value : key) === String(part));
  if (isSeq(node)) return { value: node.items[Number(part)] };
  return undefined;
}

function rangeStart(node: unknown): number | undefined {
  return (node as Partial<Node> | null | undefined)?.range?.[0];
}

/** Opens a configuration: a YAML file or a plain object in, a checked and frozen `NormalizedConfiguration` out. */

import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EtherCatError } from '../errors/ethercat-error.ts';
import { type ParsedDocument, type Path, parseYaml, plainDocument } from './document.ts';
import { fileError, within } from './files.ts';
import { normalize } from './normalize.ts';
import { problem, schemaProblems } from './problems.ts';
import { describeSegment, describeSegmentFile } from './segment.ts';
import type { SegmentDescription, SegmentDocument } from './segment-types.ts';
import type { ConfigurationDocument, LinkConfiguration, NormalizedConfiguration } from './types.ts';

/** What the caller decides in place of the configuration. */
export interface LoadOptions {
  /** Network interface to use, whatever the configuration says; a segment that it names is then not read. */
  readonly interface?: string | undefined;
  /** The same with a simulated segment: a file, relative to the working directory, or its content. */
  readonly segment?: string | SegmentDocument | undefined;
  /** The same with a segment that is there already, and keeps its own time. */
  readonly simulated?: { readonly description: SegmentDescription; readonly virtualTime: boolean } | undefined;
}

/**
 * Reads and checks a configuration.
 *
 * @param source path or file: URL of a YAML file, or the same as a plain object; paths inside a file
 *   are relative to it, those inside an object to the working directory
 * @throws EtherCatError with the category `configuration`; `errors` holds every problem found, each
 *   with its file, line and column
 */
export async function loadConfiguration(
  source: string | URL | ConfigurationDocument,
  options: LoadOptions = {},
): Promise<NormalizedConfiguration> {
  const file = source instanceof URL ? fileURLToPath(source) : source;
  const document = typeof file === 'string' ? await readDocument(file) : plainDocument(file);
  if (isSegment(document)) {
    const message = 'this describes a simulated segment and no MainDevice: give it as the segment (--segment FILE)';
    throw problem(document, [], message);
  }
  const problems = schemaProblems('configuration.schema.json', document);
  if (problems.length > 0) throw EtherCatError.combine(problems);
  const link = await resolveLink(document, options);
  return normalize(document, link, options.simulated?.virtualTime);
}

/**
 * A simulated segment: of a file, or of an object with its content.
 * @throws EtherCatError with the category `configuration`
 */
export async function loadSegment(source: string | URL | SegmentDocument): Promise<SegmentDescription> {
  if (source instanceof URL) return await loadSegmentOf(fileURLToPath(source));
  if (typeof source === 'string') return await loadSegmentOf(source);
  return await describeSegmentFile(plainDocument(source), '');
}

/**
 * The simulated segment of a file: a segment file, or a configuration that names or holds a segment.
 * @throws EtherCatError with the category `configuration`
 */
export async function loadSegmentOf(file: string): Promise<SegmentDescription> {
  const document = await readDocument(file);
  if (isSegment(document)) return await describeSegmentFile(document, file);
  const { link } = await loadConfiguration(file);
  if (link.kind === 'segment') return link.description;
  const message = `names the interface ${link.name}, and no segment that could be simulated`;
  throw new EtherCatError('ECAT_ERR_CONFIGURATION_INVALID', `${file} ${message}`);
}

/** Whether a document is meant as a segment file, and not as a configuration. */
export function isSegment({ value }: ParsedDocument): boolean {
  return typeof value === 'object' && value !== null && 'devices' in value && !('ethercat' in value);
}

/** Reads and parses a YAML file; its content may still be anything. */
export async function readDocument(file: string): Promise<ParsedDocument> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw fileError('the configuration', file, error);
  });
  return parseYaml(text, file);
}

async function resolveLink(document: ParsedDocument, options: LoadOptions): Promise<LinkConfiguration> {
  const { simulated, segment: given } = options;
  if (options.interface !== undefined && (given ?? simulated) !== undefined) {
    throw new EtherCatError('ECAT_ERR_INVALID_ARGUMENT', 'interface and segment exclude each other');
  }
  if (options.interface !== undefined) return { kind: 'interface', name: options.interface };
  if (simulated !== undefined) return { kind: 'segment', description: simulated.description };
  if (given !== undefined) return { kind: 'segment', description: await loadSegment(given) };
  const { master, main_device: mainDevice } = (document.value as ConfigurationDocument).ethercat;
  const { interface: name, segment } = master ?? mainDevice ?? {};
  if (segment === undefined) return { kind: 'interface', name: name ?? '' };
  const folder = document.file === undefined ? '' : dirname(document.file);
  const path: Path = ['ethercat', master === undefined ? 'main_device' : 'master', 'segment'];
  if (typeof segment === 'object')
    return { kind: 'segment', description: await describeSegment(document, path, folder) };
  return { kind: 'segment', description: await loadNamedSegment(within(folder, segment), document, path) };
}

/** A segment file that is missing is a mistake in the configuration: point there. */
async function loadNamedSegment(file: string, document: ParsedDocument, path: Path): Promise<SegmentDescription> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw fileError('the segment file', file, error, document.locate(path));
  });
  return await describeSegmentFile(parseYaml(text, file), file);
}

/** Opens a configuration: a YAML file or a plain object in, a checked and frozen `NormalizedConfiguration` out. */

import { readFile } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EtherCatError } from '../errors/ethercat-error.ts';
import { type ParsedDocument, type Path, parseYaml, plainDocument } from './document.ts';
import { fileError } from './file-error.ts';
import { normalize } from './normalize.ts';
import { schemaProblems } from './problems.ts';
import { describeSegment, loadSegmentFile } from './segment.ts';
import type { ConfigurationDocument, LinkConfiguration, NormalizedConfiguration } from './types.ts';

/** What the caller decides in place of the configuration. */
export interface LoadOptions {
  /** Network interface to use, whatever the configuration says; a segment that it names is then not read. */
  readonly interface?: string | undefined;
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
  const document = typeof file === 'string' ? await readYaml(file) : plainDocument(file);
  const problems = schemaProblems('configuration.schema.json', document);
  if (problems.length > 0) throw EtherCatError.combine(problems);
  const link = await resolveLink(document, options);
  return normalize(document, link);
}

async function readYaml(file: string): Promise<ParsedDocument> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw fileError('the configuration', file, error);
  });
  return parseYaml(text, file);
}

async function resolveLink(document: ParsedDocument, options: LoadOptions): Promise<LinkConfiguration> {
  if (options.interface !== undefined) return { kind: 'interface', name: options.interface };
  const { master, main_device: mainDevice } = (document.value as ConfigurationDocument).ethercat;
  const { interface: name, segment } = master ?? mainDevice ?? {};
  if (segment === undefined) return { kind: 'interface', name: name ?? '' };
  const folder = document.file === undefined ? '' : dirname(document.file);
  const path: Path = ['ethercat', master === undefined ? 'main_device' : 'master', 'segment'];
  if (typeof segment === 'object') return { kind: 'segment', description: await describeSegment(document, path, folder) };
  return { kind: 'segment', description: await loadSegment(within(folder, segment), document, path) };
}

/** A segment file that is missing is a mistake in the configuration: point there. */
async function loadSegment(file: string, document: ParsedDocument, path: Path): ReturnType<typeof loadSegmentFile> {
  try {
    return await loadSegmentFile(file);
  } catch (error) {
    if (error instanceof EtherCatError && error.code === 'ECAT_ERR_CONFIGURATION_FILE' && error.location === undefined) {
      throw fileError('the segment file', file, error.cause, document.locate(path));
    }
    throw error;
  }
}

/** Keeps a relative path relative, as messages then show what a person typed. */
function within(folder: string, path: string): string {
  return isAbsolute(path) ? path : join(folder, path);
}

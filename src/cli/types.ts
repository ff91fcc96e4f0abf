/** `bifrost-ethercat types`: the tags of a configuration as TypeScript, so that the compiler knows them. */

import { basename } from 'node:path';
import { styleText } from 'node:util';
import { loadConfiguration } from '../core/configuration/load.ts';
import type { NormalizedConfiguration } from '../core/configuration/types.ts';
import { EtherCatError } from '../core/errors/ethercat-error.ts';
import { resolveTags } from '../core/resolve-tags.ts';
import { scanSegment } from '../core/scan.ts';
import { type DeclaredTag, declareTags } from '../core/tag-declarations.ts';
import { stopSignal } from './failure.ts';
import { writeOut } from './output-file.ts';

/** How to write them. */
export interface TypesOptions {
  readonly interface?: string;
  readonly segment?: string;
  /** File to write; stdout unless given. */
  readonly out?: string;
  /** Name of the interface; from the name of the file unless given. */
  readonly name?: string;
}

/**
 * Writes the declaration. A simulated segment, and a network interface that is named on the command line, is asked for the
 * types that the configuration leaves out; a network interface of the configuration alone is not touched.
 */
export async function types(file: string, options: TypesOptions): Promise<void> {
  const name = options.name ?? interfaceName(file);
  if (!/^[A-Za-z_$][\w$]*$/.test(name)) {
    throw new EtherCatError('ECAT_ERR_INVALID_ARGUMENT', `--name ${JSON.stringify(name)} is no name of an interface`);
  }
  const configuration = await loadConfiguration(file, options);
  const isAsked = configuration.link.kind === 'segment' || options.interface !== undefined;
  const tags = isAsked ? await fromSegment(configuration) : fromConfiguration(configuration);
  if (tags.length === 0) {
    const message = `${file} names no tags; --interface or --segment lets the SubDevices be asked for theirs`;
    throw new EtherCatError('ECAT_ERR_INVALID_ARGUMENT', message);
  }
  const text = declareTags(tags, basename(file), name);
  if (options.out === undefined) process.stdout.write(text);
  else {
    await writeOut(options.out, text);
    process.stdout.write(`${styleText('green', '✓')} ${options.out}: ${tags.length} tags as ${name}\n`);
  }
  const untyped = tags.filter(({ type }) => type === undefined).length;
  if (untyped > 0) {
    const note = `${untyped} of ${tags.length} tags have no type in ${file} and are declared as TagValue; --interface lets the SubDevices be asked`;
    process.stderr.write(`${note}\n`);
  }
}

async function fromSegment(configuration: NormalizedConfiguration): Promise<DeclaredTag[]> {
  const stopping = stopSignal();
  const network = await scanSegment(configuration, stopping.signal).finally(() => stopping.dispose());
  const { tags, errors } = resolveTags(configuration, network);
  if (errors.length > 0) throw EtherCatError.combine(errors);
  return tags.map(({ row, ...tag }) => ({
    ...tag,
    count: row.elements ?? 1,
    isScaled: row.scale !== 1 || row.offset !== 0,
  }));
}

function fromConfiguration({ tags }: NormalizedConfiguration): DeclaredTag[] {
  return tags.map(({ count = 1, scale, offset, ...tag }) => ({ ...tag, count, isScaled: scale !== 1 || offset !== 0 }));
}

/** `filling-line.yaml` → `FillingLineTags`. */
function interfaceName(file: string): string {
  const words = basename(file)
    .replace(/\.[^.]*$/, '')
    .split(/[^A-Za-z0-9]+/)
    .filter((word) => word !== '');
  const name = words.map((word) => word[0]!.toUpperCase() + word.slice(1)).join('');
  return `${/^\d/.test(name) ? '_' : ''}${name}Tags`;
}

/** The interlocks of a configuration: what a schema cannot say about them. */

import { didYouMean } from '../nearest.ts';
import type { ParsedDocument, Path } from './document.ts';
import { shown } from './problems.ts';
import type { ConfigurationDocument, InterlockConfiguration, TagConfiguration } from './types.ts';

/** Every interlock, in the order of the document. Problems go to `complain`; its path is that of the part. */
export function normalizeInterlocks(
  document: ParsedDocument,
  tags: readonly TagConfiguration[],
  complain: (path: Path, message: string) => void,
): InterlockConfiguration[] {
  const { interlocks = [] } = (document.value as ConfigurationDocument).ethercat;
  const names = new Set<string>();
  const directions = new Map(tags.map(({ name, direction }) => [name, direction]));
  const checkTag = (name: string, wanted: 'input' | 'output', path: Path): void => {
    // Without tags in the file there will be one for every entry, which is only known once the segment is.
    if (tags.length === 0 || directions.get(name) === wanted) return;
    const wantedNames = tags.filter(({ direction }) => direction === wanted).map((tag) => tag.name);
    const hint = directions.has(name) ? '' : didYouMean(name, wantedNames);
    complain(path, `names ${shown(name)}, which is not an ${wanted}${hint}`);
  };
  return interlocks.map(({ name, when, force }, index) => {
    const path: Path = ['ethercat', 'interlocks', index];
    if (names.has(name)) complain([...path, 'name'], `is ${shown(name)}, which another interlock is called already`);
    names.add(name);
    checkTag(when.tag, 'input', [...path, 'when', 'tag']);
    for (const output of Object.keys(force)) checkTag(output, 'output', [...path, 'force', output]);
    if (Object.keys(force).length === 0) complain([...path, 'force'], 'has to force at least one output');
    return { name, when, force, location: document.locate(path) };
  });
}

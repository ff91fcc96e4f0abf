/** From the tags of a bus to the TypeScript that declares them (`bifrost-ethercat types`). */

import type { TagType } from './configuration/types.ts';
import type { TagLabels } from './tag-directory.ts';
import { isWide64, Kind } from './tag-types.ts';

/** What a declaration needs to know of a tag. */
export interface DeclaredTag {
  readonly name: string;
  /** A second name, declared like the first. */
  readonly alias?: string | undefined;
  readonly direction: 'input' | 'output';
  /** Undefined where only the segment could tell. */
  readonly type: TagType | undefined;
  /** Elements of an array; 1 where it is none. */
  readonly count: number;
  readonly isScaled: boolean;
  readonly labels?: TagLabels | undefined;
  readonly unit?: string | undefined;
}

const arrays: Readonly<Record<TagType, string>> = {
  bool: 'Uint8Array',
  int8: 'Int8Array',
  uint8: 'Uint8Array',
  int16: 'Int16Array',
  uint16: 'Uint16Array',
  int32: 'Int32Array',
  uint32: 'Uint32Array',
  int64: 'BigInt64Array',
  uint64: 'BigUint64Array',
  float32: 'Float32Array',
  float64: 'Float64Array',
  bytes: 'Uint8Array',
};

/**
 * An interface with every tag.
 *
 * @param source - what it was made of, for its head
 * @param name - of the interface; an identifier
 */
export function declareTags(tags: readonly DeclaredTag[], source: string, name: string): string {
  const isUntyped = tags.some(({ type }) => type === undefined);
  const group = (direction: 'input' | 'output'): string[] =>
    tags
      .filter((tag) => tag.direction === direction)
      .flatMap((tag) => [tag.name, ...(tag.alias === undefined ? [] : [tag.alias])].flatMap((as) => declare(as, tag)));
  return [
    `/** The tags of ${source.replaceAll('*/', '* /')}, written by \`bifrost-ethercat types\`: write it anew when the configuration changes. */`,
    '',
    ...(isUntyped ? ["import type { TagValue } from 'bifrost-ethercat';", ''] : []),
    `export interface ${name} {`,
    '  readonly inputs: {',
    ...group('input'),
    '  };',
    '  readonly outputs: {',
    ...group('output'),
    '  };',
    '}',
    '',
  ].join('\n');
}

function declare(name: string, tag: DeclaredTag): string[] {
  const comment = tag.unit === undefined ? [] : [`    /** In ${tag.unit.replaceAll('*/', '* /')}. */`];
  return [...comment, `    readonly ${JSON.stringify(name)}: ${valueType(tag)};`];
}

/** The TypeScript type of a tag's values. */
function valueType({ type, count, isScaled, labels }: DeclaredTag): string {
  if (type === undefined) return 'TagValue';
  if (count > 1) return isScaled ? 'Float64Array' : arrays[type];
  if (type === 'bytes') return arrays.bytes;
  const plain = type === 'bool' ? 'boolean' : isWide64(Kind[type]) && !isScaled ? 'bigint' : 'number';
  if (labels === undefined) return plain;
  return [...new Set(Object.values(labels))]
    .map((label) => JSON.stringify(label))
    .join(' | ')
    .concat(` | ${plain}`);
}

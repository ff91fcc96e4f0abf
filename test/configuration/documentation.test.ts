import { readFileSync } from 'node:fs';
import test from 'ava';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

/** Every property that a schema describes, at any depth. */
function keysOf(schema: unknown): string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  return Object.entries(schema).flatMap(([key, part]) => [
    ...(key === 'properties' ? Object.keys(part as object) : []),
    ...keysOf(part),
  ]);
}

test('docs/configuration.md and the schemas have the same keys', (t) => {
  const schemas = ['configuration', 'segment'].map(
    (name) => JSON.parse(read(`schemas/${name}.schema.json`)) as unknown,
  );
  const inSchemas = new Set(schemas.flatMap(keysOf));
  const document = read('docs/configuration.md');
  const rows = document.split('\n').filter((line) => line.startsWith('| `'));
  const firstCells = rows.map((line) => line.split('|')[1] ?? '').join(' ');
  const named = new Set([...document.matchAll(/`(\w+)`/g)].map(([, key]) => key ?? ''));
  t.deepEqual(
    [...inSchemas].filter((key) => key !== 'ethercat' && !named.has(key)),
    [],
  );
  t.deepEqual(
    [...firstCells.matchAll(/`(\w+)`/g)].map(([, key]) => key ?? '').filter((key) => !inSchemas.has(key)),
    [],
  );
});

test('every key of the schemas is described', (t) => {
  const undescribed = (schema: unknown, path: string): string[] => {
    if (typeof schema !== 'object' || schema === null) return [];
    return Object.entries(schema).flatMap(([key, part]) => {
      // A condition, which describes nothing.
      if (key === 'if') return [];
      if (key !== 'properties') return undescribed(part, `${path}/${key}`);
      return Object.entries(part as Record<string, { description?: string; $ref?: string }>).flatMap(
        ([name, property]) => [
          ...(property.description === undefined && property.$ref === undefined ? [`${path}/${name}`] : []),
          ...undescribed(property, `${path}/${name}`),
        ],
      );
    });
  };
  for (const name of ['configuration', 'segment'])
    t.deepEqual(undescribed(JSON.parse(read(`schemas/${name}.schema.json`)), name), []);
});

/** The scenarios as a whole: each page has its test, and every effect that a fault can have happens on a page. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { effectKinds, mailEffectKinds } from '../support/fault-kinds.ts';

const folder = import.meta.dirname;
const files = readdirSync(folder);
const pages = files.filter((name) => /^\d\d-.*\.md$/.test(name));
const text = pages.map((name) => readFileSync(join(folder, name), 'utf8')).join('\n');

/** Whether a page has an effect of this kind, in YAML or in JSON. */
function happens(kind: string): boolean {
  return new RegExp(`"?kind"?: "?${kind}"?[ ,]`).test(text);
}

test('each page has one test beside it, and each test a page', (t) => {
  const names = (pattern: RegExp): string[] =>
    files.filter((name) => pattern.test(name)).map((name) => name.replace(pattern, ''));
  t.deepEqual(
    [...names(/\.test\.ts$/), ...names(/\.rs$/)].filter((name) => name !== 'all').sort(),
    names(/\.md$/)
      .filter((name) => name !== 'README')
      .sort(),
  );
});

test('every effect of a fault happens in a scenario', (t) => {
  t.deepEqual(
    effectKinds.filter((kind) => !happens(kind)),
    [],
  );
});

test('so does everything that can go wrong with mail', (t) => {
  t.deepEqual(
    mailEffectKinds.filter((kind) => !happens(kind)),
    [],
  );
});

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { errorCodes, errorTable, isErrorCode } from '../../src/core/errors/table.ts';
import { native } from '../../src/core/native.ts';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

test('every code that the native side can report is in the table', (t) => {
  const codes = native().bindingErrorCodes();
  t.true(codes.length > 20);
  t.deepEqual(
    codes.filter((code) => !isErrorCode(code)),
    [],
  );
});

test('every code of the table is used: reported by the native side, or written in TypeScript', (t) => {
  const folder = fileURLToPath(new URL('../../src', import.meta.url));
  const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('errors/table.ts'))
    .map((file) => readFileSync(join(folder, file), 'utf8'))
    .join('\n');
  const used = new Set([...native().bindingErrorCodes(), ...(sources.match(/ECAT_ERR_[A-Z_]+/g) ?? [])]);
  t.deepEqual(
    errorCodes.filter((code) => !used.has(code)),
    [],
  );
});

test('docs/errors.md describes every code with what the table says, and no other', (t) => {
  const rows = [...read('docs/errors.md').matchAll(/^\| `(ECAT_ERR_\w+)` \| (.+) \| (yes|no) \| (.+) \|$/gm)];
  t.deepEqual(rows.map(([, code]) => code).toSorted(), errorCodes.toSorted());
  for (const [, code, meaning, recoverable, action] of rows) {
    if (!isErrorCode(code)) continue;
    const entry = errorTable[code];
    t.deepEqual(
      { meaning, recoverable, action },
      { meaning: entry.meaning, recoverable: entry.recoverable ? 'yes' : 'no', action: entry.action },
    );
  }
});

test('every code has its own meaning and one sentence on what to do', (t) => {
  const sentence = /^[A-Z].*[^.]\.$/;
  for (const code of errorCodes) {
    t.regex(code, /^ECAT_ERR_[A-Z]+(?:_[A-Z]+)*$/);
    t.regex(errorTable[code].meaning, sentence, code);
    t.regex(errorTable[code].action, sentence, code);
  }
  t.is(new Set(errorCodes.map((code) => errorTable[code].meaning)).size, errorCodes.length);
});

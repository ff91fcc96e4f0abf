import { readFileSync } from 'node:fs';
import test from 'ava';
import { errorCodes, errorTable, isErrorCode } from '../../src/core/errors/table.ts';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

/** Codes that the native side can report: the literals of `ErrorCode::as_str`, of which `ErrorCode::ALL` is a list. */
function nativeCodes(): string[] {
  const source = read('native/engine/src/error.rs');
  const all = /pub const ALL[^=]*= &\[([^\]]*)\]/.exec(source)?.[1] ?? '';
  const variants = [...all.matchAll(/Self::(\w+)/g)].map(([, variant]) => variant);
  return variants.map(
    (variant) => new RegExp(`Self::${variant} => "(\\w+)"`).exec(source)?.[1] ?? `${variant} without a code`,
  );
}

test('every code that the native side reports is in the table', (t) => {
  const native = nativeCodes();
  t.true(native.length > 20);
  t.deepEqual(
    native.filter((code) => !isErrorCode(code)),
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

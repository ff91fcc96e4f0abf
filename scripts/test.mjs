// `npm test`: the tests of both languages, and one closing line `N passed, N failed` (`, N skipped` where any were).
//
//   npm test                       everything
//   npm test -- rust               only cargo's
//   npm test -- js [AVA ARGUMENT…] only ava's

import { join } from 'node:path';
import { root } from './addon.mjs';
import { run } from './run.mjs';

const [only, ...rest] = process.argv.slice(2);
const totals = { passed: 0, failed: 0, skipped: 0 };
let broken = false;
// Hundreds of processes and workers read the same TypeScript: the types are taken out of it once.
process.env.NODE_COMPILE_CACHE ??= join(root, 'node_modules/.cache/node');
// Beside the tests of Rust.
const prepared =
  only === undefined ? run(process.execPath, ['scripts/prepare-tests.ts'], { cwd: root, quiet: true }) : undefined;

if (only === undefined || only === 'rust') {
  await suite('cargo', ['test', '--locked', '--workspace', '--quiet', '--no-fail-fast', ...rest], (line) => {
    const result = /^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored/.exec(line);
    if (result !== null) count(Number(result[1]), Number(result[2]), Number(result[3]));
  });
}
if (only === undefined || only === 'js') {
  await prepared;
  // Counted line by line: ava's own summary leaves the passed tests out when one failed.
  await suite('ava', rest, (line) => {
    if (/^\s*✔ /u.test(line)) count(1, 0, 0);
    else if (/^\s*- \[skip\] /.test(line)) count(0, 0, 1);
    else if (/^\s*(?:✘ \[fail\]|Uncaught exception in|Unhandled rejection in)/u.test(line)) count(0, 1, 0);
  });
}

if (broken && totals.failed === 0) totals.failed = 1;
const skipped = totals.skipped === 0 ? '' : `, ${totals.skipped} skipped`;
process.stdout.write(`\n${totals.passed} passed, ${totals.failed} failed${skipped}\n`);
process.exit(broken || totals.passed === 0 ? 1 : 0);

async function suite(command, args, onLine) {
  const { code } = await run(command, args, { cwd: root, onLine });
  // A suite that ends badly without a failed test (it did not compile, it crashed) still fails the run.
  if (code !== 0) broken = true;
}

function count(passed, failed, skipped) {
  totals.passed += passed;
  totals.failed += failed;
  totals.skipped += skipped;
}

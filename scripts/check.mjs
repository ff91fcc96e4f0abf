// `npm run check`: everything about the code that is not a test. Prints one line a check, and a check's output where
// it fails; ends with `N checks passed, N failed`.

import { root } from './addon.mjs';
import { installQualityTools, qualityTool } from './quality.mjs';
import { run } from './run.mjs';

/** What cargo does, one after the other: it lets nobody else in. The others go on beside it. */
const cargoChecks = [
  ['Rust is formatted', 'cargo', ['fmt', '--all', '--check']],
  [
    'clippy finds nothing',
    'cargo',
    ['clippy', '--locked', '--workspace', '--all-targets', '--quiet', '--', '-D', 'warnings'],
  ],
  ['generated files are up to date', process.execPath, ['scripts/generate.mjs', '--check']],
];

const otherChecks = [
  ['types hold', 'tsc', ['--pretty', 'false']],
  ['TypeScript is formatted and linted', qualityTool('biome'), ['check', '--error-on-warnings', '.']],
  [
    'promises and switches are handled (typed lint)',
    qualityTool('eslint'),
    [
      '--config',
      'tools/quality/eslint.config.js',
      '--no-error-on-unmatched-pattern',
      'src',
      'test',
      'bench',
      'examples',
    ],
  ],
  [
    'imports follow the layers',
    qualityTool('depcruise'),
    ['--config', 'tools/quality/dependency-cruiser.cjs', 'src', 'test', 'bench', 'examples'],
  ],
  ['nothing is unused', qualityTool('knip'), ['--config', 'tools/quality/knip.json']],
  ['the package builds', 'tsc', ['-p', 'tsconfig.build.json', '--pretty', 'false']],
];

await installQualityTools();
const only = process.argv[2];
let failed = 0;
let passed = 0;
await Promise.all([cargoChecks, otherChecks].map(runAll));
process.stdout.write(`${passed} checks passed, ${failed} failed\n`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);

async function runAll(checks) {
  for (const [name, command, args] of checks) {
    if (only !== undefined && !name.includes(only)) continue;
    const started = Date.now();
    const { code, output } = await run(command, args, { cwd: root, quiet: true });
    const seconds = ((Date.now() - started) / 1000).toFixed(1);
    process.stdout.write(`${code === 0 ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)\n`);
    if (code === 0) passed += 1;
    else {
      failed += 1;
      process.stdout.write(`${output}\n`);
    }
  }
}

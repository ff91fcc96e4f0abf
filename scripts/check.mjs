// `npm run check`: everything about the code that is not a test. Prints one line a check, and a check's output where
// it fails; ends with `N checks passed, N failed`.

import { installQualityTools, qualityTool, root } from './quality.mjs';
import { run } from './run.mjs';

const checks = [
  ['Rust is formatted', 'cargo', ['fmt', '--all', '--check']],
  [
    'clippy finds nothing',
    'cargo',
    ['clippy', '--locked', '--workspace', '--all-targets', '--quiet', '--', '-D', 'warnings'],
  ],
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
  ['generated files are up to date', process.execPath, ['scripts/generate.mjs', '--check']],
  ['the package builds', 'tsc', ['-p', 'tsconfig.build.json', '--pretty', 'false']],
];

await installQualityTools();
const only = process.argv[2];
let failed = 0;
let passed = 0;
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
process.stdout.write(`${passed} checks passed, ${failed} failed\n`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);

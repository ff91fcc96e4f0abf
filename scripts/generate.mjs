// `npm run generate`: writes every generated file. With `--check` (as CI does) it only compares, and names what is stale.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installQualityTools, qualityTool, root } from './quality.mjs';
import { run } from './run.mjs';

const generated = [
  ['src/core/generated/layout.ts', () => printed('cargo', layoutOf('ts'))],
  ['docs/shared-memory.md', () => printed('cargo', layoutOf('md'))],
  ['docs/errors.md', () => printed(process.execPath, ['scripts/print-errors.ts'])],
  ['native/binding/index.d.ts', bindingTypes],
];

const check = process.argv.includes('--check');
await installQualityTools();
let stale = 0;
for (const [file, make] of generated) {
  const path = join(root, file);
  const wanted = await make();
  if (wanted === contentOf(path)) continue;
  if (check) {
    stale += 1;
    process.stdout.write(`${file} is outdated: run \`npm run generate\` and commit it\n`);
  } else {
    writeFileSync(path, wanted);
    process.stdout.write(`${file} written\n`);
  }
}
process.exit(stale === 0 ? 0 : 1);

function layoutOf(format) {
  return ['run', '--locked', '--quiet', '-p', 'ecat-engine', '--example', 'layout', '--', format];
}

async function printed(command, args) {
  const { code, output } = await run(command, args, { cwd: root, quiet: true });
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} failed:\n${output}`);
  return output;
}

/** The addon's types, as @napi-rs/cli writes them from the Rust attributes. */
async function bindingTypes() {
  const folder = mkdtempSync(join(tmpdir(), 'bifrost-ethercat-types-'));
  try {
    // A target folder of its own: the CLI's builds have other fingerprints than cargo's and would evict them. It must
    // be absolute, or the CLI writes empty types and still succeeds.
    const { code, output } = await run(
      qualityTool('napi'),
      [
        'build',
        '--no-js',
        '--no-const-enum',
        '--dts',
        'index.d.ts',
        '--manifest-path',
        join(root, 'native/binding/Cargo.toml'),
        '--output-dir',
        folder,
        '--target-dir',
        join(root, 'target/napi'),
        '--cwd',
        join(root, 'native/binding'),
        '--package-json-path',
        join(root, 'package.json'),
      ],
      { cwd: root, quiet: true },
    );
    if (code !== 0) throw new Error(`napi build failed:\n${output}`);
    return readFileSync(join(folder, 'index.d.ts'), 'utf8');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function contentOf(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

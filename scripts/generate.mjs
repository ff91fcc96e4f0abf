// `npm run generate`: writes every generated file. With `--check` (as CI does) it only compares, and names what is stale.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildAddon, root, typesFolder } from './addon.mjs';
import { runExample } from './example.ts';
import { installQualityTools, qualityModule } from './quality.mjs';
import { run } from './run.mjs';

const generated = [
  ['src/core/generated/layout.ts', () => runExample('layout', 'ts').toString()],
  ['docs/shared-memory.md', () => runExample('layout', 'md').toString()],
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

async function printed(command, args) {
  const { code, output } = await run(command, args, { cwd: root, quiet: true });
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} failed:\n${output}`);
  return output;
}

/** The addon's types, as @napi-rs/cli writes them from what the build of the addon told of the Rust attributes. */
async function bindingTypes() {
  const { code, output } = await buildAddon({ quiet: true });
  if (code !== 0) throw new Error(`cargo build of the addon failed:\n${output}`);
  const { generateTypeDef } = await import(qualityModule('@napi-rs/cli'));
  const { dts } = await generateTypeDef({ typeDefDir: typesFolder, constEnum: false, cwd: root });
  return dts;
}

function contentOf(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

// Everything that a fresh clone needs before it can run: the locked packages (Node 24 among them) and the addon.
//
// Runs before `npm start`, `npm test` and the others, on whatever Node the machine has and without dependencies.
// The script that follows already finds Node 24 in node_modules/.bin, which npm puts first in PATH.
// A call with nothing to do costs the time of `cargo build` finding that out.

import { copyFileSync, existsSync, renameSync, rmSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { buildAddon, root } from './addon.mjs';
import { withLock } from './lock.mjs';
import { run } from './run.mjs';

const addon = join(root, 'native/bifrost-ethercat.node');

if (process.platform !== 'linux') fail(`bifrost-ethercat runs on Linux; this is ${process.platform}.`);

await withLock(
  root,
  async () => {
    if (packagesAreStale()) await installPackages();
    await installAddon();
  },
  () => note('another set-up is running in this clone; waiting for it'),
);

function packagesAreStale() {
  // npm writes this file last, so an interrupted installation is stale too.
  const installed = join(root, 'node_modules/.package-lock.json');
  if (!existsSync(installed) || !existsSync(join(root, 'node_modules/.bin/node'))) return true;
  return statSync(installed).mtimeMs < statSync(join(root, 'package-lock.json')).mtimeMs;
}

async function installPackages() {
  note('installing the locked packages');
  const npm = process.env.npm_execpath;
  // The outer npm on the outer Node: the ones in node_modules/.bin are about to be deleted.
  const [command, args] = npm === undefined ? ['npm', []] : [process.env.npm_node_execpath ?? process.execPath, [npm]];
  const { code, output } = await run(command, [...args, 'ci', '--loglevel=error'], {
    cwd: root,
    env: environmentWithoutThisNpm(),
    quiet: true,
  });
  if (code !== 0) fail(`npm ci failed with exit code ${code}:\n${output}`);
}

async function installAddon() {
  const started = Date.now();
  const quietAt = 2_000;
  const progress = setTimeout(() => note('building the native addon (minutes the first time, seconds later)'), quietAt);
  const { code, file } = await buildAddon().catch((error) =>
    fail(`cargo could not be started (${error.message}). Install Rust 1.95 or newer.`),
  );
  clearTimeout(progress);
  if (code !== 0) fail(`cargo build failed with exit code ${code}.`);
  if (existsSync(addon) && statSync(addon).mtimeMs >= statSync(file).mtimeMs) return;
  // By rename: a running process may have the old file mapped.
  const temporary = `${addon}.${process.pid}`;
  try {
    copyFileSync(file, temporary);
    renameSync(temporary, addon);
  } finally {
    rmSync(temporary, { force: true });
  }
  note(`addon built in ${((Date.now() - started) / 1000).toFixed(1)} s`);
}

/** The environment without what the surrounding `npm run` added: an npm inside would take it for its own. */
function environmentWithoutThisNpm() {
  const kept = /^npm_config_(cache|registry|userconfig|globalconfig)$/;
  const own = /^npm_(config|package|lifecycle)_/;
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => kept.test(name) || !own.test(name)));
  env.PATH = (env.PATH ?? '')
    .split(delimiter)
    .filter((entry) => !entry.includes('node_modules'))
    .join(delimiter);
  return env;
}

function note(text) {
  process.stderr.write(`setup: ${text}\n`);
}

function fail(text) {
  process.stderr.write(`setup: ${text}\n`);
  process.exit(1);
}

// The packages of tools/quality: installed when a check needs them, never by `npm start` or `npm test`.

import { existsSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './addon.mjs';
import { withLock } from './lock.mjs';
import { run } from './run.mjs';

const folder = join(root, 'tools/quality');

/** Installs tools/quality where that has not been done, or its lock is newer. */
export async function installQualityTools() {
  await withLock(folder, async () => {
    const installed = join(folder, 'node_modules/.package-lock.json');
    const lock = join(folder, 'package-lock.json');
    if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return;
    // Not `npm ci`: the lock lacks the platform packages that the registry at hand does not carry, which `npm ci`
    // refuses and `npm install` skips.
    const { code, output } = await run('npm', ['install', '--no-save', '--loglevel=error'], {
      cwd: folder,
      quiet: true,
    });
    if (code !== 0) throw new Error(`npm install in tools/quality failed with exit code ${code}:\n${output}`);
  });
}

/** Path of a command of tools/quality. */
export function qualityTool(name) {
  return join(folder, 'node_modules/.bin', name);
}

/** Address of a package of tools/quality, to import. */
export function qualityModule(name) {
  return pathToFileURL(createRequire(join(folder, 'package.json')).resolve(name)).href;
}

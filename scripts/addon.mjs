// The build of the clone's own addon, which also tells the addon's types: the attributes write them where they are told.

import { existsSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from './run.mjs';

/** Root of the clone. */
export const root = resolve(fileURLToPath(import.meta.url), '../..');

/** Where cargo builds. */
export const target = resolve(process.env.CARGO_TARGET_DIR ?? join(root, 'target'));

/** Folder of what the attributes say, in the form that @napi-rs/cli reads. */
export const typesFolder = join(target, 'addon-types');

const crate = 'bifrost-ethercat-native';
const builtAddon = join(target, 'release/libbifrost_ethercat_native.so');

/**
 * Builds the addon where its sources have changed.
 *
 * @param {{ quiet?: boolean }} [options] of the run
 * @returns {Promise<{ code: number, output: string, file: string }>} how cargo ended, and the library
 */
export async function buildAddon(options) {
  const env = { ...process.env, NAPI_TYPE_DEF_TMP_FOLDER: typesFolder };
  // napi-build has the crate built again where this has changed.
  if (!existsSync(join(typesFolder, crate))) env.NAPI_FORCE_BUILD_BIFROST_ETHERCAT_NATIVE = String(Date.now());
  mkdirSync(typesFolder, { recursive: true });
  const args = ['build', '--release', '--locked', '--quiet', '-p', crate];
  return { ...(await run('cargo', args, { ...options, cwd: root, env })), file: builtAddon };
}

/** Programs of Rust that tests and generators run: examples of the crates. */

import { execFileSync } from 'node:child_process';
import { join, resolve } from 'node:path';

const root = join(import.meta.dirname, '..');
const OUTPUT_BYTES_MAX = 16 << 20;

/**
 * Builds an example where its sources have changed, and runs it.
 *
 * As one of the workspace: for one package alone cargo chooses other features of the dependencies, and compiles all that
 * `cargo test` has compiled once more.
 *
 * @returns what it prints
 * @throws where it does not build, or fails
 */
export function runExample(name: string, ...args: readonly string[]): Buffer {
  const options = {
    cwd: root,
    maxBuffer: OUTPUT_BYTES_MAX,
    stdio: ['ignore', 'pipe', 'pipe'] as ['ignore', 'pipe', 'pipe'],
  };
  execFileSync('cargo', ['build', '--locked', '--quiet', '--workspace', '--example', name], options);
  const target = resolve(process.env['CARGO_TARGET_DIR'] ?? join(root, 'target'));
  return execFileSync(join(target, 'debug/examples', name), args, options);
}

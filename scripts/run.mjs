// Child processes of the scripts: with the caller's terminal, ended when the caller is.

import { spawn } from 'node:child_process';

/**
 * Runs a command to its end, forwarding SIGINT and SIGTERM, so that no orphan goes on behind a killed script.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, onLine?: (line: string) => void, quiet?: boolean }} [options]
 *   `onLine` sees every line of the output, which is still shown unless `quiet`
 * @returns {Promise<{ code: number, output: string }>} exit code (128 + signal if killed), and what it printed
 *   where the output was captured (`onLine` or `quiet`)
 */
export function run(command, args, options = {}) {
  const capture = options.onLine !== undefined || options.quiet === true;
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: ['ignore', capture ? 'pipe' : 'inherit', capture ? 'pipe' : 'inherit'],
    });
    const forward = (signal) => child.kill(signal);
    process.on('SIGINT', forward);
    process.on('SIGTERM', forward);
    let output = '';
    for (const [stream, shown] of [
      [child.stdout, process.stdout],
      [child.stderr, process.stderr],
    ]) {
      if (stream === null) continue;
      let rest = '';
      stream.setEncoding('utf8');
      stream.on('data', (text) => {
        output += text;
        if (options.quiet !== true) shown.write(text);
        const lines = (rest + text).split('\n');
        rest = lines.pop();
        for (const line of lines) options.onLine?.(line);
      });
      stream.on('end', () => rest !== '' && options.onLine?.(rest));
    }
    child.on('error', reject);
    child.on('close', (code, signal) => {
      process.off('SIGINT', forward);
      process.off('SIGTERM', forward);
      resolve({ code: code ?? 128 + (signal === 'SIGINT' ? 2 : 15), output });
    });
  });
}

#!/usr/bin/env node
/** The command line: `bifrost-ethercat COMMAND`, or `npm run cli -- COMMAND` in a clone. */

import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { reportFailure } from './failure.ts';

const { version, description } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
  description: string;
};

const program = new Command('bifrost-ethercat').description(description).version(version);

program
  .command('validate')
  .description('check a configuration or a segment file and print every problem')
  .argument('<file>', 'configuration or segment file')
  .option('--json', 'print one JSON object a line', false)
  .action((file: string, options: { json: boolean }) =>
    guarded(options.json, async () => (await import('./validate.ts')).validate(file, options)),
  );

await program.parseAsync();

/** Runs a command; what it throws is printed, and makes the exit code 1. */
async function guarded(json: boolean, command: () => Promise<void>): Promise<void> {
  try {
    await command();
  } catch (error) {
    reportFailure(error, json);
  }
}

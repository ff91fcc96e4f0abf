#!/usr/bin/env node
/** The command line: `bifrost-ethercat COMMAND`, or `npm run cli -- COMMAND` in a clone. */

import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command, InvalidArgumentError, Option } from 'commander';
import { reportFailure } from './failure.ts';
import type { SiiOptions } from './sii-source.ts';
import type { TwinOptions } from './twin.ts';

/** What the demo runs where no file is named. The depth is the same in `src` and in `dist`. */
const exampleFile = relative('', fileURLToPath(new URL('../../examples/line.yaml', import.meta.url)));

const { version, description } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
  description: string;
};

/** The link of a command, in place of what the configuration names. */
interface LinkOptions {
  readonly interface?: string;
  readonly segment?: string;
}

const segmentOption = new Option(
  '--segment <file>',
  'simulated segment, in place of what the configuration names',
).conflicts('interface');

const program = new Command('bifrost-ethercat').description(description).version(version);

program
  .command('demo')
  .description('open a bus and show it live; keys change its outputs')
  .argument('[file]', 'configuration (default: a small plant on a simulated segment)', exampleFile)
  .option('--interface <name>', 'network interface, in place of what the configuration names')
  .addOption(segmentOption)
  .option('--seconds <number>', 'close after this time', seconds)
  .option('--json', 'print one JSON object a line', false)
  .action((file: string, options: LinkOptions & { seconds?: number; json: boolean }) =>
    guarded(options.json, async () => (await import('./demo.ts')).demo(file, options)),
  );

program
  .command('simulate')
  .description('serve a simulated segment on a network interface, for a MainDevice elsewhere')
  .argument('<file>', 'segment file, or a configuration with a segment')
  .requiredOption('--interface <name>', 'network interface to serve on')
  .option('--second-interface <name>', 'network interface at the far end of the ring')
  .option('--priority <number>', 'real-time priority of the thread that answers, 1 to 99', number(1, 99))
  .option('--cpu <number>', 'processor that it is bound to', number(0, 1023))
  .option(
    '--commands',
    'take faults and inputs from stdin: one JSON object a line, {"kind":"unplug","device":3}',
    false,
  )
  .option(
    '--fault <fault>',
    "a fault from the first frame on, as in a segment file: '{ on: { device: axis }, effect: { kind: power-off } }'",
    (fault: string, before: readonly string[]) => [...before, fault],
    [] as readonly string[],
  )
  .option('--hits', 'print what faults do, one JSON object a line', false)
  .action(
    (
      file: string,
      options: {
        interface: string;
        secondInterface?: string;
        priority?: number;
        cpu?: number;
        commands: boolean;
        fault: readonly string[];
        hits: boolean;
      },
    ) => guarded(false, async () => (await import('./simulate.ts')).simulate(file, options)),
  );

program
  .command('scan')
  .description('list the SubDevices of a segment and their process data, in PRE-OP: no outputs are driven')
  .argument('[file]', 'configuration that names the interface or the segment')
  .option('--interface <name>', 'network interface to scan')
  .addOption(segmentOption)
  .option('--json', 'print one JSON object a line', false)
  .action((file: string | undefined, options: LinkOptions & { json: boolean }) =>
    guarded(options.json, async () => (await import('./scan.ts')).scan(file, options)),
  );

program
  .command('validate')
  .description('check a configuration or a segment file and print every problem')
  .argument('<file>', 'configuration or segment file')
  .option('--json', 'print one JSON object a line', false)
  .action((file: string, options: { json: boolean }) =>
    guarded(options.json, async () => (await import('./validate.ts')).validate(file, options)),
  );

program
  .command('types')
  .description('write the tags of a configuration as TypeScript, so that a misspelt one does not compile')
  .argument('<file>', 'configuration')
  .option('--out <file>', 'file to write, in place of stdout')
  .option('--name <identifier>', 'name of the interface (default: from the name of the file)')
  .option('--interface <name>', 'network interface to ask for the types that the configuration leaves out')
  .addOption(segmentOption)
  .action((file: string, options: LinkOptions & { out?: string; name?: string }) =>
    guarded(false, async () => (await import('./types.ts')).types(file, options)),
  );

program
  .command('replay')
  .description('play the requests of a capture to a simulated segment, and compare its answers with the recorded ones')
  .argument('<capture>', 'pcap or pcapng file')
  .requiredOption('--segment <file>', 'segment file: the devices of the capture, as they are when it begins')
  .option('--explain', 'say for each difference which key of the segment file may describe it', false)
  .option('--json', 'print one JSON object', false)
  .action((capture: string, options: { segment: string; explain: boolean; json: boolean }) =>
    guarded(options.json, async () => (await import('./replay.ts')).replay(capture, options)),
  );

program
  .command('sii')
  .description('print what an SII image (EEPROM) says, write the one of a described device, or compare two')
  .argument('[file]', 'binary SII image; or a segment file, or a configuration with a segment')
  .option('--esi <file>', "a vendor's ESI file in place of it, and others with modules (repeat it)", collected, [])
  .option('--device <name>', 'which device of the segment, or of the ESI file by its type or name')
  .option('--revision <number>', 'which revision of the ESI file (default: the newest)', number(0, 0xffff_ffff))
  .option(
    '--module <[slot=]name>',
    'module of the ESI file in the next slot, or in this one (repeat it)',
    collected,
    [],
  )
  .option('--language <lcid>', 'language of texts of the ESI file (1033 is English)', number(0, 0xffff), 1033)
  .option('--out <file>', 'write the image to this file')
  .option('--compare <file>', 'print everything in which the image differs from this one')
  .option('--json', 'print one JSON object', false)
  .action((file: string | undefined, options: SiiOptions) =>
    guarded(options.json, async () => (await import('./sii.ts')).sii(file, options)),
  );

program
  .command('twin')
  .description(
    'write a segment file of what you have: SII images, a capture, or a running bus; and say what it could not know',
  )
  .option('--sii <files...>', 'SII images, in the order of the line')
  .option('--esi <files...>', 'ESI files, in the order of the line; FILE=TYPE of one with several devices')
  .option('--capture <file>', 'pcap or pcapng file')
  .option('--configuration <file>', 'configuration of the running bus')
  .option('--interface <name>', 'network interface of the running bus')
  .addOption(segmentOption)
  .requiredOption('--out <file>', 'segment file to write')
  .action((options: TwinOptions) => guarded(false, async () => (await import('./twin.ts')).twin(options)));

await program.parseAsync();

/** Runs a command; what it throws is printed, and makes the exit code 1. */
async function guarded(json: boolean, command: () => Promise<void>): Promise<void> {
  try {
    await command();
  } catch (error) {
    reportFailure(error, json);
  }
}

/** A parser of options that can be repeated. */
function collected(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

/** A parser of whole numbers in a range. */
function number(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isInteger(value) || value < least || value > most)
      throw new InvalidArgumentError(`a whole number from ${least} to ${most}.`);
    return value;
  };
}

function seconds(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value > 0) || value > 2_000_000)
    throw new InvalidArgumentError('a number of seconds above 0.');
  return value;
}

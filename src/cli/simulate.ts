/** `bifrost-ethercat simulate`: a simulated segment on a network card, for a MainDevice elsewhere. */

import { createInterface } from 'node:readline';
import { loadSegmentOf } from '../core/configuration/load.ts';
import { EtherCatError } from '../core/errors/ethercat-error.ts';
import { translated } from '../core/errors/from-binding.ts';
import { native } from '../core/native.ts';
import { reportFailure, stopSignal, untilAborted } from './failure.ts';

/** Serves the segment of `file` on a network interface until the process is told to stop. */
export async function simulate(
  file: string,
  options: {
    readonly interface: string;
    readonly secondInterface?: string;
    readonly priority?: number;
    readonly cpu?: number;
    readonly commands: boolean;
  },
): Promise<void> {
  const description = await loadSegmentOf(file);
  const stopping = stopSignal();
  const { interface: first, secondInterface, priority, cpu } = options;
  const server = translated(
    () => new (native().BindingSegmentServer)(JSON.stringify(description), first, secondInterface, priority, cpu),
  );
  const commands = options.commands ? createInterface({ input: process.stdin }) : undefined;
  commands?.on('line', (line) => obey(line, (command) => translated(() => server.command(command))));
  try {
    const ready = { event: 'ready', interface: options.interface, subDevices: server.subDevices };
    process.stdout.write(`${JSON.stringify(ready)}\n`);
    await untilAborted(stopping.signal);
  } finally {
    commands?.close();
    server.close();
    stopping.dispose();
  }
}

/** Carries out a command of stdin and says so; what is wrong with one ends nothing. */
function obey(line: string, command: (json: string) => boolean): void {
  if (line.trim() === '') return;
  try {
    if (!command(line)) throw new EtherCatError('ECAT_ERR_INTERNAL', 'more commands wait than the segment holds');
    process.stdout.write('{"event":"commanded"}\n');
  } catch (error) {
    reportFailure(error, true);
  }
}

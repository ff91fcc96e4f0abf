/** `bifrost-ethercat simulate`: a simulated segment on a network card, for a MainDevice elsewhere. */

import { createInterface } from 'node:readline';
import { simulate as simulated } from '../simulator/simulate.ts';
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
  const segment = await simulated(file, { time: 'wall' });
  const stopping = stopSignal();
  const server = segment.serve(options.interface, options);
  const commands = options.commands ? createInterface({ input: process.stdin }) : undefined;
  commands?.on('line', (line) => obey(line, (command) => segment.port.command(command)));
  try {
    const ready = { event: 'ready', interface: options.interface, subDevices: segment.devices.length };
    process.stdout.write(`${JSON.stringify(ready)}\n`);
    await untilAborted(stopping.signal);
  } finally {
    commands?.close();
    server.close();
    stopping.dispose();
  }
}

/** Carries out a command of stdin and says so; what is wrong with one ends nothing. */
function obey(line: string, command: (json: string) => void): void {
  if (line.trim() === '') return;
  try {
    command(line);
    process.stdout.write('{"event":"commanded"}\n');
  } catch (error) {
    reportFailure(error, true);
  }
}

/** `bifrost-ethercat simulate`: a simulated segment on a network card, for a MainDevice elsewhere. */

import { loadSegmentOf } from '../core/configuration/load.ts';
import { translated } from '../core/errors/from-binding.ts';
import { native } from '../core/native.ts';
import { stopSignal, untilAborted } from './failure.ts';

/** Serves the segment of `file` on a network interface until the process is told to stop. */
export async function simulate(file: string, options: { readonly interface: string }): Promise<void> {
  const description = await loadSegmentOf(file);
  const stopping = stopSignal();
  const server = translated(() => new (native().BindingSegmentServer)(JSON.stringify(description), options.interface));
  try {
    const ready = { event: 'ready', interface: options.interface, subDevices: server.subDevices };
    process.stdout.write(`${JSON.stringify(ready)}\n`);
    await untilAborted(stopping.signal);
  } finally {
    server.close();
    stopping.dispose();
  }
}

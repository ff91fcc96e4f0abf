/**
 * `bifrost-ethercat validate`: checks a configuration or a segment file without opening anything. A segment is built, as the
 * simulator alone knows modules, devices of ESI files and what their settings mean.
 */

import { styleText } from 'node:util';
import { isSegment, loadConfiguration, loadSegmentOf, readDocument } from '../core/configuration/load.ts';
import { SegmentPort } from '../core/segment-port.ts';

/** Prints what the file describes; throws with every problem when it is not valid. */
export async function validate(file: string, options: { readonly json: boolean }): Promise<void> {
  const found = await describe(file);
  if (options.json) process.stdout.write(`${JSON.stringify({ event: 'valid', file, ...found })}\n`);
  else {
    const counts = Object.entries(found).map(([what, count]) => `${count} ${what}`);
    process.stdout.write(`${styleText('green', '✓')} ${file}: ${counts.join(', ')}\n`);
  }
}

async function describe(file: string): Promise<Record<string, number>> {
  if (isSegment(await readDocument(file))) {
    const segment = await loadSegmentOf(file);
    new SegmentPort(segment, true);
    const { devices, signals, wires } = segment;
    return { devices: devices.length, signals: signals.length, wires: wires.length };
  }
  const { devices, tags, link } = await loadConfiguration(file);
  if (link.kind === 'segment') new SegmentPort(link.description, true);
  const inputs = tags.filter(({ direction }) => direction === 'input').length;
  return { devices: devices.length, inputs, outputs: tags.length - inputs };
}

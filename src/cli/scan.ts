/** `bifrost-ethercat scan`: who is on a segment, and which process data there are to make tags of. */

import { styleText } from 'node:util';
import { loadConfiguration } from '../core/configuration/load.ts';
import { EtherCatError } from '../core/errors/ethercat-error.ts';
import { hex, type NetworkEntry, nameSubDevices, summarize } from '../core/network.ts';
import { scanSegment } from '../core/scan.ts';
import { type DeviceRow, deviceCells } from './demo-model.ts';
import { stopSignal } from './failure.ts';
import { table } from './format.ts';

/** Takes a segment to PRE-OP, prints its SubDevices and their process data, and leaves it in INIT. */
export async function scan(
  file: string | undefined,
  options: { readonly interface?: string; readonly segment?: string; readonly json: boolean },
): Promise<void> {
  if (file === undefined && options.interface === undefined && options.segment === undefined) {
    const message = 'scan needs a configuration file, --interface NAME, or --segment FILE';
    throw new EtherCatError('ECAT_ERR_INVALID_ARGUMENT', message);
  }
  const { interface: name, segment } = options;
  const master = { ...(name !== undefined && { interface: name }), ...(segment !== undefined && { segment }) };
  const source = file ?? { ethercat: { master } };
  const configuration = await loadConfiguration(source, options);
  const stopping = stopSignal();
  const network = await scanSegment(configuration, stopping.signal).finally(() => stopping.dispose());
  const names = nameSubDevices(configuration.devices, network.subDevices);
  const lines = options.json
    ? network.subDevices.map(({ sii: _, ...subDevice }) =>
        JSON.stringify({ event: 'device', ...subDevice, name: names[subDevice.position], orderName: subDevice.name }),
      )
    : summarize(network).flatMap((summary) =>
        describe(
          { ...summary, name: names[summary.position] ?? '', orderName: summary.name },
          network.subDevices[summary.position]?.entries ?? [],
        ),
      );
  process.stdout.write(`${lines.join('\n')}\n`);
}

function describe(row: DeviceRow, all: readonly NetworkEntry[]): string[] {
  const [position = '', ...cells] = deviceCells(row);
  const rows = (['input', 'output'] as const).flatMap((direction) => {
    const entries = all.filter((entry) => entry.direction === direction && entry.index !== 0);
    const channels = [...new Set(entries.map(({ pdoIndex }) => pdoIndex))];
    return entries.map((entry) => entryCells(entry, channels.indexOf(entry.pdoIndex) + 1));
  });
  return [
    `${styleText('bold', position)}  ${cells.join('  ')}`,
    ...table(rows).map((line) => `     ${line.trimEnd()}`),
  ];
}

function entryCells({ direction, index, subindex, pdoName, name, bitLength }: NetworkEntry, channel: number): string[] {
  const names = [pdoName, name].filter((text) => text !== '').join(' / ');
  return [
    direction,
    `${hex(index, 4)}:${subindex}`,
    `channel ${channel}`,
    `${bitLength} bit${bitLength === 1 ? '' : 's'}`,
    names,
  ];
}

/** What the devices of a segment count and say, in which a fault could be seen. */

import type { SimulatedSegment } from '../../src/simulator/index.ts';

/** What is looked at in every device: name, register, bytes. ESC data sheet, section II, register descriptions. */
const REGISTERS: readonly [name: string, address: number, bytes: number][] = [
  ...[0, 1, 2, 3].flatMap((port): [string, number, number][] => [
    [`invalid frames ${port}`, 0x0300 + 2 * port, 1],
    [`RX errors ${port}`, 0x0301 + 2 * port, 1],
    [`forwarded ${port}`, 0x0308 + port, 1],
    [`lost links ${port}`, 0x0310 + port, 1],
  ]),
  ['processing unit', 0x030c, 1],
  ['PDI errors', 0x030d, 1],
  ['SM watchdog', 0x0442, 1],
  ['PDI watchdog', 0x0443, 1],
  ['DL status', 0x0110, 2],
  ['AL status', 0x0130, 1],
  ['AL status code', 0x0134, 2],
];

/** Registers by device and name. */
export type Counters = ReadonlyMap<string, number>;

/** Those of all devices, looked at without a frame. */
export async function counters(machine: SimulatedSegment): Promise<Counters> {
  const all = new Map<string, number>();
  for (const device of machine.devices) {
    for (const [name, address, bytes] of REGISTERS) {
      all.set(`${device.name} ${name}`, Number(await device.register(address, bytes).read()));
    }
  }
  return all;
}

/** What is different, in words: `axis RX errors 0: 0 to 1`; states and DL status are hexadecimal. */
export function changed(before: Counters, after: Counters): string[] {
  const text = (name: string, value: number): string => (/status/.test(name) ? `0x${value.toString(16)}` : `${value}`);
  return [...after]
    .filter(([name, value]) => before.get(name) !== value)
    .map(([name, value]) => `${name}: ${text(name, before.get(name)!)} to ${text(name, value)}`);
}

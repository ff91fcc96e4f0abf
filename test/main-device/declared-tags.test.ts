/** Every kind of tag that a configuration can declare, from its YAML to what subscribers, snapshots and histories have of it. */

import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { attach, type Bus, MainDevice, type Sample, type TagValue, type WatchOptions } from '../../src/index.ts';
import { folderWith } from '../configuration/files.ts';

const SEGMENT = `
devices:
  - name: cell
    type: generic
    pdos:
      - direction: input
        index: 0x1a00
        entries:
          - { index: 0x6000, subindex: 1, bits: 16, data_type: 6 }
          - { index: 0x6001, subindex: 1, bits: 16, data_type: 3 }
          - { index: 0x6002, subindex: 1, bits: 32, data_type: 4 }
          - { index: 0x6003, subindex: 1, bits: 16, data_type: 3 }
          - { index: 0x6003, subindex: 2, bits: 16, data_type: 3 }
          - { index: 0x6003, subindex: 3, bits: 16, data_type: 3 }
          - { index: 0x6004, subindex: 1, bits: 64, data_type: 0x15 }
          - { index: 0x6005, subindex: 1, bits: 64, data_type: 0x1b }
          - { index: 0x6006, subindex: 1, bits: 64, data_type: 10 }
          - { index: 0x6007, subindex: 1, bits: 32, data_type: 8 }
`;

const PLANT = `
ethercat:
  master: { segment: cell.segment.yaml, cycle_time: 1ms, time: virtual }
  devices:
    - { name: cell, position: 0 }
  process_data:
    inputs:
      - { name: status, slave: cell, index: 0x6000, subindex: 1 }
      - { name: ready, slave: cell, index: 0x6000, subindex: 1, bit_offset: 0, type: bool }
      - name: mode
        slave: cell
        index: 0x6000
        subindex: 1
        bit_offset: 4
        bit_length: 3
        type: uint8
        labels: { 0: stopped, 1: running, 5: faulted }
      - { name: temperature, slave: cell, index: 0x6001, subindex: 1, scale: 0.1, offset: -10, unit: °C, dead_band: 0.5 }
      - { name: flow, slave: cell, index: 0x6002, subindex: 1, dead_band: 10 % }
      - { name: axes, slave: cell, index: 0x6003, subindex: 1, type: int16, count: 3 }
      - { name: position, slave: cell, index: 0x6004, subindex: 1 }
      - { name: counter, slave: cell, index: 0x6005, subindex: 1 }
      - { name: serial, slave: cell, index: 0x6006, subindex: 1, type: bytes }
      - { name: pressure, slave: cell, index: 0x6007, subindex: 1 }
`;

/** The device's inputs, by the order of its entries. */
const input = {
  status: 1,
  temperature: 2,
  flow: 3,
  axes: 4,
  position: 7,
  counter: 8,
  serial: 9,
  pressure: 10,
} as const;

interface Cell extends AsyncDisposable {
  readonly bus: MainDevice;
  /** Sets an input, and lets the bus see it. */
  see(channel: number, value: number | bigint): Promise<void>;
}

async function cell(t: ExecutionContext): Promise<Cell> {
  const folder = await folderWith(t, { 'cell.segment.yaml': SEGMENT, 'plant.yaml': PLANT });
  const bus = await MainDevice.open(join(folder, 'plant.yaml'));
  await bus.advance(2);
  return {
    bus,
    see: async (channel, value) => {
      bus.simulator.device('cell').input(channel).set(value);
      await bus.advance(2);
    },
    [Symbol.asyncDispose]: () => bus.close(),
  };
}

/** What a subscriber is told of a tag from now on, by value. */
function heard(bus: Bus, tag: string, options?: WatchOptions): TagValue[] {
  const values: TagValue[] = [];
  const stream = options === undefined ? bus.tag(tag).value$ : bus.tag(tag).watch(options);
  stream.subscribe(({ value }) => values.push(value));
  values.length = 0;
  return values;
}

test('bits of a word are tags of their own, with names for their values', async (t) => {
  await using plant = await cell(t);
  const { bus, see } = plant;
  const [status, ready, mode] = ['status', 'ready', 'mode'].map((tag) => heard(bus, tag));
  await see(input.status, 0b0001_0001);
  await see(input.status, 0b0101_0001);
  // A value without a name is its number; bits of the word that are no tag's change nothing but the word.
  await see(input.status, 0b0010_0000);
  await see(input.status, 0b1000_0000_0010_0000);
  t.deepEqual(status, [0x11, 0x51, 0x20, 0x8020]);
  t.deepEqual(ready, [true, false]);
  t.deepEqual(mode, ['running', 'faulted', 2]);
  t.deepEqual(bus.tag('mode').labels, { 0: 'stopped', 1: 'running', 5: 'faulted' });
});

test('an absolute and a relative dead band of the configuration, in the unit of the value, on every thread alike', async (t) => {
  await using plant = await cell(t);
  const { bus, see } = plant;
  using attached = attach(bus.handle);
  await see(input.temperature, 300);
  await see(input.flow, 1000);
  const here = { temperature: heard(bus, 'temperature'), flow: heard(bus, 'flow') };
  const there = { temperature: heard(attached, 'temperature'), flow: heard(attached, 'flow') };
  // 20 °C; up to half a degree is not told, a drift is as soon as it is more.
  for (const raw of [304, 305, 302, 306, 302, 301, 300]) await see(input.temperature, raw);
  // Of 1000, 100 is not told; of 1101, 110.1.
  for (const raw of [1100, 900, 1101, 1000, 991, 990]) await see(input.flow, raw);
  const rounded = (values: TagValue[]): number[] => values.map((value) => Math.round(Number(value) * 10) / 10);
  while (there.flow.length < here.flow.length) await bus.advance(1);
  for (const { temperature, flow } of [here, there]) {
    t.deepEqual(rounded(temperature), [20.6, 20]);
    t.deepEqual(flow, [1101, 990]);
  }
  // Whoever reads has the value, and not what was told of it.
  await see(input.flow, 991);
  t.is(bus.snapshot().value('flow'), 991);
  t.deepEqual([...bus.history(1, ['flow']).column('flow')], [991]);
});

test('a change of quality is told whatever the dead band', async (t) => {
  await using plant = await cell(t);
  const { bus, see } = plant;
  await see(input.flow, 1000);
  const samples: Sample[] = [];
  bus.tag('flow').value$.subscribe((sample) => samples.push(sample));
  bus.simulator.loseFrames(1);
  await bus.advance(1);
  await bus.advance(1);
  t.deepEqual(
    samples.map(({ value, quality }) => [value, quality]),
    [
      [1000, 'good'],
      [1000, 'stale'],
      [1000, 'good'],
    ],
  );
});

test('each subscription has a least interval and a dead band of its own, and its last word is the newest value', async (t) => {
  await using plant = await cell(t);
  const { bus, see } = plant;
  const samples: Sample[] = [];
  bus
    .tag('position')
    .watch({ minIntervalMs: 10 })
    .subscribe((sample) => samples.push(sample));
  const every = heard(bus, 'position');
  const coarse = heard(bus, 'position', { deadBand: 20 });
  const part = heard(bus, 'position', { deadBand: '50 %' });
  for (let n = 1; n <= 40; n += 1) await see(input.position, n * 10);
  t.is(every.length, 40);
  t.deepEqual(
    coarse,
    Array.from({ length: 13 }, (_, n) => BigInt(30 * (n + 1))),
  );
  // From 0 on, 10 is more than its half; from 10, 20; from 20, 40; from 40, 70 …
  t.deepEqual(part, [10n, 20n, 40n, 70n, 110n, 170n, 260n, 400n]);
  const gaps = samples.slice(1).map(({ cycle }, n) => cycle - samples[n]!.cycle);
  t.true(samples.length >= 6 && gaps.slice(1).every((gap) => gap >= 9), JSON.stringify(gaps));
  await bus.advance(20);
  t.is(samples.at(-1)!.value, 400n);
});

test('arrays, byte strings, floats and 64 bits are told whole, with the cycle that brought them', async (t) => {
  await using plant = await cell(t);
  const { bus, see } = plant;
  const [axes, serial, counter, position, pressure] = ['axes', 'serial', 'counter', 'position', 'pressure'].map((tag) =>
    heard(bus, tag),
  );
  const device = bus.simulator.device('cell');
  // Three elements in one cycle are one sample.
  for (const [n, value] of [100, -200, 300].entries()) device.input(input.axes + n).set(value);
  await bus.advance(2);
  await see(input.axes + 1, 7);
  await see(input.serial, 0x0102_0304_0506_0708n);
  await see(input.counter, 2n ** 64n - 1n);
  await see(input.position, -(2n ** 63n));
  await see(input.pressure, 1.5);
  t.deepEqual(axes, [Int16Array.of(100, -200, 300), Int16Array.of(100, 7, 300)]);
  t.deepEqual(serial, [Uint8Array.of(8, 7, 6, 5, 4, 3, 2, 1)]);
  t.deepEqual(counter, [2n ** 64n - 1n]);
  t.deepEqual(position, [-(2n ** 63n)]);
  t.deepEqual(pressure, [1.5]);
  const now = bus.snapshot();
  t.deepEqual(
    [now.value('axes'), now.value('serial'), now.value('counter'), now.value('position'), now.value('pressure')],
    [axes![1], serial![0], counter![0], position![0], pressure![0]],
  );
  const history = bus.history(2);
  t.deepEqual([...history.column('axes')], [100, 7, 300, 100, 7, 300]);
  t.deepEqual([...history.column<BigUint64Array>('counter')], [2n ** 64n - 1n, 2n ** 64n - 1n]);
});

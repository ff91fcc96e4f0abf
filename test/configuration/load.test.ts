import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { loadConfiguration } from '../../src/core/configuration/load.ts';
import { folderWith } from './files.ts';

const fixture = (path: string): URL => new URL(`../fixtures/${path}`, import.meta.url);
const minimal = { ethercat: { master: { interface: 'eth0' } } };

test("the plan's configuration is accepted as it stands", async (t) => {
  const configuration = await loadConfiguration(fixture('plan-5.1.yaml'));
  t.deepEqual(configuration.link, { kind: 'interface', name: 'eth0' });
  t.is(configuration.cyclePeriodNs, 1_000_000);
  t.true(configuration.distributedClocks);
  const [device] = configuration.devices;
  t.like(device, { name: 'servo_drive_1', position: 0, vendorId: 2, productCode: 0x044c2c52, configFile: 'servo.xml' });
  t.like(configuration.tags[0], {
    name: 'position_feedback',
    direction: 'input',
    device: 'servo_drive_1',
    index: 0x6064,
    subindex: 0,
    type: 'int32',
  });
  t.like(configuration.tags[1], {
    name: 'target_position',
    direction: 'output',
    index: 0x607a,
    scale: 1,
    offset: 0,
    onLoss: 'hold',
  });
  t.like(configuration.tags[1]?.location, { line: 24, column: 9 });
});

test('defaults are filled in once', async (t) => {
  const configuration = await loadConfiguration(minimal);
  t.deepEqual(configuration, {
    source: undefined,
    link: { kind: 'interface', name: 'eth0' },
    cyclePeriodNs: 1_000_000,
    preSpinNs: 0,
    priority: undefined,
    partitions: undefined,
    cpu: undefined,
    distributedClocks: false,
    virtualTime: false,
    historySlots: undefined,
    outputDeadlineMs: 100,
    signals: false,
    devices: [],
    tags: [],
    lanes: [],
    interlocks: [],
  });
});

test('the result is frozen to its leaves', async (t) => {
  const configuration = await loadConfiguration(fixture('plan-5.1.yaml'));
  t.true(Object.isFrozen(configuration));
  t.true(Object.isFrozen(configuration.link));
  t.true(Object.isFrozen(configuration.tags));
  t.true(Object.isFrozen(configuration.tags[0]?.location));
});

test('main_device and sub_device mean the same as master and slave', async (t) => {
  const device = { name: 'io', position: 0 };
  const old = await loadConfiguration({
    ethercat: {
      master: { interface: 'eth0' },
      devices: [device],
      process_data: { inputs: [{ name: 'a', slave: 'io', channel: 1 }] },
    },
  });
  const current = await loadConfiguration({
    ethercat: {
      main_device: { interface: 'eth0' },
      devices: [device],
      process_data: { inputs: [{ name: 'a', sub_device: 'io', channel: 1 }] },
    },
  });
  t.deepEqual(current, old);
});

for (const [written, ns] of [
  [250, 250_000],
  ['250us', 250_000],
  ['312 µs', 312_000],
  ['1ms', 1_000_000],
  ['0.3 ms', 300_000],
  ['0.1s', 100_000_000],
] as const) {
  test(`a cycle time of ${written} is ${ns} ns`, async (t) => {
    const { cyclePeriodNs } = await loadConfiguration({
      ethercat: { master: { interface: 'eth0', cycle_time: written } },
    });
    t.is(cyclePeriodNs, ns);
  });
}

test('all settings of the MainDevice arrive', async (t) => {
  const configuration = await loadConfiguration({
    ethercat: {
      master: {
        segment: { devices: [{ type: 'EK1100' }] },
        cycle_time: '500us',
        distributed_clocks: true,
        redundancy: false,
        pre_spin_us: 40,
        priority: 80,
        cpu: 1,
        time: 'virtual',
        signals: true,
        history_ms: 100,
        output_deadline_ms: 0,
      },
    },
  });
  t.like(configuration, {
    cyclePeriodNs: 500_000,
    distributedClocks: true,
    preSpinNs: 40_000,
    priority: 80,
    cpu: 1,
    virtualTime: true,
    signals: true,
    historySlots: 256,
    outputDeadlineMs: 0,
  });
});

test('a slow cycle gets an output deadline of ten cycles', async (t) => {
  const { outputDeadlineMs } = await loadConfiguration({
    ethercat: { master: { interface: 'eth0', cycle_time: '50ms' } },
  });
  t.is(outputDeadlineMs, 500);
});

test('extensions of a tag arrive', async (t) => {
  const tag = {
    name: 'a',
    slave: 'io',
    channel: 2,
    entry: 'Value',
    bit_offset: 4,
    bit_length: 12,
    type: 'uint16',
    scale: 0.5,
    offset: -3,
    unit: '°C',
    dead_band: '2.5 %',
    on_loss: 20,
  } as const;
  const configuration = await loadConfiguration({
    ethercat: {
      ...minimal.ethercat,
      devices: [{ name: 'io', position: 3, revision: 1, serial: 2 }],
      process_data: { outputs: [tag] },
    },
  });
  t.like(configuration.devices[0], { revision: 1, serial: 2, vendorId: undefined });
  t.deepEqual(configuration.tags[0], {
    name: 'a',
    direction: 'output',
    device: 'io',
    index: undefined,
    subindex: undefined,
    channel: 2,
    entry: 'Value',
    bitOffset: 4,
    bitLength: 12,
    type: 'uint16',
    scale: 0.5,
    offset: -3,
    unit: '°C',
    count: undefined,
    labels: undefined,
    deadBand: '2.5 %',
    onLoss: 20,
    location: undefined,
  });
});

test('a segment from outside takes the place of whatever the configuration names', async (t) => {
  const devices = [{ type: 'EK1100' as const }];
  const folder = await folderWith(t, { 'line.yaml': 'devices: [{ type: EK1100 }]\n' });
  const expected = { kind: 'segment', description: { devices, signals: [], wires: [] } };
  for (const segment of [{ devices }, join(folder, 'line.yaml')])
    t.deepEqual((await loadConfiguration(minimal, { segment })).link, expected as never);
  await t.throwsAsync(loadConfiguration(minimal, { segment: { devices: [] } }), {
    code: 'ECAT_ERR_CONFIGURATION_INVALID',
  });
});

test('an interface from outside takes the place of whatever the configuration names', async (t) => {
  const folder = await folderWith(t, { 'plant.yaml': 'ethercat:\n  master: { segment: gone.yaml }\n' });
  const { link } = await loadConfiguration(join(folder, 'plant.yaml'), { interface: 'veth0' });
  t.deepEqual(link, { kind: 'interface', name: 'veth0' });
});

test('the examples are valid, and their segment drives what the tags read', async (t) => {
  const file = fileURLToPath(new URL('../../examples/line.yaml', import.meta.url));
  const { link, tags, devices } = await loadConfiguration(file);
  t.is(link.kind, 'segment');
  if (link.kind !== 'segment') return;
  t.deepEqual(
    link.description.devices.map((device) => device['name']),
    devices.map(({ name }) => name),
  );
  const driven = [
    ...link.description.signals.map((signal) => signal['input']),
    ...link.description.wires.map((wire) => wire['to']),
  ];
  const read = tags
    .filter(({ direction }) => direction === 'input')
    .map(({ device, channel }) => `${device}.${channel}`);
  t.deepEqual(driven.toSorted(), read.toSorted());
});

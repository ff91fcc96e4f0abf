import { join } from 'node:path';
import test from 'ava';
import { loadConfiguration } from '../../src/core/configuration/load.ts';
import type { NormalizedConfiguration } from '../../src/core/configuration/types.ts';
import { folderWith, messagesOf, problemsOf } from './files.ts';

const plant = 'ethercat:\n  master:\n    segment: line.yaml\n';

function description(configuration: NormalizedConfiguration): unknown {
  return configuration.link.kind === 'segment' ? configuration.link.description : undefined;
}

test('a segment file becomes the description that the simulator reads', async (t) => {
  const folder = await folderWith(t, {
    'plant.yaml': plant,
    'line.yaml': `
devices:
  - { name: coupler, type: EK1100, vendor_id: 2, order_name: X }
  - { name: in, type: digital-inputs, channels: 4, transition_delay_ms: 5, refuse: [{ to: OP, code: 0x1d }] }
  - { name: out, type: generic, pdos: [{ direction: output, index: 0x1600, entries: [{ index: 0x7000, bits: 8, data_type: 5 }] }] }
signals:
  - { input: in.1, counter: { period_ms: 10 } }
wires:
  - { from: out.1, to: in.2 }
`,
  });
  t.deepEqual(description(await loadConfiguration(join(folder, 'plant.yaml'))), {
    devices: [
      { name: 'coupler', type: 'EK1100', vendorId: 2, orderName: 'X' },
      { name: 'in', type: 'digital-inputs', channels: 4, transitionDelayMs: 5, refuse: [{ to: 'OP', code: 0x1d }] },
      {
        name: 'out',
        type: 'generic',
        pdos: [{ direction: 'output', index: 0x1600, entries: [{ index: 0x7000, bits: 8, dataType: 5 }] }],
      },
    ],
    signals: [{ input: 'in.1', counter: { periodMs: 10 } }],
    wires: [{ from: 'out.1', to: 'in.2' }],
  });
});

test('seed and clocks reach the simulator', async (t) => {
  const folder = await folderWith(t, {
    'plant.yaml': plant,
    'line.yaml': `
seed: 7
devices: [{ type: EK1100, clock: { drift_ppm: -35.5, jitter_ns: 20, offset_ns: 123 } }]
`,
  });
  t.deepEqual(description(await loadConfiguration(join(folder, 'plant.yaml'))), {
    devices: [{ type: 'EK1100', clock: { driftPpm: -35.5, jitterNs: 20, offsetNs: 123 } }],
    signals: [],
    wires: [],
    seed: 7,
  });
});

test('what a program wants of the clock, refuses, and does wrong reaches the simulator', async (t) => {
  const folder = await folderWith(t, {
    'plant.yaml': plant,
    'line.yaml': `
devices:
  - type: generic
    pdos: []
    identification: 7
    dc_modes: [{ name: DC, assign_activate: 0x300, cycle_time_0_ns: 0, sync_1_cycle_factor: -1 }]
    sync: { required: false, minimum_cycle_ns: 125000, tolerance_ns: 1000 }
    refuse: [{ to: SAFE-OP, code: 0x1d, when: { sync_manager: 2, length: 17 } }]
    mailbox:
      mapped_writable: false
      objects: [{ index: 0x2000, backup: true, setting: true }]
      faults: [{ after: 1, effect: { kind: late, delay_ms: 5 } }]
`,
  });
  t.deepEqual(description(await loadConfiguration(join(folder, 'plant.yaml'))), {
    devices: [
      {
        type: 'generic',
        pdos: [],
        identification: 7,
        dcModes: [{ name: 'DC', assignActivate: 0x300, cycleTime0Ns: 0, sync1CycleFactor: -1 }],
        sync: { required: false, minimumCycleNs: 125_000, toleranceNs: 1000 },
        refuse: [{ to: 'SAFE-OP', code: 0x1d, when: { syncManager: 2, length: 17 } }],
        mailbox: {
          mappedWritable: false,
          objects: [{ index: 0x2000, backup: true, setting: true }],
          faults: [{ after: 1, effect: { kind: 'late', delayMs: 5 } }],
        },
      },
    ],
    signals: [],
    wires: [],
  });
});

test('a mailbox with objects and files becomes what the simulator reads', async (t) => {
  const folder = await folderWith(t, {
    'plant.yaml': plant,
    'line.yaml': `
devices:
  - type: generic
    pdos: [{ direction: input, index: 0x1a00, assigned: false, fixed: true, entries: [{ index: 0x6041, bits: 16 }] }]
    mailbox:
      delay_ms: 0.5
      objects:
        - { index: 0x2000, data_type: 6, value: 7, access: rw-pre-op, maximum: 9 }
        - { index: 0x2001, entries: [{ subindex: 1, value: text }, { subindex: 2, value: [1, 255] }] }
      files: [{ name: firmware, boot_only: true, busy_answers: 2 }]
      emergencies: [{ at: OP, code: 0x8130, data: [1, 2, 3, 4, 5] }]
`,
  });
  const entries = [{ index: 0x6041, bits: 16 }];
  t.deepEqual(description(await loadConfiguration(join(folder, 'plant.yaml'))), {
    devices: [
      {
        type: 'generic',
        pdos: [{ direction: 'input', index: 0x1a00, assigned: false, fixed: true, entries }],
        mailbox: {
          delayMs: 0.5,
          objects: [
            { index: 0x2000, dataType: 6, value: 7, access: 'rw-pre-op', maximum: 9 },
            {
              index: 0x2001,
              entries: [
                { subindex: 1, value: 'text' },
                { subindex: 2, value: [1, 255] },
              ],
            },
          ],
          files: [{ name: 'firmware', bootOnly: true, busyAnswers: 2 }],
          emergencies: [{ at: 'OP', code: 0x8130, data: [1, 2, 3, 4, 5] }],
        },
      },
    ],
    signals: [],
    wires: [],
  });
});

test('devices are plugged into a port of one before them, and a ring into the last', async (t) => {
  const devices = [
    { name: 'a', type: 'EK1100' },
    { name: 'b', type: 'EK1100', parent: 'a', port: 2, cable_metres: 50 },
  ] as const;
  const ring = { parent: 'b', port: 2 };
  const configuration = await loadConfiguration({ ethercat: { master: { segment: { devices, ring } } } });
  t.deepEqual(description(configuration), {
    devices: [devices[0], { name: 'b', type: 'EK1100', parent: 'a', port: 2, cableMetres: 50 }],
    signals: [],
    wires: [],
    ring,
  });
  const turned = { devices: [{ type: 'EK1100', parent: 'b' }, devices[0]] } as const;
  const error = await t.throwsAsync(loadConfiguration({ ethercat: { master: { segment: turned } } }));
  t.regex(error?.message ?? '', /parent/);
});

test('a segment may stand in the configuration itself', async (t) => {
  const configuration = await loadConfiguration({
    ethercat: { master: { segment: { devices: [{ type: 'EK1100' }] } } },
  });
  t.deepEqual(description(configuration), { devices: [{ type: 'EK1100' }], signals: [], wires: [] });
});

test('an SII image is read from beside the segment file', async (t) => {
  const image = Uint8Array.from({ length: 256 }, (_, index) => index);
  const folder = await folderWith(t, {
    'plant.yaml': plant,
    'line.yaml': 'devices: [{ sii: device.bin }]\n',
    'device.bin': image,
  });
  const { devices } = description(await loadConfiguration(join(folder, 'plant.yaml'))) as {
    devices: { sii: string }[];
  };
  t.deepEqual(Buffer.from(devices[0]?.sii ?? '', 'base64'), Buffer.from(image));
});

test('a segment file that is not there is an error at the key that names it', async (t) => {
  const error = await problemsOf(t, plant);
  t.is(error.code, 'ECAT_ERR_CONFIGURATION_FILE');
  t.is(error.message, 'plant.yaml:3:14 the segment file: cannot read line.yaml: there is no such file');
});

test('an SII image that is not there is an error at the key that names it', async (t) => {
  const error = await problemsOf(t, plant, { 'line.yaml': 'devices:\n  - type: EK1100\n  - sii: gone.bin\n' });
  t.is(error.code, 'ECAT_ERR_CONFIGURATION_FILE');
  t.is(error.message, 'line.yaml:3:10 devices[1].sii: cannot read gone.bin: there is no such file');
});

const problems: readonly [string, string, readonly string[]][] = [
  [
    'names the segment file',
    'devices:\n  - typ: EK1100\n',
    [
      'line.yaml:2:5 devices[0] needs exactly one of type (a built-in device), sii (the file of an SII image), esi (a device of an ESI file) and sii_words (what is known of an image); it has none',
      'line.yaml:2:5 devices[0].typ is not a known key; did you mean type?',
    ],
  ],
  [
    'wants at least one device',
    'devices: []\n',
    ['line.yaml:1:10 devices must be a list of at least one SubDevice, not an empty list'],
  ],
  [
    'wants names to be unique',
    'devices:\n  - { name: a, type: EK1100 }\n  - { name: a, type: EK1100 }\n',
    ['line.yaml:3:13 devices[1].name is "a", which another device is called already'],
  ],
  [
    'wants PDOs for a generic device',
    'devices:\n  - type: generic\n',
    ['line.yaml:2:5 devices[0] needs the key pdos: a generic device has no others'],
  ],
  [
    'wants signals and wires to meet devices',
    'devices:\n  - { name: in, type: digital-inputs }\nsignals:\n  - { input: inn.1, constant: 1 }\nwires:\n  - { from: out.1, to: in.1 }\n',
    [
      'line.yaml:4:14 signals[0].input is "inn.1", but no device is called "inn"; did you mean in?',
      'line.yaml:6:13 wires[0].from is "out.1", but no device is called "out"',
    ],
  ],
  [
    'wants channels that a built-in device has',
    'devices:\n  - { name: in, type: digital-inputs, channels: 2 }\n  - { name: out, type: digital-outputs }\nwires:\n  - { from: out.9, to: in.3 }\n  - { from: in.1, to: out.1 }\n',
    [
      'line.yaml:5:13 wires[0].from is "out.9", but out has 8 outputs',
      'line.yaml:5:24 wires[0].to is "in.3", but in has 2 inputs',
      'line.yaml:6:13 wires[1].from is "in.1", but in has no outputs',
      'line.yaml:6:23 wires[1].to is "out.1", but out has no inputs',
    ],
  ],
  [
    'wants one driver for an input',
    'devices:\n  - { name: in, type: digital-inputs }\nsignals:\n  - { input: in.1, constant: 1 }\n  - { input: in.1, constant: 0 }\n',
    ['line.yaml:5:14 signals[1].input is "in.1", which another signal or wire drives already'],
  ],
  [
    'wants one kind of signal',
    'devices:\n  - { name: in, type: digital-inputs }\nsignals:\n  - { input: in.1 }\n',
    ['line.yaml:4:5 signals[0] needs exactly one of sine, counter, square and constant; it has none'],
  ],
  [
    'wants channels as DEVICE.CHANNEL',
    'devices:\n  - { name: in, type: digital-inputs }\nsignals:\n  - { input: in, constant: 1 }\n',
    ['line.yaml:4:14 signals[0].input must be DEVICE.CHANNEL, e.g. inputs.1 (channels count from 1), not "in"'],
  ],
];
for (const [title, yaml, expected] of problems) {
  test(`a segment file with a problem ${title}`, async (t) => {
    t.deepEqual(await messagesOf(t, plant, { 'line.yaml': yaml }), expected);
  });
}

import test from 'ava';
import { loadConfiguration } from '../../src/core/configuration/load.ts';
import type { ConfigurationDocument } from '../../src/core/configuration/types.ts';
import { messagesOf, problemsOf } from './files.ts';

const head = 'ethercat:\n  master: { interface: eth0 }\n';

test('an unknown key is an error at the key, with a guess what was meant', async (t) => {
  const error = await problemsOf(t, 'ethercat:\n  master:\n    interface: eth0\n    cylce_time: 3\n');
  t.is(error.code, 'ECAT_ERR_CONFIGURATION_INVALID');
  t.is(error.category, 'configuration');
  t.is(error.message, 'plant.yaml:4:5 ethercat.master.cylce_time is not a known key; did you mean cycle_time?');
  t.like(error.location, { line: 4, column: 5 });
});

test('an unknown key that resembles none names those that there are', async (t) => {
  t.deepEqual(await messagesOf(t, `${head}  plugins: []\n`), [
    'plant.yaml:3:3 ethercat.plugins is not a known key; known here: master, main_device, devices, process_data, interlocks, lanes',
  ]);
});

test('a wrong value is an error at the value, with what was expected', async (t) => {
  const yaml = `${head}  devices:\n    - name: a\n      position: first\n    - name: b\n      position: 70000\n      vendor_id: -1\n`;
  t.deepEqual(await messagesOf(t, yaml), [
    'plant.yaml:5:17 ethercat.devices[0].position must be a whole number from 0 to 65534, not "first"',
    'plant.yaml:7:17 ethercat.devices[1].position must be a whole number from 0 to 65534, not 70000',
    'plant.yaml:8:18 ethercat.devices[1].vendor_id must be a whole number from 0 to 0xffffffff, not -1',
  ]);
});

test('a value that is a slip of one that can be is an error with a guess', async (t) => {
  const yaml = `${head}  process_data: { inputs: [{ name: a, slave: b, channel: 1, type: unit16 }] }\n`;
  t.deepEqual(await messagesOf(t, yaml), [
    'plant.yaml:3:67 ethercat.process_data.inputs[0].type must be one of bool, int8, uint8, int16, uint16, int32, uint32, int64, uint64, float32, float64, bytes, not "unit16"; did you mean uint16?',
  ]);
});

test('a missing key is an error at what needs it', async (t) => {
  t.deepEqual(await messagesOf(t, `${head}  devices:\n    - name: a\n`), [
    'plant.yaml:4:7 ethercat.devices[0] needs the key position: a whole number from 0 to 65534',
  ]);
});

test('an empty file and a file of something else say what is needed', async (t) => {
  t.deepEqual(await messagesOf(t, ''), ['plant.yaml:1:1 must be a mapping with keys, not empty']);
  t.deepEqual(await messagesOf(t, '- 1\n'), ['plant.yaml:1:1 must be a mapping with keys, not a list']);
  t.deepEqual(await messagesOf(t, 'ethercat:\n'), ['plant.yaml:1:10 ethercat must be a mapping with keys, not empty']);
  t.deepEqual(await messagesOf(t, 'ethercat:\n  master: eth0\n'), [
    'plant.yaml:2:11 ethercat.master must be a mapping with keys, not "eth0"',
  ]);
});

test('interface and segment exclude each other, and one of them is needed', async (t) => {
  const expected = 'ethercat.master needs either interface (a network card) or segment (a simulated segment)';
  t.deepEqual(await messagesOf(t, 'ethercat:\n  master: { interface: eth0, segment: x.yaml }\n'), [
    `plant.yaml:2:11 ${expected}; it has several`,
  ]);
  t.deepEqual(await messagesOf(t, 'ethercat:\n  master: {}\n'), [`plant.yaml:2:11 ${expected}; it has none`]);
});

test('broken YAML is named with its place', async (t) => {
  const error = await problemsOf(t, 'ethercat:\n  master: [\n');
  t.is(error.code, 'ECAT_ERR_CONFIGURATION_SYNTAX');
  t.like(error.location, { line: 3, column: 1 });
  t.is((await problemsOf(t, 'a: 1\na: 2\n')).message, 'plant.yaml:2:1 Map keys must be unique');
});

test('a few bytes of nested aliases do not expand to gigabytes', async (t) => {
  const levels = Array.from(
    { length: 9 },
    (_, level) => `l${level + 1}: &l${level + 1} [${Array(9).fill(`*l${level}`).join(', ')}]`,
  );
  const error = await problemsOf(t, `l0: &l0 [x]\n${levels.join('\n')}\n`);
  t.is(error.code, 'ECAT_ERR_CONFIGURATION_SYNTAX');
});

test('a problem behind an alias is named where the value stands', async (t) => {
  const yaml = `${head}  devices:\n    - &a { name: a, position: -1 }\n    - *a\n`;
  t.deepEqual(await messagesOf(t, yaml), [
    'plant.yaml:4:31 ethercat.devices[0].position must be a whole number from 0 to 65534, not -1',
    'plant.yaml:4:31 ethercat.devices[1].position must be a whole number from 0 to 65534, not -1',
  ]);
});

test('a file that is not there is an error with its name', async (t) => {
  const error = await t.throwsAsync(loadConfiguration('no-such-plant.yaml'));
  t.like(error, {
    code: 'ECAT_ERR_CONFIGURATION_FILE',
    message: 'the configuration: cannot read no-such-plant.yaml: there is no such file',
  });
});

test('names and positions of devices are unique', async (t) => {
  t.deepEqual(
    await messagesOf(t, `${head}  devices:\n    - { name: a, position: 1 }\n    - { name: a, position: 1 }\n`),
    [
      'plant.yaml:5:15 ethercat.devices[1].name is "a", which ethercat.devices[0] is called already',
      'plant.yaml:5:28 ethercat.devices[1].position is 1, which "a" has already',
    ],
  );
});

test('a tag belongs to a device of the configuration', async (t) => {
  const yaml = `${head}  devices: [{ name: sensors, position: 0 }]\n  process_data:\n    inputs:\n      - { name: t, slave: sensor, index: 1 }\n`;
  t.deepEqual(await messagesOf(t, yaml), [
    'plant.yaml:6:27 ethercat.process_data.inputs[0].slave is "sensor", which is not the name of a device; did you mean sensors?',
  ]);
});

test('names of tags are unique over inputs and outputs', async (t) => {
  const yaml = `${head}  devices: [{ name: a, position: 0 }]\n  process_data:\n    inputs: [{ name: t, slave: a, index: 1 }]\n    outputs: [{ name: t, slave: a, index: 1 }]\n`;
  t.deepEqual(await messagesOf(t, yaml), [
    'plant.yaml:6:23 ethercat.process_data.outputs[0].name is "t", which another tag is called already',
  ]);
});

const tagProblems: readonly [string, string, string][] = [
  [
    'finds its process data somehow',
    'type: int16',
    'needs index (and subindex), channel, or entry: which process data it is',
  ],
  [
    'finds its process data in one way',
    'index: 1, channel: 1',
    '.index cannot stand beside channel: either one finds the process data',
  ],
  ['has no subindex without index', 'channel: 1, subindex: 1', '.subindex needs index beside it'],
  [
    'has a type that exists',
    'index: 1, type: int',
    '.type must be one of bool, int8, uint8, int16, uint16, int32, uint32, int64, uint64, float32, float64, bytes, not "int"; did you mean int8?',
  ],
  [
    'is not longer than its type',
    'index: 1, type: int16, bit_length: 17',
    '.bit_length must be at most 16 for int16, not 17',
  ],
  [
    'of bytes has whole bytes',
    'index: 1, type: bytes, bit_length: 12',
    '.bit_length must be a multiple of 8 for bytes, not 12',
  ],
  [
    'of a float has its full length',
    'index: 1, type: float32, bit_length: 16',
    '.bit_length must be 32 for float32, not 16',
  ],
  ['is not scaled by zero', 'index: 1, scale: 0', '.scale must be a number other than 0, not 0'],
  ['of bool is not scaled', 'index: 1, type: bool, scale: 2', '.scale means nothing for bool'],
  [
    'goes to a loss value of its type',
    'index: 1, type: bool, on_loss: 3',
    '.on_loss must be hold, zero, true or false for bool, not 3',
  ],
  [
    'goes to a number if it is one',
    'index: 1, type: int16, on_loss: true',
    '.on_loss must be hold, zero or a number for int16, not true',
  ],
  [
    'goes to a loss value that exists',
    'index: 1, on_loss: stop',
    '.on_loss must be hold, zero, or a value, not "stop"',
  ],
  ['has labels by number', 'index: 1, labels: { open: on }', '.labels must be names by whole numbers, not "open"'],
  [
    'has labels that are a mapping',
    'index: 1, labels: [open]',
    '.labels must be whole numbers with a name each, such as { 0: closed, 1: open }, not a list',
  ],
  ['has each label once', 'index: 1, labels: { 0: open, 1: open }', '.labels.1 is "open", as that of 0 is already'],
  [
    'has labels for whole numbers alone',
    'index: 1, type: float32, labels: { 1: a }',
    '.labels mean nothing for float32: they name whole numbers',
  ],
  [
    'has either labels or a scale',
    'index: 1, labels: { 1: a }, scale: 2',
    '.labels cannot stand beside scale or offset: they name raw values',
  ],
  ['that is an array has no labels', 'index: 1, labels: { 1: a }, count: 2', '.labels mean nothing for an array'],
  ['is an array from two elements on', 'index: 1, count: 1', '.count must be a whole number from 2 to 65535, not 1'],
  [
    'of bytes is no array',
    'index: 1, type: bytes, count: 2',
    '.count means nothing for bytes: bit_length says how many they are',
  ],
  [
    'has a dead band in units or percent',
    'index: 1, dead_band: 2 m',
    '.dead_band must be a number from 0, or text in percent such as "2 %", not "2 m"',
  ],
  [
    'has a dead band from 0',
    'index: 1, dead_band: -1',
    '.dead_band must be a number from 0, or text in percent such as "2 %", not -1',
  ],
  ['of bool has no dead band', 'index: 1, type: bool, dead_band: 1', '.dead_band means nothing for bool'],
  ['that is an array has no dead band', 'index: 1, count: 3, dead_band: 1', '.dead_band means nothing for an array'],
];
for (const [title, keys, expected] of tagProblems) {
  test(`a tag ${title}`, async (t) => {
    const yaml = `${head}  devices: [{ name: a, position: 0 }]\n  process_data:\n    outputs:\n      - { name: t, slave: a, ${keys} }\n`;
    const [message, ...others] = await messagesOf(t, yaml);
    t.deepEqual(others, []);
    t.regex(message ?? '', /^plant\.yaml:6:\d+ ethercat\.process_data\.outputs\[0\]/);
    t.true(message?.endsWith(expected.startsWith('.') ? `outputs[0]${expected}` : `outputs[0] ${expected}`), message);
  });
}

test('a device is in one of the partitions that there are', async (t) => {
  const yaml =
    'ethercat:\n  master: { interface: eth0, partitions: 2 }\n  devices:\n    - { name: a, position: 0, partition: 1 }\n    - { name: b, position: 1, partition: 2 }\n';
  t.deepEqual(await messagesOf(t, yaml), [
    'plant.yaml:5:42 ethercat.devices[1].partition must be below the number of partitions (2), not 2',
  ]);
});

test('on_loss is for outputs', async (t) => {
  const yaml = `${head}  devices: [{ name: a, position: 0 }]\n  process_data:\n    inputs:\n      - { name: t, slave: a, index: 1, on_loss: hold }\n`;
  const [message] = await messagesOf(t, yaml);
  t.regex(message ?? '', /^plant\.yaml:6:40 .*inputs\[0\]\.on_loss is not a known key/);
});

for (const [title, keys, expected] of [
  [
    'the cycle time',
    'cycle_time: 99',
    /cycle_time must be 100 to 100000 µs as a whole number, or text with a unit .*, not 99$/,
  ],
  [
    'a cycle time with a unit',
    'cycle_time: 0.09 ms',
    /cycle_time must be a whole number of µs from 100 to 100000, not "0.09 ms"$/,
  ],
  ['a cycle time of parts of a µs', 'cycle_time: 0.5005 ms', /cycle_time must be a whole number of µs/],
  ['virtual time on a network card', 'time: virtual', /time can be virtual only with a simulated segment/],
  [
    'a spin of more than half a cycle',
    'pre_spin_us: 600',
    /pre_spin_us must be at most half of the cycle time \(500 µs\), not 600/,
  ],
  [
    'an output deadline of less than four cycles',
    'output_deadline_ms: 3',
    /output_deadline_ms must be 0 \(never\) or at least 4 cycles \(4 ms\), not 3/,
  ],
  ['partitions to eight', 'partitions: 9', /partitions must be auto, or a whole number from 1 to 8, not 9$/],
  ['partitions to a word that means something', 'partitions: all', /partitions must be auto, or .*, not "all"$/],
  ['an endless history', 'history_ms: 100000', /history_ms must be at most 65536 cycles \(65536 ms\), not 100000/],
  ['a priority that there is not', 'priority: 100', /priority must be a whole number from 1 to 99, not 100/],
] as const) {
  test(`limits ${title}`, async (t) => {
    const [message, ...others] = await messagesOf(t, `ethercat:\n  master: { interface: eth0, ${keys} }\n`);
    t.deepEqual(others, []);
    t.regex(message ?? '', expected);
    t.regex(message ?? '', /^plant\.yaml:2:\d+ ethercat\.master\./);
  });
}

test('redundancy is said to belong to a later version', async (t) => {
  const error = await problemsOf(t, 'ethercat:\n  master: { interface: eth0, redundancy: true }\n');
  t.is(error.code, 'ECAT_ERR_UNSUPPORTED');
  t.is(
    error.message,
    'plant.yaml:2:42 ethercat.master.redundancy: cable redundancy comes with a later version than 0.1',
  );
});

test('a plain object has paths in place of lines', async (t) => {
  const error = await t.throwsAsync(
    loadConfiguration({ ethercat: { master: { interfaces: 'eth0' } } } as unknown as ConfigurationDocument),
  );
  t.regex(error?.message ?? '', /ethercat\.master\.interfaces is not a known key; did you mean interface\?/);
  t.false('location' in (error ?? {}));
  for (const nothing of [undefined, null, 7, []]) {
    await t.throwsAsync(loadConfiguration(nothing as unknown as ConfigurationDocument), {
      code: 'ECAT_ERR_CONFIGURATION_INVALID',
    });
  }
});

const line = `${head}  devices:
    - { name: out, position: 0 }
  process_data:
    inputs:
      - { name: sensor, slave: out, channel: 1 }
    outputs:
      - { name: lamp, slave: out, channel: 1 }
`;

test('a lane with outputs that are not there, twice somebody’s, or inputs is an error at each', async (t) => {
  const lanes = `  lanes:
    - { name: press, outputs: [lamp, lampe, sensor] }
    - { name: press, outputs: [lamp] }
    - { name: saw, outputs: [] }
`;
  t.deepEqual(await messagesOf(t, line + lanes.replace('    - { name: saw, outputs: [] }\n', '')), [
    'plant.yaml:11:38 ethercat.lanes[0].outputs[1] is "lampe", which is neither an output nor a device; did you mean lamp?',
    'plant.yaml:11:45 ethercat.lanes[0].outputs[2] is "sensor", which is an input',
    'plant.yaml:12:15 ethercat.lanes[1].name is "press", which another lane is called already',
    'plant.yaml:12:32 ethercat.lanes[1].outputs[0] is "lamp", which lane press has already',
  ]);
  t.deepEqual(await messagesOf(t, line + lanes), [
    'plant.yaml:13:29 ethercat.lanes[2].outputs must be a list of names of outputs or devices, with at least one, not an empty list',
  ]);
});

test('a deadline of a lane that would trip without reason is an error', async (t) => {
  const lanes = '  lanes:\n    - { name: press, outputs: [out], deadline_ms: 3, commit_deadline_ms: 0 }\n';
  t.deepEqual(await messagesOf(t, line + lanes), [
    'plant.yaml:11:51 ethercat.lanes[0].deadline_ms must be 0 (never) or at least 4 cycles (4 ms), not 3',
  ]);
});

test('a whole number that would be rounded is an error, in decimal and in hex', async (t) => {
  const yaml = `${head}  devices:\n    - name: a\n      position: 9007199254740993\n      serial: 0xffffffffffffffff\n`;
  t.deepEqual(await messagesOf(t, yaml), [
    'plant.yaml:5:17 9007199254740993 is beyond ±9007199254740991 and would be rounded; write the bytes of such a value',
    'plant.yaml:6:15 0xffffffffffffffff is beyond ±9007199254740991 and would be rounded; write the bytes of such a value',
  ]);
});

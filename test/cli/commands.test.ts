import { join } from 'node:path';
import test from 'ava';
import { folderWith } from '../configuration/files.ts';
import { RunningCommand, runCli } from '../support/cli.ts';

test('validate says what a file describes', async (t) => {
  t.like(await runCli('validate', 'examples/line.yaml'), {
    code: 0,
    lines: ['✓ examples/line.yaml: 5 devices, 7 inputs, 3 outputs'],
    stderr: '',
  });
  t.like(await runCli('validate', 'examples/line.segment.yaml'), {
    code: 0,
    lines: ['✓ examples/line.segment.yaml: 5 devices, 5 signals, 2 wires'],
  });
});

test('validate prints every problem with its place and what to do, once', async (t) => {
  const folder = await folderWith(t, {
    'plant.yaml': 'ethercat:\n  master: { interface: eth0, cycle: 1 }\n  device: []\n',
  });
  const file = join(folder, 'plant.yaml');
  const { code, lines, stderr } = await runCli('validate', file);
  t.is(code, 1);
  t.deepEqual(lines, []);
  t.deepEqual(stderr.trimEnd().split('\n'), [
    `ECAT_ERR_CONFIGURATION_INVALID: ${file}:2:30 ethercat.master.cycle is not a known key; did you mean cycle_time?`,
    `ECAT_ERR_CONFIGURATION_INVALID: ${file}:3:3 ethercat.device is not a known key; did you mean devices?`,
    '  → Correct the named places; "bifrost-ethercat validate FILE" shows them all.',
  ]);
});

test('validate builds a segment: what only the simulator knows has its place too', async (t) => {
  const segment = 'devices:\n  - type: modular-coupler\n    modules: [{ module: 9DI }]\n';
  const plant = 'ethercat: { master: { segment: line.yaml } }\n';
  const folder = await folderWith(t, { 'line.yaml': segment, 'plant.yaml': plant });
  for (const file of ['line.yaml', 'plant.yaml']) {
    const { code, lines, stderr } = await runCli('validate', join(folder, file));
    t.is(code, 1);
    t.deepEqual(lines, []);
    const place = `${join(folder, 'line.yaml')}:3:25 devices[0].modules[0].module`;
    t.true(stderr.startsWith(`ECAT_ERR_SEGMENT_INVALID: ${place}: there is no such module, but 4DI, `), stderr);
  }
});

test('a fault of the command line is refused by the keys that a person wrote', async (t) => {
  for (const [fault, expected] of [
    [
      '{ effect: { kind: powe-off } }',
      /fault: effect\.kind must be one of .*, not "powe-off"; did you mean power-off\?/,
    ],
    ['{ when: { for_s: 1 }, effect: { kind: cut } }', /fault: when\.for_s is not a known key; did you mean for_ms\?/],
    ['{ on: { device: 0 }, effect: { kind: cut, bytes: 1 } }', /fault: effect\.bytes means nothing with the kind cut/],
  ] as const) {
    const { code, stderr } = await runCli(
      'simulate',
      'examples/line.segment.yaml',
      '--interface',
      'lo',
      '--fault',
      fault,
    );
    t.is(code, 1);
    t.regex(stderr, /^ECAT_ERR_INVALID_ARGUMENT: /);
    t.regex(stderr, expected);
  }
});

test('a segment file in place of a configuration is told as that', async (t) => {
  const { code, stderr } = await runCli('demo', 'examples/line.segment.yaml');
  t.is(code, 1);
  t.regex(
    stderr,
    /^ECAT_ERR_CONFIGURATION_INVALID: examples\/line\.segment\.yaml:\d+:1 this describes a simulated segment .*--segment FILE/,
  );
});

test('an output file that cannot be written is no defect', async (t) => {
  const folder = await folderWith(t, { file: 'no folder' });
  const out = join(folder, 'file/out.ts');
  for (const command of [
    ['types', 'examples/line.yaml'],
    ['twin', '--configuration', 'examples/line.yaml'],
    ['sii', 'examples/line.segment.yaml', '--device', 'sensors'],
  ]) {
    const { code, stderr } = await runCli(...command, '--out', out);
    t.is(code, 1);
    t.regex(stderr, /^ECAT_ERR_INVALID_ARGUMENT: --out: cannot write .*: E(NOTDIR|EXIST)/);
  }
});

test('with --json a failure is a line on stdout too', async (t) => {
  const { code, events, stderr } = await runCli('demo', 'no-such-plant.yaml', '--json');
  t.is(code, 1);
  t.is(events.length, 1);
  t.like(events[0], {
    event: 'error',
    code: 'ECAT_ERR_CONFIGURATION_FILE',
    category: 'configuration',
    recoverable: false,
  });
  t.regex(
    stderr,
    /^ECAT_ERR_CONFIGURATION_FILE: the configuration: cannot read no-such-plant\.yaml: there is no such file\n {2}→ Check/,
  );
});

test('a wrong call says what is wrong with it', async (t) => {
  t.regex((await runCli('demo', '--seconds', 'soon')).stderr, /'soon' is invalid\. a number of seconds above 0/);
  t.regex((await runCli('demonstrate')).stderr, /unknown command 'demonstrate'/);
  t.regex(
    (await runCli('simulate', 'examples/line.yaml')).stderr,
    /required option '--interface <name>' not specified/,
  );
  t.regex((await runCli('scan')).stderr, /ECAT_ERR_INVALID_ARGUMENT: scan needs/);
  const both = await runCli('scan', '--segment', 'examples/line.segment.yaml', '--interface', 'eth0');
  t.regex(both.stderr, /'--segment <file>' cannot be used with option '--interface <name>'/);
});

test.serial('the demo climbs to OP, shows its plant, and ends by itself with a summary', async (t) => {
  const { code, events: all } = await runCli('demo', '--json', '--seconds', '2.5');
  t.is(code, 0);
  const of = (event: string): typeof all => all.filter((one) => one.event === event);
  t.deepEqual(
    of('state').map(({ state }) => state),
    ['PRE-OP', 'SAFE-OP', 'OP', 'closing', 'closed'],
  );
  t.deepEqual(
    of('device').map(({ name, position }) => [position, name]),
    [
      [0, 'coupler'],
      [1, 'sensors'],
      [2, 'actuators'],
      [3, 'measurements'],
      [4, 'setpoints'],
    ],
  );
  const tags = Map.groupBy(of('tag'), ({ name }) => name);
  t.is(tags.size, 10);
  for (const { quality, cycle } of of('tag')) t.true(typeof cycle === 'number' && typeof quality === 'string');
  t.true((tags.get('tank.level')?.length ?? 0) > 5, 'a sine moves');
  t.true((tags.get('conveyor.pulse')?.length ?? 0) > 2, 'a counter moves');
  const seen = (name: string): unknown[] => tags.get(name)?.map(({ value }) => value) ?? [];
  t.deepEqual(seen('valve.open').slice(0, 2), [false, true], 'the demo plays the operator');
  t.deepEqual(seen('valve.is_open').slice(0, 2), [false, true], 'and its effect is seen');
  const summary = all.at(-1);
  t.like(summary, { event: 'summary', lostFrames: 0, workingCounterErrors: 0 });
  t.true(Number(summary?.['cycles']) > 100);
  const { p50, p99, max } = (summary?.['lateness'] ?? {}) as Record<string, number>;
  t.true(p50! <= p99! && p99! <= max!);
});

test.serial('plain lines show the same where there is no terminal', async (t) => {
  const { code, lines } = await runCli('demo', '--seconds', '0.5');
  t.is(code, 0);
  t.deepEqual(lines.slice(0, 4), [
    'examples/line.yaml, simulated segment',
    'state PRE-OP',
    'state SAFE-OP',
    'state OP',
  ]);
  t.regex(lines.join('\n'), /tank\.level +\d+\.\d+ % +good/);
  t.regex(lines.at(-1) ?? '', /^closed after 0:00: .* cycles, .* lateness p50 /);
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  test.serial(`${signal} closes the demo in order`, async (t) => {
    await using demo = new RunningCommand(['demo', '--json']);
    await demo.event(({ event }) => event === 'tag');
    demo.child.kill(signal);
    const { code, stderr } = await demo.ended;
    t.is(code, 0);
    t.deepEqual(
      demo.events.slice(-3).map(({ event, state }) => state ?? event),
      ['closing', 'closed', 'summary'],
    );
    t.is(stderr, '');
  });
}

test('Ctrl-C works while the bus is still opening', async (t) => {
  const folder = await folderWith(t, {
    'slow.yaml':
      'ethercat:\n  master:\n    segment:\n      devices: [{ type: generic, transition_delay_ms: 60000, pdos: [] }]\n',
  });
  await using demo = new RunningCommand(['demo', join(folder, 'slow.yaml')]);
  await demo.line((line) => line.includes('simulated segment'));
  demo.child.kill('SIGINT');
  const { code, stderr } = await demo.ended;
  t.is(code, 0);
  t.is(stderr, '');
  t.false(demo.lines.includes('state OP'));
});

test('the demo ends when nobody reads it any more', async (t) => {
  await using demo = new RunningCommand(['demo', '--json']);
  await demo.event(({ event }) => event === 'tag');
  demo.child.stdout?.destroy();
  const { code, stderr } = await demo.ended;
  t.is(code, 0);
  t.is(stderr, '');
});

test('a SubDevice that is not the configured one is named with expected and found', async (t) => {
  const folder = await folderWith(t, {
    'plant.yaml':
      'ethercat:\n  master: { segment: { devices: [{ type: EK1100 }] } }\n  devices:\n    - { name: coupler, position: 0, vendor_id: 7 }\n    - { name: other, position: 1 }\n',
  });
  const { code, events } = await runCli('demo', join(folder, 'plant.yaml'), '--json');
  t.is(code, 1);
  const error = events.at(-1);
  t.like(error, {
    event: 'error',
    code: 'ECAT_ERR_DEVICE_MISMATCH',
    position: 0,
    expected: { vendorId: 7 },
    location: { line: 4, column: 7 },
  });
  t.deepEqual(
    ((error?.['errors'] ?? []) as { code: string }[]).map(({ code }) => code),
    ['ECAT_ERR_DEVICE_MISMATCH', 'ECAT_ERR_DEVICE_MISSING'],
  );
});

test('a SubDevice that refuses a state is named with its AL status code in words', async (t) => {
  const folder = await folderWith(t, {
    'plant.yaml':
      'ethercat:\n  master:\n    segment:\n      devices: [{ type: EK1100 }, { type: digital-inputs, device_emulation: false, refuse: [{ to: SAFE-OP, code: 0x1d }] }]\n',
  });
  const { code, events, stderr } = await runCli('demo', join(folder, 'plant.yaml'), '--json');
  t.is(code, 1);
  t.like(events.at(-1), {
    event: 'error',
    code: 'ECAT_ERR_STATE_REFUSED',
    position: 1,
    alStatusCode: 0x1d,
    requestedState: 4,
  });
  t.regex(stderr, /^ECAT_ERR_STATE_REFUSED: .*SubDevice 1.* refused SAFE-OP: invalid output configuration .*0x001D/);
});

test('scan lists the SubDevices and what tags could be made of', async (t) => {
  const { code, lines } = await runCli('scan', 'examples/line.yaml');
  t.is(code, 0);
  t.regex(
    lines.join('\n'),
    /^0 {2}coupler {2}EK1100 .*\n1 {2}sensors .*\n {5}input +0x6000:1 +channel 1 +1 bit +Channel 1 \/ Input\n/,
  );
  const { events } = await runCli('scan', 'examples/line.yaml', '--json');
  t.is(events.length, 5);
  t.like(events[4], { event: 'device', position: 4, name: 'setpoints' });
  t.is(((events[4]?.['entries'] ?? []) as unknown[]).length, 4);
  t.is((await runCli('scan', '--segment', 'examples/line.segment.yaml', '--json')).events.length, 5);
});

// A simulated segment by `bifrost-ethercat/simulator`: values, objects, files, states and time, with and without a
// MainDevice on it.

import test from 'ava';
import { type ConfigurationDocument, MainDevice } from '../../src/index.ts';
import { all, any, type SegmentDocument, simulate } from '../../src/simulator/index.ts';
import { plant } from '../support/plant.ts';

/** A coupler, two terminals, and a device with objects and a file whose position is process data. */
const segment: SegmentDocument = {
  devices: [
    { name: 'coupler', type: 'EK1100' },
    { name: 'in', type: 'digital-inputs', channels: 4 },
    { name: 'out', type: 'digital-outputs', channels: 4 },
    {
      name: 'axis',
      type: 'generic',
      pdos: [
        { direction: 'output', index: 0x1600, entries: [{ index: 0x607a, bits: 32, data_type: 4 }] },
        {
          direction: 'input',
          index: 0x1a00,
          entries: [
            { index: 0x6064, bits: 32, data_type: 4 },
            { index: 0x2100, bits: 64, data_type: 0x1b },
            { index: 0x2101, bits: 32, data_type: 8 },
          ],
        },
      ],
      mailbox: {
        objects: [
          { index: 0x2000, name: 'Gain', data_type: 6, value: 100, minimum: 1, maximum: 500 },
          { index: 0x2001, name: 'Text', value: 'simulated', access: 'ro' },
          { index: 0x2002, name: 'Factor', data_type: 17, value: 0.5 },
          { index: 0x2003, name: 'Enabled', data_type: 1, value: true },
          { index: 0x2004, name: 'Bytes', value: [1, 2, 3] },
        ],
        files: [{ name: 'log', content: Buffer.from('nothing').toString('base64') }],
      },
    },
  ],
  wires: [{ from: 'out.1', to: 'in.4' }],
};

/** The same plant, with tags. */
const configuration = {
  ethercat: {
    master: { interface: 'none0', cycle_time: 1000 },
    devices: ['coupler', 'in', 'out', 'axis'].map((name, position) => ({ name, position })),
    process_data: {
      inputs: [
        { name: 'sensor', slave: 'in', channel: 1 },
        { name: 'position', slave: 'axis', index: 0x6064 },
      ],
      outputs: [
        { name: 'lamp', slave: 'out', channel: 1 },
        { name: 'target', slave: 'axis', index: 0x607a },
      ],
    },
  },
} satisfies ConfigurationDocument;

test('a segment that nobody has is looked at and changed', async (t) => {
  const machine = await simulate(segment);
  t.deepEqual(
    machine.devices.map(({ name, number }) => [name, number]),
    [
      ['coupler', 0],
      ['in', 1],
      ['out', 2],
      ['axis', 3],
    ],
  );
  const axis = machine.device('axis');
  t.is(await axis.state.read(), 'INIT');
  t.is(await axis.object(0x2000).read(), 100);
  t.is(await axis.object(0x2001).read(), 'simulated');
  t.is(await axis.object(0x2002).read(), 0.5);
  t.is(await axis.object(0x2003).read(), true);
  t.deepEqual(await axis.object(0x2004).read(), Uint8Array.of(1, 2, 3));
  await axis.object(0x2000).write(7);
  await axis.object(0x2001).write('other');
  await axis.object(0x2002).write(-1.25);
  await axis.object(0x6064).write(-5);
  await axis.object(0x2100).write(2n ** 60n);
  await axis.object(0x2101).write(1.5);
  t.is(await axis.object(0x2000).read(), 7);
  t.is(await axis.object(0x2001).read(), 'other');
  t.is(await axis.object(0x2002).read(), -1.25);
  t.is(await axis.object(0x6064).read(), -5);
  t.is(await axis.object(0x2100).read(), 2n ** 60n);
  t.deepEqual(
    [await axis.input(1).read(), await axis.input(2).read(), await axis.input(3).read()],
    [-5, 2n ** 60n, 1.5],
  );
  axis.input(2).set(2n ** 63n + 1n);
  axis.input(3).set(-0.5);
  t.deepEqual([await axis.object(0x2100).read(), await axis.input(3).read()], [2n ** 63n + 1n, -0.5]);
  t.is(Buffer.from(await axis.readFile('log')).toString(), 'nothing');
  await axis.writeFile('log', 'x'.repeat(5_000));
  t.is((await axis.readFile('log')).length, 5_000);
  t.deepEqual(await axis.status(), { powered: true, reached: true, alStatus: 1, alStatusCode: 0, stationAddress: 0 });
  axis.unplug();
  t.is((await axis.status()).powered, false);
  t.is(await axis.state.read(), 'unknown');
  t.is(await machine.device('coupler').register(0x0000).read(), 0x11);
  t.is((await machine.device(0).memory(0x0000, 8)).length, 8);
});

test('what is not there is named, and a value that does not fit', async (t) => {
  const machine = await simulate(segment);
  const axis = machine.device('axis');
  t.throws(() => machine.device('press'), {
    code: 'ECAT_ERR_DEVICE_MISSING',
    message: /no device press, but coupler, in/,
  });
  t.throws(() => axis.input(4), { code: 'ECAT_ERR_INVALID_ARGUMENT', message: /axis has the inputs 1 to 3, and none/ });
  t.throws(() => machine.device('coupler').output(1), { message: /coupler has no outputs/ });
  t.throws(() => axis.port(4), { code: 'ECAT_ERR_INVALID_ARGUMENT' });
  t.throws(() => machine.device('in').input(1).set(2), { code: 'ECAT_ERR_VALUE_RANGE', message: /in\.input\(1\)/ });
  const refused = async (code: string, message: RegExp, made: Promise<unknown>): Promise<void> => {
    await t.throwsAsync(made, { code, message });
  };
  await refused(
    'ECAT_ERR_INVALID_ARGUMENT',
    /^axis\.0x3000:01: the device has no such object$/,
    axis.object(0x3000, 1).read(),
  );
  await refused('ECAT_ERR_VALUE_RANGE', /from 0 to 65535$/, axis.object(0x2000).write(65_536));
  await refused('ECAT_ERR_VALUE_RANGE', /whole number$/, axis.object(0x2000).write(1.5));
  await refused('ECAT_ERR_VALUE_RANGE', /can have 9 bytes$/, axis.object(0x2001).write('far too long'));
  await refused('ECAT_ERR_INVALID_ARGUMENT', /text or bytes$/, axis.object(0x2001).write(5));
  await refused('ECAT_ERR_INVALID_ARGUMENT', /^axis: file none: the device has no such file$/, axis.readFile('none'));
  await refused('ECAT_ERR_INVALID_ARGUMENT', /no MainDevice is open/, machine.advance({ cycles: 3 }));
  await refused('ECAT_ERR_CONFIGURATION_INVALID', /type/, simulate({ devices: [{ type: 'EK9999' as never }] }));
});

test('mail is disturbed with the keys of a segment file, and what is no such effect is refused', async (t) => {
  const axis = (await simulate(segment)).device('axis');
  axis.disturbMail({ protocol: 'CoE', after: 1, count: 2, effect: { kind: 'late', delay_ms: 5 } });
  axis.disturbMail({ effect: { kind: 'behind-next' } });
  t.throws(() => axis.disturbMail({ effect: { kind: 'late', delay_s: 5 } as never }), {
    code: 'ECAT_ERR_INVALID_ARGUMENT',
    message: /delayS/,
  });
});

test('a configuration of a real plant runs on it, in its time, and what is asked takes no time', async (t) => {
  const machine = await simulate(segment);
  await using bus = await MainDevice.open(configuration, { segment: machine });
  t.is(bus.simulator, machine);
  t.is(await machine.device('axis').state.read(), 'OP');
  const before = machine.nowMs;
  const cycles = bus.statistics().cycles;
  machine.device('in').input(1).set(true);
  t.is(await machine.device('in').input(1).read(), true);
  await machine.device('axis').object(0x6064).write(42);
  t.deepEqual([machine.nowMs, bus.statistics().cycles], [before, cycles]);
  const written = bus.write({ lamp: true, target: -9 });
  await machine.advance({ cycles: 1 });
  await written;
  t.deepEqual(bus.snapshot(['sensor', 'position']).values(), { sensor: true, position: 42 });
  t.is(bus.statistics().cycles, cycles + 1);
  t.is(await machine.device('out').output(1).read(), true);
  t.is(await machine.device('axis').object(0x607a).read(), -9);
  await machine.advance(9.5);
  t.is(bus.statistics().cycles, cycles + 11);
  t.is(await machine.device('in').input(4).read(), true, 'the wire');
});

test('a segment is as one MainDevice has left it when the next one comes, and its time goes on', async (t) => {
  const machine = await simulate(segment);
  const axis = machine.device('axis');
  await machine.advance(250);
  t.is(machine.nowMs, 250);
  const first = await MainDevice.open(configuration, { segment: machine });
  await t.throwsAsync(MainDevice.open(configuration, { segment: machine }), { code: 'ECAT_ERR_LINK_BUSY' });
  await axis.object(0x2000).write(321);
  await machine.advance(20);
  await first.close();
  t.is(await axis.state.read(), 'INIT');
  const left = machine.nowMs;
  await machine.advance(100);
  t.is(machine.nowMs, left + 100);
  await using second = await MainDevice.open(configuration, { segment: machine });
  t.true(machine.nowMs > left + 100);
  t.is(second.state, 'OP');
  t.is(await axis.object(0x2000).read(), 321);
});

test('conditions are waited for in virtual time, and what was seen last is told', async (t) => {
  const machine = await simulate(segment);
  const axis = machine.device('axis');
  await using bus = await MainDevice.open(configuration, { segment: machine });
  const cycles = (): number => bus.statistics().cycles;
  const before = cycles();
  await machine.until(axis.state.is('OP'), { withinMs: 0 });
  t.is(cycles(), before, 'it is so already');
  // A machine: the axis moves by 10 each ms.
  let position = 0;
  machine.every(1, () => {
    position += 10;
    return axis.object(0x6064).write(position);
  });
  const begun = machine.nowMs;
  const at = await machine.until(axis.object(0x6064).atLeast(500), { withinMs: 100 });
  t.true(Math.abs(at - begun - 50) <= 2, `${at - begun} ms`);
  const error = await t.throwsAsync(
    machine.until(all(axis.object(0x6064).below(0), machine.device('in').input(1).is(true)), { withinMs: 5 }),
    { code: 'ECAT_ERR_CONDITION_UNMET' },
  );
  t.regex(
    error!.message,
    /^not within 5 ms: axis\.0x6064:00 is below 0 and in\.input\(1\) is true; last seen: axis\.0x6064:00 is 5\d0, in\.input\(1\) is false$/,
  );
  await machine.until(any(axis.object(0x6064).below(0), axis.input(1).above(700)), { withinMs: 30 });
  await machine.until(() => bus.tag<number>('position').value > 900, { withinMs: 50 });
  await machine.until(async () => Number(await axis.object(0x6064).read()) > 1_000, { withinMs: 50 });
  await t.throwsAsync(
    machine.until(() => false, { withinMs: 3 }),
    { code: 'ECAT_ERR_CONDITION_UNMET', message: /^not within 3 ms: \(\) => false$/ },
  );
  t.throws(() => all(any(axis.input(1).is(1), axis.input(1).is(2)), axis.input(1).is(3)), {
    code: 'ECAT_ERR_INVALID_ARGUMENT',
  });
});

test('a script reacts to what the MainDevice sends, always in the same cycle', async (t) => {
  const run = async (): Promise<string> => {
    const machine = await simulate(segment, { seed: 5 });
    await using bus = await MainDevice.open(configuration, { segment: machine });
    const told: string[] = [];
    const note = (what: string): void => void told.push(`${what} after ${bus.snapshot().cycle}`);
    machine
      .device('out')
      .output(1)
      .onChange((value, previous) => {
        note(`lamp ${previous} → ${value}`);
        machine.device('in').input(1).set(value);
      });
    machine.device('axis').state.onChange((state) => note(state));
    bus.tag<boolean>('sensor').value$.subscribe(({ value }) => note(`sensor ${value}`));
    await machine.advance(5);
    const on = bus.write({ lamp: true });
    await machine.advance(5);
    await on;
    machine.device('axis').leaveState('SAFE-OP', 0x1b);
    machine.device('axis').unplug();
    await machine.advance(5);
    const off = bus.write({ lamp: false });
    await machine.advance(5);
    // Who it was for is not all there.
    off.catch(() => undefined);
    return told.map((line) => line.replace(/\d+$/, (cycle) => String(Number(cycle) - bus.snapshot().cycle))).join('; ');
  };
  const told = await run();
  t.regex(told, /sensor false .*lamp false → true .*sensor true .*unknown .*lamp true → false .*sensor false/);
  t.is(await run(), told);
});

test('who waits for a change of what is not there is told', async (t) => {
  const machine = await simulate({ devices: [{ name: 'sensors', type: 'digital-inputs' }] });
  machine
    .device('sensors')
    .object(0x6064)
    .onChange(() => t.fail());
  await t.throwsAsync(machine.advance(5), { code: 'ECAT_ERR_INVALID_ARGUMENT', message: /no such object/ });
  machine
    .device('sensors')
    .object(0x6064)
    .onChange(() => t.fail())();
  await machine.advance(5);
});

test('what a script throws, the advance rejects with; one that was ended does not run', async (t) => {
  const machine = await simulate(segment);
  const wrong = new Error('a mistake in the machine');
  const end = machine.every(2, () => {
    throw wrong;
  });
  t.is(await t.throwsAsync(machine.advance(5)), wrong);
  end();
  await t.notThrowsAsync(machine.advance(5));
  await using bus = await MainDevice.open(configuration, { segment: machine });
  const times: number[] = [];
  const stop = machine.every(2.5, (nowMs) => times.push(nowMs));
  await machine.advance(10);
  stop();
  await machine.advance(10);
  t.is(times.length, 4);
  t.true(times.every((time, n) => n === 0 || time > times[n - 1]!));
  t.is(bus.state, 'OP');
});

test('cables and power are cut and come back, device by device', async (t) => {
  const machine = await simulate(segment);
  await using bus = await MainDevice.open(configuration, { segment: machine });
  await machine.advance(3);
  const out = machine.device('out');
  out.port(0).cut();
  await machine.advance(30);
  t.deepEqual(
    ['coupler', 'in', 'out', 'axis'].map((name) => bus.subDevice(name).quality),
    ['good', 'good', 'bad', 'bad'],
  );
  t.deepEqual([(await out.status()).reached, (await out.status()).powered], [false, true]);
  out.port(0).mend();
  machine.device('axis').unplug();
  await machine.advance(300);
  t.deepEqual([(await out.status()).reached, bus.subDevice('axis').quality], [true, 'bad']);
});

test('on the wall clock a segment is asked in the same way, while it waits and while it runs', async (t) => {
  const machine = await simulate(segment, { time: 'wall' });
  t.is(await machine.device('axis').state.read(), 'INIT');
  await t.throwsAsync(machine.advance(5), { code: 'ECAT_ERR_INVALID_ARGUMENT' });
  await using bus = await MainDevice.open(configuration, { segment: machine });
  const lamp: unknown[] = [];
  machine
    .device('out')
    .output(1)
    .onChange((value) => lamp.push(value));
  await machine.until(machine.device('axis').state.is('OP'), { withinMs: 10_000 });
  await machine.device('axis').object(0x6064).write(77);
  await machine.until(() => bus.tag<number>('position').value === 77, { withinMs: 10_000 });
  await bus.write({ lamp: true });
  await machine.until(machine.device('out').output(1).is(true), { withinMs: 10_000 });
  await machine.until(() => lamp.length > 0, { withinMs: 10_000 });
  t.is(lamp[0], true);
});

test('the segment of a configuration is the same thing', async (t) => {
  await using bus = await MainDevice.open(plant({ time: 'virtual' }));
  const machine = bus.simulator;
  machine.device('in').input(2).set(true);
  await machine.advance({ cycles: 2 });
  t.true(bus.snapshot().value('free'));
  await bus.close();
  t.is(await machine.device('in').state.read(), 'INIT');
});

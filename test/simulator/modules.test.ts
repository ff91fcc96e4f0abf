// Modules that are plugged into a simulated coupler and pulled, as a test of an application does it.

import test from 'ava';
import { type ConfigurationDocument, MainDevice } from '../../src/index.ts';
import { type SegmentDocument, simulate } from '../../src/simulator/index.ts';

const segment: SegmentDocument = {
  devices: [
    { name: 'coupler', type: 'EK1100' },
    {
      name: 'station',
      type: 'modular-coupler',
      modules: [{ module: '8DI' }, { module: '4DO' }, { slot: 4, module: 0x0105 }],
    },
  ],
  signals: [{ input: 'station.9', counter: { period_ms: 2 } }],
  wires: [{ from: 'station.2', to: 'station.8' }],
};

const configuration = {
  ethercat: {
    master: { interface: 'none0', cycle_time: 1000, distributed_clocks: false },
    devices: ['coupler', 'station'].map((name, position) => ({ name, position })),
    process_data: {
      inputs: [
        { name: 'status', slave: 'station', index: 0xf100, subindex: 1 },
        { name: 'closed', slave: 'station', index: 0x6000, subindex: 8 },
        { name: 'parts', slave: 'station', index: 0x6030, subindex: 0x21 },
      ],
      outputs: [{ name: 'close', slave: 'station', index: 0x7010, subindex: 2 }],
    },
  },
} satisfies ConfigurationDocument;

test('a coupler comes to OP with its modules, and a pulled one takes it to PRE-OP', async (t) => {
  const machine = await simulate(segment);
  const station = machine.device('station');
  t.is(station.slotCount, 8);
  const modules = async (): Promise<unknown[]> =>
    await Promise.all([1, 2, 3, 4].map(async (slot) => await station.slot(slot).module()));
  t.deepEqual(await modules(), ['8DI', '4DO', undefined, '1CNT']);
  await using bus = await MainDevice.open(configuration, { segment: machine });
  const written = bus.write({ close: true });
  await machine.advance(100);
  await written;
  t.deepEqual(bus.snapshot(['status', 'closed']).values(), { status: 0, closed: true });
  const before = bus.tag<number>('parts').value;
  await machine.advance(100);
  t.is(bus.tag<number>('parts').value - before, 50);
  t.is(await station.object(0x6000, 8).read(), true);

  const faults: unknown[] = [];
  bus.faults$.subscribe(({ kind, error }) => faults.push([kind, error.alStatusCode]));
  station.slot(2).pull();
  await machine.until(station.state.is('PRE-OP'), { withinMs: 0 });
  t.is(await station.alStatusCode.read(), 0x70);
  t.deepEqual(await modules(), ['8DI', undefined, undefined, '1CNT']);
  await machine.advance(100);
  t.deepEqual(faults, [
    ['working-counter', undefined],
    ['sub-device-state', 0x70],
  ]);
  t.not(bus.subDevice('station').quality, 'good');
  t.is(bus.subDevice('coupler').quality, 'good');
});

test('a module of another kind is refused at open, until power has returned', async (t) => {
  const machine = await simulate(segment);
  const station = machine.device('station');
  station.slot(2).plug('8DO');
  await t.throwsAsync(MainDevice.open(configuration, { segment: machine }), {
    code: 'ECAT_ERR_STATE_REFUSED',
    message: /0x0070/,
  });
  station.slot(2).plug('4DO');
  await using bus = await MainDevice.open(configuration, { segment: machine });
  t.is(bus.state, 'OP');
});

test('with hot swap the other modules go on', async (t) => {
  const [coupler, station] = segment.devices;
  const machine = await simulate({ ...segment, devices: [coupler!, { ...station!, hot_swap: true }] });
  await using bus = await MainDevice.open(configuration, { segment: machine });
  const slot = machine.device('station').slot(1);
  machine.device('station').input(8).set(true);
  slot.pull();
  await machine.advance(10);
  t.deepEqual(bus.snapshot(['status', 'closed']).values(), { status: 0x40, closed: false });
  const before = bus.tag<number>('parts').value;
  await machine.advance(100);
  t.is(bus.tag<number>('parts').value - before, 50);
  t.is(bus.subDevice('station').quality, 'good');
  slot.plug('8DI');
  await machine.advance(10);
  t.is(bus.snapshot(['status']).value('status'), 0);
});

test('a slot that is not there is named, a module that is none, and keys of slots where there are none', async (t) => {
  const machine = await simulate(segment);
  const station = machine.device('station');
  t.throws(() => machine.device('coupler').slot(1), {
    code: 'ECAT_ERR_INVALID_ARGUMENT',
    message: /coupler has no slots/,
  });
  t.throws(() => station.slot(9), { code: 'ECAT_ERR_INVALID_ARGUMENT', message: /slot: .* from 1 to 8, got 9/ });
  for (const module of ['16DI', 0, 1.5])
    t.throws(() => station.slot(1).plug(module), {
      code: 'ECAT_ERR_INVALID_ARGUMENT',
      message: /station knows no module .*, but 4DI, 8DI, 4DO, 8DO, 2AI, 2AO, 1CNT/,
    });
  // One that it does not know is plugged all the same.
  station.slot(1).plug(0x4711);
  t.is(await station.slot(1).module(), 0x4711);
  for (const [device, message] of [
    [
      { type: 'modular-coupler', modules: [{ module: '16DI' }] },
      /devices\[0\]\.modules\[0\]\.module: there is no such module/,
    ],
    [
      { type: 'modular-coupler', modules: [{ slot: 9, module: '8DI' }] },
      /\.modules\[0\]\.slot: 9 is no slot from 1 to 8/,
    ],
    [
      {
        type: 'modular-coupler',
        modules: [
          { slot: 2, module: '8DI' },
          { slot: 2, module: '8DI' },
        ],
      },
      /\.modules\[1\]\.slot: slot 2 has a module already/,
    ],
    [{ type: 'EK1100', modules: [] }, /\.modules: belongs to a modular-coupler/],
    [{ type: 'EK1100', hot_swap: true }, /\.hot_swap: belongs to a modular-coupler/],
  ] as const)
    await t.throwsAsync(simulate({ devices: [device] }), { message });
});

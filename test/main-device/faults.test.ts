import test from 'ava';
import { type ConfigurationDocument, type Fault, MainDevice, type StateChange } from '../../src/index.ts';
import { plant } from '../support/plant.ts';

/** A line of digital inputs that are all on. */
function line(devices: number): ConfigurationDocument {
  const names = Array.from({ length: devices }, (_, i) => `in${i}`);
  return {
    ethercat: {
      master: {
        segment: {
          devices: names.map((name) => ({ name, type: 'digital-inputs', channels: 16 })),
          signals: names.flatMap((name) =>
            Array.from({ length: 16 }, (_, i) => ({ input: `${name}.${i + 1}`, constant: 1 })),
          ),
        },
        time: 'virtual',
        distributed_clocks: false,
      },
      devices: names.map((name, position) => ({ name, position })),
      process_data: {
        inputs: names.flatMap((slave) =>
          Array.from({ length: 16 }, (_, i) => ({ name: `${slave}.${i + 1}`, slave, channel: i + 1 })),
        ),
      },
    },
  };
}

/** What a bus reports from now on. */
function reports(bus: MainDevice): { faults: Fault[]; states: StateChange[] } {
  const faults: Fault[] = [];
  const states: StateChange[] = [];
  bus.faults$.subscribe((fault) => faults.push(fault));
  bus.states$.subscribe((state) => states.push(state));
  return { faults, states };
}

test('a lost SubDevice never gives a good sample that it did not send, and the others stay good', async (t) => {
  const lost = 50;
  await using bus = await MainDevice.open(line(100));
  const { faults, states } = reports(bus);
  const samples: unknown[] = [];
  for (const tag of bus.tags.slice(16 * lost, 16 * lost + 16)) {
    tag.value$.subscribe(({ value, quality }) => {
      if (quality === 'good') samples.push(value);
    });
  }
  await bus.advance(5);
  bus.simulator.device(lost).unplug();
  for (let cycle = 0; cycle < 60; cycle += 1) {
    await bus.advance(1);
    for (const { tag, value, quality } of bus.snapshot()) {
      if (quality === 'good') t.true(value, `${tag} in cycle ${cycle}`);
    }
  }
  t.true(samples.length >= 16);
  t.true(samples.every((value) => value === true));
  t.is(bus.subDevice(`in${lost}`).quality, 'bad');
  t.is(bus.subDevice(`in${lost - 1}`).quality, 'good');
  t.is(bus.subDevice(`in${lost + 1}`).quality, 'good');
  const [fault] = faults.filter(({ kind }) => kind === 'sub-device-lost');
  t.is(fault!.error.code, 'ECAT_ERR_SUBDEVICE_LOST');
  t.is(fault!.error.position, lost);
  t.is(fault!.error.subDevice, `in${lost}`);
  t.true(states.some((state) => state.subject === 'sub-device' && state.position === lost && state.state === 'lost'));
});

test('lost frames make values stale, once reported, until frames come back', async (t) => {
  await using bus = await MainDevice.open(plant({ time: 'virtual' }));
  const { faults, states } = reports(bus);
  await bus.advance(2);
  bus.simulator.loseFrames(3);
  const qualities: string[] = [];
  for (let cycle = 0; cycle < 6; cycle += 1) {
    await bus.advance(1);
    qualities.push(bus.snapshot().quality('count'));
  }
  t.deepEqual(qualities, ['stale', 'stale', 'stale', 'good', 'good', 'good']);
  t.deepEqual(
    faults.map(({ kind }) => kind),
    ['frames-lost'],
  );
  t.deepEqual(
    states.filter(({ subject }) => subject === 'frames').map(({ state }) => state),
    ['lost', 'restored'],
  );
  t.is(bus.statistics().lostFrames, 3);
});

test('a SubDevice that leaves OP says why, in words', async (t) => {
  await using bus = await MainDevice.open(plant({ time: 'virtual', output_deadline_ms: 0 }));
  const { faults, states } = reports(bus);
  bus.simulator.device(0).cutCable();
  await bus.advance(300);
  bus.simulator.mendCables();
  await bus.advance(100);
  const fault = faults.find(({ kind }) => kind === 'sub-device-state');
  t.like(fault!.error, { code: 'ECAT_ERR_STATE_REFUSED', position: 4, subDevice: 'ao', alStatusCode: 0x1b });
  t.regex(fault!.error.message, /^ao at position 4 is in SAFE-OP: SyncManager watchdog.* \(AL status code 0x001b\)$/);
  t.is(bus.subDevice('ao').state, 'SAFE-OP');
  t.true(states.some((state) => state.subject === 'sub-device' && state.alStatusCode === 0x1b));
});

test('a defect inside the engine is a fault and fails what is outstanding; the process lives and can open again', async (t) => {
  await using bus = await MainDevice.open(plant({ time: 'virtual' }));
  const { faults } = reports(bus);
  const write = bus.write({ 'lamp.on': true });
  bus.simulator.panic();
  const advanced = bus.advance(1);
  await t.throwsAsync(write, { code: 'ECAT_ERR_PANIC' });
  await t.throwsAsync(advanced, { code: 'ECAT_ERR_PANIC' });
  t.is(bus.state, 'faulted');
  // Nobody exchanges data any more: none of them is to be trusted.
  t.true(bus.tags.every(({ sample }) => sample.quality === 'bad'));
  t.true([...bus.snapshot()].every(({ quality }) => quality === 'bad'));
  t.true(bus.subDevices.every(({ quality }) => quality === 'bad'));
  t.is(faults[0]!.kind, 'engine');
  t.is(faults[0]!.error.code, 'ECAT_ERR_PANIC');
  await t.throwsAsync(bus.write({ 'lamp.on': true }), { code: 'ECAT_ERR_PANIC' });
  await bus.close();
  await using again = await MainDevice.open(plant({ time: 'virtual' }));
  t.is(again.state, 'OP');
});

test('a carrier that goes and comes back is told', async (t) => {
  await using bus = await MainDevice.open(plant({ time: 'virtual' }));
  const { faults, states } = reports(bus);
  bus.simulator.linkDown();
  await bus.advance(20);
  bus.simulator.linkUp();
  await bus.advance(20);
  t.true(faults.some(({ kind }) => kind === 'link-down'));
  t.deepEqual(
    states.filter(({ subject }) => subject === 'link').map(({ state }) => state),
    ['down', 'up'],
  );
});

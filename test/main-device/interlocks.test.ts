import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { attach, type ConfigurationDocument, type Fault, MainDevice, type StateChange } from '../../src/index.ts';
import { plant } from '../support/plant.ts';

const guarded: ConfigurationDocument = {
  ethercat: {
    ...plant({ time: 'virtual' }).ethercat,
    interlocks: [{ name: 'guard', when: { tag: 'free', is: true }, force: { 'lamp.on': false, 'speed.target': 3 } }],
  },
};

test('an interlock forces its outputs in the frame after the condition, until it is acknowledged', async (t) => {
  await using bus = await MainDevice.open(guarded);
  const states: StateChange[] = [];
  bus.states$.subscribe((change) => states.push(change));
  const faults: Fault[] = [];
  bus.faults$.subscribe((fault) => void (fault.kind === 'interlock' && faults.push(fault)));
  const before = bus.write({ 'lamp.on': true, 'speed.target': 50 });
  await bus.advance(2);
  await before;
  t.deepEqual(bus.interlocks, [{ name: 'guard', state: 'armed' }]);
  t.false(bus.acknowledge('guard'));
  bus.simulator.device('in').input(2).set(true);
  await bus.advance(3);
  t.like(bus.snapshot().values(), { free: true, 'lamp.on': false, 'speed.target': 3 });
  t.deepEqual(bus.interlocks, [{ name: 'guard', state: 'fired' }]);
  t.throws(() => bus.acknowledge('guard'), { code: 'ECAT_ERR_INTERLOCK_HOLDS' });
  t.throws(() => bus.acknowledge('gard'), { code: 'ECAT_ERR_INVALID_ARGUMENT' });
  bus.simulator.device('in').input(2).set(false);
  await bus.advance(3);
  t.deepEqual(bus.interlocks, [{ name: 'guard', state: 'latched' }]);
  t.false(bus.snapshot().value('lamp.on'));
  t.true(bus.acknowledge('guard'));
  await bus.advance(2);
  t.like(bus.snapshot().values(), { 'lamp.on': true, 'speed.target': 50 });
  t.deepEqual(
    states.flatMap((change) => (change.subject === 'interlock' ? [[change.name, change.state, change.cause]] : [])),
    [
      ['guard', 'fired', 'condition'],
      ['guard', 'released', 'acknowledged'],
    ],
  );
  // Once, however long it holds, with the cycle in which it was found.
  t.deepEqual(
    faults.map(({ cycle, error }) => [cycle, error.code]),
    [[states.find((change) => change.subject === 'interlock')!.cycle, 'ECAT_ERR_INTERLOCK_FIRED']],
  );
  t.regex(faults[0]!.error.message, /interlock guard fired: its condition holds/);
});

test('an urgent write goes out between two cycles, where the SubDevice allows it', async (t) => {
  const { ethercat } = plant({ time: 'virtual' });
  const devices = ethercat.devices!.map((device) => ({ ...device, ...(device.name === 'ao' && { urgent: false }) }));
  await using bus = await MainDevice.open({ ethercat: { ...ethercat, devices } });
  // The lane is live with the first cycle that carries it.
  const before = bus.write({ 'lamp.on': false });
  const cycle = await bus.advance(3);
  await before;
  const urgent = bus.writeUrgent({ 'lamp.on': true });
  while (bus.statistics().urgentFrames === 0) await sleep(1);
  await bus.advance(1);
  t.like(await urgent, { cycle: cycle + 1 });
  await t.throwsAsync(bus.writeUrgent({ 'speed.target': 40 }), {
    code: 'ECAT_ERR_URGENT_NOT_ALLOWED',
    message: /SubDevice \d+ changes.*may be synchronous to its SyncManager or to SYNC0.*declare urgent: true/,
  });
  const written = bus.write({ 'horn.on': true });
  await bus.advance(1);
  await written;
  t.like(bus.snapshot().values(), { 'lamp.on': true, 'horn.on': true, 'speed.target': 0 });
});

test('an interlock and an urgent write in the same cycle: what is forced is sent, whichever came first', async (t) => {
  for (const urgentFirst of [true, false]) {
    await using bus = await MainDevice.open(guarded);
    const lamp = bus.simulator.device('out').output(1);
    const before = bus.write({ 'lamp.on': false });
    await bus.advance(2);
    await before;
    const urgent = async (): Promise<void> => {
      const frames = bus.statistics().urgentFrames;
      const write = bus.writeUrgent({ 'lamp.on': true, 'horn.on': true });
      while (bus.statistics().urgentFrames === frames) await new Promise((resolve) => setImmediate(resolve));
      // It may be the next cycle that settles it.
      write.catch((error: unknown) => t.fail(String(error)));
    };
    if (urgentFirst) {
      await urgent();
      t.true(await lamp.read(), 'sent before the input that forces it was seen');
    }
    bus.simulator.device('in').input(2).set(true);
    // The cycle that sees the input has sent its outputs already: the next frame is the first that can be forced.
    await bus.advance(1);
    t.deepEqual(bus.interlocks, [{ name: 'guard', state: 'fired' }]);
    if (!urgentFirst) {
      await urgent();
      t.false(await lamp.read());
      t.true(await bus.simulator.device('out').output(2).read(), 'what nobody forces goes out at once');
    }
    await bus.advance(1);
    t.false(await lamp.read());
    t.like(bus.snapshot().values(), { 'lamp.on': false, 'horn.on': true });
  }
});

test('in lockstep what is written in reaction to a cycle goes with the next, on every thread', async (t) => {
  await using bus = await MainDevice.open({
    ethercat: { ...plant({ time: 'virtual' }).ethercat, lanes: [{ name: 'other', outputs: ['ao'], deadline_ms: 0 }] },
  });
  using attached = attach(bus.handle, { lane: 'other', lockstep: true });
  const lags: number[] = [];
  const react = (at: number, write: Promise<{ cycle: number }>): void =>
    void write.then(
      ({ cycle }) => lags.push(cycle - at),
      () => undefined,
    );
  bus.tag<boolean>('pulse').value$.subscribe(({ value, cycle }) => react(cycle, bus.write({ 'lamp.on': value })));
  attached
    .tag<number>('count')
    .value$.subscribe(({ value, cycle }) => react(cycle, attached.write({ 'speed.target': value % 100 })));
  lags.length = 0;
  await bus.advance(200, { lockstep: true });
  t.true(lags.length > 390, `${lags.length}`);
  // Those of the samples that a subscriber begins with were made between two cycles.
  t.deepEqual(
    lags.slice(2).filter((lag) => lag !== 1),
    [],
  );
});

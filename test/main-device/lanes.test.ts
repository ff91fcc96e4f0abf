import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import {
  type AttachOptions,
  attach,
  type ConfigurationDocument,
  MainDevice,
  type StateChange,
} from '../../src/index.ts';
import { plant, running } from '../support/plant.ts';
import { Answering } from '../support/worker.ts';

type Lanes = NonNullable<ConfigurationDocument['ethercat']['lanes']>;

function withLanes(lanes: Lanes, overrides: Parameters<typeof plant>[0] = {}): ConfigurationDocument {
  const { ethercat } = plant(overrides);
  return { ethercat: { ...ethercat, lanes } };
}

/** A worker that owns what `options` say; it says `attached` first. */
function worker(bus: MainDevice, options: AttachOptions, heapMb?: number): Answering {
  return new Answering(
    new URL('fixtures/lane.worker.ts', import.meta.url),
    { handle: bus.handle, options },
    heapMb === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: heapMb } },
  );
}

const press: Lanes = [{ name: 'press', outputs: ['lamp.on', 'ao'], deadline_ms: 40 }];

/** Waits until a tag of the newest cycle has a value. */
async function until(bus: MainDevice, tag: string, value: unknown): Promise<void> {
  while (bus.snapshot().value(tag) !== value) await sleep(5);
}

test('a worker writes the outputs of a lane that it takes over by name, and the opener all others', async (t) => {
  await using bus = await MainDevice.open(withLanes(press, { time: 'virtual' }));
  await using _running = running(bus);
  await using owner = worker(bus, { lane: 'press', deadlineMs: 2000 });
  t.is(await owner.next(), 'attached');
  const written = (await owner.ask({ do: 'write', values: { 'lamp.on': true, 'speed.target': 100 } })) as {
    cycle: number;
  };
  t.true(written.cycle > 0, JSON.stringify(written));
  const { cycle } = await bus.write({ 'horn.on': true });
  t.true(cycle >= written.cycle);
  t.like(bus.snapshot().values(), { 'lamp.on': true, 'horn.on': true, 'speed.target': 100 });
  const error = await t.throwsAsync(bus.write({ 'lamp.on': false }), { code: 'ECAT_ERR_OUTPUT_CLAIMED' });
  t.regex(error?.message ?? '', /lamp\.on belongs to lane press, and not to lane MainDevice/);
  t.deepEqual(await owner.ask({ do: 'write', values: { 'horn.on': true } }), { error: 'ECAT_ERR_OUTPUT_CLAIMED' });
});

test('a lane has one owner, and whoever comes second is told', async (t) => {
  await using bus = await MainDevice.open(withLanes(press, { time: 'virtual' }));
  await using _running = running(bus);
  const lane = await bus.lane('press');
  t.deepEqual(lane.outputs, ['lamp.on', 'speed.target']);
  await using second = worker(bus, { lane: 'press' });
  t.like(await second.next(), { error: 'ECAT_ERR_LANE_BUSY' });
  await using third = worker(bus, { outputs: ['horn.on'], name: 'thief' });
  t.deepEqual(await third.next(), {
    error: 'ECAT_ERR_OUTPUT_CLAIMED',
    message: 'output horn.on, which thief claims, belongs to lane MainDevice',
  });
  t.throws(() => attach(bus.handle, { lane: 'pres' }), { code: 'ECAT_ERR_INVALID_ARGUMENT', message: /has press/ });
  t.throws(() => attach(bus.handle, { outputs: ['count'] }), { code: 'ECAT_ERR_NOT_AN_OUTPUT' });
  t.throws(() => attach(bus.handle, { outputs: ['lamp'] }), { code: 'ECAT_ERR_TAG_UNKNOWN' });
  t.throws(() => attach(bus.handle, { lane: 'press', outputs: [] }), { code: 'ECAT_ERR_INVALID_ARGUMENT' });
  t.throws(() => attach(bus.handle, { lane: 'press', deadlineMs: -1 }), { code: 'ECAT_ERR_INVALID_ARGUMENT' });
  const written = await lane.write({ 'lamp.on': true });
  t.true(written.cycle > 0);
  lane.release();
  lane.release();
  await t.throwsAsync(lane.write({ 'lamp.on': true }), { code: 'ECAT_ERR_CLOSED' });
  // on_loss: zero, and 7
  await until(bus, 'lamp.on', false);
  t.is(bus.snapshot().value('speed.target'), 7);
  const again = await bus.lane('press');
  t.true((await again.write({ 'lamp.on': true })).cycle > written.cycle);
});

test('outputs that the opener gives back go to whoever claims them, without a jump, and can be taken back', async (t) => {
  await using bus = await MainDevice.open(plant({ time: 'virtual' }));
  await using _running = running(bus);
  await bus.write({ 'lamp.on': true, 'horn.on': true, 'speed.target': 50 });
  await bus.releaseOutputs(['out']);
  await t.throwsAsync(bus.write({ 'horn.on': false }), { code: 'ECAT_ERR_OUTPUT_CLAIMED', message: /was given back/ });
  await t.throwsAsync(bus.releaseOutputs(['horn.on']), { code: 'ECAT_ERR_OUTPUT_CLAIMED' });
  await using owner = worker(bus, { outputs: ['out'], name: 'horns', deadlineMs: 2000 });
  t.is(await owner.next(), 'attached');
  t.like(bus.snapshot().values(), { 'lamp.on': true, 'horn.on': true, 'speed.target': 50 });
  await owner.ask({ do: 'write', values: { 'horn.on': false } });
  t.like(bus.snapshot().values(), { 'lamp.on': true, 'horn.on': false, 'speed.target': 50 });
  await t.throwsAsync(bus.claimOutputs(['horn.on']), { code: 'ECAT_ERR_OUTPUT_CLAIMED', message: /lane horns/ });
  await bus.write({ 'speed.target': 60 });
  const faults: string[] = [];
  bus.faults$.subscribe(({ kind }) => faults.push(kind));
  await owner.ask({ do: 'close' });
  await bus.claimOutputs(['out']);
  await bus.write({ 'horn.on': true });
  t.like(bus.snapshot().values(), { 'lamp.on': false, 'horn.on': true, 'speed.target': 60 });
  t.deepEqual(faults, [], 'giving a lane up in order is no fault');
});

for (const [how, command, heapMb] of [
  ['is terminated', 'terminate', undefined],
  ['loops for ever', 'loop', undefined],
  ['runs out of memory', 'exhaust', 64],
  ['throws', 'throw', undefined],
] as const) {
  test(`when the worker of a lane ${how}, its outputs follow their loss policy and the event names the lane`, async (t) => {
    const lanes = [{ name: 'press', outputs: ['out', 'ao'], deadline_ms: 200 }];
    await using bus = await MainDevice.open(withLanes(lanes, { time: 'virtual' }));
    await using _running = running(bus);
    await using owner = worker(bus, { lane: 'press' }, heapMb);
    t.is(await owner.next(), 'attached');
    await owner.ask({ do: 'write', values: { 'lamp.on': true, 'horn.on': true, 'speed.target': 99 } });
    const lost: string[] = [];
    const states: StateChange[] = [];
    bus.faults$.subscribe(({ kind, error }) => {
      if (kind === 'lane-lost') lost.push(error.lane ?? '');
    });
    bus.states$.subscribe((change) => states.push(change));
    if (command === 'terminate') await owner.worker.terminate();
    else void owner.ask({ do: command });
    await until(bus, 'lamp.on', false);
    // zero, hold, and a value
    t.like(bus.snapshot().values(), { 'lamp.on': false, 'horn.on': true, 'speed.target': 7 });
    while (lost.length === 0) await sleep(5);
    await owner.worker.terminate();
    // Its successor takes over where the outputs stand.
    await using successor = worker(bus, { lane: 'press', deadlineMs: 5000 });
    t.is(await successor.next(), 'attached');
    t.like(bus.snapshot().values(), { 'horn.on': true, 'speed.target': 7 });
    await successor.ask({ do: 'write', values: { 'lamp.on': true } });
    t.like(bus.snapshot().values(), { 'lamp.on': true, 'horn.on': true, 'speed.target': 7 });
    t.deepEqual(lost, ['press'], 'reported once');
    t.true(states.some((change) => change.subject === 'lane' && change.name === 'press' && change.state !== 'live'));
  });
}

test('a lane that was lost is resumed without a jump', async (t) => {
  await using bus = await MainDevice.open(withLanes(press, { time: 'virtual' }));
  const lane = await bus.lane('press');
  const before = lane.write({ 'speed.target': 30 });
  await bus.advance(5);
  await before;
  bus.simulator.stall(200);
  t.true(lane.isLost);
  await t.throwsAsync(lane.write({ 'speed.target': 40 }), { code: 'ECAT_ERR_LANE_LOST' });
  t.is(bus.snapshot().value('speed.target'), 7);
  const resumed = lane.resume();
  await bus.advance(1);
  await resumed;
  t.is(bus.snapshot().value('speed.target'), 7);
  const written = lane.write({ 'lamp.on': true });
  await bus.advance(1);
  await written;
  t.like(bus.snapshot().values(), { 'lamp.on': true, 'speed.target': 7 });
});

test('a lane whose writer lives and does not write is lost after its commit deadline', async (t) => {
  const lanes = [{ name: 'press', outputs: ['lamp.on'], deadline_ms: 0, commit_deadline_ms: 20 }];
  await using bus = await MainDevice.open(withLanes(lanes, { time: 'virtual' }));
  const lane = await bus.lane('press');
  const written = lane.write({ 'lamp.on': true });
  await bus.advance(15);
  await written;
  t.false(lane.isLost);
  await bus.advance(15);
  t.true(lane.isLost);
  t.false(bus.isLaneLost);
  t.false(bus.snapshot().value('lamp.on'));
});

test('at most 64 writes of a lane may wait, whatever other lanes do', async (t) => {
  await using bus = await MainDevice.open(withLanes(press, { time: 'virtual' }));
  const lane = await bus.lane('press');
  const writes = Array.from({ length: 64 }, (_, n) => lane.write({ 'speed.target': n }));
  await t.throwsAsync(lane.write({ 'speed.target': 64 }), { code: 'ECAT_ERR_WRITE_QUEUE_FULL' });
  writes.push(bus.write({ 'horn.on': true }));
  await bus.advance(1);
  const results = await Promise.all(writes);
  t.deepEqual(
    results.map(({ superseded }) => superseded),
    [...Array.from({ length: 63 }, () => true), false, false],
  );
});

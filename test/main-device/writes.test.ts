/** What becomes of writes on a running bus whose SubDevices or frames fail. */

import test from 'ava';
import { attach, type EtherCatError, MainDevice, type WriteResult } from '../../src/index.ts';
import { plant } from '../support/plant.ts';

const open = (): Promise<MainDevice> => MainDevice.open(plant({ time: 'virtual', output_deadline_ms: 0 }));

/** What became of a write, and after how many cycles more that was known. */
async function outcomeOf(bus: MainDevice, write: Promise<WriteResult>): Promise<[cycles: number, EtherCatError?]> {
  let settled = false;
  const error = write.then(
    () => undefined,
    (reason: EtherCatError) => reason,
  );
  void error.then(() => {
    settled = true;
  });
  let cycles = 0;
  while (!settled) {
    await bus.advance(1);
    cycles += 1;
  }
  const reason = await error;
  return reason === undefined ? [cycles] : [cycles, reason];
}

/** Takes the analogue outputs to SAFE-OP, as their watchdog would. */
async function toSafeOp(bus: MainDevice): Promise<void> {
  bus.simulator.device('ao').leaveState('SAFE-OP', 0x1b);
  while (bus.subDevice('ao').state !== 'SAFE-OP') await bus.advance(1);
}

test('a write to a SubDevice in SAFE-OP rejects with its first cycle and names it; others arrive', async (t) => {
  await using bus = await open();
  await toSafeOp(bus);
  const [cycles, error] = await outcomeOf(bus, bus.write({ 'speed.target': 12 }));
  t.is(cycles, 1);
  t.like(error, { code: 'ECAT_ERR_NOT_OPERATIONAL', subDevice: 'ao', position: 4, tag: 'speed.target' });
  t.regex(error!.message, /SAFE-OP/);
  t.deepEqual(await outcomeOf(bus, bus.write({ 'lamp.on': true })), [1]);
  t.deepEqual(await outcomeOf(bus, bus.resume()), [1]);
  // One write over both says what it did not reach; whom it can reach it does.
  const [, both] = await outcomeOf(bus, bus.write({ 'lamp.on': false, 'horn.on': true, 'speed.target': 13 }));
  t.like(both, { code: 'ECAT_ERR_NOT_OPERATIONAL', tag: 'speed.target' });
  t.like(bus.snapshot().values(), { 'lamp.on': false, 'horn.on': true });
  t.true(await bus.simulator.device('out').output(2).read());
});

test('a write that is under way when its SubDevice is lost rejects once that is known, later ones with their first cycle', async (t) => {
  await using bus = await open();
  bus.simulator.device('ao').unplug();
  const [cycles, error] = await outcomeOf(bus, bus.write({ 'speed.target': 12 }));
  t.true(cycles < 8, `${cycles}`);
  t.like(error, { code: 'ECAT_ERR_NOT_OPERATIONAL', subDevice: 'ao', tag: 'speed.target' });
  t.regex(error!.message, /does not answer/);
  const [again, same] = await outcomeOf(bus, bus.write({ 'speed.target': 13 }));
  t.deepEqual([again, same!.code], [1, 'ECAT_ERR_NOT_OPERATIONAL']);
  t.deepEqual(await outcomeOf(bus, bus.write({ 'lamp.on': true })), [1]);
});

/** With a lane that has every output. */
const openWithLane = (): Promise<MainDevice> => {
  const { ethercat } = plant({ time: 'virtual', output_deadline_ms: 0 });
  return MainDevice.open({
    ethercat: { ...ethercat, lanes: [{ name: 'both', outputs: ['out', 'ao'], deadline_ms: 0 }] },
  });
};

test('a write through the lane of another thread is told the same', async (t) => {
  await using bus = await openWithLane();
  using attached = attach(bus.handle, { lane: 'both' });
  await toSafeOp(bus);
  const [, error] = await outcomeOf(bus, attached.write({ 'speed.target': 12 }));
  t.like(error, { code: 'ECAT_ERR_NOT_OPERATIONAL', subDevice: 'ao', position: 4, tag: 'speed.target' });
  const [, none] = await outcomeOf(bus, attached.write({ 'lamp.on': true }));
  t.is(none, undefined);
});

test('a write whose frames are lost for eight cycles has failed, one whose frames come back before that has not', async (t) => {
  await using bus = await open();
  bus.simulator.loseFrames(8);
  const [cycles, error] = await outcomeOf(bus, bus.write({ 'lamp.on': true }));
  t.deepEqual([cycles, error!.code], [8, 'ECAT_ERR_WRITE_FAILED']);
  // They were lost on their way back.
  t.true(await bus.simulator.device('out').output(1).read());
  bus.simulator.loseFrames(7);
  const write = bus.write({ 'lamp.on': false });
  const first = bus.snapshot().cycle + 1;
  t.deepEqual(await outcomeOf(bus, write), [8]);
  t.is((await write).cycle, first, 'the first cycle that carried it');
});

test('writes of a bus that closes reject, whenever they are made', async (t) => {
  for (const bus of [await open(), await openWithLane()]) {
    const writer = bus.handle.lanes.length === 0 ? bus : attach(bus.handle, { lane: 'both' });
    const outstanding = writer.write({ 'lamp.on': true });
    const closing = bus.close();
    const late = bus === writer ? bus.write({ 'lamp.on': false }) : outstanding;
    for (const write of [outstanding, late]) await t.throwsAsync(write, { code: 'ECAT_ERR_CLOSED' });
    await closing;
    await t.throwsAsync(writer.write({ 'lamp.on': true }), { code: 'ECAT_ERR_CLOSED' });
  }
});

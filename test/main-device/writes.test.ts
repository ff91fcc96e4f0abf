/** What becomes of writes on a running bus whose SubDevices or frames fail. */

import test from 'ava';
import { attach, type EtherCatError, MainDevice, type WriteResult } from '../../src/index.ts';
import { plant } from '../support/plant.ts';

const open = (): Promise<MainDevice> => MainDevice.open(plant({ time: 'virtual', output_deadline_ms: 0 }));

/** What became of a write that has so many cycles to be settled in: no other runs while it is waited for. */
async function outcomeOf(
  bus: MainDevice,
  cycles: number,
  write: Promise<WriteResult>,
): Promise<EtherCatError | undefined> {
  const outcome = write.then(
    () => undefined,
    (reason: EtherCatError) => reason,
  );
  await bus.advance(cycles);
  return outcome;
}

/** Takes the analogue outputs to SAFE-OP, as their watchdog would. */
async function toSafeOp(bus: MainDevice): Promise<void> {
  bus.simulator.device('ao').leaveState('SAFE-OP', 0x1b);
  while (bus.subDevice('ao').state !== 'SAFE-OP') await bus.advance(1);
}

test('a write to a SubDevice in SAFE-OP rejects with its first cycle and names it; others arrive', async (t) => {
  await using bus = await open();
  await toSafeOp(bus);
  const error = await outcomeOf(bus, 1, bus.write({ 'speed.target': 12 }));
  t.like(error, { code: 'ECAT_ERR_NOT_OPERATIONAL', subDevice: 'ao', position: 4, tag: 'speed.target' });
  t.regex(error!.message, /SAFE-OP/);
  t.is(await outcomeOf(bus, 1, bus.write({ 'lamp.on': true })), undefined);
  t.is(await outcomeOf(bus, 1, bus.resume()), undefined);
  // One write over both says what it did not reach; whom it can reach it does.
  const both = await outcomeOf(bus, 1, bus.write({ 'lamp.on': false, 'horn.on': true, 'speed.target': 13 }));
  t.like(both, { code: 'ECAT_ERR_NOT_OPERATIONAL', tag: 'speed.target' });
  t.like(bus.snapshot().values(), { 'lamp.on': false, 'horn.on': true });
  t.true(await bus.simulator.device('out').output(2).read());
});

test('a write that is under way when its SubDevice is lost rejects once that is known, later ones with their first cycle', async (t) => {
  await using bus = await open();
  bus.simulator.device('ao').unplug();
  // A frame that is lost would have eight.
  const error = await outcomeOf(bus, 7, bus.write({ 'speed.target': 12 }));
  t.like(error, { code: 'ECAT_ERR_NOT_OPERATIONAL', subDevice: 'ao', tag: 'speed.target' });
  t.regex(error!.message, /does not answer/);
  const same = await outcomeOf(bus, 1, bus.write({ 'speed.target': 13 }));
  t.is(same!.code, 'ECAT_ERR_NOT_OPERATIONAL');
  t.is(await outcomeOf(bus, 1, bus.write({ 'lamp.on': true })), undefined);
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
  const error = await outcomeOf(bus, 1, attached.write({ 'speed.target': 12 }));
  t.like(error, { code: 'ECAT_ERR_NOT_OPERATIONAL', subDevice: 'ao', position: 4, tag: 'speed.target' });
  t.is(await outcomeOf(bus, 1, attached.write({ 'lamp.on': true })), undefined);
});

test('a write whose frames are lost for eight cycles has failed, one whose frames come back before that has not', async (t) => {
  await using bus = await open();
  bus.simulator.loseFrames(8);
  const error = await outcomeOf(bus, 8, bus.write({ 'lamp.on': true }));
  t.is(error!.code, 'ECAT_ERR_WRITE_FAILED');
  // They were lost on their way back.
  t.true(await bus.simulator.device('out').output(1).read());
  bus.simulator.loseFrames(7);
  const write = bus.write({ 'lamp.on': false });
  const first = bus.snapshot().cycle + 1;
  t.is(await outcomeOf(bus, 8, write), undefined);
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

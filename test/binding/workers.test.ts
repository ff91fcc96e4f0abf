import { once } from 'node:events';
import test from 'ava';
import { CopyOutcome, EngineState, LaneState, SLOT_HEADER_CYCLE_I32 } from '../../src/core/generated/layout.ts';
import { native } from '../../src/core/native.ts';
import { claimsOf, eventually, openBus, PATIENCE_MS, startWorker } from './support.ts';

test('a worker attaches, waits for cycles, and ends when the engine closes', async (t) => {
  const bus = await openBus(t);
  const worker = await startWorker('attach-and-wait', { id: bus.engine.id, memory: bus.memory, slotBytes: 4096 });
  const fresh = once(worker, 'message');
  bus.close();
  const [count] = (await fresh) as [number];
  t.true(count > 0);
});

test('a worker that is terminated in the middle of a native wait ends, and the engine runs on', async (t) => {
  // Nothing is granted: the worker waits natively all the time.
  const bus = await openBus(t, { virtualTime: true });
  const worker = await startWorker('attach-and-wait', { id: bus.engine.id, memory: bus.memory, slotBytes: 4096 });
  await worker.terminate();
  t.is(bus.state, EngineState.Op);
  t.true(bus.close());
});

test('the lanes of a terminated worker go to their loss values and are free again', async (t) => {
  const bus = await openBus(t);
  const worker = await startWorker('claim-and-spin', { id: bus.engine.id, memory: bus.memory });
  await eventually(() => bus.attachment.laneState(1) === LaneState.Live, 'live');
  await worker.terminate();
  await eventually(() => bus.attachment.laneState(1) === LaneState.Free, 'free');
  t.true(bus.close());
});

test('the lane of a worker that is killed while the main thread is blocked is lost by its deadline', async (t) => {
  const bus = await openBus(t, { virtualTime: true });
  const { attachment } = bus;
  const workerData = { id: bus.engine.id, memory: bus.memory, deadlineCycles: 20 };
  const worker = await startWorker('claim-and-spin', workerData);
  bus.engine.grant(3);
  await eventually(() => attachment.laneState(1) === LaneState.Live, 'live');
  const terminated = worker.terminate();
  bus.engine.grant(-1);
  // Blocked: no turn of the event loop, which the end of the worker's environment may need.
  const left = performance.now() + PATIENCE_MS;
  while (attachment.laneState(1) === LaneState.Live && performance.now() < left);
  const state = attachment.laneState(1);
  t.true(state === LaneState.Lost || state === LaneState.Releasing || state === LaneState.Free, `state ${state}`);
  await terminated;
  await eventually(() => attachment.laneState(1) === LaneState.Free, 'free');
  const claims = claimsOf({ mask: 0x02 });
  t.is(attachment.claim(1, claims), 1, 'the slot is used again');
  attachment.resume(1, new Uint8Array(1));
  attachment.commit(1, new Uint8Array([0x02]));
  await eventually(() => attachment.laneState(1) === LaneState.Live, 'live again');
});

test('a worker in lockstep that is terminated holds no cycle any more', async (t) => {
  const bus = await openBus(t, { virtualTime: true, lockstepTimeoutMs: 600_000 });
  const worker = await startWorker('lockstep-and-spin', { id: bus.engine.id, memory: bus.memory });
  const slot = new Uint8Array(4096);
  const newest = (): number => {
    bus.attachment.copyNewest(slot);
    return new Uint32Array(slot.buffer)[SLOT_HEADER_CYCLE_I32] ?? 0;
  };
  const begun = newest();
  bus.engine.grant(5);
  await eventually(() => newest() === begun + 1, 'one cycle');
  t.is(bus.attachment.waitCopy(begun + 1, 20, slot), CopyOutcome.Timeout, 'held');
  await worker.terminate();
  await eventually(() => newest() === begun + 5, 'all cycles');
});

test('a lane that is given up is free two cycles later, and whoever claims its bits before is told by whom', async (t) => {
  const bus = await openBus(t, { virtualTime: true });
  const { attachment, engine } = bus;
  const other = new (native().BindingAttachment)(engine.id, new Uint8Array(bus.memory), null);
  t.is(attachment.claim(-1, claimsOf({ mask: 0x0f, name: 'main' })), 0);
  const conflict = t.throws(() => other.claim(-1, claimsOf({ mask: 0x18, name: 'control' })), {
    code: 'ECAT_ERR_OUTPUT_CLAIMED',
  });
  t.regex(conflict?.message ?? '', /bit 3 .*lane 1 "control".*lane 0 "main"/);
  t.throws(() => other.claim(0, claimsOf({ mask: 0x80, name: 'control' })), { code: 'ECAT_ERR_LANE_BUSY' });
  engine.grant(2);
  await eventually(() => attachment.laneState(0) === LaneState.Claimed, 'claimed');
  t.deepEqual(other.lanes()[0], { name: 'main', own: false, state: LaneState.Claimed });
  attachment.releaseLane(0);
  t.throws(() => attachment.commit(0, new Uint8Array(1)), { code: 'ECAT_ERR_INVALID_ARGUMENT' });
  t.throws(() => other.claim(0, claimsOf({ mask: 0x0f })), { code: 'ECAT_ERR_LANE_BUSY' });
  engine.grant(3);
  await eventually(() => attachment.laneState(0) === LaneState.Free, 'free');
  t.is(other.claim(-1, claimsOf({ mask: 0x0f, name: 'control' })), 0);
  t.deepEqual(
    other.lanes().map(({ name, own }) => [name, own]),
    [
      ['control', true],
      [undefined, false],
      [undefined, false],
      [undefined, false],
    ],
  );
  other.release();
});

test('an engine that a worker opened is closed when the worker is terminated', async (t) => {
  const worker = await startWorker('open-and-idle', {});
  const [id] = (await once(worker, 'message')) as [number];
  await worker.terminate();
  t.true(id > 0);
  const bus = await openBus(t);
  t.throws(
    () => {
      new (bus.attachment.constructor as new (...args: unknown[]) => unknown)(id, new Uint8Array(bus.memory), null);
    },
    { code: 'ECAT_ERR_CLOSED' },
  );
  bus.close();
});

import { once } from 'node:events';
import test from 'ava';
import { EngineState, LaneState } from '../../src/core/generated/layout.ts';
import { eventually, openBus, startWorker } from './support.ts';

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

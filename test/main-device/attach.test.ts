import { on, once } from 'node:events';
import { Worker } from 'node:worker_threads';
import test from 'ava';
import { attach, type BusHandle, MainDevice } from '../../src/index.ts';
import { plant } from '../support/plant.ts';

test('a thread attaches by a posted handle, waits for every cycle, and sees values and changes', async (t) => {
  const bus = await MainDevice.open(plant());
  const worker = new Worker(new URL('fixtures/attached.worker.ts', import.meta.url), {
    workerData: { handle: bus.handle, cycles: 20 },
  });
  const messages = on(worker, 'message');
  const next = async (): Promise<unknown> => ((await messages.next()).value as unknown[])[0];
  const first = (await next()) as { waited: number[]; count: number; values: Record<string, unknown> };
  t.is(first.waited.length, 20);
  // The numbers of periods in which no cycle ran are left out, and no others.
  const leftOut = first.waited.at(-1)! - first.waited[0]! - 19;
  t.true(leftOut >= 0 && leftOut <= bus.statistics().missedCycles);
  t.deepEqual(Object.keys(first.values), Object.keys(bus.snapshot().values()));
  const begin = (await next()) as { value: number; cycle: number };
  const change = (await next()) as { value: number; cycle: number };
  t.true(change.cycle > begin.cycle && change.value !== begin.value);
  const exit = once(worker, 'exit');
  await bus.close();
  while ((await next()) !== 'complete');
  // Nothing holds a thread any more whose bus has closed.
  t.deepEqual(await exit, [0]);
});

test('the thread that opened a bus can attach to it as well, and closing that leaves the bus alone', async (t) => {
  await using bus = await MainDevice.open(plant({ time: 'virtual' }));
  const attached = attach(structuredClone(bus.handle));
  const seen: number[] = [];
  let completed = false;
  attached
    .tag<number>('count')
    .value$.subscribe({ next: ({ cycle }) => seen.push(cycle), complete: () => (completed = true) });
  await bus.advance(10);
  t.deepEqual(attached.snapshot().values(), bus.snapshot().values());
  t.is(attached.waitCycle(0), bus.snapshot().cycle);
  t.is(attached.waitCycle(0), undefined);
  t.is(attached.read('count'), bus.snapshot().value('count'));
  attached.close();
  attached.close();
  t.true(completed);
  t.true(attached.isClosed);
  t.throws(() => attached.snapshot(), { code: 'ECAT_ERR_CLOSED' });
  t.throws(() => attached.waitCycle(0), { code: 'ECAT_ERR_CLOSED' });
  await t.throwsAsync(attached.write({ 'lamp.on': true }), { code: 'ECAT_ERR_CLOSED' });
  const write = bus.write({ 'lamp.on': true });
  const cycle = await bus.advance(1);
  t.is((await write).cycle, cycle);
});

test('what is no handle of an open bus is refused', async (t) => {
  const bus = await MainDevice.open(plant({ time: 'virtual' }));
  const { handle } = bus;
  await bus.close();
  t.throws(() => attach(handle), { code: 'ECAT_ERR_CLOSED' });
  for (const wrong of [undefined, null, 3, {}, { ...handle, memory: new ArrayBuffer(8) }]) {
    t.throws(() => attach(wrong as BusHandle), { code: 'ECAT_ERR_INVALID_ARGUMENT', message: /bus\.handle/ });
  }
});

test('an attachment without outputs of its own cannot write', async (t) => {
  await using bus = await MainDevice.open(plant({ time: 'virtual' }));
  using attached = attach(bus.handle);
  await t.throwsAsync(attached.write({ 'lamp.on': true }), { code: 'ECAT_ERR_OUTPUT_CLAIMED' });
  await t.throwsAsync(attached.tag('lamp.on').write(true), { code: 'ECAT_ERR_OUTPUT_CLAIMED' });
});

test('an attachment whose bus closes completes its streams', async (t) => {
  const bus = await MainDevice.open(plant({ time: 'virtual' }));
  const attached = attach(bus.handle);
  const completed = new Promise<void>((complete) => attached.changes$.subscribe({ complete }));
  await bus.close();
  await completed;
  t.true(attached.isClosed);
  t.throws(() => attached.waitCycle(0), { code: 'ECAT_ERR_CLOSED' });
});

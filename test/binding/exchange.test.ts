import test from 'ava';
import {
  CopyOutcome,
  EngineState,
  HEADER_SLOT_INPUTS_OFFSET_I32,
  LaneState,
  SLOT_HEADER_CYCLE_I32,
  Verdict,
} from '../../src/core/generated/layout.ts';
import { native } from '../../src/core/native.ts';
import { engineOptions, eventually, openBus, PATIENCE_MS, simulatedSegment } from './support.ts';

const { BindingAttachment, BindingEngine } = native();

test('a bring-up ends with the network and where everything lies in the image', async (t) => {
  const bus = await openBus(t);
  const { subDevices, inputBytes, outputBytes, datagramCount, frameCount } = bus.network;
  t.is(subDevices.length, 3);
  t.deepEqual([inputBytes, outputBytes, datagramCount, frameCount], [1, 1, 1, 1]);
  const [coupler, inputs, outputs] = subDevices;
  t.is(coupler?.name, 'EK1100');
  t.deepEqual([inputs?.inputBytes, inputs?.outputBytes, inputs?.entries.length], [1, 0, 8]);
  t.deepEqual([outputs?.inputBytes, outputs?.outputBytes, outputs?.entries.length], [0, 1, 8]);
  const [first] = outputs?.entries ?? [];
  t.deepEqual([first?.direction, first?.bitOffset, first?.bitLength, first?.pdoIndex], ['output', 0, 1, 0x1600]);
  t.is(bus.engine.takeBringUp(), null, 'taken once');
  bus.close();
});

test('a bring-up that fails ends with its failures', async (t) => {
  const error = await t.throwsAsync(openBus(t, { description: '{"devices":[]}' }));
  const [failure] = (error as Error & { failures: { code: string }[] }).failures;
  t.is(failure?.code, 'ECAT_ERR_NO_SUBDEVICES');
});

test('what a lane commits reaches the plant, comes back as an input, and gets a receipt', async (t) => {
  const bus = await openBus(t);
  const { attachment } = bus;
  attachment.claim(0, {
    mask: new Uint8Array([0xff]),
    lossMask: new Uint8Array([0xff]),
    lossImage: new Uint8Array([0]),
    deadlineCycles: 0,
  });
  const sequence = attachment.commit(0, new Uint8Array([1]));
  const slot = new Uint8Array(4096);
  const inputsAt = new Uint32Array(bus.memory)[HEADER_SLOT_INPUTS_OFFSET_I32] ?? 0;
  await eventually(() => {
    t.is(attachment.copyNewest(slot), CopyOutcome.Fresh);
    return slot[inputsAt] === 1;
  }, 'the first input follows the first output');
  t.is(attachment.laneState(0), LaneState.Live);
  const tail = new Uint32Array(1);
  const receipts = new Uint32Array(4 * 64);
  await eventually(() => attachment.drainReceipts(0, tail, receipts) > 0, 'a receipt');
  t.deepEqual([receipts[0], receipts[3]], [sequence, Verdict.Ok]);
  t.is(tail[0], 1);
  bus.close();
});

test('a second attachment cannot claim what another one owns', async (t) => {
  const bus = await openBus(t);
  const other = new BindingAttachment(bus.engine.id, new Uint8Array(bus.memory), null);
  const claims = (): { mask: Uint8Array; lossMask: Uint8Array; lossImage: Uint8Array; deadlineCycles: number } => ({
    mask: new Uint8Array([0x0f]),
    lossMask: new Uint8Array(1),
    lossImage: new Uint8Array(1),
    deadlineCycles: 0,
  });
  bus.attachment.claim(0, claims());
  t.throws(() => other.claim(1, claims()), { code: 'ECAT_ERR_OUTPUT_CLAIMED' });
  bus.attachment.release();
  await eventually(() => other.laneState(0) === LaneState.Free, 'the lane is free');
  // The bits are free when no frame on its way carries the old owner's any more.
  await eventually(() => {
    try {
      other.claim(1, claims());
      return true;
    } catch {
      return false;
    }
  }, 'the bits are free');
  other.release();
  bus.close();
});

test('waiting copies one cycle after the other, and a cycle that is gone is overtaken', async (t) => {
  const bus = await openBus(t);
  const slot = new Uint8Array(4096);
  const words = new Uint32Array(slot.buffer);
  t.is(bus.attachment.waitCopy(-1, 50, slot), CopyOutcome.Fresh);
  const first = words[SLOT_HEADER_CYCLE_I32] ?? 0;
  let after = first;
  for (let copied = 0; copied < 5; ) {
    const outcome = bus.attachment.waitCopy(after, 50, slot);
    if (outcome === CopyOutcome.Timeout) continue;
    if (outcome === CopyOutcome.Overtaken) {
      bus.attachment.copyNewest(slot);
    } else {
      t.is(outcome, CopyOutcome.Fresh);
    }
    after = words[SLOT_HEADER_CYCLE_I32] ?? 0;
    copied += 1;
  }
  t.true(after >= first + 5);
  await eventually(() => bus.attachment.copyCycle(first, slot) === CopyOutcome.Overtaken, 'the first cycle is gone');
  t.is(bus.attachment.copyCycle(after + 1_000_000, slot), CopyOutcome.Empty);
  t.true(bus.close());
});

test('a wait returns within its slice, however long it was asked to be', async (t) => {
  const bus = await openBus(t, { virtualTime: true });
  const slot = new Uint8Array(4096);
  const words = new Uint32Array(slot.buffer);
  await eventually(() => {
    bus.attachment.copyNewest(slot);
    return bus.attachment.waitCopy(words[SLOT_HEADER_CYCLE_I32] ?? 0, 5, slot) === CopyOutcome.Timeout;
  }, 'nothing runs without a grant');
  const hour = 3_600_000;
  t.is(bus.attachment.waitCopy(words[SLOT_HEADER_CYCLE_I32] ?? 0, hour, slot), CopyOutcome.Timeout);
  bus.close();
});

test('virtual time runs the cycles that are granted, and no others', async (t) => {
  const bus = await openBus(t, { virtualTime: true });
  const slot = new Uint8Array(4096);
  const words = new Uint32Array(slot.buffer);
  const newest = (): number => {
    bus.attachment.copyNewest(slot);
    return words[SLOT_HEADER_CYCLE_I32] ?? 0;
  };
  const start = newest();
  bus.engine.grant(100);
  await eventually(() => newest() === start + 100, '100 more cycles');
  t.is(bus.attachment.waitCopy(start + 100, 20, slot), CopyOutcome.Timeout);
  bus.engine.grant(-1);
  await eventually(() => newest() > start + 10_000, 'free run');
  bus.close();
});

test('the change log goes from a writer to any number of consumers, each with its own tail', async (t) => {
  const bus = await openBus(t);
  const other = new BindingAttachment(bus.engine.id, new Uint8Array(bus.memory), null);
  const staging = new Uint8Array(48);
  new Uint32Array(staging.buffer).set([0xffff_ffff, 7, 1, 0, 0, 0, 0, 0, 3, 7, 0, 0]);
  const { rings } = bus;
  bus.attachment.publish(0, staging, 48);
  for (const consumer of [bus.attachment, other]) {
    const tail = new Uint32Array(1);
    const records = new Uint8Array(16 * 64);
    t.is(consumer.drain(0, tail, records), 3);
    t.deepEqual(records.subarray(0, 48), staging);
    t.is(tail[0], 3);
    t.is(consumer.drain(0, tail, records), 0);
  }
  await eventually(() => bus.rings > rings, 'publishing rings the bell');
  const tail = new Uint32Array(1);
  for (let round = 0; round < 64; round += 1) bus.attachment.publish(0, staging, 48);
  t.is(other.drain(0, tail, new Uint8Array(16 * 64)), -1, 'lapped');
  other.release();
  bus.close();
});

test('partitions have logs of their own, and a partition the publisher that began last', async (t) => {
  const bus = await openBus(t, {}, { partitionCount: 2 });
  const other = new BindingAttachment(bus.engine.id, new Uint8Array(bus.memory), null);
  const batch = (cycle: number): Uint8Array => {
    const bytes = new Uint8Array(32);
    new Uint32Array(bytes.buffer).set([0xffff_ffff, cycle, 0, 0]);
    return bytes;
  };
  bus.attachment.publish(0, batch(1), 32);
  other.publish(1, batch(2), 32);
  const cycleOf = (partition: number): number | undefined => {
    const records = new Uint8Array(16 * 64);
    t.is(bus.attachment.drain(partition, new Uint32Array(1), records), 2);
    return new Uint32Array(records.buffer)[1];
  };
  t.deepEqual([cycleOf(0), cycleOf(1)], [1, 2]);
  // A worker that replaces another one, which was thought dead.
  other.publish(0, batch(3), 32);
  t.throws(() => bus.attachment.publish(0, batch(4), 32), { code: 'ECAT_ERR_INVALID_ARGUMENT' });
  other.publish(0, batch(5), 32);
  t.throws(() => other.publish(2, batch(6), 32), { code: 'ECAT_ERR_INVALID_ARGUMENT' });
  t.throws(() => other.drain(2, new Uint32Array(1), new Uint8Array(64)), { code: 'ECAT_ERR_INVALID_ARGUMENT' });
  other.release();
});

test('a panic of the link faults the engine, and the process goes on', async (t) => {
  const bus = await openBus(t);
  t.true(bus.simulated?.command('{"kind":"panic"}'));
  const [failure] = await bus.ring(() => {
    const failures = bus.engine.takeFailures();
    return failures.length > 0 ? failures : undefined;
  });
  t.is(failure?.code, 'ECAT_ERR_PANIC');
  t.regex(failure?.message ?? '', /commanded to panic/);
  await bus.reached(EngineState.Faulted);
  const slot = new Uint8Array(4096);
  t.is(bus.attachment.copyNewest(slot), CopyOutcome.Fresh, 'what was published stays readable');
  const [, newest = 0] = new Uint32Array(slot.buffer);
  t.is(bus.attachment.waitCopy(newest, 50, slot), CopyOutcome.Closed);
  t.true(bus.close());
  const next = await openBus(t);
  t.true(next.close());
});

test('events are drained in whole numbers of five words', async (t) => {
  const bus = await openBus(t);
  const out = new Uint32Array(5 * 16);
  let kinds: number[] = [];
  await eventually(() => {
    const count = bus.engine.drainEvents(out);
    kinds = kinds.concat(Array.from({ length: count }, (_, index) => out[index * 5] ?? 0));
    return kinds.includes(2);
  }, 'a SubDevice changed its state');
  bus.close();
  t.true(kinds.every((kind) => kind >= 1 && kind <= 64));
});

test('an engine that is closed while its bring-up runs says that it was aborted', async (t) => {
  const rung = Promise.withResolvers<void>();
  const engine = new BindingEngine(engineOptions(), () => rung.resolve(), simulatedSegment());
  t.true(engine.closeNow(PATIENCE_MS));
  const outcome = engine.takeBringUp();
  t.true(outcome === null || outcome.network !== undefined || outcome.failures[0]?.code === 'ECAT_ERR_ABORTED');
  engine.release();
});

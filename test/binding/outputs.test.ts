import test from 'ava';
import {
  COUNTERS_OFFSET,
  COUNTERS_URGENT_FRAMES_U64,
  HEADER_SLOT_OUTPUTS_OFFSET_I32,
  INTERLOCKS_OFFSET,
  InterlockState,
  SLOT_HEADER_CYCLE_I32,
  Verdict,
} from '../../src/core/generated/layout.ts';
import type { BindingInterlock } from '../../src/core/native.ts';
import { type Bus, claimsOf, eventually, openBus } from './support.ts';

const outPosition = 2;
const urgentAllowed = new Uint8Array([0, 0, 1]);

/** Fires while the first input is on, and forces the last output on. */
function guard(more: Partial<BindingInterlock> = {}): BindingInterlock {
  return {
    name: 'guard',
    bitOffset: 0,
    bitLength: 1,
    kind: 'unsigned',
    is: 1,
    forceMask: new Uint8Array([0x80]),
    forceImage: new Uint8Array([0x80]),
    ...more,
  };
}

/** Runs cycles in virtual time and returns the newest outputs. */
async function run(bus: Bus, cycles: number): Promise<{ cycle: number; outputs: number }> {
  const slot = new Uint8Array(4096);
  const words = new Uint32Array(slot.buffer);
  bus.attachment.copyNewest(slot);
  const end = (words[SLOT_HEADER_CYCLE_I32] ?? 0) + cycles;
  bus.engine.grant(cycles);
  await eventually(() => {
    bus.attachment.copyNewest(slot);
    return words[SLOT_HEADER_CYCLE_I32] === end;
  }, `cycle ${end}`);
  return { cycle: end, outputs: slot[new Uint32Array(bus.memory)[HEADER_SLOT_OUTPUTS_OFFSET_I32] ?? 0] ?? -1 };
}

test('an urgent commit leaves before the next cycle, and its receipt says so', async (t) => {
  const bus = await openBus(t, { virtualTime: true }, {}, { urgentAllowed });
  t.deepEqual(
    bus.network.subDevices.map(({ deviceEmulation }) => deviceEmulation),
    [true, true, true],
  );
  const { attachment } = bus;
  attachment.claim(0, claimsOf({ mask: 0xff }));
  const { cycle } = await run(bus, 3);
  const frames = new BigUint64Array(bus.memory);
  const sequence = attachment.commitUrgent(0, new Uint8Array([5]));
  const receipts = new Uint32Array(4 * 64);
  const tail = new Uint32Array(1);
  await eventually(() => attachment.drainReceipts(0, tail, receipts) === 1, 'a receipt without a cycle');
  t.deepEqual([...receipts.subarray(0, 4)], [sequence, cycle + 1, cycle + 1, Verdict.Early]);
  t.is(Atomics.load(frames, COUNTERS_OFFSET / 8 + COUNTERS_URGENT_FRAMES_U64), 1n);
  t.is((await run(bus, 1)).outputs, 5);
});

test('an urgent commit of what must not be disturbed is refused, and nothing is committed', async (t) => {
  const bus = await openBus(t, { virtualTime: true }, {}, { urgentAllowed: new Uint8Array([1, 1, 0]) });
  bus.attachment.claim(0, claimsOf({ mask: 0xff }));
  const error = t.throws(() => bus.attachment.commitUrgent(0, new Uint8Array([1])), {
    code: 'ECAT_ERR_URGENT_NOT_ALLOWED',
  });
  t.regex(error?.message ?? '', /no SubDevice/);
  t.is((await run(bus, 2)).outputs, 0);
});

test('what an urgent commit does not change need not be allowed', async (t) => {
  const bus = await openBus(t, { virtualTime: true }, {}, { urgentAllowed });
  bus.attachment.claim(0, claimsOf({ mask: 0x0f }));
  // Bits that are not claimed do not count.
  t.is(bus.attachment.commitUrgent(0, new Uint8Array([0xf1])), 1);
  t.is((await run(bus, 1)).outputs, 1);
});

test('an interlock forces, latches, and is acknowledged', async (t) => {
  const bus = await openBus(t, { virtualTime: true }, {}, { interlocks: [guard()] });
  const { attachment, engine } = bus;
  const state = (): number => Atomics.load(new Int32Array(bus.memory), INTERLOCKS_OFFSET / 4);
  attachment.claim(0, claimsOf({ mask: 0x7f }));
  await run(bus, 2);
  t.is(state(), InterlockState.Armed);
  t.false(attachment.acknowledgeInterlock(0));
  // The first output is wired to the first input.
  attachment.commit(0, new Uint8Array([1]));
  t.is((await run(bus, 3)).outputs, 0x81);
  t.is(state(), InterlockState.Fired);
  t.throws(() => attachment.acknowledgeInterlock(0), { code: 'ECAT_ERR_INTERLOCK_HOLDS' });
  attachment.commit(0, new Uint8Array([0]));
  t.is((await run(bus, 3)).outputs, 0x80);
  t.is(state(), InterlockState.Latched);
  t.true(attachment.acknowledgeInterlock(0));
  t.is((await run(bus, 2)).outputs, 0);
  const events = new Uint32Array(5 * 64);
  const count = engine.drainEvents(events);
  const kinds = Array.from({ length: count }, (_, index) => events[5 * index] ?? 0).filter((kind) => kind >= 16);
  t.deepEqual(kinds, [16, 17]);
});

test('interlocks are declared anew by name, and wrong ones are refused by name', async (t) => {
  const bus = await openBus(t, { virtualTime: true }, {}, { interlocks: [guard()] });
  const { engine } = bus;
  t.deepEqual([...engine.setInterlocks([guard({ name: 'other' }), guard()])], [1, 0]);
  const refused = (interlock: BindingInterlock, message: RegExp): void => {
    const error = t.throws(() => engine.setInterlocks([interlock]), { code: 'ECAT_ERR_INVALID_ARGUMENT' });
    t.regex(error?.message ?? '', message);
  };
  refused(guard({ above: 3 }), /"guard".*exactly one/);
  refused(guard({ bitOffset: 4096 }), /"guard".*not the input of one SubDevice/);
  refused(guard({ is: 2n }), /"guard".*never/);
  refused(guard({ forceMask: new Uint8Array(2) }), /"guard".*2 bytes/);
  refused(guard({ kind: 'text' as 'float' }), /"guard".*kind/);
  t.deepEqual([...engine.setInterlocks([])], []);
});

test('a consumer in lockstep holds the next cycle until it has acknowledged, and nobody once it is gone', async (t) => {
  const bus = await openBus(t, { virtualTime: true });
  const { attachment, engine } = bus;
  const slot = new Uint8Array(4096);
  const newest = (): number => {
    attachment.copyNewest(slot);
    return new Uint32Array(slot.buffer)[SLOT_HEADER_CYCLE_I32] ?? 0;
  };
  const { cycle } = await run(bus, 1);
  t.is(attachment.enterLockstep(), attachment.enterLockstep());
  engine.grant(5);
  await eventually(() => newest() === cycle + 1, 'one cycle');
  t.is(attachment.waitCopy(cycle + 1, 30, slot), 1, 'no second one');
  attachment.acknowledge(cycle + 1);
  await eventually(() => newest() === cycle + 2, 'another one');
  attachment.leaveLockstep();
  await eventually(() => newest() === cycle + 5, 'all of them');
  attachment.acknowledge(cycle + 5);
});

test('a place for the outputs of every SubDevice is not needed', async (t) => {
  const bus = await openBus(t, { virtualTime: true }, {}, { urgentAllowed: new Uint8Array(0) });
  bus.attachment.claim(0, claimsOf({ mask: 0xff }));
  t.throws(() => bus.attachment.commitUrgent(0, new Uint8Array(1)), { code: 'ECAT_ERR_URGENT_NOT_ALLOWED' });
  t.is(bus.network.subDevices[outPosition]?.outputBytes, 1);
});

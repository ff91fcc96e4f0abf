import test from 'ava';
import { native } from '../../src/core/native.ts';
import { engineOptions, openBus, simulatedSegment, startOptions } from './support.ts';

const { BindingAttachment, BindingEngine, BindingSegment, BindingSegmentServer } = native();

const shared = (bytes: number): Uint8Array => new Uint8Array(new SharedArrayBuffer(bytes));
const anything = (value: unknown): never => value as never;

test('a wrong argument of a constructor is refused with what is expected', (t) => {
  const bell = (): void => {};
  const refused = (make: () => unknown, code: string, message: RegExp): void => {
    t.throws(make, { code, message }, `${code} ${message}`);
  };
  refused(
    () => new BindingEngine(anything(undefined), bell),
    'ECAT_ERR_INVALID_ARGUMENT',
    /expected type object, got undefined/,
  );
  refused(
    () => new BindingEngine(engineOptions(), anything(5)),
    'ECAT_ERR_INVALID_ARGUMENT',
    /expected type function, got number/,
  );
  refused(
    () => new BindingEngine(engineOptions({ cyclePeriodNs: anything('1') }), bell),
    'ECAT_ERR_INVALID_ARGUMENT',
    /cyclePeriodNs/,
  );
  for (const cyclePeriodNs of [-1, 1.5, 2 ** 32, Number.NaN]) {
    refused(
      () => new BindingEngine(engineOptions({ cyclePeriodNs }), bell),
      'ECAT_ERR_INVALID_ARGUMENT',
      /expected an integer from 0 to 4294967295, got .*cyclePeriodNs/,
    );
  }
  refused(
    () => new BindingEngine(engineOptions({ cyclePeriodNs: 99_999 }), bell, simulatedSegment()),
    'ECAT_ERR_INVALID_ARGUMENT',
    /100000/,
  );
  refused(() => new BindingEngine(engineOptions({ priority: 256 }), bell), 'ECAT_ERR_INVALID_ARGUMENT', /priority/);
  refused(
    () => new BindingEngine(engineOptions({ interface: 'eth0' }), bell, simulatedSegment()),
    'ECAT_ERR_INVALID_ARGUMENT',
    /either an interface or a segment/,
  );
  refused(
    () => new BindingEngine(engineOptions(), bell),
    'ECAT_ERR_INVALID_ARGUMENT',
    /either an interface or a segment/,
  );
  refused(() => new BindingSegment('{"devices":[{"kind":3}]}', true), 'ECAT_ERR_SEGMENT_INVALID', /kind/);
  refused(() => new BindingSegment('{', true), 'ECAT_ERR_SEGMENT_INVALID', /EOF/);
  refused(
    () => new BindingSegmentServer(simulatedSegment(), 'bifrost-none'),
    'ECAT_ERR_LINK_INTERFACE_MISSING',
    /bifrost-none/,
  );
  refused(
    () => new BindingAttachment(0xffff_fff0, shared(4096), null),
    'ECAT_ERR_CLOSED',
    /the MainDevice of this handle is closed/,
  );
});

test('the memory of an engine is a Uint8Array over a SharedArrayBuffer that is large enough', async (t) => {
  const bus = await openBus(t);
  const { id } = bus.engine;
  const refused = (view: unknown, code: string, message: RegExp): void => {
    t.throws(() => new BindingAttachment(id, anything(view), null), { code, message });
  };
  refused(
    new Uint8Array(4096),
    'ECAT_ERR_INVALID_ARGUMENT',
    /expected a Uint8Array over a SharedArrayBuffer, got Uint8Array over an ArrayBuffer/,
  );
  refused(new Int32Array(bus.memory), 'ECAT_ERR_INVALID_ARGUMENT', /got Int32Array/);
  refused(bus.memory, 'ECAT_ERR_INVALID_ARGUMENT', /got something else/);
  refused(shared(4096), 'ECAT_ERR_INVALID_ARGUMENT', /not begin where the memory of engine \d+ does/);
  refused(new Uint8Array(bus.memory, 8), 'ECAT_ERR_INVALID_ARGUMENT', /not begin where/);
  refused(new Uint8Array(bus.memory, 0, 4096), 'ECAT_ERR_LAYOUT_MISMATCH', /4096/);
  t.throws(() => bus.engine.start(new Uint8Array(bus.memory), startOptions), {
    code: 'ECAT_ERR_INVALID_ARGUMENT',
    message: /already/,
  });
  bus.close();
});

test('a private buffer is not shared and has its length', async (t) => {
  const bus = await openBus(t);
  const { attachment, engine } = bus;
  const { outputBytes } = bus.network;
  const refused = (call: () => unknown, message: RegExp): void => {
    t.throws(call, { code: 'ECAT_ERR_INVALID_ARGUMENT', message }, String(message));
  };
  refused(() => attachment.copyNewest(shared(4096)), /over an ArrayBuffer, got Uint8Array over a SharedArrayBuffer/);
  refused(() => attachment.copyNewest(new Uint8Array(8)), /slot: expected a length of at least \d+, got 8/);
  refused(() => attachment.waitCopy(-1, 5, new Uint8Array(8)), /slot: expected a length of at least \d+, got 8/);
  refused(() => attachment.waitCopy(-2, 5, new Uint8Array(8)), /cycle number of 32 bits/);
  refused(() => attachment.drain(0, new Uint32Array(0), new Uint8Array(16)), /at least one element/);
  refused(
    () => attachment.drain(0, new Uint32Array(1), new Uint8Array(8)),
    /records: expected a length of at least 16, got 8/,
  );
  refused(() => attachment.publish(0, new Uint8Array(64), 65), /at most 64, got 65/);
  refused(() => attachment.publish(0, new Uint8Array(64), 24), /whole records of 16 bytes/);
  refused(() => attachment.commit(9, new Uint8Array(outputBytes)), /below 4, got 9/);
  refused(() => attachment.commit(0, new Uint8Array(outputBytes)), /not claimed/);
  refused(() => attachment.drainReceipts(9, new Uint32Array(1), new Uint32Array(4)), /below 4/);
  const bytes = (length: number): Uint8Array => new Uint8Array(length);
  refused(
    () =>
      attachment.claim(0, {
        mask: bytes(outputBytes + 1),
        lossMask: bytes(outputBytes),
        lossImage: bytes(outputBytes),
        deadlineCycles: 0,
      }),
    /mask/,
  );
  refused(
    () => attachment.claim(0, anything({ mask: [1] })),
    /expected a Uint8Array over an ArrayBuffer, got something else.*mask/,
  );
  refused(() => engine.drainEvents(new Uint32Array(4)), /event of 5 words/);
  refused(() => engine.grant(-2), /cycles ≥ −1, got -2/);
  refused(() => bus.simulated?.command('{"kind":"explode"}'), /explode/);
  refused(() => bus.simulated?.ask('{"kind":"read"}'), /missing field `device`/);
  bus.close();
});

test('what was released says so', async (t) => {
  const bus = await openBus(t);
  const slot = new Uint8Array(4096);
  bus.close();
  t.throws(() => bus.attachment.copyNewest(slot), { code: 'ECAT_ERR_CLOSED', message: /attachment has been released/ });
  t.throws(() => bus.engine.takeBringUp(), { code: 'ECAT_ERR_CLOSED', message: /engine has been released/ });
  t.notThrows(() => bus.engine.release());
  t.notThrows(() => bus.attachment.release());
  t.notThrows(() => bus.engine.requestClose());
  t.true(bus.engine.closeNow(0));
});

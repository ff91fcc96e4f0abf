/** What the handler tells of a segment on which something goes wrong: in virtual time, so that it does so in a known cycle. */

import test, { type ExecutionContext } from 'ava';
import {
  type BifrostDevice,
  type BifrostTag,
  EtherCatProtocolHandler,
  ProtocolError,
} from '../../src/bifrost/index.ts';
import { type ConfigurationDocument, MainDevice } from '../../src/index.ts';
import { plant, running } from '../support/plant.ts';

interface Line extends AsyncDisposable {
  readonly bus: MainDevice;
  readonly handler: EtherCatProtocolHandler;
  readonly device: BifrostDevice;
}

const count: BifrostTag = { id: 'count', name: 'count', address: 'count' };

/** Two devices with clocks, synchronised; in virtual time. */
const clocked: ConfigurationDocument = {
  ethercat: {
    master: {
      segment: {
        devices: ['reference', 'axis'].map((name) => ({
          name,
          type: 'generic',
          distributed_clock: true,
          pdos: [{ direction: 'input', index: 0x1a00, entries: [{ index: 0x6064, bits: 32, data_type: 4 }] }],
        })),
      },
      time: 'virtual',
      distributed_clocks: true,
    },
    devices: ['reference', 'axis'].map((name, position) => ({ name, position })),
  },
};

/** The third of the plant's terminals, connected: the one that counts. */
async function line(name = 'ai'): Promise<Line> {
  const bus = await MainDevice.open(plant({ time: 'virtual', output_deadline_ms: 0 }));
  const handler = new EtherCatProtocolHandler({ open: () => Promise.resolve(bus) });
  const device: BifrostDevice = { id: name, name, protocol: 'ethercat', address: 'line' };
  await handler.connect(device);
  await bus.advance(2);
  return { bus, handler, device, [Symbol.asyncDispose]: () => handler.close() };
}

async function qualityOf(
  { handler, device }: Pick<Line, 'handler' | 'device'>,
  tag: BifrostTag,
): Promise<BifrostTag['quality']> {
  await handler.readTag(device, tag);
  return tag.quality;
}

/** What needs register reads on the bus, while its cycles go on. */
async function meanwhile<T>({ bus }: Line, reading: Promise<T>): Promise<T> {
  let settled = false;
  const end = (): void => {
    settled = true;
  };
  reading.then(end, end);
  while (!settled) await bus.advance(1);
  return reading;
}

const statuses = async (segment: Line): Promise<Record<string, string>> => {
  const { checks } = await meanwhile(segment, segment.handler.healthCheck(segment.device));
  return Object.fromEntries(checks.map(({ name, status }) => [name, status]));
};

async function pingFails(t: ExecutionContext, segment: Line): Promise<void> {
  await t.throwsAsync(meanwhile(segment, segment.handler.ping(segment.device)), { instanceOf: ProtocolError });
}

test('a value is STALE in a cycle whose frame was lost, GOOD in the next, and nobody is disconnected by it', async (t) => {
  await using segment = await line();
  t.is(await qualityOf(segment, count), 'GOOD');
  segment.bus.simulator.loseFrames(1);
  await segment.bus.advance(1);
  t.is(await qualityOf(segment, count), 'STALE');
  t.is(await qualityOf(segment, { ...count, address: 'ai.input.0.int16' }), 'STALE', 'by its place, too');
  t.true(segment.handler.isConnected(segment.device));
  await segment.bus.advance(1);
  t.is(await qualityOf(segment, count), 'GOOD');
});

test("a tag of another device is not this one's, by its name too", async (t) => {
  await using segment = await line('in');
  const error = await t.throwsAsync(segment.handler.readTag(segment.device, count), { instanceOf: ProtocolError });
  t.like(error, { code: 'ECAT_ERR_TAG_UNKNOWN', message: 'tag address count is of ai, the device is in' });
  t.is(segment.bus.tag('count').subDevice, 'ai');
});

test('a device that is away is BAD and not connected, fails a ping', async (t) => {
  await using segment = await line();
  const { bus, handler, device } = segment;
  bus.simulator.device(3).unplug();
  const qualities = new Set<BifrostTag['quality']>();
  for (let cycle = 0; cycle < 60; cycle += 1) {
    await bus.advance(1);
    qualities.add(await qualityOf(segment, count));
  }
  t.deepEqual([...qualities].slice(-1), ['BAD']);
  t.false(qualities.has('GOOD'));
  t.false(handler.isConnected(device));
  await pingFails(t, segment);
  t.is((await statuses(segment))['connectivity'], 'CRITICAL');
  t.is((await meanwhile(segment, handler.healthCheck(device))).status, 'CRITICAL');
});

test('a device in SAFE-OP is UNCERTAIN and not connected, and answers a ping', async (t) => {
  await using segment = await line('ao');
  const { bus, handler, device } = segment;
  bus.simulator.device(0).cutCable();
  await bus.advance(300);
  bus.simulator.mendCables();
  await bus.advance(100);
  t.is(await qualityOf(segment, { id: 'o', name: 'o', address: 'ao.output.0.int16' }), 'UNCERTAIN');
  t.false(handler.isConnected(device));
  const output: BifrostTag = { id: 'o', name: 'o', address: 'speed.target', writable: true };
  const error = await t.throwsAsync(meanwhile(segment, handler.writeTag(device, output, 5)), {
    instanceOf: ProtocolError,
  });
  t.like(error, { code: 'ECAT_ERR_NOT_OPERATIONAL', address: 'speed.target', category: 'maindevice' });
  // In virtual time a frame takes none.
  t.true((await meanwhile(segment, handler.ping(device))) >= 0);
  const diagnostics = await meanwhile(segment, handler.getDiagnostics(device));
  t.false(diagnostics.is_healthy);
  t.like(diagnostics.protocol_diagnostics, { al_state: 'SAFE-OP', al_status_code: 0x1b, quality: 'UNCERTAIN' });
  t.is((await statuses(segment))['state'], 'CRITICAL');
});

test('a quality that changes is told like a value', async (t) => {
  await using segment = await line('in');
  const free: BifrostTag = { id: 'free', name: 'free', address: 'free' };
  const told: unknown[] = [];
  const { handler, device, bus } = segment;
  const { promise: completed, resolve: complete } = Promise.withResolvers<void>();
  handler
    .tagUpdates(device, [free], { intervalMs: 0 })
    .subscribe({ next: ({ tag: { value, quality } }) => told.push([value, quality]), complete });
  const isTold = async (length: number): Promise<void> => {
    while (told.length < length) await new Promise((resolve) => setTimeout(resolve, 1));
  };
  await isTold(1);
  bus.simulator.loseFrames(1);
  await bus.advance(1);
  await isTold(2);
  await bus.advance(1);
  await isTold(3);
  t.deepEqual(told, [
    [false, 'GOOD'],
    [false, 'STALE'],
    [false, 'GOOD'],
  ]);
  await handler.disconnect(device);
  await completed;
});

test('the last device to disconnect closes the bus, and no one before it', async (t) => {
  const bus = await MainDevice.open(plant({ time: 'virtual' }));
  let opened = 0;
  const handler = new EtherCatProtocolHandler({
    open: () => {
      opened += 1;
      return Promise.resolve(bus);
    },
  });
  const devices = ['in', 'out', 'ai'].map((name) => ({ id: name, name, protocol: 'ethercat', address: 'line' }));
  await Promise.all(devices.map((device) => handler.connect(device)));
  t.is(opened, 1);
  await handler.disconnect(devices[0]!);
  await handler.disconnect(devices[0]!);
  await handler.disconnect(devices[1]!);
  t.is(bus.state, 'OP');
  await handler.disconnect(devices[2]!);
  t.is(bus.state, 'closed');
});

test('whoever fails to connect holds nothing: the bus closes with those that did', async (t) => {
  const bus = await MainDevice.open(plant({ time: 'virtual' }));
  const handler = new EtherCatProtocolHandler({ open: () => Promise.resolve(bus) });
  const device = { id: 'in', name: 'in', protocol: 'ethercat', address: 'line' };
  await handler.connect(device);
  const wrong = { ...device, id: 'wrong', config: { position: 99 } };
  await t.throwsAsync(handler.connect(wrong), { instanceOf: ProtocolError });
  t.false(handler.isConnected(wrong));
  t.is(bus.state, 'OP');
  await handler.disconnect(device);
  t.is(bus.state, 'closed');
});

test('an id that is connected stays with its address and SubDevice: another one is told, and takes nothing over', async (t) => {
  const buses = new Map<string, MainDevice>();
  const handler = new EtherCatProtocolHandler({
    open: async ({ source }) => {
      const bus = await MainDevice.open(plant({ time: 'virtual' }));
      buses.set(JSON.stringify(source).includes('line2') ? 'line2' : 'line1', bus);
      return bus;
    },
  });
  const device: BifrostDevice = { id: '7', name: 'ai', protocol: 'ethercat', address: 'line1' };
  await handler.connect(device);
  await handler.connect({ ...device });
  const elsewhere = { ...device, address: 'line2' };
  for (const [wrong, message] of [
    [elsewhere, /its id 7 is connected at line1, not at line2/],
    [{ ...device, config: { position: 1 } }, /its id 7 is connected to ai, not to in/],
  ] as const) {
    const error = await t.throwsAsync(handler.connect(wrong), { instanceOf: ProtocolError, message });
    t.is(error.code, 'ECAT_ERR_INVALID_ARGUMENT');
  }
  t.false(handler.isConnected(elsewhere));
  await t.throwsAsync(handler.readTag(elsewhere, count), { message: /not connected/ });
  // Who was never connected disconnects nobody.
  await handler.disconnect(elsewhere);
  t.true(handler.isConnected(device));
  await handler.disconnect(device);
  await handler.connect(elsewhere);
  t.deepEqual([handler.isConnected(elsewhere), handler.isConnected(device)], [true, false]);
  t.deepEqual(
    [...buses].map(([address, bus]) => [address, bus.state]),
    [
      ['line1', 'closed'],
      ['line2', 'OP'],
    ],
  );
  await handler.close();
  t.is(buses.get('line2')!.state, 'closed');
});

test('whoever disconnects, connects again and fails meanwhile leaves the next bus of the address alone', async (t) => {
  const openings: PromiseWithResolvers<MainDevice>[] = [];
  const handler = new EtherCatProtocolHandler({
    open: () => {
      const opening = Promise.withResolvers<MainDevice>();
      openings.push(opening);
      return opening.promise;
    },
  });
  const device = (name: string): BifrostDevice => ({ id: name, name, protocol: 'ethercat', address: 'line' });
  const first = handler.connect(device('in'));
  const closing = handler.close();
  // The first bus is still being opened and will fail; the second one must neither begin before that nor end with it.
  const second = handler.connect(device('ai'));
  await new Promise((resolve) => setImmediate(resolve));
  t.is(openings.length, 1, 'nobody opens an interface before it is free');
  openings[0]!.reject(new Error('aborted'));
  await t.throwsAsync(first, { instanceOf: ProtocolError });
  await closing;
  while (openings.length < 2) await new Promise((resolve) => setImmediate(resolve));
  const bus = await MainDevice.open(plant({ time: 'virtual' }));
  openings[1]!.resolve(bus);
  await second;
  t.true(handler.isConnected(device('ai')));
  t.is(bus.state, 'OP');
  await handler.disconnect(device('ai'));
  t.is(bus.state, 'closed');
});

test('whoever is disconnected while it is being connected is told, and is not connected afterwards', async (t) => {
  const { promise: opening, resolve } = Promise.withResolvers<MainDevice>();
  const handler = new EtherCatProtocolHandler({ open: () => opening });
  const device: BifrostDevice = { id: 'ai', name: 'ai', protocol: 'ethercat', address: 'line' };
  const connecting = handler.connect(device);
  const disconnecting = handler.disconnect(device);
  const bus = await MainDevice.open(plant({ time: 'virtual' }));
  resolve(bus);
  const error = await t.throwsAsync(connecting, { instanceOf: ProtocolError });
  t.is(error.code, 'ECAT_ERR_ABORTED');
  await disconnecting;
  t.is(bus.state, 'closed');
  t.false(handler.isConnected(device));
  await t.throwsAsync(handler.readTag(device, count), { message: /not connected/ });
});

test('a device whose clock is out of step with the segment is UNCERTAIN, in updates too, until it is in step again', async (t) => {
  const bus = await MainDevice.open(clocked);
  await using handler = new EtherCatProtocolHandler({ open: () => Promise.resolve(bus) });
  // The first with a clock is the one that all others follow.
  const [reference, axis]: BifrostDevice[] = ['reference', 'axis'].map((name) => ({
    id: name,
    name,
    protocol: 'ethercat',
    address: 'line',
  }));
  await handler.connect(reference!);
  await handler.connect(axis!);
  await using _running = running(bus);
  const tag: BifrostTag = { id: 'p', name: 'p', address: 'axis.0x6064.0' };
  const told: BifrostTag['quality'][] = [];
  handler.tagUpdates(axis!, [tag], { intervalMs: 0 }).subscribe(({ tag: { quality } }) => told.push(quality));
  const until = async (quality: BifrostTag['quality']): Promise<void> => {
    while ((await qualityOf({ handler, device: axis! }, tag)) !== quality || told.at(-1) !== quality) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  await until('GOOD');
  bus.simulator.device('axis').stepClock(50_000_000);
  await until('UNCERTAIN');
  t.true(handler.isConnected(axis!), 'its data are exchanged all the same');
  t.is(await qualityOf({ handler, device: reference! }, { ...tag, address: 'reference.0x6064.0' }), 'GOOD');
  const { checks } = await handler.healthCheck(axis!);
  t.like(
    checks.find(({ name }) => name === 'dc'),
    { status: 'WARNING' },
  );
  bus.simulator.device('axis').stepClock(-50_000_000);
  await until('GOOD');
});

test('a discovery does not wait longer for a bus that opens than its signal wants', async (t) => {
  const { promise: never, reject } = Promise.withResolvers<MainDevice>();
  const handler = new EtherCatProtocolHandler({ open: () => never });
  const connecting = handler.connect({ id: 'in', name: 'in', protocol: 'ethercat', address: 'line' });
  const aborting = new AbortController();
  const discovering = handler.discoverDevices('line', { signal: aborting.signal });
  aborting.abort();
  const error = await t.throwsAsync(discovering, { instanceOf: ProtocolError });
  t.is(error.code, 'ECAT_ERR_ABORTED');
  reject(new Error('no more'));
  await t.throwsAsync(connecting, { instanceOf: ProtocolError });
});

/** The behaviours that the gateway's own handlers have, and what EtherCAT adds to them. */

import test, { type ExecutionContext } from 'ava';
import { firstValueFrom, take, tap, toArray } from 'rxjs';
import {
  type BifrostDevice,
  type BifrostTag,
  EtherCatProtocolHandler,
  ProtocolError,
} from '../../src/bifrost/index.ts';

const segment = {
  devices: [
    { name: 'coupler', type: 'EK1100' },
    { name: 'sensors', type: 'digital-inputs', channels: 8 },
    { name: 'actuators', type: 'digital-outputs', channels: 8 },
    { name: 'measurements', type: 'analogue-inputs', channels: 2 },
    { name: 'setpoints', type: 'analogue-outputs', channels: 2 },
  ],
  signals: [{ input: 'sensors.3', constant: 1 }],
  wires: [
    { from: 'actuators.1', to: 'sensors.8' },
    { from: 'setpoints.1', to: 'measurements.1' },
  ],
};
const names = segment.devices.map(({ name }, position) => ({ name, position }));
const ethercat = { master: { segment, cycle_time: '5ms' }, devices: names };

let lines = 0;
/** A device on a segment of its own unless told, so that tests do not share a bus. */
function deviceOf(name: string, address?: string): BifrostDevice {
  lines += 1;
  const line = address ?? `line${lines}`;
  return { id: `${line}-${name}`, name, protocol: 'ethercat', address: line, port: 0, config: { ethercat } };
}

function tagOf(address: string, more: Partial<BifrostTag> = {}): BifrostTag {
  return { id: address, name: address, address, ...more };
}

async function fails(t: ExecutionContext, promise: Promise<unknown>, code: string, message?: RegExp): Promise<void> {
  const error = await t.throwsAsync(promise, { instanceOf: ProtocolError, ...(message && { message }) });
  t.is(error.code, code);
}

const value = { bool: true, address: 'actuators.0x7000.1' };

test.serial('a device is not connected before it is, and every call on it says so', async (t) => {
  await using handler = new EtherCatProtocolHandler();
  const device = deviceOf('sensors');
  t.false(handler.isConnected(device));
  const tag = tagOf('sensors.0x6000.1');
  await fails(t, handler.readTag(device, tag), 'ECAT_ERR_CLOSED', /not connected/);
  await fails(t, handler.writeTag(device, { ...tag, writable: true }, true), 'ECAT_ERR_CLOSED');
  await fails(t, handler.readMultipleTags(device, [tag]), 'ECAT_ERR_CLOSED');
  await fails(t, handler.ping(device), 'ECAT_ERR_CLOSED');
  await fails(t, handler.getDiagnostics(device), 'ECAT_ERR_CLOSED');
  await fails(t, handler.getDeviceInfo(device), 'ECAT_ERR_CLOSED');
  t.is((await handler.healthCheck(device)).status, 'UNKNOWN');
  await t.notThrowsAsync(handler.disconnect(device));
});

test.serial('connecting again and disconnecting again change nothing', async (t) => {
  await using handler = new EtherCatProtocolHandler();
  const device = deviceOf('sensors');
  await Promise.all([handler.connect(device), handler.connect(device)]);
  await handler.connect(device);
  t.true(handler.isConnected(device));
  t.true(device.connected);
  await handler.disconnect(device);
  await handler.disconnect(device);
  t.false(handler.isConnected(device));
  t.false(device.connected);
});

test.serial('what is not there or not what it should be fails to connect, and leaves nothing behind', async (t) => {
  await using handler = new EtherCatProtocolHandler();
  const address = 'shared';
  const device = deviceOf('sensors', address);
  await fails(t, handler.connect({ ...device, id: 'a', config: { ethercat, position: 9 } }), 'ECAT_ERR_DEVICE_MISSING');
  await fails(
    t,
    handler.connect({ ...device, id: 'b', config: { ethercat, vendor_id: 2 } }),
    'ECAT_ERR_DEVICE_MISMATCH',
  );
  await fails(
    t,
    handler.connect({ ...device, id: 'c', config: { ethercat, max_slaves: 4 } }),
    'ECAT_ERR_TOO_MANY_SUBDEVICES',
  );
  await fails(t, handler.connect({ ...device, id: 'd', name: 'nobody' }), 'ECAT_ERR_DEVICE_MISSING', /config.position/);
  await fails(
    t,
    handler.connect({ ...device, id: 'e', address: 'no-such-nic0', config: {} }),
    'ECAT_ERR_LINK_INTERFACE_MISSING',
  );
  await fails(t, handler.connect({ ...device, id: 'f', protocol: 'modbus' }), 'ECAT_ERR_INVALID_ARGUMENT');
  const misspelt = { ethercat, postion: 1 } as unknown as NonNullable<BifrostDevice['config']>;
  await fails(
    t,
    handler.connect({ ...device, id: 'g', config: misspelt }),
    'ECAT_ERR_INVALID_ARGUMENT',
    /config\.postion/,
  );
  // The failed ones do not hold the segment: another configuration can open it.
  await handler.connect({ ...device, config: { ethercat: { ...ethercat, master: { segment, cycle_time: '2ms' } } } });
  await fails(t, handler.connect({ ...device, id: 'h' }), 'ECAT_ERR_LINK_BUSY');
  t.is((await handler.getDeviceInfo(device)).supported_rates[0], 2000);
});

test.serial('an aborted connection is given up, whoever waits for the same segment goes on', async (t) => {
  await using handler = new EtherCatProtocolHandler();
  const [first, second] = [deviceOf('sensors', 'abort'), deviceOf('actuators', 'abort')];
  const aborting = new AbortController();
  const one = handler.connect(first, { signal: aborting.signal });
  const other = handler.connect(second);
  aborting.abort();
  await fails(t, one, 'ECAT_ERR_ABORTED');
  await other;
  t.true(handler.isConnected(second));
  t.false(handler.isConnected(first));
});

test.serial('devices of one interface share its MainDevice, which ends with the last of them', async (t) => {
  await using handler = new EtherCatProtocolHandler();
  const [sensors, actuators] = [deviceOf('sensors', 'both'), { ...deviceOf('actuators', 'both'), config: {} }];
  await handler.connect(sensors);
  await handler.connect(actuators);
  await handler.disconnect(sensors);
  t.true(handler.isConnected(actuators));
  t.deepEqual(
    (await handler.discoverDevices('both')).map(({ name, config }) => [name, config?.position]),
    names.map(({ name, position }) => [name, position]),
  );
  await handler.disconnect(actuators);
  t.false(handler.isConnected(actuators));
});

test.serial('a tag is read with value, quality and time, by name, object or place', async (t) => {
  await using handler = new EtherCatProtocolHandler();
  const device = deviceOf('sensors');
  await handler.connect(device);
  for (const address of ['sensors.0x6020.1', 'sensors.input.0.2.bool']) {
    const tag = tagOf(address, { data_type: 'bool' });
    if (address.includes('0x')) tag.value = false;
    t.is(await handler.readTag(device, tag), true, address);
    t.is(tag.value, true);
    t.is(tag.quality, 'GOOD');
    t.true(Math.abs(Date.now() - new Date(tag.timestamp!).getTime()) < 5000);
  }
  t.is(await handler.readTag(device, tagOf('sensors.input.0.uint8')).then((byte) => Number(byte) & 4), 4);
  await fails(t, handler.readTag(device, tagOf('nothing')), 'ECAT_ERR_TAG_UNKNOWN');
  await fails(t, handler.readTag(device, tagOf('actuators.0x7000.1')), 'ECAT_ERR_TAG_UNKNOWN', /the device is sensors/);
  await fails(t, handler.readTag(device, tagOf('sensors.input.7.int16')), 'ECAT_ERR_TAG_UNKNOWN', /behind/);
  await fails(t, handler.readTag(device, tagOf('sensors.0x6020.1', { data_type: 'int16' })), 'ECAT_ERR_TAG_TYPE');
  await fails(t, handler.readTag(device, tagOf('sensors.0x6064.0')), 'ECAT_ERR_UNSUPPORTED', /mailbox/);
});

test.serial('a write checks writable first, then type and range, and returns when it was carried', async (t) => {
  await using handler = new EtherCatProtocolHandler();
  const device = deviceOf('actuators');
  await fails(t, handler.writeTag(device, tagOf(value.address), true), 'ECAT_ERR_NOT_AN_OUTPUT', /not writable/);
  await handler.connect(device);
  const writable = { writable: true } as const;
  await handler.writeTag(device, tagOf(value.address, writable), true);
  t.true(await handler.readTag(device, tagOf(value.address)));
  await handler.writeTag(device, tagOf('actuators.output.0.1.bool', writable), true);
  t.true(await handler.readTag(device, tagOf('actuators.0x7010.1')));
  await fails(t, handler.writeTag(device, tagOf(value.address, writable), 3), 'ECAT_ERR_VALUE_RANGE');
  const whole = tagOf('actuators.output.0.uint8', writable);
  await fails(t, handler.writeTag(device, whole, 3), 'ECAT_ERR_NOT_AN_OUTPUT', /no output tag/);
});

test.serial('scale_factor and offset of a tag hold both ways, and 0 means not set', async (t) => {
  await using handler = new EtherCatProtocolHandler();
  const device = deviceOf('setpoints');
  await handler.connect(device);
  const tag = tagOf('setpoints.0x7000.1', { writable: true, scale_factor: 0.5, offset: 10 });
  await handler.writeTag(device, tag, 60);
  t.is(await handler.readTag(device, tag), 60);
  t.is(await handler.readTag(device, { ...tag, scale_factor: 0, offset: 0 }), 100);
  await fails(t, handler.writeTag(device, tag, 1e6), 'ECAT_ERR_VALUE_RANGE');
});

test.serial('several tags come from one cycle, keyed by id, and one that fails harms no other', async (t) => {
  await using handler = new EtherCatProtocolHandler();
  const device = deviceOf('sensors');
  await handler.connect(device);
  t.deepEqual((await handler.readMultipleTags(device, [])).results, {});
  const tags = [tagOf('sensors.0x6020.1', { id: 'gate' }), tagOf('nothing', { id: 'bad' })];
  const batch = await handler.readMultipleTags(device, tags);
  t.false(batch.success);
  t.deepEqual(batch.results, { gate: true });
  t.is(batch.errors['bad']?.code, 'ECAT_ERR_TAG_UNKNOWN');
  t.is((JSON.parse(JSON.stringify(batch)) as typeof batch).errors['bad']?.operation, 'readMultipleTags');
  t.true(Number.isInteger(batch.duration));
});

test.serial('a batch of writes goes in one cycle or not at all', async (t) => {
  await using handler = new EtherCatProtocolHandler();
  const device = deviceOf('actuators');
  await handler.connect(device);
  const tags = [1, 2].map((n) => tagOf(`actuators.0x70${n - 1}0.1`, { id: `valve${n}`, writable: true }));
  const written = await handler.executeBatch(device, {
    operation: 'write',
    tags,
    values: { valve1: true, valve2: true },
  });
  t.true(written.success);
  t.deepEqual(written.results, { valve1: true, valve2: true });
  const half = await handler.executeBatch(device, { operation: 'write', tags, values: { valve1: false } });
  t.deepEqual(Object.keys(half.errors), ['valve2', 'valve1']);
  t.deepEqual((await handler.executeBatch(device, { operation: 'read', tags })).results, {
    valve1: true,
    valve2: true,
  });
});

test.serial('two tags of one id, or of one output, are told, and never the last of them taken', async (t) => {
  await using handler = new EtherCatProtocolHandler();
  const device = deviceOf('actuators');
  await handler.connect(device);
  const [one, other] = [1, 2].map((n) => tagOf(`actuators.0x70${n - 1}0.1`, { id: 'valve', writable: true }));
  const third = tagOf('actuators.0x7020.1', { id: '__proto__', writable: true });
  const read = await handler.readMultipleTags(device, [one!, other!, third]);
  t.deepEqual(Object.keys(read.errors), ['valve']);
  t.regex(read.errors['valve']!.message, /another tag of the batch has the id valve too/);
  t.deepEqual(Object.entries(read.results), [['__proto__', false]], 'an id may be any text');
  const operation = 'write' as const;
  const written = await handler.executeBatch(device, { operation, tags: [one!, other!], values: { valve: true } });
  t.deepEqual([written.success, Object.keys(written.errors)], [false, ['valve']]);
  const [left, right] = [
    { ...one!, id: 'left' },
    { ...one!, id: 'right' },
  ];
  const both = await handler.executeBatch(device, {
    operation,
    tags: [left, right],
    values: { left: true, right: false },
  });
  t.deepEqual(Object.keys(both.errors).toSorted(), ['left', 'right']);
  t.regex(both.errors['right']!.message, /writes output actuators\.0x7000\.1 already/);
  t.false(await handler.readTag(device, tagOf('actuators.0x7000.1')), 'nothing was written');
});

test.serial('ranges are names of interfaces', async (t) => {
  await using handler = new EtherCatProtocolHandler();
  for (const range of ['', '192.168.0.0/24', '10.0.0.1', 'eth0,', 'a name', 'much-too-long-for-an-interface']) {
    await fails(t, handler.discoverDevices(range), 'ECAT_ERR_INVALID_ARGUMENT');
  }
  await fails(t, handler.discoverDevices('no-such-nic0'), 'ECAT_ERR_LINK_INTERFACE_MISSING');
  await fails(t, handler.discoverDevices('eth0', { signal: AbortSignal.abort() }), 'ECAT_ERR_ABORTED');
});

test.serial('ping, diagnostics and health tell how a device does, also when it is away', async (t) => {
  await using handler = new EtherCatProtocolHandler();
  const device = deviceOf('measurements');
  await handler.connect(device);
  t.true((await handler.ping(device)) > 0);
  const before = await handler.getDiagnostics(device);
  t.true(before.is_healthy);
  t.is(before.protocol_diagnostics.al_state, 'OP');
  t.is(before.protocol_diagnostics.ports.length, 4);
  t.is(before.success_rate, 1);
  await t.throwsAsync(handler.readTag(device, tagOf('nothing')));
  const after = await handler.getDiagnostics(device);
  t.is(after.error_count, 1);
  t.is(after.recent_errors[0]?.error_code, 'ECAT_ERR_TAG_UNKNOWN');
  t.true(after.success_rate < 1);
  const health = await handler.healthCheck(device);
  t.deepEqual(
    health.checks.map(({ name }) => name),
    ['connectivity', 'state', 'working-counter', 'dc', 'timing'],
  );
});

test.serial('the EEPROM says what a device is', async (t) => {
  await using handler = new EtherCatProtocolHandler();
  const device = deviceOf('measurements');
  await handler.connect(device);
  const info = await handler.getDeviceInfo(device);
  t.is(info.vendor, '0xe0b1f057');
  t.true(info.capabilities.includes('inputs'));
  t.is(info.custom_info['position'], '3');
  t.is(info.firmware_version, '');
});

test.serial('updates begin with every tag and then tell the newest of those that changed', async (t) => {
  await using handler = new EtherCatProtocolHandler();
  const device = deviceOf('actuators');
  await handler.connect(device);
  const tag = tagOf(value.address, { writable: true });
  let told = 0;
  const updates = handler.tagUpdates(device, [tag], { intervalMs: 5 }).pipe(tap(() => (told += 1)));
  const seen = firstValueFrom(updates.pipe(take(2), toArray()));
  while (told === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  await handler.writeTag(device, tag, true);
  t.deepEqual(
    (await seen).map(({ type, device_id, tag: { value: is, quality } }) => [type, device_id, is, quality]),
    [
      ['tag_update', device.id, false, 'GOOD'],
      ['tag_update', device.id, true, 'GOOD'],
    ],
  );
  t.throws(() => handler.tagUpdates(device, [tagOf('actuators.0x6064.0')]), { instanceOf: ProtocolError });
});

test('types and addresses need no bus', (t) => {
  const handler = new EtherCatProtocolHandler();
  const types = handler.getSupportedDataTypes();
  for (const type of [
    'bool',
    'int8',
    'uint8',
    'int16',
    'uint16',
    'int32',
    'uint32',
    'int64',
    'uint64',
    'float32',
    'float64',
    'string',
    'bytes',
  ]) {
    t.true((types as string[]).includes(type), type);
  }
  t.notThrows(() => handler.validateTagAddress('axis.0x6064.0'));
  t.throws(() => handler.validateTagAddress('axis.0x6064'), { instanceOf: ProtocolError });
});

/** Values of the gateway's types on a bus, and how a device says how its segment is opened. */

import test from 'ava';
import {
  type BifrostDevice,
  type BifrostTag,
  EtherCatProtocolHandler,
  ProtocolError,
} from '../../src/bifrost/index.ts';

const segment = {
  devices: [
    {
      name: 'axis',
      type: 'generic',
      pdos: [
        {
          direction: 'output',
          index: 0x1600,
          entries: [
            { index: 0x6060, bits: 8, data_type: 2 },
            { index: 0x2001, bits: 8, data_type: 5 },
            { index: 0x2002, bits: 16, data_type: 3 },
            { index: 0x2003, bits: 16, data_type: 6 },
            { index: 0x607a, bits: 32, data_type: 4 },
            { index: 0x2005, bits: 32, data_type: 7 },
            { index: 0x2006, bits: 64, data_type: 0x15 },
            { index: 0x2007, bits: 64, data_type: 0x1b },
            { index: 0x2008, bits: 32, data_type: 8 },
            { index: 0x2009, bits: 64, data_type: 0x11 },
          ],
        },
      ],
    },
  ],
};

/** A panel with a text, four bytes and a word, out and back in. */
const panel = {
  master: {
    segment: {
      devices: [
        {
          name: 'panel',
          type: 'generic',
          pdos: [
            { direction: 'output', index: 0x1600, entries: fields(0x7000) },
            { direction: 'input', index: 0x1a00, entries: fields(0x6000) },
          ],
        },
      ],
      wires: [1, 2, 3].map((n) => ({ from: `panel.${n}`, to: `panel.${n}` })),
    },
    cycle_time: '5ms',
  },
  devices: [{ name: 'panel', position: 0 }],
  process_data: {
    outputs: tagsOf(0x7000, ''),
    inputs: tagsOf(0x6000, '_is'),
  },
};

function fields(index: number): object[] {
  return [
    { index, subindex: 1, bits: 64, data_type: 9 },
    { index, subindex: 2, bits: 32, data_type: 10 },
    { index, subindex: 3, bits: 16, data_type: 3 },
  ];
}

function tagsOf(index: number, suffix: string): object[] {
  const tag = (name: string, subindex: number, more: object): object => ({
    name: `panel.${name}${suffix}`,
    slave: 'panel',
    index,
    subindex,
    ...more,
  });
  return [tag('label', 1, { type: 'bytes' }), tag('code', 2, { type: 'bytes' }), tag('speed', 3, { type: 'int16' })];
}

function axis(config: NonNullable<BifrostDevice['config']> = {}): BifrostDevice {
  const ethercat = { master: { segment, cycle_time: '5ms' }, devices: [{ name: 'axis', position: 0 }] };
  return { id: 'axis', name: 'axis', protocol: 'ethercat', address: 'line', config: { ethercat, ...config } };
}

test('every numeric type goes out and is read back as it was written, 64 bits as a bigint', async (t) => {
  await using handler = new EtherCatProtocolHandler();
  const device = axis();
  await handler.connect(device);
  const values = [
    ['0x6060', 'int8', -128],
    ['0x2001', 'uint8', 255],
    ['0x2002', 'int16', -32768],
    ['0x2003', 'uint16', 65535],
    ['0x607a', 'int32', -(2 ** 31)],
    ['0x2005', 'uint32', 2 ** 32 - 1],
    ['0x2006', 'int64', -(2n ** 63n)],
    ['0x2007', 'uint64', 2n ** 64n - 1n],
    ['0x2008', 'float32', 1.5],
    ['0x2009', 'float64', Math.PI],
  ] as const;
  const tags = values.map(
    ([object, data_type]): BifrostTag => ({
      id: data_type,
      name: data_type,
      address: `axis.${object}.0`,
      data_type,
      writable: true,
    }),
  );
  const wanted = Object.fromEntries(values.map(([, type, value]) => [type, value]));
  const written = await handler.executeBatch(device, { operation: 'write', tags, values: wanted });
  t.deepEqual(written.errors, {});
  t.deepEqual((await handler.readMultipleTags(device, tags)).results, wanted);
  const beyond = { ...tags[0]!, id: 'beyond' };
  const error = await t.throwsAsync(handler.writeTag(device, beyond, 128), { instanceOf: ProtocolError });
  t.is(error.code, 'ECAT_ERR_VALUE_RANGE');
});

test('strings, bytes and scaled words go out and come back on a bus, as the device has them', async (t) => {
  await using handler = new EtherCatProtocolHandler();
  const device: BifrostDevice = {
    ...axis(),
    id: 'panel',
    name: 'panel',
    address: 'panel',
    config: { ethercat: panel },
  };
  await handler.connect(device);
  const tag = (id: string, more: Partial<BifrostTag>): BifrostTag => ({
    id,
    name: id,
    address: `panel.${id}`,
    writable: true,
    ...more,
  });
  const label = tag('label', { data_type: 'string' });
  const code = tag('code', { data_type: 'bytes' });
  const speed = tag('speed', { data_type: 'int16', scale_factor: 0.5, offset: -10 });
  const values = { label: 'Füllen', code: Uint8Array.of(0, 255, 1, 128), speed: -110.5 };
  const written = await handler.executeBatch(device, { operation: 'write', tags: [label, code, speed], values });
  t.deepEqual(written.errors, {});
  t.deepEqual((await handler.readMultipleTags(device, [label, code, speed])).results, values);
  // The wires of the segment lead each of them back to an input.
  const back = [
    tag('label_is', { data_type: 'string' }),
    tag('code_is', { data_type: 'bytes' }),
    tag('speed_is', { data_type: 'int16' }),
  ];
  const wanted = { label_is: values.label, code_is: values.code, speed_is: -201 };
  let { results } = await handler.readMultipleTags(device, back);
  for (let n = 0; n < 100 && results['speed_is'] !== -201; n += 1) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    ({ results } = await handler.readMultipleTags(device, back));
  }
  t.deepEqual(results, wanted);
  // The text ends at its first NUL, or where the tag ends; what does not fit is refused and not cut.
  await handler.writeTag(device, label, '12345678');
  t.is(await handler.readTag(device, label), '12345678');
  await handler.writeTag(device, label, '');
  t.is(await handler.readTag(device, label), '');
  for (const [of, value] of [
    [label, '123456789'],
    [label, 5],
    [code, Uint8Array.of(1)],
    [speed, 1e6],
  ] as const) {
    const error = await t.throwsAsync(handler.writeTag(device, of, value), { instanceOf: ProtocolError });
    t.is(error.code, 'ECAT_ERR_VALUE_RANGE', of.id);
  }
});

test('an empty batch is an empty map, read or written', async (t) => {
  await using handler = new EtherCatProtocolHandler();
  const device = axis();
  await handler.connect(device);
  for (const operation of ['read', 'write'] as const) {
    const { success, results, errors } = await handler.executeBatch(device, { operation, tags: [] });
    t.deepEqual({ success, results, errors }, { success: true, results: {}, errors: {} });
  }
});

for (const [cycle_time, period] of [
  ['2ms', 2000],
  [2000, 2000],
] as const) {
  test(`a cycle_time of ${JSON.stringify(cycle_time)} in config takes the place of the segment's`, async (t) => {
    await using handler = new EtherCatProtocolHandler();
    const device = axis({ cycle_time, enable_dc: false, max_slaves: 1 });
    await handler.connect(device);
    t.deepEqual((await handler.getDeviceInfo(device)).supported_rates, [period]);
  });
}

test('network_interface in config takes the place of the address', async (t) => {
  await using handler = new EtherCatProtocolHandler();
  const device = { ...axis(), config: { network_interface: 'no-such-nic0' } };
  const error = await t.throwsAsync(handler.connect(device), { instanceOf: ProtocolError, message: /no-such-nic0/ });
  t.is(error.code, 'ECAT_ERR_LINK_INTERFACE_MISSING');
});

test('an error says what failed, where, when, whose fault it is, and whether to try again; in JSON too', async (t) => {
  const handler = new EtherCatProtocolHandler();
  const tag: BifrostTag = { id: 'p', name: 'p', address: 'axis.0x6060.0' };
  const error = await t.throwsAsync(handler.readTag(axis(), tag), { instanceOf: ProtocolError });
  t.like(error, { code: 'ECAT_ERR_CLOSED', operation: 'readTag', address: tag.address });
  t.is(typeof error.recoverable, 'boolean');
  t.true(error.timestamp instanceof Date);
  const json = JSON.parse(JSON.stringify(error)) as Record<string, unknown>;
  t.deepEqual(Object.keys(json), [
    'code',
    'message',
    'operation',
    'address',
    'timestamp',
    'recoverable',
    'category',
    'action',
  ]);
  t.is(json['message'], error.message);
});

test('a named tag, an object and a place are addresses, whatever the bus has', (t) => {
  const handler = new EtherCatProtocolHandler();
  for (const address of ['tank.level', 'slave.0x6064.0', 'slave.input.4.int16', 'slave.output.0.3.bool']) {
    t.notThrows(() => handler.validateTagAddress(address), address);
  }
  for (const address of ['', 'slave.0x6064.256', 'slave.input.4.9.bool', 'slave.input.4.int17']) {
    const error = t.throws(() => handler.validateTagAddress(address), { instanceOf: ProtocolError }, address);
    t.is(error.operation, 'validateTagAddress');
  }
});

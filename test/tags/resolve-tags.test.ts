import test from 'ava';
import type { TagConfiguration } from '../../src/core/configuration/types.ts';
import type { EtherCatError } from '../../src/core/errors/ethercat-error.ts';
import { compareIdentities, type Network, type NetworkEntry } from '../../src/core/network.ts';
import { resolveTags } from '../../src/core/resolve-tags.ts';
import { Band } from '../../src/core/tag-table.ts';

function entry(more: Partial<NetworkEntry>): NetworkEntry {
  return {
    direction: 'input',
    pdoIndex: 0x1a00,
    pdoName: '',
    index: 0x6000,
    subindex: 1,
    name: '',
    dataType: 0,
    bitOffset: 0,
    bitLength: 1,
    ...more,
  };
}

const plain = {
  stationAddress: 0,
  alias: 0,
  description: '',
  revision: 0x10000,
  serial: 0,
  hasDistributedClock: false,
  deviceEmulation: false,
  propagationDelayNs: 0,
  mailboxProtocols: 0,
  sii: new Uint8Array(),
  inputOffset: 0,
  outputOffset: 0,
};

const network: Network = {
  inputBytes: 9,
  outputBytes: 1,
  subDevices: [
    { ...plain, position: 0, name: 'EK1100', vendorId: 2, productCode: 0x044c_2c52, entries: [] },
    {
      ...plain,
      position: 1,
      name: 'EL3102',
      vendorId: 2,
      productCode: 0x0c1e_3052,
      entries: [
        entry({ pdoName: 'AI Channel 1', name: 'Status', index: 0x3101, subindex: 1, dataType: 5, bitLength: 8 }),
        entry({
          pdoName: 'AI Channel 1',
          name: 'Value',
          index: 0x3101,
          subindex: 2,
          dataType: 3,
          bitOffset: 8,
          bitLength: 16,
        }),
        entry({
          pdoIndex: 0x1a01,
          pdoName: 'AI Channel 2',
          name: 'Status',
          index: 0x3102,
          subindex: 1,
          dataType: 5,
          bitOffset: 24,
          bitLength: 8,
        }),
        entry({
          pdoIndex: 0x1a01,
          pdoName: 'AI Channel 2',
          name: 'Value',
          index: 0x3102,
          subindex: 2,
          dataType: 3,
          bitOffset: 32,
          bitLength: 16,
        }),
        entry({ pdoIndex: 0x1a02, index: 0, subindex: 0, bitOffset: 48, bitLength: 8 }),
        entry({ pdoIndex: 0x1a02, index: 0x6010, subindex: 0, bitOffset: 56, bitLength: 16 }),
        entry({ direction: 'output', pdoIndex: 0x1600, pdoName: 'Reset', name: 'Reset', index: 0x7000, dataType: 1 }),
      ],
    },
  ],
};

const devices = [
  {
    name: 'ai',
    position: 1,
    vendorId: 2,
    productCode: 0x0c1e_3052,
    revision: undefined,
    serial: undefined,
    configFile: undefined,
    partition: undefined,
    urgent: undefined,
    location: undefined,
  },
];

function resolve(more: Partial<TagConfiguration>, found: Network = network): ReturnType<typeof resolveTags> {
  const tag: TagConfiguration = {
    name: 't',
    direction: 'input',
    device: 'ai',
    index: undefined,
    subindex: undefined,
    channel: undefined,
    entry: undefined,
    bitOffset: undefined,
    bitLength: undefined,
    type: undefined,
    scale: 1,
    offset: 0,
    unit: undefined,
    count: undefined,
    labels: undefined,
    deadBand: undefined,
    onLoss: 'hold',
    location: { file: 'plant.yaml', line: 7, column: 5 },
    ...more,
  };
  return resolveTags({ devices, tags: [tag] }, found);
}

test('a tag is found by object address, by channel, by channel and entry, by entry, and by PDO', (t) => {
  const place = (more: Partial<TagConfiguration>): unknown => {
    const [tag] = resolve(more).tags;
    return tag && [tag.type, tag.row.bitOffset, tag.row.bitLength];
  };
  t.deepEqual(place({ index: 0x3102, subindex: 2 }), ['int16', 32, 16]);
  t.deepEqual(place({ index: 0x6010 }), ['uint16', 56, 16]);
  t.deepEqual(place({ channel: 2 }), ['int16', 32, 16]);
  t.deepEqual(place({ channel: 2, entry: 'status' }), ['uint8', 24, 8]);
  t.deepEqual(place({ direction: 'output', entry: 'Reset' }), ['bool', 0, 1]);
});

test('a part of an entry is a tag of its own', (t) => {
  const [bit] = resolve({ index: 0x3101, subindex: 1, bitOffset: 6, type: 'bool' }).tags;
  t.deepEqual([bit!.type, bit!.row.bitOffset, bit!.row.bitLength], ['bool', 6, 1]);
  const [rest] = resolve({ index: 0x3101, subindex: 2, bitOffset: 4 }).tags;
  t.deepEqual([rest!.type, rest!.row.bitOffset, rest!.row.bitLength], ['uint16', 12, 12]);
});

test('an array lies within its entry, or goes on through the entries behind it', (t) => {
  const entries = [
    ...Array.from({ length: 4 }, (_, n) => entry({ subindex: n + 1, bitOffset: 16 * n, bitLength: 16, dataType: 3 })),
    entry({ index: 0x6001, bitOffset: 64, bitLength: 256, dataType: 0x0a }),
    entry({ index: 0x6002, bitOffset: 320, bitLength: 8, dataType: 5 }),
  ];
  const one = { ...network, subDevices: [network.subDevices[0]!, { ...network.subDevices[1]!, entries }] };
  const array = (more: Partial<TagConfiguration>): unknown => {
    const { tags, errors } = resolve({ index: 0x6000, subindex: 1, ...more }, one);
    return errors[0]?.message ?? [tags[0]!.type, tags[0]!.row.bitOffset, tags[0]!.row.bitLength, tags[0]!.row.elements];
  };
  t.deepEqual(array({ count: 4 }), ['uint16', 0, 64, 4]);
  t.deepEqual(array({ count: 3, subindex: 2, type: 'int16' }), ['int16', 16, 48, 3]);
  t.deepEqual(array({ count: 8, index: 0x6001, type: 'float32' }), ['float32', 64, 256, 8]);
  t.deepEqual(array({ count: 5, index: 0x6001, bitOffset: 16, bitLength: 12 }), ['uint16', 80, 60, 5]);
  t.regex(String(array({ count: 5 })), /5 elements of 16 bits from .* on: in place of element 5 there is 0x6001:1/);
  t.regex(String(array({ count: 9, index: 0x6001, type: 'float32' })), /9 elements of 32 bits are more than 0x6001:1/);
  t.regex(String(array({ count: 2, index: 0x6002 })), /in place of element 2 there is a gap/);
});

test('labels and dead bands fit the type, also where that is the type of the entry', (t) => {
  const ai = { index: 0x3102, subindex: 2 };
  const [tag] = resolve({ ...ai, labels: { 0: 'off', [-32768]: 'low' } }).tags;
  t.deepEqual(tag!.labels, { 0: 'off', [-32768]: 'low' });
  t.like(resolve({ ...ai, deadBand: '2 %' }).tags[0]!.row, { band: Band.relative, deadBand: 0.02 });
  t.like(resolve({ ...ai, deadBand: 0.5 }).tags[0]!.row, { band: Band.absolute, deadBand: 0.5 });
  const message = (more: Partial<TagConfiguration>): string => resolve(more).errors[0]!.message;
  t.regex(
    message({ ...ai, labels: { 32768: 'high' } }),
    /the label of 32768 is of no value from -32768 to 32767 \(int16\)/,
  );
  t.regex(message({ direction: 'output', entry: 'Reset', labels: { 2: 'x' } }), /the label of 2 .* 0 to 1 \(bool\)/);
  t.regex(message({ direction: 'output', entry: 'Reset', deadBand: 1 }), /bool has no use for a dead band/);
});

test('a tag that cannot be found says where it stands, what was sought, and what there is', (t) => {
  const message = (more: Partial<TagConfiguration>): string => {
    const { tags, errors } = resolve(more);
    t.is(tags.length, 0);
    t.is(errors[0]!.code, 'ECAT_ERR_TAG_UNRESOLVED');
    t.is(errors[0]!.tag, 't');
    t.is(errors[0]!.location!.line, 7);
    return errors[0]!.message;
  };
  t.regex(
    message({ index: 0x9999, subindex: 3 }),
    /^plant.yaml:7:5 tag t: ai has no entry 0x9999:3; its inputs are 0x3101:1 "AI Channel 1 \/ Status" \(8 bits\)/,
  );
  t.regex(message({ entry: 'Value' }), /2 times entry "Value"/);
  t.regex(message({ channel: 7 }), /no channel 7/);
  t.regex(message({ direction: 'output', entry: 'x' }), /its outputs are 0x7000:1/);
});

test('a type that does not fit its entry is an error with both lengths', (t) => {
  const message = (more: Partial<TagConfiguration>): string => {
    const { errors } = resolve({ index: 0x3101, subindex: 2, ...more });
    t.is(errors[0]!.code, 'ECAT_ERR_TAG_TYPE');
    return errors[0]!.message;
  };
  t.regex(message({ type: 'int32' }), /gives 16 bits, and int32 takes 17 to 32 bits/);
  t.regex(message({ type: 'uint8' }), /gives 16 bits, and uint8 takes 1 to 8 bits/);
  t.regex(message({ bitOffset: 8, bitLength: 9 }), /bits 8 to 16 are not all in/);
  t.regex(message({ type: 'bytes', scale: 2 }), /bytes cannot be scaled/);
});

test('a loss value that its tag cannot hold is an error at the tag', (t) => {
  const error = (onLoss: TagConfiguration['onLoss']): EtherCatError | undefined =>
    resolve({ direction: 'output', entry: 'Reset', onLoss }).errors[0];
  t.is(error(true), undefined);
  t.is(error('zero'), undefined);
  t.like(error(1), {
    code: 'ECAT_ERR_VALUE_RANGE',
    tag: 't',
    message: 'plant.yaml:7:5 tag t: on_loss: expected a boolean, got 1',
  });
});

test('a configuration without tags gets one for every entry, named by its object and, where that is unique, by the SII', (t) => {
  const { tags } = resolveTags({ devices, tags: [] }, network);
  t.deepEqual(
    tags.map(({ name, alias }) => [name, alias]),
    [
      ['ai.0x3101.1', 'ai.AI Channel 1.Status'],
      ['ai.0x3101.2', 'ai.AI Channel 1.Value'],
      ['ai.0x3102.1', 'ai.AI Channel 2.Status'],
      ['ai.0x3102.2', 'ai.AI Channel 2.Value'],
      ['ai.0x6010.0', undefined],
      ['ai.0x7000.1', 'ai.Reset'],
    ],
  );
});

test('automatic names stay different when entries have the same name', (t) => {
  const twice = {
    ...network,
    subDevices: [
      {
        ...network.subDevices[1]!,
        position: 0,
        entries: [entry({ name: 'x' }), entry({ name: 'x', subindex: 2 }), entry({ name: 'x' })],
      },
    ],
  };
  t.deepEqual(
    resolveTags({ devices: [], tags: [] }, twice).tags.map(({ name }) => name),
    ['EL3102-0.0x6000.1', 'EL3102-0.0x6000.2', 'EL3102-0.0x6000.1#2'],
  );
});

test('a SubDevice that is not the configured one is an error with position, expected and found', (t) => {
  t.deepEqual(compareIdentities(devices, network), []);
  const [error] = compareIdentities([{ ...devices[0]!, productCode: 0x1b81_3052 }], network);
  t.is(error!.code, 'ECAT_ERR_DEVICE_MISMATCH');
  t.is(error!.position, 1);
  t.is(error!.expected!.productCode, 0x1b81_3052);
  t.is(error!.found!.productCode, 0x0c1e_3052);
  t.regex(
    error!.message,
    /position 1: expected vendor 0x00000002, product 0x1b813052, found vendor 0x00000002, product 0x0c1e3052/,
  );
  const [missing] = compareIdentities([{ ...devices[0]!, position: 9 }], network);
  t.is(missing!.code, 'ECAT_ERR_DEVICE_MISSING');
});

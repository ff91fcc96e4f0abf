/** Ten thousand tags of every kind, at every bit offset, against a decoder that shares nothing with ours. */

import { fc, testProp } from '@fast-check/ava';
import { BusView } from '../../src/core/bus-view.ts';
import { SlotBuffer } from '../../src/core/decode.ts';
import { type ConfigurationDocument, MainDevice, type TagType } from '../../src/index.ts';
import { DEVICES, entriesOf, mixed } from './fixtures/plants.ts';
import { decodeSlowly, isSame, type SlowTag } from './fixtures/slow-decoder.ts';

type InputDocument = NonNullable<NonNullable<ConfigurationDocument['ethercat']['process_data']>['inputs']>[number];

/** Type of an entry by its data type, and what its length says where it has none. */
const types: Readonly<Record<number, TagType>> = {
  1: 'bool',
  2: 'int8',
  3: 'int16',
  4: 'int32',
  5: 'uint8',
  6: 'uint16',
  8: 'float32',
  10: 'bytes',
  17: 'float64',
  21: 'int64',
  27: 'uint64',
};

/** A generator of whole numbers below `most`, for what fast-check would take too long to shrink. */
function random(seed: number): (most: number) => number {
  let state = seed >>> 0;
  return (most) => {
    // Mulberry32.
    state = (state + 0x6d2b79f5) >>> 0;
    let mixedUp = Math.imul(state ^ (state >>> 15), state | 1);
    mixedUp ^= mixedUp + Math.imul(mixedUp ^ (mixedUp >>> 7), mixedUp | 61);
    return ((mixedUp ^ (mixedUp >>> 14)) >>> 0) % most;
  };
}

/** One tag for every entry, in any of the ways that its type allows. */
function anyTags(next: (most: number) => number): { inputs: InputDocument[]; slow: SlowTag[] } {
  const inputs: InputDocument[] = [];
  const slow: SlowTag[] = [];
  let base = 0;
  for (let device = 0; device < DEVICES; device += 1) {
    const entries = entriesOf(device);
    let bit = base;
    for (const [n, { bits = 0, data_type: dataType = 0 }] of entries.entries()) {
      const type = types[dataType] ?? (bits <= 8 ? 'uint8' : 'uint16');
      const way = anyWay(
        next,
        type,
        bits,
        n + 8 <= entries.length && entries.slice(n, n + 8).every((entry) => entry.bits === 1),
      );
      inputs.push({ name: `t${inputs.length}`, slave: `d${device}`, index: 0x6000, subindex: n + 1, ...way });
      slow.push({
        type: way.type ?? type,
        bit: bit + (way.bit_offset ?? 0),
        bits: way.bit_length ?? bits,
        count: way.count,
        scale: way.scale ?? 1,
        offset: way.offset ?? 0,
        labels: way.labels,
      });
      bit += bits;
    }
    // The data of a SubDevice begin with a byte of their own.
    base = Math.ceil(bit / 8) * 8;
  }
  return { inputs, slow };
}

function anyWay(
  next: (most: number) => number,
  type: TagType,
  bits: number,
  isRunOfBits: boolean,
): Omit<InputDocument, 'name'> {
  switch (next(5)) {
    case 0:
      if (isRunOfBits) return { count: 8, type: 'bool', bit_length: 1 };
      return bits === 64 ? { count: 4, type: 'int16', bit_length: 16 } : {};
    case 1:
      if (bits === 64) return { count: 5, type: 'uint16', bit_length: 11, bit_offset: next(9) };
      return bits === 1 ? { labels: { 0: 'off', 1: 'on' } } : {};
    case 2: {
      if (bits < 12 || type.startsWith('float') || type === 'bytes') return {};
      const length = 1 + next(8);
      return { type: 'uint8', bit_offset: next(bits - length + 1), bit_length: length };
    }
    case 3:
      return type === 'bool' || type === 'bytes' ? {} : { scale: 0.25, offset: next(100) };
    default:
      return type === 'int8' ? { labels: { [-1]: 'last', 0: 'none', 7: 'seven' } } : {};
  }
}

testProp(
  '10,000 tags of every kind over 100 SubDevices are decoded right, in snapshots, streams and history',
  [fc.integer(), fc.constantFrom(1, 2)],
  async (t, seed, partitions) => {
    const next = random(seed);
    const { inputs, slow } = anyTags(next);
    const document = mixed({ partitions });
    document.ethercat.process_data = { inputs };
    await using bus = await MainDevice.open(document);
    const view = new BusView(bus.handle);
    try {
      t.is(bus.tags.length, 10_000);
      const slot = new SlotBuffer(view.memory.slotBytes);
      for (let step = 0; step < 6; step += 1) {
        // A few changes, and sometimes everything: entries of the log, and comparisons with the newest slot.
        for (let n = 0; n < (step % 3 === 2 ? 600 : 40); n += 1) {
          bus.simulator.port.command({
            kind: 'setInput',
            device: next(DEVICES),
            bitOffset: 8 * next(200),
            bitLength: 48,
            value: next(2 ** 31) * 2 ** 17 + next(2 ** 17),
          });
          if (n % 32 === 31) await bus.advance(1);
        }
        await bus.advance(2);
        view.copyNewest(slot);
        const image = slot.bytes.subarray(view.memory.sections.inputs);
        const now = bus.snapshot();
        const history = bus.history(1);
        const wrong: string[] = [];
        for (const [n, tag] of slow.entries()) {
          const expected = decodeSlowly(image, tag);
          const name = `t${n}`;
          if (!isSame(now.value(name), expected)) wrong.push(`snapshot ${name} ${JSON.stringify(tag)}`);
          if (!isSame(bus.tag(name).value, expected)) wrong.push(`value ${name} ${JSON.stringify(tag)}`);
          if (tag.labels !== undefined || step > 0) continue;
          const column = Array.from<unknown>(history.column(name));
          const inColumn = Array.isArray(expected)
            ? expected
            : [typeof expected === 'boolean' ? Number(expected) : expected];
          if (!isSame(column, inColumn)) wrong.push(`history ${name} ${JSON.stringify(tag)}`);
        }
        t.deepEqual(wrong.slice(0, 5), [], `step ${step}`);
      }
    } finally {
      view.release();
    }
  },
  { numRuns: 3 },
);

import test from 'ava';
import { parseTagAddress } from '../../src/bifrost/tag-address.ts';
import { EtherCatError } from '../../src/index.ts';

test('a name, an object and a place are told apart', (t) => {
  t.deepEqual(parseTagAddress('tank.level'), { kind: 'name', name: 'tank.level' });
  t.deepEqual(parseTagAddress('tank.input.level'), { kind: 'name', name: 'tank.input.level' });
  t.deepEqual(parseTagAddress('axis.0x6064.0'), { kind: 'object', subDevice: 'axis', index: 0x6064, subindex: 0 });
  t.deepEqual(parseTagAddress('line.axis.0X60fF.255'), {
    kind: 'object',
    subDevice: 'line.axis',
    index: 0x60ff,
    subindex: 255,
  });
  t.deepEqual(parseTagAddress('axis.input.4.int16'), {
    kind: 'place',
    subDevice: 'axis',
    direction: 'input',
    bitOffset: 32,
    type: 'int16',
  });
  t.deepEqual(parseTagAddress('io.output.1.3.bool'), {
    kind: 'place',
    subDevice: 'io',
    direction: 'output',
    bitOffset: 11,
    type: 'bool',
  });
});

test('an object that is mapped twice keeps its discovered name', (t) => {
  t.deepEqual(parseTagAddress('axis.0x6064.0#2'), { kind: 'name', name: 'axis.0x6064.0#2' });
});

const wrong: readonly (readonly [address: string, why: RegExp])[] = [
  ['', /empty/],
  ['   ', /empty/],
  [' tank.level', /white space/],
  ['tank\nlevel', /control characters/],
  ['tank..level', /a part between two dots is empty/],
  ['axis.0x6064', /subindex is missing/],
  ['axis.0x60641.0', /no object index/],
  ['axis.0xzz.0', /no object index/],
  ['axis.0x6064.256', /no subindex/],
  ['axis.0x6064.-1', /no subindex/],
  ['axis.0x6064.0.1', /behind the subindex/],
  ['axis.input.4', /no type/],
  ['axis.input.4.word', /no type/],
  ['axis.input.4.bytes', /no type/],
  ['axis.input.4.8.bool', /no bit/],
  ['axis.input.4.1.int16', /only a bool/],
  ['axis.input.70000.int16', /beyond/],
];

for (const [address, why] of wrong) {
  test(`${JSON.stringify(address)} is refused with its reason`, (t) => {
    const error = t.throws(() => parseTagAddress(address), { instanceOf: EtherCatError, message: why });
    t.is(error.code, 'ECAT_ERR_INVALID_ARGUMENT');
  });
}

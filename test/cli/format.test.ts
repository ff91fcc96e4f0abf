import test from 'ava';
import { cut, formatElapsed, formatNanoseconds, formatValue, jsonValue, table, width } from '../../src/cli/format.ts';

test('values read as people say them', (t) => {
  t.is(formatValue(true), 'on');
  t.is(formatValue(false), 'off');
  t.is(formatValue(undefined), '–');
  t.is(formatValue(1234567), '1 234 567');
  t.is(formatValue(-1234n), '-1 234');
  t.is(formatValue(Uint8Array.of(1, 0xab)), '01 ab');
  t.is(formatValue(new Uint8Array(9)), '00 00 00 00 00 00 00 00 …');
  t.is(formatValue(Number.NaN), 'NaN');
});

test('a scaled value has as many decimals as its steps deserve', (t) => {
  t.is(formatValue(60.099999999, 0.1), '60.1');
  t.is(formatValue(52.3123456, 0.003051757813), '52.312');
  t.is(formatValue(1200, 10), '1 200');
  t.is(formatValue(1234.5, 1), '1 234.500');
});

test('values become JSON without loss', (t) => {
  t.is(jsonValue(5n), 5);
  t.is(jsonValue(2n ** 63n), '9223372036854775808');
  t.is(jsonValue(Uint8Array.of(1, 255)), '01ff');
  t.is(jsonValue(Number.POSITIVE_INFINITY), 'Infinity');
  t.is(jsonValue(undefined), null);
});

test('durations have a fitting unit', (t) => {
  t.deepEqual([850, 4200, 12_300, 3_400_000, 2e9].map(formatNanoseconds), [
    '850 ns',
    '4.2 µs',
    '12 µs',
    '3.4 ms',
    '2.0 s',
  ]);
  t.deepEqual([0, 65_000, 7_265_000].map(formatElapsed), ['0:00', '1:05', '2:01:05']);
});

test('columns of a table are aligned, styles and all', (t) => {
  const rows = [
    ['a', '1'],
    ['\x1b[1mbcd\x1b[22m', '22'],
  ];
  t.deepEqual(table(rows, [1]), ['a     1', '\x1b[1mbcd\x1b[22m  22']);
});

test('a line is cut to the screen and keeps the ends of its styles', (t) => {
  const line = '\x1b[1mbold\x1b[22m and more';
  t.is(cut(line, 40), line);
  t.is(cut(line, 6), '\x1b[1mbold\x1b[22m …');
  t.is(width(cut(line, 6)), 6);
});

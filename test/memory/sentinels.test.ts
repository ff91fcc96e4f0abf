/** Every field that Rust writes into the shared memory is found by the generated layout, at its place and whole. */

import test from 'ava';
import { runExample } from '../../scripts/example.ts';
import * as layout from '../../src/core/generated/layout.ts';
import { ProcessMemory } from '../../src/core/process-image.ts';

/** Section, field, element and value, as `native/engine/examples/sentinels.rs` wrote it. */
type Written = readonly [section: string, field: string, element: number, value: string];

const numbers: Readonly<Record<string, unknown>> = layout;

function constant(name: string): number {
  const value = numbers[name];
  if (typeof value !== 'number') throw new Error(`the generated layout has no ${name}`);
  return value;
}

test('what Rust writes into every field TypeScript finds there', (t) => {
  const { bytes, written } = JSON.parse(runExample('sentinels').toString()) as {
    bytes: string;
    written: readonly Written[];
  };
  const buffer = new SharedArrayBuffer(bytes.length / 2);
  new Uint8Array(buffer).set(Buffer.from(bytes, 'hex'));
  const memory = new ProcessMemory(buffer);
  const view = new DataView(buffer);
  const header = (field: string): number => view.getUint32(4 * constant(`HEADER_${field}_I32`), true);

  // Where sections begin that stand elsewhere than at an offset of their own, or several times.
  const lane = header('LANES_OFFSET') + layout.LANE_STRIDE_BYTES;
  const log = header('LOG_OFFSET') + header('LOG_STRIDE_BYTES');
  const begins: Readonly<Record<string, number>> = {
    // Its indices count from the start of the memory.
    CONTROL: 0,
    WAITERS: 0,
    SLOT_HEADER: memory.ringOffset,
    COUNTERS: layout.COUNTERS_OFFSET,
    LATENESS: layout.LATENESS_OFFSET,
    ROUND_TRIP: layout.ROUND_TRIP_OFFSET,
    PUBLISH: layout.PUBLISH_OFFSET,
    INTERLOCK_TABLE: layout.INTERLOCKS_OFFSET,
    INTERLOCK_ACKNOWLEDGEMENTS: layout.INTERLOCK_ACKNOWLEDGEMENTS_OFFSET,
    LANE_WRITER_LINE: lane,
    LANE_CYCLE_LINE: lane + layout.LANE_CYCLE_LINE_OFFSET,
    // A lane's first owner has the buffer that is neither the middle one (0) nor the cycle thread's (2).
    LANE_BUFFER_HEADER: header('LANE_BUFFERS_OFFSET') + (layout.LANE_BUFFERS + 1) * header('LANE_BUFFER_STRIDE_BYTES'),
    RECEIPT: header('RECEIPTS_OFFSET') + layout.RECEIPTS_STRIDE_BYTES + layout.RECEIPT_RECORDS_OFFSET,
    CONSUMER_LINE: layout.CONSUMERS_OFFSET + (layout.CONSUMERS_MAX - 1) * layout.LINE_BYTES,
    LOG_CURSOR: log,
    LOG_BATCH: log + layout.LOG_RECORDS_OFFSET,
    LOG_ENTRY: log + layout.LOG_RECORDS_OFFSET + layout.LOG_BATCH_BYTES,
  };
  const isHistogram = (section: string): boolean => ['LATENESS', 'ROUND_TRIP', 'PUBLISH'].includes(section);
  for (const [section, field, element, value] of written) {
    const name = `${isHistogram(section) ? 'HISTOGRAM' : section}_${field.toUpperCase()}`;
    const begin = begins[section]!;
    const is64 = `${name}_U64` in numbers;
    const at = begin + (is64 ? 8 * (constant(`${name}_U64`) + element) : 4 * (constant(`${name}_I32`) + element));
    const found = is64 ? view.getBigUint64(at, true) : BigInt(view.getUint32(at, true));
    if (found !== BigInt(value)) t.fail(`${section}.${field}[${element}] at ${at}: ${found}, not ${value}`);
    // Atomics in TypeScript reach the halves by 32-bit indices, low half first.
    if (is64) t.is(constant(`${name}_I32`), 2 * constant(`${name}_U64`), name);
  }

  // Every field of these sections was written: none was forgotten when it was added.
  const fields = new Set(
    written.map(([section, field]) => `${isHistogram(section) ? 'HISTOGRAM' : section}_${field.toUpperCase()}`),
  );
  const whole = [
    'CONTROL',
    'WAITERS',
    'COUNTERS',
    'HISTOGRAM',
    'CONSUMER_LINE',
    'LANE_WRITER_LINE',
    'LANE_CYCLE_LINE',
    'LANE_BUFFER_HEADER',
    'RECEIPT',
    'LOG_CURSOR',
    'LOG_BATCH',
    'LOG_ENTRY',
  ];
  for (const name of Object.keys(numbers).filter((key) => key.endsWith('_I32'))) {
    const field = name.slice(0, -'_I32'.length);
    if (whole.some((section) => field.startsWith(`${section}_`))) t.true(fields.has(field), name);
  }

  // No field is told by a value that stands in a word that nobody wrote, but for what is always 0.
  for (const [section, field, , value] of written) t.true(value !== '0' || field === 'reserved', `${section}.${field}`);

  // The header, by what it was made from; and the slot behind its head.
  const made = {
    INPUT_BYTES: 21,
    OUTPUT_BYTES: 13,
    SUB_DEVICE_COUNT: 3,
    DATAGRAM_COUNT: 2,
    SLOT_COUNT: 2,
    LOG_RECORDS: 64,
    PARTITION_COUNT: 2,
    LANE_COUNT: 2,
    CYCLE_PERIOD_NS: 1_000_000,
    FIRST_CYCLE: 0xa4b4_c410,
    TOTAL_BYTES: buffer.byteLength,
  };
  for (const [field, value] of Object.entries(made)) t.is(header(field), value, field);
  const inSlot = (field: string, length: number): number[] =>
    Array.from(new Uint8Array(buffer, memory.ringOffset + header(field), length));
  const count = (from: number, length: number): number[] => Array.from({ length }, (_, n) => from + n);
  t.deepEqual(inSlot('SLOT_QUALITY_OFFSET', 3), [11, 12, 13]);
  t.deepEqual(inSlot('SLOT_WORKING_COUNTERS_OFFSET', 4), [0x22, 0x21, 0x24, 0x23]);
  t.deepEqual(inSlot('SLOT_INPUTS_OFFSET', 21), count(31, 21));
  t.deepEqual(inSlot('SLOT_OUTPUTS_OFFSET', 13), count(61, 13));
});

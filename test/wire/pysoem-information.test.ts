// SOEM reads a simulated object dictionary; what it finds is what the segment file says.

import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { soemFinds } from '../support/pysoem.ts';

interface Value {
  readonly name: string;
  readonly dataType: number;
  readonly bits: number;
  readonly access: number;
}

interface FoundObject extends Value {
  readonly index: number;
  readonly code: number;
  readonly entries: readonly Value[];
}

interface Described {
  readonly index?: number;
  readonly subindex?: number;
  readonly name?: string;
  readonly data_type?: number;
  readonly value?: unknown;
  readonly access?: string;
  readonly mapping?: string;
  readonly array?: boolean;
  readonly entries?: readonly Described[];
}

const promise = soemFinds<{ objects: readonly FoundObject[] }>('information');

// Object access of ETG1000.6: reading and writing in PRE-OP, SAFE-OP and OP; which PDOs can carry it.
const ACCESS: Readonly<Record<string, number>> = { ro: 0x07, rw: 0x3f, wo: 0x38, 'rw-pre-op': 0x0f };
const MAPPING: Readonly<Record<string, number>> = { output: 0x40, input: 0x80 };
const BITS: Readonly<Record<number, number>> = { 1: 1, 3: 16, 5: 8, 6: 16, 7: 32 };
// What is left of a mail of 64 bytes for a name.
const NAME_BYTES = 40;

function described(): readonly Described[] {
  const file = new URL('fixtures/soem/information.segment.yaml', import.meta.url);
  const { devices } = parse(readFileSync(file, 'utf8')) as {
    devices: readonly { mailbox?: { objects: readonly Described[] } }[];
  };
  return devices[1]?.mailbox?.objects ?? [];
}

function value(of: Described): Value {
  const text = typeof of.value === 'string' ? of.value : undefined;
  const dataType = of.data_type ?? (text === undefined ? 7 : 9);
  return {
    name: (of.name ?? '').slice(0, NAME_BYTES),
    dataType,
    bits: text === undefined ? (BITS[dataType] ?? Number.NaN) : text.length * 8,
    access: (ACCESS[of.access ?? 'rw'] ?? 0) | (MAPPING[of.mapping ?? ''] ?? 0),
  };
}

promise('SOEM lists the objects that every device with a mailbox has, and those of the file', (t, { objects }) => {
  const own = described().map(({ index }) => index);
  const always = [0x1000, 0x1001, 0x1008, 0x1009, 0x100a, 0x1018, 0x10f3, 0x1600, 0x1a00, 0x1c00, 0x1c12, 0x1c13];
  t.deepEqual(
    objects.map(({ index }) => index),
    [...always, ...own, 0x6040, 0x6041, 0x607a] as number[],
  );
});

promise('single values are what the file says, with as much of their name as a mail holds', (t, { objects }) => {
  for (const one of described().filter(({ entries }) => entries === undefined)) {
    const found = objects.find(({ index }) => index === one.index);
    t.like(found, { ...value(one), code: 7, entries: [] });
  }
});

promise('records and arrays have the entries of the file, and gaps where it has none', (t, { objects }) => {
  for (const one of described().filter(({ entries }) => entries !== undefined)) {
    const found = objects.find(({ index }) => index === one.index);
    t.is(found?.name, one.name);
    t.is(found?.code, one.array === true ? 8 : 9);
    for (const entry of one.entries ?? []) {
      // SOEM names entries that it cannot read by nothing at all.
      t.deepEqual(found?.entries[entry.subindex ?? 0], value(entry));
    }
    t.like(found?.entries[0], { dataType: 5, bits: 8, access: 0x07 });
  }
});

promise('a PDO is named as in the file', (t, { objects }) => {
  t.is(objects.find(({ index }) => index === 0x1600)?.name, 'Controls');
});

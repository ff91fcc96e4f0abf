// `bifrost-ethercat sii`: images of real devices and of described ones, held against a decoder of its own that is
// written from ETG1000.6 (tables of the slave information interface) and shares nothing with native/wire.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { folderWith } from '../configuration/files.ts';
import { runCli } from '../support/cli.ts';

const folder = join(import.meta.dirname, '../fixtures/eeprom');

/** The parts of an image that MainDevices read. */
interface Decoded {
  readonly crcFits: boolean;
  readonly identity: readonly number[];
  readonly mailboxes: readonly number[];
  readonly categories: readonly (readonly [code: number, offset: number, bytes: number])[];
  readonly strings: readonly string[];
  readonly syncManagers: readonly (readonly number[])[];
  readonly pdos: readonly (readonly unknown[])[];
}

/** CRC-8, polynomial 0x07, initial 0xff, bit by bit. */
function crc(bytes: Uint8Array): number {
  let value = 0xff;
  for (const byte of bytes) {
    for (let bit = 7; bit >= 0; bit -= 1) {
      const feedback = ((value >> 7) ^ (byte >> bit)) & 1;
      value = ((value << 1) & 0xff) ^ (feedback === 1 ? 0x07 : 0);
    }
  }
  return value;
}

function decode(image: Buffer): Decoded {
  const categories: [number, number, number][] = [];
  for (let at = 0x80; at + 4 <= image.length && image.readUInt16LE(at) !== 0xffff; ) {
    const bytes = image.readUInt16LE(at + 2) * 2;
    categories.push([image.readUInt16LE(at), at, bytes]);
    at += 4 + bytes;
  }
  const contents = (code: number): Buffer[] =>
    categories.filter(([of]) => of === code).map(([, at, bytes]) => image.subarray(at + 4, at + 4 + bytes));
  const strings: string[] = [];
  for (const content of contents(10)) {
    for (let at = 1, left = content[0] ?? 0; left > 0; left -= 1) {
      const length = content[at] ?? 0;
      strings.push(content.toString('latin1', at + 1, at + 1 + length));
      at += 1 + length;
    }
  }
  const text = (n: number): string => strings[n - 1] ?? '';
  const syncManagers = contents(41).flatMap((content) =>
    Array.from({ length: content.length / 8 }, (_, n) => {
      const one = content.subarray(8 * n);
      return [one.readUInt16LE(0), one.readUInt16LE(2), one.readUInt8(4), one.readUInt8(6)];
    }),
  );
  const pdos: unknown[][] = [];
  for (const [code, at, bytes] of categories.filter(([of]) => of === 50 || of === 51)) {
    const end = at + 4 + bytes;
    for (let pdo = at + 4; pdo + 8 <= end; ) {
      const count = image.readUInt8(pdo + 2);
      const entries = Array.from({ length: count }, (_, n) => {
        const entry = pdo + 8 + 8 * n;
        return [
          image.readUInt16LE(entry),
          image.readUInt8(entry + 2),
          text(image.readUInt8(entry + 3)),
          image.readUInt8(entry + 4),
          image.readUInt8(entry + 5),
        ];
      });
      const sm = image.readUInt8(pdo + 3);
      pdos.push([
        code === 50 ? 'input' : 'output',
        image.readUInt16LE(pdo),
        sm === 0xff ? null : sm,
        text(image.readUInt8(pdo + 5)),
        image.readUInt16LE(pdo + 6),
        entries,
      ]);
      pdo += 8 + 8 * count;
    }
  }
  return {
    crcFits: crc(image.subarray(0, 14)) === image[14],
    identity: [0x10, 0x14, 0x18, 0x1c].map((at) => image.readUInt32LE(at)),
    mailboxes: [0x30, 0x32, 0x34, 0x36, 0x38].map((at) => image.readUInt16LE(at)),
    categories,
    strings,
    syncManagers,
    pdos,
  };
}

/** What the command printed, in the same form. */
function printed(view: Readonly<Record<string, unknown>>): Decoded {
  const { checksum, identity, mailbox, protocols, categories, strings, syncManagers, pdos } = view as {
    checksum: { right: boolean };
    identity: { vendorId: number; productCode: number; revision: number; serial: number };
    mailbox: { receiveOffset: number; receiveSize: number; sendOffset: number; sendSize: number };
    protocols: number;
    categories: { code: number; offset: number; bytes: number }[];
    strings: string[];
    syncManagers: { start: number; length: number; control: number; enable: number }[];
    pdos: {
      direction: string;
      index: number;
      syncManager: number | null;
      name: string;
      flags: number;
      entries: { index: number; subindex: number; name: string; dataType: number; bits: number }[];
    }[];
  };
  return {
    crcFits: checksum.right,
    identity: [identity.vendorId, identity.productCode, identity.revision, identity.serial],
    mailboxes: [mailbox.receiveOffset, mailbox.receiveSize, mailbox.sendOffset, mailbox.sendSize, protocols],
    categories: categories.map(({ code, offset, bytes }) => [code, offset, bytes]),
    strings,
    syncManagers: syncManagers.map(({ start, length, control, enable }) => [start, length, control, enable]),
    pdos: pdos.map(({ direction, index, syncManager, name, flags, entries }) => [
      direction,
      index,
      syncManager,
      name,
      flags,
      entries.map((entry) => [entry.index, entry.subindex, entry.name, entry.dataType, entry.bits]),
    ]),
  };
}

for (const name of readdirSync(folder).filter((file) => file.endsWith('.bin') && file !== 'empty.bin')) {
  test(`nothing of ${name} is lost`, async (t) => {
    const { code, events } = await runCli('sii', join(folder, name), '--json');
    t.is(code, 0);
    t.deepEqual(printed(events[0] ?? { event: '' }), decode(readFileSync(join(folder, name))));
  });
}

test('what a category is for that nobody here reads, is there by its bytes', async (t) => {
  const { events } = await runCli('sii', join(folder, 'akd.bin'), '--json');
  const categories = events[0]?.['categories'] as { code: number; data?: string }[];
  t.is(categories[0]?.code, 0x800);
  t.is(Buffer.from(categories[0]?.data ?? '', 'hex').toString(), 'AKD-P00606-NBCC-E000');
});

const TYPES = ['EK1122', 'EL3004', 'EL4004-like', 'AKD'];

test('a described device becomes an image that another decoder reads', async (t) => {
  const devices = TYPES.map((type, n) => `  - { name: d${n}, type: ${type}, serial: ${n + 1}, alias: ${n} }`);
  const here = await folderWith(t, { 'segment.yaml': `devices:\n${devices.join('\n')}\n` });
  for (const [n, type] of TYPES.entries()) {
    const out = join(here, `${n}.bin`);
    const written = await runCli('sii', join(here, 'segment.yaml'), '--device', `d${n}`, '--out', out, '--json');
    t.is(written.code, 0, written.stderr);
    const image = decode(readFileSync(out));
    t.true(image.crcFits, type);
    t.deepEqual(printed(written.events[0] ?? { event: '' }), image, type);
    t.is(image.identity[3], n + 1);
    t.is(image.strings[0], type, 'the order text comes first, as in the real images');
    // All PDOs of a direction in one section.
    const sections = image.categories.map(([code]) => code);
    t.is(new Set(sections).size, sections.length, type);
    // The image, read again, is the same.
    const again = await runCli('sii', out, '--json');
    t.deepEqual({ ...again.events[0], file: '' }, { ...written.events[0], file: '' });
  }
});

test('an image is printed for people', async (t) => {
  const { lines } = await runCli('sii', join(folder, 'el2889.bin'));
  t.is(lines[0], 'EL2889');
  t.true(lines.includes('  checksum           0x00e2         right'), lines.join('\n'));
  t.true(lines.includes('  1  outputs  0x0f01  1 bytes  control 0x44  enabled, only in OP'), lines.join('\n'));
  t.true(
    lines.some((line) => /^ {2}byte 0x[0-9a-f]{4} {2}43 {2}SyncUnit/.test(line)),
    lines.join('\n'),
  );
});

test('a broken image is refused with the byte', async (t) => {
  const whole = readFileSync(join(folder, 'el2889.bin'));
  const wrong = Buffer.from(whole);
  wrong.writeUInt8(0x55, 14);
  const here = await folderWith(t, { 'cut.bin': whole.subarray(0, 300), 'wrong.bin': wrong });
  const cut = await runCli('sii', join(here, 'cut.bin'));
  t.is(cut.code, 1);
  t.regex(cut.stderr, /cut\.bin: the EEPROM image ends inside the category 10 \(strings\) at byte 0x0080/);
  const blank = await runCli('sii', join(folder, 'empty.bin'));
  t.regex(blank.stderr, /empty\.bin: the EEPROM is blank from byte 0x0014 on/);
  // A wrong checksum is a finding, not an error.
  const found = await runCli('sii', join(here, 'wrong.bin'));
  t.is(found.code, 0);
  t.true(
    found.lines.some((line) => line.endsWith('wrong: it should be 0xe2')),
    found.lines.join('\n'),
  );
  const missing = await runCli('sii', join(here, 'missing.bin'));
  t.regex(missing.stderr, /the SII image: cannot read .*missing\.bin: there is no such file/);
});

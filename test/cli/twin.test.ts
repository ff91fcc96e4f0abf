// `bifrost-ethercat twin`: segment files from SII images, from a running bus, and from captures of real hardware, which
// are then replayed against their twins.

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { loadSegmentOf } from '../../src/core/configuration/load.ts';
import { native } from '../../src/core/native.ts';
import { folderWith } from '../configuration/files.ts';
import { runCli } from '../support/cli.ts';

const root = join(import.meta.dirname, '../..');
const captures = process.env['BIFROST_ETHERCAT_CAPTURES'] ?? join(root, '../shared/data/captures');
const images = join(root, 'test/fixtures/eeprom');

/** Structural differences of each capture to its own twin; docs/simulator.md says where they come from. */
const judged = [
  { name: 'replay-ek1100-el2828-el2889', structural: 0 },
  { name: 'replay-ek1100-alias-address', structural: 0 },
  { name: 'twincat-run-ek1100-el1004', structural: 0 },
  { name: 'soem-single-lan9252', structural: 0 },
  { name: 'soem-sdinfo-akd', structural: 0 },
  { name: 'replay-ek1914-no-complete-access', structural: 0 },
];

for (const { name, structural } of judged) {
  const file = join(captures, `${name}.pcapng`);
  const run = existsSync(file) ? test : test.skip;
  run(`${name} is replayed against its twin`, async (t) => {
    const out = join(await folderWith(t, {}), 'twin.yaml');
    const { code, stderr } = await runCli('twin', '--capture', file, '--out', out);
    t.is(code, 0, stderr);
    const replayed = await runCli('replay', file, '--segment', out, '--json');
    const counts = replayed.events[0]?.['counts'] as Record<string, number>;
    t.log(`${name}: ${JSON.stringify(counts)}`);
    t.is(counts['structural'], structural);
  });
}

test('the twin of SII images has the same images', async (t) => {
  const out = join(await folderWith(t, {}), 'twin.yaml');
  const files = ['ek1100', 'el2828', 'el2889', 'akd'].map((name) => join(images, `${name}.bin`));
  const { code, stderr, lines } = await runCli('twin', '--sii', ...files, '--out', out);
  t.is(code, 0, stderr);
  t.true(lines.some((line) => line.includes('not known: akd: its objects')));
  const twins = native().deviceImages(JSON.stringify(await loadSegmentOf(out)));
  t.is(twins.length, files.length);
  for (const [n, file] of files.entries()) t.deepEqual(Buffer.from(twins[n]!.sii), await readFile(file), file);
});

test('the twin of a bus is what the bus was made from, where that can be known', async (t) => {
  const folder = await folderWith(t, {
    'bus.yaml': `devices:
  - { name: coupler, sii: ${join(images, 'ek1100.bin')} }
  - { name: lamps, sii: ${join(images, 'el2828.bin')}, alias: 7 }
  - { name: sensors, type: digital-inputs, channels: 4 }
  - { name: drive, type: servo, serial: 42 }
`,
  });
  const [bus, out] = [join(folder, 'bus.yaml'), join(folder, 'twin.yaml')];
  const { code, stderr } = await runCli('twin', '--segment', bus, '--out', out);
  t.is(code, 0, stderr);
  const views = async (file: string): Promise<unknown[]> => {
    const found = native().deviceImages(JSON.stringify(await loadSegmentOf(file)));
    return found.map(({ sii }) => {
      const view = JSON.parse(native().readSii(Uint8Array.from(sii))) as Record<string, unknown>;
      // Words without a name are not read: the twin says so. Where categories stand, and how large the image is, may differ.
      for (const key of ['bytes', 'sizeBytes', 'bytesBehind', 'reservedWords']) delete view[key];
      const codes = (view['categories'] as { code: number }[]).map(({ code: number }) => number);
      return { ...view, categories: codes.toSorted() };
    });
  };
  const [was, is] = [await views(bus), await views(out)];
  for (const [n, view] of was.entries()) t.deepEqual(is[n], view, `device ${n}`);
  const again = await runCli('scan', '--segment', out, '--json');
  const first = await runCli('scan', '--segment', bus, '--json');
  const identity = (event: Record<string, unknown>): unknown[] =>
    ['vendorId', 'productCode', 'revision', 'serial', 'alias', 'entries', 'hasDistributedClock'].map(
      (key) => event[key],
    );
  t.deepEqual(again.events.map(identity), first.events.map(identity));
});

test('what is no source of a twin is refused', async (t) => {
  const out = join(await folderWith(t, {}), 'twin.yaml');
  t.regex((await runCli('twin', '--out', out)).stderr, /twin needs one source/);
  const two = await runCli('twin', '--sii', join(images, 'ek1100.bin'), '--interface', 'eth0', '--out', out);
  t.regex(two.stderr, /twin needs one source/);
  t.regex(
    (await runCli('twin', '--capture', join(images, 'ek1100.bin'), '--out', out)).stderr,
    /the capture: cannot read .*ek1100\.bin/,
  );
  t.regex(
    (await runCli('twin', '--sii', join(root, 'package.json'), '--out', out)).stderr,
    /the SII image: cannot read/,
  );
});

const esi = join(root, 'test/fixtures/esi/BogusServo.xml');
test('the twin of an ESI file is the device that was named, and a file with several asks which', async (t) => {
  const out = join(await folderWith(t, {}), 'twin.yaml');
  t.regex(
    (await runCli('twin', '--esi', esi, '--out', out)).stderr,
    /which device\? .* it has 2: B090\.SO\.3\.0, B090\.SO\.3\.1/,
  );
  const { code, stderr } = await runCli('twin', '--esi', `${esi}=B090.SO.3.1`, '--out', out);
  t.is(code, 0, stderr);
  const twins = native().deviceImages(JSON.stringify(await loadSegmentOf(out)));
  t.is(twins.length, 1);
});

const simple = (vendor: number, type: string, product: number) =>
  `<EtherCATInfo><Vendor><Id>${vendor}</Id></Vendor><Descriptions><Devices>
    <Device Physics="KK"><Type ProductCode="${product}" RevisionNo="1">${type}</Type></Device>
    <Device Physics="KK" Invisible="1"><Type>PASSIVE</Type></Device>
  </Devices></Descriptions></EtherCATInfo>`;

test('the twin of a file that lists a bus is that bus, in its order', async (t) => {
  const bus = [simple(2, 'COUPLER', 1), simple(2, 'INPUT', 2), simple(560, 'INPUT', 3), simple(2, 'INPUT', 2)];
  const folder = await folderWith(t, { 'bus.xml': `<EtherCATInfoList>${bus.join('')}</EtherCATInfoList>` });
  const [file, out] = [join(folder, 'bus.xml'), join(folder, 'twin.yaml')];
  const { code, stderr } = await runCli('twin', '--esi', file, '--out', out);
  t.is(code, 0, stderr);
  const twins = native().deviceImages(JSON.stringify(await loadSegmentOf(out)));
  const identities = twins.map(({ sii }) => {
    const { identity } = JSON.parse(native().readSii(sii)) as { identity: { vendorId: number; productCode: number } };
    return [identity.vendorId, identity.productCode];
  });
  t.deepEqual(identities, [
    [2, 1],
    [2, 2],
    [560, 3],
    [2, 2],
  ]);
});

test('the twin of a file without devices says what is in it', async (t) => {
  const module = '<Module><Type ModuleIdent="1">A</Type></Module>';
  const text = `<EtherCATModule><Vendor><Id>1</Id></Vendor><Modules>${module}${module}</Modules></EtherCATModule>`;
  const folder = await folderWith(t, { 'modules.xml': text });
  const { code, stderr } = await runCli(
    'twin',
    '--esi',
    join(folder, 'modules.xml'),
    '--out',
    join(folder, 'twin.yaml'),
  );
  t.not(code, 0);
  t.regex(stderr, /describes no device, only 2 modules; name the file of their device/);
});

test('every device of an odd ESI file has a twin', async (t) => {
  const file = join(root, 'test/fixtures/esi/Odd.xml');
  const types = ['ODD-SELF', 'ODD-OFF', 'ODD-AXES', 'ODD-PINS', 'ODD-DRIVE', 'ODD-FOUND'];
  const out = join(await folderWith(t, {}), 'twin.yaml');
  const { code, stderr } = await runCli('twin', '--esi', ...types.map((type) => `${file}=${type}`), '--out', out);
  t.is(code, 0, stderr);
  t.is(native().deviceImages(JSON.stringify(await loadSegmentOf(out))).length, types.length);
});

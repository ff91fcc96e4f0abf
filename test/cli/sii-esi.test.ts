// `bifrost-ethercat sii --esi`: what is in ESI files, the images of their devices, and how those differ from real ones.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { folderWith } from '../configuration/files.ts';
import { runCli } from '../support/cli.ts';

const fixtures = join(import.meta.dirname, '../fixtures');
const simulated = join(fixtures, 'esi/Simulated.xml');
const shared = join(import.meta.dirname, '../../../shared/data');

interface Difference {
  readonly place: string;
  readonly first: string | null;
  readonly second: string | null;
}

test('devices, modules and what is odd in a file are listed', async (t) => {
  const { code, lines } = await runCli('sii', '--esi', simulated, '--esi', join(fixtures, 'esi/BogusServo.xml'));
  t.is(code, 0);
  const has = (part: RegExp): boolean =>
    t.true(
      lines.some((line) => part.test(line)),
      `${part}: ${lines.join('\n')}`,
    );
  has(/Simulated \(0xe0b1f057\)$/);
  has(/^ {2}SIM-COUPLER +0x45530001 +revision 0x00010000 +CoE, FoE +64 slots +Simulated modular coupler$/);
  has(/^ {2}module SIM-4DI +0x00000d14 +Di +4 inputs and a state$/);
  has(
    /BogusServo\.xml:978:9: EtherCATInfo\/Descriptions\/Devices\/Device\[1\]\/Sm\[1\]: a mailbox needs a DefaultSize/,
  );
  const { events } = await runCli('sii', '--esi', simulated, '--json');
  const [found] = events as readonly { event: string; devices?: readonly unknown[] }[];
  t.deepEqual([found?.event, found?.devices?.length], ['esi', 4]);
});

test('the image of a device is written, and what had to be decided is said', async (t) => {
  const folder = await folderWith(t, {});
  const out = join(folder, 'box.bin');
  const file = join(fixtures, 'esi/BogusIO.xml');
  const { code, events } = await runCli('sii', '--esi', file, '--out', out, '--json');
  t.is(code, 0);
  const image = readFileSync(out);
  t.deepEqual([image.length, image.readUInt32LE(0x10), image.readUInt32LE(0x18)], [2048, 0x00b0_90c0, 42]);
  t.deepEqual(events[0]?.['notes'], [
    'PDO 0x1a00 (line 46) names SyncManager 2, which is none of inputs; SyncManager 1 carries it',
  ]);
  // An image says the same as itself.
  const same = await runCli('sii', out, '--compare', out);
  t.deepEqual(same.lines, [`${out} and ${out} say the same`]);
});

test('the PDOs of modules are not in the image of a coupler that has CoE', async (t) => {
  const args = ['--device', 'SIM-COUPLER', '--module', 'SIM-4DI', '--module', '3=0xa02', '--json'];
  const { code, events } = await runCli('sii', '--esi', simulated, ...args);
  t.is(code, 0);
  t.deepEqual(events[0]?.['pdos'], []);
  const wrong = await runCli('sii', '--esi', simulated, '--device', 'SIM-COUPLER', '--module', '99=SIM-4DI');
  t.is(wrong.code, 1);
  t.regex(wrong.stderr, /SIM-COUPLER has the slots 1 to 64, not 99/);
});

test('a bad file, a device that is not there, and a command without a file are refused', async (t) => {
  const folder = await folderWith(t, { 'bad.xml': '<EtherCATInfo>\n <Vendor><Id>x</Id></Vendor></EtherCATInfo>' });
  const bad = await runCli('sii', '--esi', join(folder, 'bad.xml'));
  t.is(bad.code, 1);
  t.regex(bad.stderr, /bad\.xml:2:10: EtherCATInfo\/Vendor\/Id: "x" is no number/);
  const unknown = await runCli('sii', '--esi', simulated, '--device', 'NOPE');
  t.regex(unknown.stderr, /no device is called "NOPE"; there are SIM-COUPLER/);
  t.regex((await runCli('sii')).stderr, /name either a file or --esi FILE/);
});

if (existsSync(shared)) {
  test('the image that an ESI leads to differs from that of a real EK1100 in what no ESI tells', async (t) => {
    const file = join(shared, 'esi/Beckhoff_EK11xx.xml');
    const real = join(fixtures, 'eeprom/ek1100.bin');
    const args = ['--device', 'EK1100', '--language', '1031', '--compare', real];
    const { events } = await runCli('sii', '--esi', file, ...args, '--json');
    const differences = events[0]?.['differences'] as Difference[];
    t.deepEqual(
      differences.map(({ place, first, second }) => [place, first, second]),
      [
        ['word 0x20 (reserved)', null, '0x0006'],
        ['word 0x21 (reserved)', null, '0x001a'],
        ['word 0x22 (reserved)', null, '0x8a0e'],
        ['general: byte 0x04 (reserved)', '0x00', '0x02'],
      ],
    );
    const { lines } = await runCli('sii', '--esi', file, ...args);
    t.is(lines[0], '4 differences');
  });
} else {
  process.stderr.write(`test/cli/sii-esi: one test skipped, ${shared} is not there\n`);
  test.skip('the image that an ESI leads to is held against that of a real EK1100', () => undefined);
}

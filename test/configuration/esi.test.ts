// Devices of ESI files in segment files: read from beside them, each once, and told of by line and column.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { loadConfiguration, loadSegmentOf } from '../../src/core/configuration/load.ts';
import { EtherCatError } from '../../src/core/errors/ethercat-error.ts';
import { translated } from '../../src/core/errors/from-binding.ts';
import { native } from '../../src/core/native.ts';
import { folderWith, problemsOf } from './files.ts';

const plant = 'ethercat:\n  master:\n    segment: line.yaml\n';
const fixtures = join(import.meta.dirname, '../fixtures/esi');
const box = readFileSync(join(fixtures, 'BogusIO.xml'));

test('an ESI file is read once for all devices that are of it', async (t) => {
  const folder = await folderWith(t, {
    'line.yaml': `devices:
  - esi: box.xml
  - { name: second, alias: 3, esi: { file: [box.xml, more.xml], device: B090.IO.3.0, modules: [{ slot: 1, module: 7 }] } }
`,
    'box.xml': box,
    'more.xml': 'not read here',
  });
  const { devices, esiFiles } = await loadSegmentOf(join(folder, 'line.yaml'));
  const [file, more] = [join(folder, 'box.xml'), join(folder, 'more.xml')];
  t.deepEqual(devices, [
    { esi: { files: [file] } },
    {
      name: 'second',
      alias: 3,
      esi: { files: [file, more], device: 'B090.IO.3.0', modules: [{ slot: 1, module: 7 }] },
    },
  ]);
  t.deepEqual(
    esiFiles?.map(({ name }) => name),
    [file, more],
  );
  t.deepEqual(Buffer.from(esiFiles?.[0]?.content ?? '', 'base64'), box);
});

test('an ESI file that is not there is an error at the key that names it', async (t) => {
  const error = await problemsOf(t, plant, {
    'line.yaml': 'devices:\n  - esi: { file: [a.xml] }\n  - esi: b.xml\n',
  });
  t.is(error.code, 'ECAT_ERR_CONFIGURATION_FILE');
  t.deepEqual(
    error.errors?.map(({ message }) => message.replaceAll(/\/\S*\//g, '')),
    [
      'line.yaml:2:19 devices[0].esi.file[0]: cannot read a.xml: there is no such file',
      'line.yaml:3:10 devices[1].esi: cannot read b.xml: there is no such file',
    ],
  );
});

for (const [wrong, key, expected] of [
  ['esi: 7', '.esi', 'the path of an ESI file, or a mapping with it as file'],
  ['esi: { device: EK1100 }', '.esi', 'needs the key file'],
  ['esi: { file: a.xml, modules: [{ slot: 0, module: x }] }', '.esi.modules[0].slot', '0'],
  ['esi: { file: a.xml, modul: [] }', '.esi.modul', 'did you mean modules?'],
  ['{ esi: a.xml, type: EK1100 }', '', 'exactly one of type'],
] as const) {
  test(`what is wrong with ${wrong} is told at ${key === '' ? 'the device' : key}`, async (t) => {
    const device = wrong.startsWith('{') ? wrong : `{ ${wrong} }`;
    const { message } = await problemsOf(t, plant, { 'line.yaml': `devices:\n  - ${device}\n` });
    t.true(message.includes(`devices[0]${key}`) && message.includes(expected), message);
  });
}

test('what is wrong within an ESI file is told with its line and column', async (t) => {
  const text = box.toString().replace('<Index>#x1a00</Index>', '<Index>#y1a00</Index>');
  const folder = await folderWith(t, { 'line.yaml': 'devices: [{ esi: box.xml }]\n', 'box.xml': text });
  const segment = JSON.stringify(await loadSegmentOf(join(folder, 'line.yaml')));
  const error = t.throws(() => translated(() => native().deviceImages(segment)), { instanceOf: EtherCatError });
  t.is(error?.code, 'ECAT_ERR_SEGMENT_INVALID');
  t.true(
    error?.message.includes('/devices/0/esi/files/0: ') &&
      error.message.includes(
        'box.xml:47:11: EtherCATInfo/Descriptions/Devices/Device/TxPdo/Index: "#y1a00" is no number',
      ),
    error?.message,
  );
});

test('a configuration may hold a segment with ESI devices', async (t) => {
  const { link } = await loadConfiguration({
    ethercat: { master: { segment: { devices: [{ esi: join(fixtures, 'BogusJunction.xml') }] } } },
  });
  t.is(link.kind, 'segment');
});

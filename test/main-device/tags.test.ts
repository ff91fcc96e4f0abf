import test from 'ava';
import { attach, type ConfigurationDocument, MainDevice, type TagsSample } from '../../src/index.ts';
import { plant } from '../support/plant.ts';

/** One device with a mode, a door, six set points and a text, as outputs. */
function cell(): ConfigurationDocument {
  const entry = (index: number, subindex: number, bits: number) => ({ index, subindex, bits });
  return {
    ethercat: {
      master: {
        time: 'virtual',
        segment: {
          devices: [
            {
              name: 'cell',
              type: 'generic',
              pdos: [
                {
                  direction: 'output',
                  index: 0x1600,
                  entries: [
                    entry(0x7000, 1, 1),
                    entry(0x7000, 2, 7),
                    ...Array.from({ length: 6 }, (_, n) => entry(0x7010, n + 1, 16)),
                    entry(0x7020, 0, 64),
                  ],
                },
              ],
            },
          ],
        },
      },
      devices: [{ name: 'cell', position: 0 }],
      process_data: {
        outputs: [
          { name: 'door', slave: 'cell', index: 0x7000, subindex: 1, labels: { 0: 'closed', 1: 'open' } },
          { name: 'mode', slave: 'cell', index: 0x7000, subindex: 2, labels: { 0: 'off', 5: 'automatic' } },
          {
            name: 'points',
            slave: 'cell',
            index: 0x7010,
            subindex: 1,
            count: 6,
            type: 'int16',
            scale: 0.5,
            unit: 'mm',
          },
          { name: 'text', slave: 'cell', index: 0x7020, type: 'bytes' },
          { name: 'words', slave: 'cell', index: 0x7020, type: 'uint16', count: 4 },
        ],
      },
    },
  };
}

test('labels and arrays are written and read back, on every thread alike', async (t) => {
  await using bus = await MainDevice.open(cell());
  using other = attach(bus.handle);
  const samples: TagsSample[] = [];
  other.tags$(['door', 'mode', 'points']).subscribe((sample) => samples.push(sample));
  const points = Float64Array.of(0, 0.5, -1, 1.5, 100, -16384);
  const written = bus.write({ door: 'open', mode: 'automatic', points, text: Buffer.from('bifrost!') });
  await bus.advance(2);
  await written;
  const now = bus.snapshot();
  t.is(now.value('door'), 'open');
  t.is(now.value('mode'), 'automatic');
  t.deepEqual(now.value('points'), points);
  t.is(Buffer.from(now.value('text') as Uint8Array).toString(), 'bifrost!');
  t.deepEqual([...(now.value('words') as Uint16Array)], [0x6962, 0x7266, 0x736f, 0x2174]);
  t.deepEqual(bus.tag('points').value, points);
  t.deepEqual([bus.tag('mode').value, bus.tag('mode').labels], ['automatic', { 0: 'off', 5: 'automatic' }]);
  t.like(bus.tag('points'), { count: 6, type: 'int16', unit: 'mm', direction: 'output' });
  // The bell of the other view has rung in this thread too.
  while (samples.length < 2) await new Promise((resolve) => setImmediate(resolve));
  t.deepEqual(samples.at(-1)!.values, { door: 'open', mode: 'automatic', points });
  t.deepEqual([...other.history(1, ['points']).column('points')], [...points]);
  // A value without a label is its number, and can be written as one.
  const number = bus.tag('mode').write(3);
  await bus.advance(2);
  await number;
  t.is(bus.tag('mode').value, 3);
  await t.throwsAsync(bus.write({ mode: 'manual' }), { code: 'ECAT_ERR_VALUE_RANGE' });
  await t.throwsAsync(bus.write({ points: Float64Array.of(1, 2) }), { code: 'ECAT_ERR_VALUE_RANGE' });
});

test('tags are objects of the moment: by name, alias or number they read and write the same', async (t) => {
  const document = plant({ time: 'virtual' });
  delete document.ethercat.process_data;
  await using bus = await MainDevice.open(document);
  const [first] = bus.tags;
  t.is(first!.name, bus.tags.names()[0]!);
  t.regex(first!.name, /^in\.0x6000\.\d+$/);
  t.is(bus.tags.at(-1)!.name, bus.tags.names().at(-1)!);
  t.is(bus.tags.at(bus.tags.length), undefined);
  const named = bus.tags.find(({ alias, direction }) => alias !== undefined && direction === 'output')!;
  const alias = named.alias!;
  t.true(bus.tags.has(alias));
  const written = bus.write({ [alias]: named.type === 'bool' ? true : 1 });
  await bus.advance(2);
  await written;
  t.is(bus.tag(named.name).value, bus.tag(alias).value);
  t.is(Number(bus.snapshot([alias]).value(named.name)), 1);
});

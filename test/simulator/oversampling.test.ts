// Several samples a cycle, as one tag of a MainDevice.

import test from 'ava';
import { type ConfigurationDocument, MainDevice } from '../../src/index.ts';
import { simulate } from '../../src/simulator/index.ts';

const SAMPLES = 20;
const NS = 1e-9;

test('the samples of a cycle are an array, and lie on the curve that the segment’s time gives', async (t) => {
  const machine = await simulate({
    devices: [
      {
        name: 'vibration',
        type: 'EL3632-like',
        program: {
          kind: 'oversampling',
          samples: SAMPLES,
          axes: [{ input: 1, lines: [{ frequency_hz: 2300, amplitude: 8000 }] }],
        },
      },
    ],
  });
  const configuration = {
    ethercat: {
      master: { interface: 'none0', cycle_time: 1000, distributed_clocks: false },
      devices: [{ name: 'vibration', position: 0 }],
      process_data: {
        inputs: [
          { name: 'samples', slave: 'vibration', index: 0x6001, subindex: 1, type: 'int16', count: SAMPLES },
          { name: 'taken', slave: 'vibration', index: 0x6021, subindex: 1 },
        ],
        outputs: [],
      },
    },
  } satisfies ConfigurationDocument;
  await using bus = await MainDevice.open(configuration, { segment: machine });
  await machine.advance({ cycles: 3 });
  for (let cycle = 0; cycle < 20; cycle += 1) {
    const before = bus.tag<number>('taken').value;
    await machine.advance({ cycles: 1 });
    t.is((bus.tag<number>('taken').value - before + 65_536) % 65_536, SAMPLES);
    const samples = [...(bus.tag<Int16Array>('samples').value as Iterable<number>)];
    t.is(samples.length, SAMPLES);
    // The last one is of the frame itself, the others lie evenly in the ms before it.
    const endNs = machine.nowMs * 1e6;
    for (const [n, sample] of samples.entries()) {
      const atNs = endNs - ((SAMPLES - 1 - n) * 1e6) / SAMPLES;
      const expected = 8000 * Math.sin(2 * Math.PI * 2300 * atNs * NS);
      t.true(Math.abs(sample - expected) <= 2, `${sample} at ${atNs}: ${expected}`);
    }
  }
});

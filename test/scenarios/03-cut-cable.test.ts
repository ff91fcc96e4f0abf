import test from 'ava';
import { observed } from '../support/fault-scenario.ts';

test('a cut cable', async (t) => {
  await using plant = await observed();
  plant.inject({ on: { device: 'out', port: 1 }, effect: { kind: 'cut' } });
  t.false((await plant.qualities(60)).includes('good'));
  t.is(plant.bus.subDevice('in').quality, 'good');
  t.deepEqual([plant.bus.subDevice('ai').quality, plant.bus.subDevice('ao').quality], ['bad', 'bad']);
  const lost = plant.faults.filter(({ kind }) => kind === 'sub-device-lost').map(({ error }) => error.subDevice);
  t.deepEqual(lost.sort(), ['ai', 'ao']);
  t.is(await plant.register('out', 0x0311), 1);
  t.is(await plant.register('ai', 0x0310), 1);
});

import test from 'ava';
import { observed } from '../support/fault-scenario.ts';

test('a loose plug', async (t) => {
  await using plant = await observed();
  plant.inject({ on: { device: 'ai', port: 0 }, when: { count: 3 }, effect: { kind: 'corrupt' } });
  t.false((await plant.qualities(2)).includes('good'));
  await plant.bus.advance(5);
  t.true(plant.kinds().includes('frames-lost'));
  t.is(await plant.register('ai', 0x0300), 3);
  t.is(await plant.register('ai', 0x0301), 3);
  t.is(await plant.register('ao', 0x0308), 3);
  for (const device of ['coupler', 'in', 'out', 'ao']) t.is(await plant.register(device, 0x0300, 4), 0);
  t.is(plant.bus.snapshot().quality('count'), 'good');
});

import test from 'ava';
import { observed } from '../support/fault-scenario.ts';

test('a hanging program', async (t) => {
  await using plant = await observed();
  plant.inject({ on: { device: 'ai' }, effect: { kind: 'pdi-hang' } });
  await plant.bus.advance(150);
  t.is(await plant.register('ai', 0x0443), 1);
  const value = plant.bus.snapshot().value('count');
  await plant.bus.advance(5);
  t.is(plant.bus.snapshot().value('count'), value);
});

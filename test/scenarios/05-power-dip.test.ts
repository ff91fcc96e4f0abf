import test from 'ava';
import { observed } from '../support/fault-scenario.ts';

test('a power dip', async (t) => {
  await using plant = await observed();
  plant.inject({ on: { device: 'ai' }, when: { for_ms: 20 }, effect: { kind: 'power-off' } });
  t.false((await plant.qualities(100)).includes('good'));
  t.true(plant.kinds().includes('sub-device-lost'));
  t.is(await plant.register('ai', 0x0010, 2), 0);
  t.is((await plant.register('ai', 0x0130)) & 0x0f, 1);
  t.is(plant.bus.subDevice('in').quality, 'good');
});

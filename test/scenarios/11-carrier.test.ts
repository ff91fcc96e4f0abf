import test from 'ava';
import { observed } from '../support/fault-scenario.ts';

test('the carrier goes', async (t) => {
  await using plant = await observed();
  plant.inject({ when: { for_ms: 10 }, effect: { kind: 'carrier-loss' } });
  t.true((await plant.qualities(10)).some((quality) => quality !== 'good'));
  t.true(plant.kinds().includes('link-down'));
  await plant.bus.advance(40);
  t.is(plant.bus.snapshot().quality('count'), 'good');
});

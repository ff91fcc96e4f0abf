import test from 'ava';
import { observed } from '../support/fault-scenario.ts';

test('a wrong working counter', async (t) => {
  await using plant = await observed();
  plant.inject({
    on: { link: 'in', frames: { command: 'LRW' } },
    when: { count: 2 },
    effect: { kind: 'working-counter', by: -1 },
  });
  t.false((await plant.qualities(2)).includes('good'));
  await plant.bus.advance(60);
  t.is(plant.bus.snapshot().quality('count'), 'good');
  t.true(plant.kinds().includes('working-counter'));
  const [hit] = plant.hits();
  t.is(hit!.after, hit!.before! - 1);
});

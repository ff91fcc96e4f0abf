import test from 'ava';
import { observed } from '../support/fault-scenario.ts';

test('replayed answers', async (t) => {
  await using plant = await observed();
  plant.inject({ on: { link: 'in' }, when: { after: 4, count: 3 }, effect: { kind: 'replay', age: 2 } });
  let last = Number(plant.bus.snapshot().value('count'));
  for (let cycle = 0; cycle < 15; cycle += 1) {
    await plant.bus.advance(1);
    const value = Number(plant.bus.snapshot().value('count'));
    t.true(value >= last, `cycle ${cycle}`);
    last = value;
  }
  t.is(plant.hits().length, 3);
});

import test from 'ava';
import { observed } from '../support/fault-scenario.ts';

test('late answers', async (t) => {
  await using plant = await observed();
  plant.inject({
    on: { link: 'in', frames: { command: 'LRW' } },
    when: { count: 2 },
    effect: { kind: 'delay', by_frames: 3 },
  });
  let last = Number(plant.bus.snapshot().value('count'));
  for (let cycle = 0; cycle < 12; cycle += 1) {
    await plant.bus.advance(1);
    const value = Number(plant.bus.snapshot().value('count'));
    t.true(value >= last, `cycle ${cycle}`);
    last = value;
  }
  t.true(plant.kinds().includes('frames-lost'));
  t.is(plant.bus.snapshot().quality('count'), 'good');
});

import test from 'ava';
import { observed } from '../support/fault-scenario.ts';

test('a lost answer', async (t) => {
  await using plant = await observed();
  plant.inject({ on: { link: 'in', frames: { command: 'LRW' } }, when: { count: 2 }, effect: { kind: 'drop' } });
  t.deepEqual(await plant.qualities(4), ['stale', 'stale', 'good', 'good']);
  t.deepEqual(plant.kinds(), ['frames-lost']);
  for (const device of ['coupler', 'in', 'ai']) t.is(await plant.register(device, 0x0300, 4), 0);
  const hits = plant.hits();
  t.is(hits.length, 2);
  t.like(hits[0], { kind: 'drop', change: 'done', datagram: { command: 'LRW' } });
});

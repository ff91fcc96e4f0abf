import test from 'ava';
import { observed } from '../support/fault-scenario.ts';

test('a flapping link', async (t) => {
  await using plant = await observed();
  plant.inject({ on: { device: 'ai', port: 0 }, when: { on_ms: 3, off_ms: 40, count: 3 }, effect: { kind: 'cut' } });
  const seen = await plant.qualities(140);
  t.true(seen.includes('good') && seen.some((quality) => quality !== 'good'));
  t.is(await plant.register('ai', 0x0310), 3);
  t.deepEqual(
    plant.hits().map(({ change }) => change),
    ['began', 'ended', 'began', 'ended', 'began', 'ended'],
  );
});

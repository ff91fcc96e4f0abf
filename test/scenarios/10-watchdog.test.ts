import test from 'ava';
import { observed } from '../support/fault-scenario.ts';

test('a watchdog', async (t) => {
  await using plant = await observed();
  plant.inject({ on: { device: 'ao' }, effect: { kind: 'watchdog' } });
  await plant.bus.advance(100);
  t.is(await plant.register('ao', 0x0442), 1);
  const fault = plant.faults.find(({ kind }) => kind === 'sub-device-state');
  t.like(fault?.error, { subDevice: 'ao', alStatusCode: 0x1b });
  t.is(await plant.register('out', 0x0442), 0);
});

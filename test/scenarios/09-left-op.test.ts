import test from 'ava';
import { observed } from '../support/fault-scenario.ts';

test('a device leaves op', async (t) => {
  await using plant = await observed();
  plant.inject({ on: { device: 'ao' }, effect: { kind: 'leave-state', state: 'SAFE-OP', code: 0x8001 } });
  await plant.bus.advance(100);
  const fault = plant.faults.find(({ kind }) => kind === 'sub-device-state');
  t.like(fault?.error, { subDevice: 'ao', alStatusCode: 0x8001 });
  t.is((await plant.register('ao', 0x0130)) & 0x0f, 4);
});

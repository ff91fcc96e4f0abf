import test from 'ava';
import { faultOfPage } from './page.ts';
import { plant } from './support.ts';

test('a device that resets itself is lost at once, and no link is', async (t) => {
  const { machine, bus, cycles, changes, errors, hits, faults, states, write } = await plant(t);
  machine.inject(faultOfPage(import.meta.url, 'brown-out'));
  t.deepEqual(await cycles(3), ['uncertain uncertain uncertain', 'good good bad', 'good good bad']);
  t.deepEqual(new Set(await cycles(300)), new Set(['good good bad']));
  t.deepEqual(await changes(), ['drive AL status: 0x8 to 0x1']);
  t.like(await machine.device('drive').status(), { powered: true, reached: true, stationAddress: 0 });
  t.deepEqual([faults, states], [['working-counter', 'sub-device-lost drive', 'sub-device-unknown'], ['drive lost']]);
  t.is(bus.subDevice('drive').quality, 'bad');
  t.is(errors().lostFrames, 0);
  t.deepEqual(hits(), ['brown-out drive: done']);
  t.is(await write(2), 'ECAT_ERR_NOT_OPERATIONAL drive');
  t.is(await write(4, ['lamp']), 'written');
});

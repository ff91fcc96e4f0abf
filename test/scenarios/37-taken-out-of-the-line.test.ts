import test from 'ava';
import { faultOfPage } from './page.ts';
import { plant } from './support.ts';

test('the plant goes on without a device whose neighbours are joined', async (t) => {
  const { machine, bus, changes, qualities, errors, hits, faults, states, write } = await plant(t);
  machine.inject(faultOfPage(import.meta.url, 'repair'));
  await machine.advance(10);
  t.is(await write(2, ['target']), 'written');
  t.is(await write(2, ['lamp']), 'ECAT_ERR_NOT_OPERATIONAL out');
  await machine.advance(300);
  t.deepEqual(await changes(), ['out AL status: 0x8 to 0x1']);
  t.like(await machine.device('out').status(), { powered: true, reached: true, stationAddress: 0 });
  t.deepEqual([faults, states], [['working-counter', 'sub-device-lost out', 'sub-device-unknown'], ['out lost']]);
  t.is(qualities(), 'good bad good');
  t.is(bus.subDevice('drive').quality, 'good');
  t.is(errors().lostFrames, 0);
  t.deepEqual(hits(), ['repair out: began', 'repair out: ended']);
});

import test from 'ava';
import { faultOfPage } from './page.ts';
import { plant } from './support.ts';

test('a drive that leaves OP says why, and only its own tags are uncertain', async (t) => {
  const { machine, changes, qualities, errors, hits, faults, states, write } = await plant(t);
  machine.inject(faultOfPage(import.meta.url, 'too hot'));
  await machine.advance(100);
  t.deepEqual(await changes(), ['drive AL status: 0x8 to 0x14', 'drive AL status code: 0x0 to 0x8001']);
  t.deepEqual([faults, states], [['sub-device-state drive 0x8001'], ['drive SAFE-OP']]);
  t.is(qualities(), 'good good uncertain');
  t.is(errors().lostFrames, 0);
  t.deepEqual(hits(), ['too hot drive: done']);
  t.is(await write(2), 'ECAT_ERR_NOT_OPERATIONAL drive');
  t.is(await write(4, ['lamp']), 'written');
});

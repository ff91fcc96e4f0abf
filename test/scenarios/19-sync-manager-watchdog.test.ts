import test from 'ava';
import { faultOfPage } from './page.ts';
import { plant } from './support.ts';

test('an expired watchdog is counted, and stops only the drive', async (t) => {
  const { machine, changes, qualities, errors, hits, faults, states, write } = await plant(t);
  machine.inject(faultOfPage(import.meta.url, 'too tight'));
  await machine.advance(100);
  t.deepEqual(await changes(), [
    'drive SM watchdog: 0 to 1',
    'drive AL status: 0x8 to 0x14',
    'drive AL status code: 0x0 to 0x1b',
  ]);
  t.deepEqual([faults, states], [['working-counter', 'sub-device-state drive 0x001b'], ['drive SAFE-OP']]);
  t.is(qualities(), 'good good uncertain');
  t.is(errors().lostFrames, 0);
  t.deepEqual(hits(), ['too tight drive: done']);
  t.is(await write(2), 'ECAT_ERR_NOT_OPERATIONAL drive');
  t.is(await write(4, ['lamp']), 'written');
});

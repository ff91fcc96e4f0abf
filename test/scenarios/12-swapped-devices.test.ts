import test from 'ava';
import { MainDevice } from '../../src/index.ts';
import { faultOfPage } from './page.ts';
import { configuration, plant } from './support.ts';

test('those with an address go on, and the next start is refused', async (t) => {
  const { machine, bus, cycles, changes, errors, hits, faults, states, write } = await plant(t);
  machine.inject(faultOfPage(import.meta.url, 'swapped'));
  t.deepEqual(await cycles(3), ['good good good', 'good good good', 'good good good']);
  t.deepEqual(await changes(), [
    'in lost links 1: 0 to 1',
    'out lost links 0: 0 to 1',
    'out lost links 1: 0 to 1',
    'out DL status: 0x5a33 to 0x5613',
    'drive lost links 0: 0 to 1',
    'drive DL status: 0x5613 to 0x5a33',
  ]);
  t.deepEqual([faults, states], [[], []]);
  t.deepEqual(errors(), { lostFrames: 0, workingCounterErrors: 0 });
  t.deepEqual(hits(), ['swapped out: began']);
  t.is(await write(4), 'written');
  await bus.close();
  await t.throwsAsync(MainDevice.open(configuration(), { segment: machine }), { code: 'ECAT_ERR_TAG_UNRESOLVED' });
});

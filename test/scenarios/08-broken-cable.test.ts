import test from 'ava';
import { faultOfPage } from './page.ts';
import { plant } from './support.ts';

test('both ends of a broken cable count a lost link, and who is behind it is lost until it is mended', async (t) => {
  const { machine, cycles, changes, qualities, errors, hits, faults, states, write } = await plant(t);
  machine.inject(faultOfPage(import.meta.url, 'cable'));
  t.deepEqual(await cycles(3), ['uncertain uncertain uncertain', 'good bad bad', 'good bad bad']);
  t.deepEqual(await changes(), [
    'in lost links 1: 0 to 1',
    'in DL status: 0x5a33 to 0x5613',
    'out lost links 0: 0 to 1',
    'out DL status: 0x5a33 to 0x5923',
  ]);
  t.deepEqual(faults, ['working-counter', 'sub-device-lost out', 'sub-device-lost drive']);
  t.is(await write(2), 'ECAT_ERR_NOT_OPERATIONAL out');
  await machine.advance(100);
  t.deepEqual(await changes(), ['in lost links 1: 0 to 1', 'out lost links 0: 0 to 1']);
  t.deepEqual(states, ['out lost', 'drive lost', 'out OP', 'drive OP']);
  t.is(qualities(), 'good good good');
  t.is(errors().lostFrames, 0);
  t.deepEqual(hits(), ['cable out port 0: began', 'cable out port 0: ended']);
  t.is(await write(4), 'written');
});

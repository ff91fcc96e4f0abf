import test from 'ava';
import { faultOfPage } from './page.ts';
import { plant } from './support.ts';

test('a closed port is seen in 0x0110 alone, and no link is lost', async (t) => {
  const { machine, cycles, changes, qualities, errors, hits, faults, states, write } = await plant(t);
  machine.inject(faultOfPage(import.meta.url, 'closed'));
  t.deepEqual(await cycles(3), ['uncertain uncertain uncertain', 'good bad bad', 'good bad bad']);
  t.deepEqual(await changes(), ['in DL status: 0x5a33 to 0x5633']);
  t.deepEqual(faults, ['working-counter', 'sub-device-lost out', 'sub-device-lost drive']);
  t.is(await write(2), 'ECAT_ERR_NOT_OPERATIONAL out');
  await machine.advance(100);
  t.deepEqual(await changes(), []);
  t.deepEqual(states, ['out lost', 'drive lost', 'out OP', 'drive OP']);
  t.is(qualities(), 'good good good');
  t.is(errors().lostFrames, 0);
  t.deepEqual(hits(), ['closed in port 1: began', 'closed in port 1: ended']);
  t.is(await write(4), 'written');
});

import test from 'ava';
import { faultOfPage } from './page.ts';
import { counted, plant, refused } from './support.ts';

const PDI_WATCHDOG = 0x0410;
const SAFE_OP = 4;
const PRE_OP = 2;

test('a hanging program is seen by its PDI watchdog, and by nothing else', async (t) => {
  const { machine, changes, qualities, hits, faults, states, write } = await plant(t);
  const fault = machine.inject(faultOfPage(import.meta.url, 'firmware'));
  await machine.advance(300);
  t.deepEqual(await changes(), ['drive PDI watchdog: 0 to 1', 'drive DL status: 0x5613 to 0x5611']);
  t.is(qualities(), 'good good good');
  t.deepEqual([faults, states], [[], []]);
  t.is(await write(4), 'written');
  fault.clear();
  await machine.advance(300);
  t.deepEqual(await changes(), ['drive PDI watchdog: 0 to 1']);
  t.deepEqual(hits(), ['firmware drive: began', 'firmware drive: ended']);
});

test('without that watchdog nothing tells of it', async (t) => {
  const { machine, changes, qualities, faults, states, write } = await plant(t, {
    drive: { start: { registers: [{ register: PDI_WATCHDOG, bytes: [0, 0] }] } },
  });
  machine.inject(faultOfPage(import.meta.url, 'firmware'));
  await machine.advance(300);
  t.deepEqual([await changes(), faults, states], [[], [], []]);
  t.is(qualities(), 'good good good');
  t.is(await write(4), 'written');
});

test('one that hangs on the way up does not come to SAFE-OP, and says nothing', async (t) => {
  const { error, changes, hits } = await refused(t, { faults: [faultOfPage(import.meta.url, 'boot loop')] });
  t.like(error, { code: 'ECAT_ERR_STATE_TIMEOUT', position: 3, subDevice: 'drive' });
  t.like(error, { requestedState: SAFE_OP, state: PRE_OP });
  t.deepEqual(counted(await changes()), ['out SM watchdog: 0 to 1', 'drive PDI watchdog: 0 to 1']);
  t.deepEqual(hits(), ['boot loop drive: began']);
});

test('one that hung from power-on does not come to PRE-OP', async (t) => {
  const { machine, error, hits } = await refused(t, { faults: [faultOfPage(import.meta.url, 'firmware')] });
  t.like(error, { code: 'ECAT_ERR_STATE_TIMEOUT', position: 3, subDevice: 'drive' });
  t.is(error.requestedState, PRE_OP);
  t.is(await machine.device('drive').state.read(), 'INIT');
  t.deepEqual(hits(), ['firmware drive: began']);
});

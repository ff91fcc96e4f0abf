import test from 'ava';
import { faultOfPage } from './page.ts';
import { plant } from './support.ts';

test('answers that are lost make values stale, and no device counts anything', async (t) => {
  const { machine, cycles, changes, errors, hits, faults, states, write } = await plant(t);
  machine.inject(faultOfPage(import.meta.url, 'answers'));
  t.deepEqual(await cycles(4), ['stale stale stale', 'stale stale stale', 'stale stale stale', 'good good good']);
  t.deepEqual(await changes(), []);
  t.deepEqual(errors(), { lostFrames: 3, workingCounterErrors: 0 });
  t.deepEqual([faults, states], [['frames-lost'], ['frames lost', 'frames restored']]);
  t.deepEqual(hits(), ['answers: done', 'answers: done', 'answers: done']);
  t.is(await write(4), 'written');
});

test('a silence of 150 ms lets watchdogs expire, and the device with a program leaves OP', async (t) => {
  const { machine, changes, qualities, errors, hits, faults, states, write } = await plant(t);
  machine.inject(faultOfPage(import.meta.url, 'silence'));
  await machine.advance(300);
  t.deepEqual(await changes(), [
    'out SM watchdog: 0 to 1',
    'drive SM watchdog: 0 to 1',
    'drive AL status: 0x8 to 0x14',
    'drive AL status code: 0x0 to 0x1b',
  ]);
  t.deepEqual(faults, ['frames-lost', 'working-counter', 'sub-device-state drive 0x001b']);
  t.deepEqual(states, ['frames lost', 'frames restored', 'drive SAFE-OP']);
  t.is(qualities(), 'good good uncertain');
  t.is(hits().length, errors().lostFrames);
  t.is(await write(2), 'ECAT_ERR_NOT_OPERATIONAL drive');
  t.is(await write(4, ['lamp']), 'written');
});

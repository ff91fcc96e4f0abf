import test from 'ava';
import { faultOfPage } from './page.ts';
import { plant } from './support.ts';

test('each flap counts a lost link at both ends, and the device comes back each time', async (t) => {
  const { machine, cycles, changes, qualities, errors, hits, faults, states, write } = await plant(t);
  machine.inject(faultOfPage(import.meta.url, 'flap'));
  const seen = await cycles(150);
  t.deepEqual(await changes(), ['out lost links 1: 0 to 3', 'drive lost links 0: 0 to 3']);
  t.deepEqual(
    faults.filter((fault) => fault !== 'working-counter'),
    ['sub-device-lost drive', 'sub-device-lost drive', 'sub-device-lost drive'],
  );
  t.deepEqual(states, ['drive lost', 'drive OP', 'drive lost', 'drive OP', 'drive lost', 'drive OP']);
  t.true(seen.every((quality) => !quality.startsWith('bad') && !quality.startsWith('stale')));
  t.is(qualities(), 'good good good');
  t.is(errors().lostFrames, 0);
  t.deepEqual(
    hits(),
    [1, 2, 3].flatMap(() => ['flap drive port 0: began', 'flap drive port 0: ended']),
  );
  t.is(await write(4), 'written');
});

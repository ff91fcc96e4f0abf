import test from 'ava';
import { changed, counters } from './counters.ts';
import { faultsOfPage } from './page.ts';
import { qualities, running } from './support-devices.ts';

test('a drive that leaves OP says why, and only its own tags are uncertain', async (t) => {
  const { machine, bus, faults, states } = await running(t);
  const before = await counters(machine);
  machine.inject(faultsOfPage(import.meta.url)[0]!);
  await machine.advance(100);
  t.deepEqual(changed(before, await counters(machine)), [
    'drive AL status: 0x8 to 0x14',
    'drive AL status code: 0x0 to 0x8001',
  ]);
  t.deepEqual(
    faults.map(({ kind }) => kind),
    ['sub-device-state'],
  );
  t.like(faults.at(-1)!.error, {
    code: 'ECAT_ERR_STATE_REFUSED',
    position: 3,
    subDevice: 'drive',
    alStatusCode: 0x8001,
  });
  t.like(
    states.filter(({ subject }) => subject === 'sub-device'),
    [{ name: 'drive', state: 'SAFE-OP', alStatusCode: 0x8001 }],
  );
  t.is(qualities(bus), 'good uncertain good uncertain');
  t.is(bus.statistics().lostFrames, 0);
  t.like(machine.hits().hits, [{ fault: 'too hot', device: 'drive', change: 'done' }]);
});

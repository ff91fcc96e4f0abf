import test from 'ava';
import { changed, counters } from './counters.ts';
import { faultsOfPage } from './page.ts';
import { qualities, running } from './support-devices.ts';

test('an expired watchdog is counted, and stops only the drive', async (t) => {
  const { machine, bus, faults, states } = await running(t);
  const before = await counters(machine);
  machine.inject(faultsOfPage(import.meta.url)[0]!);
  await machine.advance(100);
  t.deepEqual(changed(before, await counters(machine)), [
    'drive SM watchdog: 0 to 1',
    'drive AL status: 0x8 to 0x14',
    'drive AL status code: 0x0 to 0x1b',
  ]);
  t.deepEqual(
    faults.map(({ kind }) => kind),
    ['working-counter', 'sub-device-state'],
  );
  t.like(faults.at(-1)!.error, {
    code: 'ECAT_ERR_STATE_REFUSED',
    position: 3,
    subDevice: 'drive',
    alStatusCode: 0x1b,
  });
  t.like(
    states.filter(({ subject }) => subject === 'sub-device'),
    [{ name: 'drive', state: 'SAFE-OP', alStatusCode: 0x1b }],
  );
  t.is(qualities(bus), 'good uncertain good uncertain');
  t.is(bus.statistics().lostFrames, 0);
  t.like(machine.hits().hits, [{ fault: 'too tight', device: 'drive', change: 'done' }]);
});

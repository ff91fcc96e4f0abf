import test from 'ava';
import { changed, counters } from './counters.ts';
import { faultsOfPage } from './page.ts';
import { qualities, running } from './support-devices.ts';

test('a hanging program is seen by its PDI watchdog, and by nothing else', async (t) => {
  const { machine, bus, faults } = await running(t);
  const before = await counters(machine);
  const fault = machine.inject(faultsOfPage(import.meta.url)[0]!);
  await machine.advance(300);
  const status = before.get('drive DL status')!;
  t.deepEqual(changed(before, await counters(machine)), [
    'drive PDI watchdog: 0 to 1',
    `drive DL status: 0x${status.toString(16)} to 0x${(status & ~2).toString(16)}`,
  ]);
  t.is(qualities(bus), 'good good good good');
  t.deepEqual(faults, []);
  fault.clear();
  await machine.advance(300);
  t.deepEqual(changed(before, await counters(machine)), ['drive PDI watchdog: 0 to 1']);
  t.deepEqual(
    machine.hits().hits.map(({ change }) => change),
    ['began', 'ended'],
  );
});

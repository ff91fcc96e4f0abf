import test from 'ava';
import { changed, counters, faultsOfPage, qualities, running } from './support-devices.ts';

test('a hanging program is seen by its PDI watchdog, and by nothing else', async (t) => {
  const { machine, bus, faults } = await running(t);
  const before = await counters(machine);
  const fault = machine.inject(faultsOfPage(import.meta.url)[0]!);
  await machine.advance(300);
  t.deepEqual(changed(before, await counters(machine)), {
    'drive: DL status': before['drive: DL status']! & ~2,
    'drive: PDI watchdogs': 1,
  });
  t.is(qualities(bus), 'good good good good');
  t.deepEqual(faults, []);
  fault.clear();
  await machine.advance(300);
  t.deepEqual(changed(before, await counters(machine)), { 'drive: PDI watchdogs': 1 });
  t.deepEqual(
    machine.hits().hits.map(({ change }) => change),
    ['began', 'ended'],
  );
});

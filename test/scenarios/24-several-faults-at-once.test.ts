import type { ExecutionContext } from 'ava';
import test from 'ava';
import { changed, counters } from './counters.ts';
import { faultsOfPage } from './page.ts';
import { running } from './support-devices.ts';

/** What is seen of 400 ms. */
async function run(t: ExecutionContext, seed: number) {
  const { machine, bus, faults } = await running(t, { output_deadline_ms: 0 }, seed);
  const before = await counters(machine);
  for (const fault of faultsOfPage(import.meta.url)) machine.inject(fault);
  await machine.advance(400);
  const { hits, lost } = machine.hits();
  return {
    hits,
    lost,
    changes: changed(before, await counters(machine)),
    faults: faults.map(({ kind }) => kind),
    lostFrames: bus.statistics().lostFrames,
  };
}

test('equal seeds have equal faults, another one has others', async (t) => {
  const first = await run(t, 11);
  t.deepEqual(await run(t, 11), first);
  t.notDeepEqual((await run(t, 12)).hits, first.hits);
  const dropped = first.hits.filter(({ fault }) => fault === 'welder').length;
  t.true(dropped > 0 && first.lostFrames >= dropped, `${first.lostFrames} lost, ${dropped} dropped`);
  for (const counter of ['drive invalid frames 0', 'drive processing unit'])
    t.true(
      first.changes.some((change) => change.startsWith(`${counter}: 0 to `)),
      counter,
    );
  t.is(first.lost, 0);
  t.deepEqual(
    first.changes.filter((change) => /AL status|watchdog|lost links|DL status/.test(change)),
    [],
  );
});

import type { ExecutionContext } from 'ava';
import test from 'ava';
import { faultsOfPage } from './page.ts';
import { plant } from './support.ts';

/** What is seen of 400 ms. */
async function run(t: ExecutionContext, seed: number) {
  const { machine, changes, errors, hits, faults } = await plant(t, { seed });
  for (const fault of faultsOfPage(import.meta.url)) machine.inject(fault);
  await machine.advance(400);
  return { hits: hits(), changes: await changes(), faults, lostFrames: errors().lostFrames };
}

test('equal seeds have equal faults, another one has others', async (t) => {
  const first = await run(t, 11);
  t.deepEqual(await run(t, 11), first);
  t.notDeepEqual((await run(t, 12)).hits, first.hits);
  const dropped = first.hits.filter((hit) => hit.startsWith('welder')).length;
  t.true(dropped > 0 && first.lostFrames >= dropped, `${first.lostFrames} lost, ${dropped} dropped`);
  for (const counter of ['drive invalid frames 0', 'drive processing unit'])
    t.true(
      first.changes.some((change) => change.startsWith(`${counter}: 0 to `)),
      counter,
    );
  t.deepEqual(
    first.changes.filter((change) => /AL status|watchdog|lost links|DL status/.test(change)),
    [],
  );
});

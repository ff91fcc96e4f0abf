import test from 'ava';
import { faultOfPage } from './page.ts';
import { plant } from './support.ts';

const DIFFERENCE = 0x092c;
const MAGNITUDE = 0x7fffffff;

test('a jump is seen in the difference to the reference alone, and slewed away', async (t) => {
  const { machine, changes, hits, faults, states, qualities, errors } = await plant(t, {
    master: { distributed_clocks: true },
  });
  const register = machine.device('drive').register(DIFFERENCE, 4);
  const difference = async (): Promise<number> => Number(await register.read()) & MAGNITUDE;
  const before = await difference();
  machine.inject(faultOfPage(import.meta.url, 'jump'));
  await machine.advance(20);
  const seen: number[] = [];
  for (let reading = 0; reading < 20; reading += 1) {
    seen.push(await difference());
    await machine.advance(100);
  }
  t.true(before < 100 && seen[0]! > 1_000 && seen[0]! <= 20_000, `${before}, then ${seen} ns`);
  t.true(
    seen.slice(1).every((ns, n) => ns <= seen[n]!),
    `${seen} ns`,
  );
  t.true(seen.at(-1)! < seen[0]! / 10, `${seen} ns`);
  t.deepEqual([await changes(), faults, states], [[], [], []]);
  t.deepEqual(errors(), { lostFrames: 0, workingCounterErrors: 0 });
  t.is(qualities(), 'good good good');
  t.deepEqual(hits(), ['jump drive: done']);
});

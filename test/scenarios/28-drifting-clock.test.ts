import test from 'ava';
import { faultOfPage } from './page.ts';
import { type Plant, plant } from './support.ts';

/** How far the drive's clock is ahead of the reference, in ns, as an application reads it: bit 31 is set where it is behind. */
async function aheadNs({ machine, bus }: Plant): Promise<number> {
  const reading = bus.subDevice('drive').readRegister(0x092c, 4);
  await machine.advance({ cycles: 2 });
  const { data } = await reading;
  const word = Buffer.from(data).readUInt32LE();
  return (word & 0x7fffffff) * (word >>> 31 === 1 ? -1 : 1);
}

const CLOCKS = { master: { distributed_clocks: true } };

test('a drift is slewed away, and seen in one register alone', async (t) => {
  const seen = await plant(t, CLOCKS);
  const { machine, changes, hits, faults, states, qualities, errors } = seen;
  t.true(Math.abs(await aheadNs(seen)) < 100);
  machine.inject(faultOfPage(import.meta.url, 'warm'));
  await machine.advance(500);
  const followed = Math.abs(await aheadNs(seen));
  t.true(followed > 0 && followed < 1_000, `${followed} ns`);
  t.deepEqual([await changes(), faults, states], [[], [], []]);
  t.deepEqual(errors(), { lostFrames: 0, workingCounterErrors: 0 });
  t.is(qualities(), 'good good good');
  t.deepEqual(hits(), ['warm drive: began']);
});

test('jitter stays what it is', async (t) => {
  const seen = await plant(t, CLOCKS);
  const { machine, changes, faults, states, qualities } = seen;
  machine.inject(faultOfPage(import.meta.url, 'jitter'));
  await machine.advance(500);
  const difference = Math.abs(await aheadNs(seen));
  t.true(difference <= 80, `${difference} ns`);
  t.deepEqual([await changes(), faults, states], [[], [], []]);
  t.is(qualities(), 'good good good');
});

test('a clock that follows no more runs away, and still nothing else is seen', async (t) => {
  const seen = await plant(t, CLOCKS);
  const { machine, changes, hits, faults, states, qualities } = seen;
  machine.inject(faultOfPage(import.meta.url, 'no lock'));
  machine.inject(faultOfPage(import.meta.url, 'warm'));
  await machine.advance(100);
  const first = await aheadNs(seen);
  await machine.advance(98);
  const later = await aheadNs(seen);
  // 100 ppm of 100 ms are 10 µs; the register is a mean.
  t.true(first > 5_000, `${first} ns`);
  t.true(Math.abs(later - first - 10_000) < 1_000, `${first} to ${later} ns`);
  t.deepEqual([await changes(), faults, states], [[], [], []]);
  t.is(qualities(), 'good good good');
  t.deepEqual(hits(), ['no lock drive: began', 'warm drive: began']);
});

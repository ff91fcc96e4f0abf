/** A bus whose cycle numbers wrap in memory, which they do after 12 days at 250 µs. */

import test from 'ava';
import { attach, MainDevice } from '../../src/index.ts';
import { plant } from '../support/plant.ts';

const WRAP = 2 ** 32;

test('an application sees nothing of the wrap of 32 bits: not in streams, writes, snapshots, histories or windows', async (t) => {
  await using bus = await MainDevice.open(plant({ time: 'virtual', output_deadline_ms: 0 }), {
    firstCycle: WRAP - 5000,
  });
  using early = attach(bus.handle);
  await bus.advance(WRAP - 20 - (await bus.advance(0)));
  const samples: number[] = [];
  const every: number[] = [];
  const windows: [number, number][] = [];
  bus.tag('count').value$.subscribe(({ cycle }) => samples.push(cycle));
  bus.every(5, ['count']).subscribe(({ cycle }) => every.push(cycle));
  bus
    .windows({ tags: ['count'], window: 8 })
    .subscribe(({ cycles, missed, lost }) => windows.push([cycles[7]! - cycles[0]!, missed + lost]));
  const writes: number[] = [];
  for (let n = 0; n < 40; n += 1) {
    const write = bus.write({ 'horn.on': n % 2 === 0 });
    const cycle = await bus.advance(1);
    t.is((await write).cycle, cycle);
    t.is(bus.snapshot().cycle, cycle);
    writes.push(cycle);
  }
  t.deepEqual(
    writes,
    Array.from({ length: 40 }, (_, n) => WRAP - 19 + n),
  );
  t.deepEqual(samples.slice(1), writes);
  t.deepEqual(
    every.map((cycle) => cycle - every[0]!),
    every.map((_, n) => 5 * n),
  );
  t.true(every.length >= 8);
  t.true(windows.length >= 4);
  t.deepEqual(
    windows,
    windows.map(() => [7, 0]),
  );
  for (const view of [bus, early]) {
    const history = view.history(32, ['count']);
    t.deepEqual([history.length, history.missed, history.gaps], [32, 0, []]);
    t.deepEqual([history.cycles[0], history.cycles[31]], [WRAP - 11, WRAP + 20]);
    t.is(view.snapshot().cycle, WRAP + 20);
  }
  // Who attaches afterwards numbers cycles as everybody else.
  await new Promise((resolve) => setTimeout(resolve, 60));
  using late = attach(bus.handle);
  t.is(late.snapshot().cycle, WRAP + 20);
  t.is(late.waitCycle(0), WRAP + 20);
});

test('a first cycle that is no number of 32 bits is refused', async (t) => {
  for (const firstCycle of [-1, 1.5, WRAP, Number.NaN]) {
    await t.throwsAsync(MainDevice.open(plant({ time: 'virtual' }), { firstCycle }), {
      code: 'ECAT_ERR_INVALID_ARGUMENT',
      message: /firstCycle/,
    });
  }
});

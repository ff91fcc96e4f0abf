import test from 'ava';
import { firstValueFrom, take, toArray } from 'rxjs';
import { EtherCatError, MainDevice } from '../../src/index.ts';
import { plant } from '../support/plant.ts';

// A machine that is busy with other tests may keep the cycle thread waiting for longer than the watchdogs of the
// SubDevices: what is asked of the wall clock here holds all the same. The rest is asked in virtual time.

test('values change by themselves', async (t) => {
  await using bus = await MainDevice.open(plant());
  const samples = await firstValueFrom(bus.tag<number>('count').value$.pipe(take(20), toArray()));
  t.is(new Set(samples.map(({ cycle }) => cycle)).size, 20);
});

test('cycles that ran and periods that were missed add up to the schedule', async (t) => {
  await using bus = await MainDevice.open(plant());
  // Three numbers of a running bus: they belong together once no cycle comes in between.
  for (;;) {
    const before = bus.statistics();
    const { cycle } = bus.snapshot();
    const after = bus.statistics();
    if (before.cycles === after.cycles && before.cycles + before.missedCycles === cycle + 1) break;
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.pass();
});

test('a stall loses the lane, and the bus runs on', async (t) => {
  await using bus = await MainDevice.open(plant());
  // Whether it arrives is another matter on a busy machine; it makes the lane live.
  await Promise.allSettled([bus.write({ 'horn.on': true })]);
  const { cycles } = bus.statistics();
  const endMs = performance.now() + 1000;
  while (performance.now() < endMs);
  t.true(bus.isLaneLost);
  t.true(bus.statistics().cycles > cycles);
  await t.throwsAsync(bus.write({ 'horn.on': true }), { instanceOf: EtherCatError });
});

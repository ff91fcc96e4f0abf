import test from 'ava';
import { filter, firstValueFrom } from 'rxjs';
import { MainDevice, type StateChange } from '../../src/index.ts';
import { plant, stallUntil } from '../support/plant.ts';

test('values change, writes are carried, wired inputs follow, and the counters account for every period', async (t) => {
  await using bus = await MainDevice.open(plant());
  const { cycle } = await bus.write({ 'lamp.on': true, 'speed.target': 12.5 });
  t.true(cycle > 0);
  const lit = await firstValueFrom(bus.tag<boolean>('lamp.is_on').value$.pipe(filter(({ value }) => value)));
  t.true(lit.cycle >= cycle);
  const speed = await firstValueFrom(
    bus.tag<number>('speed.actual').value$.pipe(filter(({ value }) => value === 12.5)),
  );
  t.is(speed.quality, 'good');
  // Three numbers of a running bus: they belong together once no cycle comes in between.
  stallUntil(() => {
    const before = bus.statistics();
    const snapshot = bus.snapshot();
    const after = bus.statistics();
    return before.cycles === after.cycles && before.cycles + before.missedCycles === snapshot.cycle + 1;
  });
  t.pass();
});

test('a thread that stalls loses its lane to the loss values, and gets it back by resume alone', async (t) => {
  // Long enough for a busy machine to keep it, where nothing stalls on purpose.
  await using bus = await MainDevice.open(plant({ output_deadline_ms: 1500 }));
  const faults: string[] = [];
  const states: StateChange[] = [];
  bus.faults$.subscribe(({ kind }) => faults.push(kind));
  bus.states$.subscribe((state) => states.push(state));
  await bus.write({ 'lamp.on': true, 'horn.on': true, 'speed.target': 100 });
  const { cycle: last } = bus.snapshot();
  const emitted: unknown[] = [];
  bus.tag('lamp.on').value$.subscribe(({ value }) => emitted.push(value));

  const outstanding = bus.write({ 'speed.target': 101 });
  stallUntil(() => bus.isLaneLost && bus.snapshot().cycle > last + 1000);
  // Whether that write was carried before the stall or not: it is settled.
  await Promise.allSettled([outstanding]);

  await t.throwsAsync(bus.write({ 'lamp.on': true }), { code: 'ECAT_ERR_LANE_LOST' });
  t.true(bus.isLaneLost);
  t.deepEqual(bus.snapshot(['lamp.on', 'horn.on', 'speed.target']).values(), {
    'lamp.on': false,
    'horn.on': true,
    'speed.target': 7,
  });
  t.deepEqual(emitted, [true, false]);
  t.deepEqual(
    faults.filter((kind) => kind === 'lane-lost'),
    ['lane-lost'],
  );

  await bus.resume();
  t.false(bus.isLaneLost);
  t.is(bus.snapshot().value('speed.target'), 7);
  const { cycle } = await bus.write({ 'lamp.on': true });
  const after = bus.snapshot();
  t.true(after.cycle >= cycle);
  t.true(after.value('lamp.on'));
  t.deepEqual(
    states.filter(({ subject }) => subject === 'lane').map(({ state }) => state),
    ['live', 'lost', 'live'],
  );
});

test('a thread that never wrote loses nothing when it stalls', async (t) => {
  await using bus = await MainDevice.open(plant());
  const { cycle: last } = bus.snapshot();
  stallUntil(() => bus.snapshot().cycle > last + 500);
  t.false(bus.isLaneLost);
  await t.notThrowsAsync(bus.write({ 'lamp.on': true }));
});

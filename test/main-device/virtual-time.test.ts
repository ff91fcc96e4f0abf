import test from 'ava';
import { firstValueFrom, skip, switchMap } from 'rxjs';
import {
  type ChangeBatch,
  EtherCatError,
  MainDevice,
  type Sample,
  type StateChange,
  type TagValue,
} from '../../src/index.ts';
import { countEmissions, plant } from '../support/plant.ts';

test('a tag emits its newest value at once, then every change with its cycle', async (t) => {
  await using bus = await MainDevice.open(plant({ time: 'virtual' }));
  const samples: Sample<number>[] = [];
  const count = bus.tag<number>('count');
  count.value$.subscribe((sample) => samples.push(sample));
  t.is(samples.length, 1);
  for (let i = 0; i < 10; i += 1) await bus.advance(1);
  t.is(samples.length, 11);
  t.true(samples.every(({ quality }) => quality === 'good'));
  for (let i = 2; i < samples.length; i += 1) {
    t.is(samples[i]!.cycle, samples[i - 1]!.cycle + 1);
    t.is(samples[i]!.value, samples[i - 1]!.value + 1);
  }
  t.is(count.value, samples.at(-1)!.value);
  t.deepEqual(count.sample, samples.at(-1));
  count.value$.subscribe((sample) => t.deepEqual(sample, samples.at(-1)));
});

test('whoever subscribes while a batch is delivered gets its values once', async (t) => {
  await using bus = await MainDevice.open(plant({ time: 'virtual' }));
  const cycles: number[] = [];
  // `pulse` changes in the same cycles as `count`, and comes first.
  bus
    .tag('pulse')
    .value$.pipe(switchMap(() => bus.tag('count').value$))
    .subscribe(({ cycle }) => cycles.push(cycle));
  for (let i = 0; i < 5; i += 1) await bus.advance(1);
  t.is(cycles.length, 6);
  t.is(new Set(cycles).size, 6);
});

test('advance resolves with the number of the newest cycle, and calls queue up', async (t) => {
  await using bus = await MainDevice.open(plant({ time: 'virtual' }));
  const first = await bus.advance(0);
  const cycles = await Promise.all([bus.advance(3), bus.advance(0), bus.advance(500)]);
  t.deepEqual(cycles, [first + 3, first + 3, first + 503]);
  t.is(bus.snapshot().cycle, first + 503);
  t.is(bus.statistics().missedCycles, 0);
  await t.throwsAsync(bus.advance(-1), { code: 'ECAT_ERR_INVALID_ARGUMENT' });
  await t.throwsAsync(bus.advance(1.5), { code: 'ECAT_ERR_INVALID_ARGUMENT' });
});

test('without a grant no cycle runs', async (t) => {
  await using bus = await MainDevice.open(plant({ time: 'virtual' }));
  const { cycles } = bus.statistics();
  await new Promise((resolve) => setTimeout(resolve, 50));
  t.is(bus.statistics().cycles, cycles);
});

test('a write resolves with the cycle that carried it, and a wired input follows', async (t) => {
  await using bus = await MainDevice.open(plant({ time: 'virtual' }));
  const before = await bus.advance(1);
  const write = bus.write({ 'lamp.on': true, 'speed.target': 120.5 });
  await bus.advance(1);
  const { cycle, superseded } = await write;
  t.is(cycle, before + 1);
  t.false(superseded);
  await bus.advance(2);
  const now = bus.snapshot(['lamp.is_on', 'lamp.on', 'speed.actual', 'speed.target', 'horn.on']);
  t.deepEqual(now.values(), {
    'lamp.is_on': true,
    'lamp.on': true,
    'speed.actual': 120.5,
    'speed.target': 120.5,
    'horn.on': false,
  });
  t.is(now.quality('lamp.on'), 'good');
  t.throws(() => now.value('count'), { code: 'ECAT_ERR_TAG_UNKNOWN' });
});

test('a pulse within one cycle is superseded', async (t) => {
  await using bus = await MainDevice.open(plant({ time: 'virtual' }));
  const writes = [bus.tag('lamp.on').write(true), bus.tag('lamp.on').write(false)];
  await bus.advance(2);
  const [up, down] = await Promise.all(writes);
  t.true(up!.superseded);
  t.false(down!.superseded);
  t.is(up!.cycle, down!.cycle);
});

test('a snapshot is of one cycle', async (t) => {
  await using bus = await MainDevice.open(plant({ time: 'virtual' }));
  // Both count the same milliseconds, in different terminals.
  for (let i = 0; i < 20; i += 1) {
    await bus.advance(1);
    const now = bus.snapshot();
    t.is(now.value('pulse'), (now.value('count') as number) % 2 === 1);
    t.is(now.size, bus.tags.length);
  }
});

for (const cycles of [100, 1000]) {
  test(`a stall of ${cycles} cycles: each tag emits once with its newest value, and the missed cycles are exact`, async (t) => {
    await using bus = await MainDevice.open(plant({ time: 'virtual' }));
    const start = await bus.advance(5);
    const batches: ChangeBatch[] = [];
    bus.changes$.subscribe((batch) => batches.push(batch));
    const emitted = countEmissions(bus);
    const { cycles: run } = bus.statistics();
    bus.simulator.stall(cycles);
    t.is(bus.statistics().cycles, run + cycles);
    t.is(await bus.advance(0), start + cycles);
    t.is(emitted.get('count')!.length, 1);
    for (const [name, values] of emitted) {
      t.true(values.length <= 1, name);
      if (values.length === 1) t.is(values[0], bus.snapshot().value(name), name);
    }
    t.deepEqual(
      batches.map(({ cycle, missed }) => ({ cycle, missed })),
      [{ cycle: start + cycles, missed: cycles - 1 }],
    );
    t.is(bus.statistics().missedCycles, 0);
  });
}

test('a thread that stalls loses its lane to the loss values, and gets it back by resume alone', async (t) => {
  await using bus = await MainDevice.open(plant({ time: 'virtual' }));
  const faults: string[] = [];
  const states: StateChange[] = [];
  bus.faults$.subscribe(({ kind }) => faults.push(kind));
  bus.states$.subscribe((state) => states.push(state));
  const outputs = ['lamp.on', 'horn.on', 'speed.target'];
  const write = async (values: Record<string, TagValue>): Promise<void> => {
    const written = bus.write(values);
    await bus.advance(1);
    await written;
  };
  await write({ 'lamp.on': true, 'horn.on': true, 'speed.target': 100 });
  const emitted = countEmissions(bus);

  const outstanding = bus.write({ 'speed.target': 101 });
  bus.simulator.stall(1000);
  t.deepEqual(bus.snapshot(outputs).values(), { 'lamp.on': false, 'horn.on': true, 'speed.target': 7 });
  t.true(bus.isLaneLost);
  await t.throwsAsync(bus.write({ 'lamp.on': true }), { code: 'ECAT_ERR_LANE_LOST' });
  // The first cycle of the stall carried it.
  t.false((await outstanding).superseded);
  await bus.advance(1);
  t.deepEqual(emitted.get('lamp.on'), [false]);
  t.deepEqual(emitted.get('speed.target'), [7]);
  t.deepEqual(faults, ['lane-lost']);
  await t.throwsAsync(bus.write({ 'lamp.on': true }), { code: 'ECAT_ERR_LANE_LOST' });

  const resumed = bus.resume();
  await bus.advance(1);
  await resumed;
  t.false(bus.isLaneLost);
  t.deepEqual(bus.snapshot(outputs).values(), { 'lamp.on': false, 'horn.on': true, 'speed.target': 7 });
  await write({ 'lamp.on': true });
  t.deepEqual(bus.snapshot(outputs).values(), { 'lamp.on': true, 'horn.on': true, 'speed.target': 7 });
  t.deepEqual(
    states.filter(({ subject }) => subject === 'lane').map(({ state }) => state),
    ['live', 'lost', 'live'],
  );
});

test('a commit that a stall prevents from being carried fails with the lane', async (t) => {
  await using bus = await MainDevice.open(plant({ time: 'virtual' }));
  const first = bus.write({ 'lamp.on': true });
  await bus.advance(1);
  await first;
  bus.simulator.stall(1000);
  const resumed = bus.resume();
  bus.simulator.stall(1000);
  // Carried by the first cycle of the second stall, then lost again.
  await resumed;
  t.true(bus.isLaneLost);
  await t.throwsAsync(bus.write({ 'lamp.on': true }), { code: 'ECAT_ERR_LANE_LOST' });
});

test('a thread that never wrote loses nothing when it stalls', async (t) => {
  await using bus = await MainDevice.open(plant({ time: 'virtual' }));
  bus.simulator.stall(1000);
  t.false(bus.isLaneLost);
  const written = bus.write({ 'lamp.on': true });
  await bus.advance(1);
  await t.notThrowsAsync(written);
});

test('however long virtual time is advanced, the lane of a thread that waits for it is not lost', async (t) => {
  await using bus = await MainDevice.open(plant({ time: 'virtual' }));
  const written = bus.write({ 'lamp.on': true });
  await bus.advance(2000);
  await written;
  t.false(bus.isLaneLost);
  t.true(bus.snapshot().value('lamp.on'));
});

test('a batch has every change of its cycle, once', async (t) => {
  await using bus = await MainDevice.open(plant({ time: 'virtual' }));
  await bus.advance(1);
  const next = firstValueFrom(bus.changes$);
  const cycle = await bus.advance(1);
  const batch = await next;
  t.is(batch.cycle, cycle);
  t.is(batch.missed, 0);
  t.deepEqual([...batch].map(({ tag }) => tag).sort(), ['count', 'pulse']);
  t.is(batch.get('count')!.value, bus.tag('count').value);
  t.is(batch.get('free'), undefined);
  t.true(batch.hostTimeNs > 0n);
});

test('cycles$ says how many cycles have passed', async (t) => {
  await using bus = await MainDevice.open(plant({ time: 'virtual' }));
  const seen: { cycle: number; cycles: number }[] = [];
  bus.cycles$.subscribe(({ cycle, cycles }) => seen.push({ cycle, cycles }));
  await bus.advance(1);
  const last = await bus.advance(40);
  t.is(seen.at(-1)!.cycle, last);
  t.is(seen[0]!.cycles, 1);
  for (let i = 1; i < seen.length; i += 1) t.is(seen[i]!.cycles, seen[i]!.cycle - seen[i - 1]!.cycle);
});

test('inputs of the simulated process reach a subscriber', async (t) => {
  await using bus = await MainDevice.open(plant({ time: 'virtual' }));
  const free = firstValueFrom(bus.tag('free').value$.pipe(skip(1)));
  bus.simulator.device('in').input(2).set(true);
  await bus.advance(2);
  t.true((await free).value);
});

test('a subscriber that throws is reported with its tag, and harms no other', async (t) => {
  await using bus = await MainDevice.open(plant({ time: 'virtual' }));
  const faults: { code: string; tag: string | undefined; cause: unknown }[] = [];
  bus.faults$.subscribe(({ error }) => faults.push({ code: error.code, tag: error.tag, cause: error.cause }));
  const seen: unknown[] = [];
  const wrong = new Error('a mistake in the application');
  bus
    .tag('count')
    .value$.pipe(skip(1))
    .subscribe(() => {
      throw wrong;
    });
  bus.tag('count').value$.subscribe(({ value }) => seen.push(value));
  await bus.advance(1);
  await bus.advance(1);
  t.is(seen.length, 3);
  t.deepEqual(faults, Array(2).fill({ code: 'ECAT_ERR_SUBSCRIBER', tag: 'count', cause: wrong }));
});

test('close inside a subscriber settles everything', async (t) => {
  const bus = await MainDevice.open(plant({ time: 'virtual' }));
  const ended: string[] = [];
  let closing: Promise<void> | undefined;
  const end = (name: string): { complete: () => void } => ({ complete: () => ended.push(name) });
  bus.changes$.subscribe(end('changes'));
  bus.states$.subscribe(end('states'));
  bus.faults$.subscribe(end('faults'));
  bus.cycles$.subscribe(end('cycles'));
  bus.tag('pulse').value$.subscribe(end('pulse'));
  const loop = (async () => {
    const values: unknown[] = [];
    for await (const { value } of bus.tag('count').value$) values.push(value);
    return values.length;
  })();
  bus
    .tag('count')
    .value$.pipe(skip(2))
    .subscribe(() => {
      closing ??= bus.close();
    });
  await bus.advance(1);
  const outstanding = bus.write({ 'horn.on': true });
  const advanced = bus.advance(1000);
  const results = await Promise.allSettled([outstanding, advanced]);
  await closing;
  t.true((await loop) >= 3);
  t.deepEqual(ended.sort(), ['changes', 'cycles', 'faults', 'pulse', 'states']);
  t.is(results[1].status, 'rejected');
  t.is(bus.state, 'closed');
  await t.throwsAsync(bus.write({ 'horn.on': true }), { code: 'ECAT_ERR_CLOSED' });
  await t.throwsAsync(bus.advance(1), { code: 'ECAT_ERR_CLOSED' });
  t.throws(() => bus.snapshot(), { code: 'ECAT_ERR_CLOSED' });
  t.deepEqual([bus.subDevice('in').quality, bus.tag('count').sample.quality], ['bad', 'bad']);
  t.is(await bus.close(), undefined);
});

test('what is written wrong is refused before anything is sent', async (t) => {
  await using bus = await MainDevice.open(plant({ time: 'virtual' }));
  const code = async (values: Record<string, number | boolean>): Promise<string> =>
    (await t.throwsAsync(bus.write(values), { instanceOf: EtherCatError }))!.code;
  t.is(await code({ 'lamp.on': true, nothing: 1 }), 'ECAT_ERR_TAG_UNKNOWN');
  t.is(await code(null as never), 'ECAT_ERR_INVALID_ARGUMENT');
  t.is(await code({ 'lamp.on': true, pulse: true }), 'ECAT_ERR_NOT_AN_OUTPUT');
  t.is(await code({ 'lamp.on': true, 'speed.target': 1e9 }), 'ECAT_ERR_VALUE_RANGE');
  await bus.advance(2);
  t.false(bus.snapshot().value('lamp.on'));
  t.throws(() => bus.tag('nothing'), { code: 'ECAT_ERR_TAG_UNKNOWN' });
  t.throws(() => bus.subDevice('nothing'), { code: 'ECAT_ERR_DEVICE_MISSING' });
  for (const names of ['lamp.on', 3] as never[])
    t.throws(() => bus.snapshot(names), { code: 'ECAT_ERR_INVALID_ARGUMENT', message: /expected a list of names/ });
});

test('a configuration without tags gets one for every entry', async (t) => {
  const document = plant({ time: 'virtual' });
  delete document.ethercat.process_data;
  await using bus = await MainDevice.open(document);
  t.is(bus.tags.length, 8 + 8 + 4 + 4);
  const output = bus.tags.find(({ direction, type }) => direction === 'output' && type === 'bool')!;
  const write = output.write(true);
  await bus.advance(2);
  await write;
  t.true(bus.snapshot().value(output.name));
});

test('a batch keeps the values of its cycle, whatever comes after it', async (t) => {
  const { ethercat } = plant({ time: 'virtual' });
  const bytes = { name: 'words', slave: 'ai', channel: 1, type: 'uint8', count: 2, bit_length: 8 } as const;
  const inputs = [...(ethercat.process_data?.inputs ?? []), bytes];
  await using bus = await MainDevice.open({ ethercat: { ...ethercat, process_data: { inputs } } });
  const batches: ChangeBatch[] = [];
  const then: [number, unknown, unknown][] = [];
  bus.changes$.subscribe((batch) => {
    batches.push(batch);
    then.push([batch.cycle, batch.get('count')?.value, batch.get('words')?.value]);
  });
  for (let n = 0; n < 5; n += 1) await bus.advance(1);
  t.true(batches.length >= 5);
  t.deepEqual(
    batches.map((batch) => [batch.cycle, batch.get('count')?.value, batch.get('words')?.value]),
    then,
  );
  t.is(new Set(then.map(([, count]) => count)).size, then.length);
  // What a reader does to an array is his own affair.
  (batches[0]!.get('words')!.value as Uint8Array).fill(99);
  t.deepEqual(batches[0]!.get('words')!.value, then[0]![2] as never);
});

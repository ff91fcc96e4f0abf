import test from 'ava';
import type { Observable, Subscription } from 'rxjs';
import { attach, type Edge, iterate, MainDevice, type Sample, type TagsSample } from '../../src/index.ts';
import { plant } from '../support/plant.ts';

test('several tags come from one cycle, when one of them changed, at first as they are', async (t) => {
  await using bus = await MainDevice.open(plant({ time: 'virtual' }));
  const samples: TagsSample[] = [];
  bus.tags$(['count', 'pulse', 'lamp.on']).subscribe((sample) => samples.push(sample));
  t.is(samples.length, 1);
  for (let i = 0; i < 20; i += 1) await bus.advance(1);
  // `count` and `pulse` change in the same cycle: one emission, not two.
  t.is(samples.length, 21);
  for (const [n, { values, qualities, missed, cycle }] of samples.entries()) {
    t.deepEqual(Object.keys(values), ['count', 'pulse', 'lamp.on']);
    t.is(values['pulse'], (values['count'] as number) % 2 === 1);
    t.deepEqual(qualities, { count: 'good', pulse: 'good', 'lamp.on': 'good' });
    t.is(missed, 0);
    if (n > 1) t.is(cycle, samples[n - 1]!.cycle + 1);
  }
  t.throws(() => bus.tags$(['count', 'nothing']), { code: 'ECAT_ERR_TAG_UNKNOWN' });
  t.throws(() => bus.tags$([]), { code: 'ECAT_ERR_INVALID_ARGUMENT' });
});

test('edges are the changes of a bool, with their cycles, and begin with the next', async (t) => {
  await using bus = await MainDevice.open(plant({ time: 'virtual' }));
  const edges: Edge[] = [];
  const values: Sample[] = [];
  bus.tag('pulse').edges$.subscribe((edge) => edges.push(edge));
  bus.tag('pulse').value$.subscribe((sample) => values.push(sample));
  t.is(edges.length, 0);
  for (let i = 0; i < 10; i += 1) await bus.advance(1);
  t.is(edges.length, 10);
  t.deepEqual(
    edges.map(({ edge, cycle }) => [edge, cycle]),
    values.slice(1).map(({ value, cycle }) => [value === true ? 'rising' : 'falling', cycle]),
  );
  bus.simulator.stall(1001);
  await bus.advance(0);
  t.is(edges.length, 11);
  t.is(edges[10]!.missed, 1000);
  t.throws(() => bus.tag('count').edges$, { code: 'ECAT_ERR_TAG_TYPE' });
});

test('an edge needs another value: a change of quality is none', async (t) => {
  await using bus = await MainDevice.open(plant({ time: 'virtual' }));
  const edges: Edge[] = [];
  const qualities: string[] = [];
  bus.tag('free').edges$.subscribe((edge) => edges.push(edge));
  bus.tag('free').value$.subscribe(({ quality }) => qualities.push(quality));
  bus.simulator.loseFrames(3);
  await bus.advance(10);
  t.deepEqual(edges, []);
  t.deepEqual(qualities, ['good', 'stale', 'good']);
});

test('watch leaves out what lies within its dead band', async (t) => {
  await using bus = await MainDevice.open(plant({ time: 'virtual' }));
  const count = bus.tag<number>('count');
  const all: number[] = [];
  const some: number[] = [];
  count.value$.subscribe(({ value }) => all.push(value));
  count.watch({ deadBand: 4 }).subscribe(({ value }) => some.push(value));
  for (let i = 0; i < 23; i += 1) await bus.advance(1);
  const first = all[0]!;
  t.deepEqual(
    some.map((value) => value - first),
    [0, 5, 10, 15, 20],
  );
  const invalid = { code: 'ECAT_ERR_INVALID_ARGUMENT' };
  t.throws(() => count.watch({ deadBand: -1 }), invalid);
  t.throws(() => count.watch({ deadBand: '2' as never }), invalid);
  t.throws(() => count.watch({ minIntervalMs: Number.NaN }), invalid);
  t.throws(() => bus.tag('pulse').watch({ deadBand: 1 }), invalid);
});

test('watch emits the latest sample once its interval is over, and no more often', async (t) => {
  await using bus = await MainDevice.open(plant({ time: 'virtual' }));
  const samples: Sample<number>[] = [];
  bus
    .tag<number>('count')
    .watch({ minIntervalMs: 10 })
    .subscribe((sample) => samples.push(sample));
  const start = await bus.advance(0);
  for (let i = 0; i < 45; i += 1) await bus.advance(1);
  t.deepEqual(
    samples.map(({ cycle }) => cycle - start),
    [samples[0]!.cycle - start, 10, 20, 30, 40],
  );
  // The newest one wins, also when nothing changes any more at the end of the interval.
  const lamp: [boolean, number][] = [];
  bus
    .tag<boolean>('lamp.on')
    .watch({ minIntervalMs: 10 })
    .subscribe(({ value, cycle }) => lamp.push([value, cycle]));
  const now = await bus.advance(10);
  for (const value of [true, false, true]) {
    const written = bus.write({ 'lamp.on': value });
    await bus.advance(1);
    await written;
  }
  await bus.advance(20);
  t.deepEqual(
    lamp.slice(1).map(([value, cycle]) => [value, cycle - now]),
    [
      [true, 1],
      [true, 3],
    ].slice(0, lamp.length - 1),
  );
  t.true(lamp.at(-1)![0]);
});

test('every(n) takes exactly every n-th cycle, and counts what it left out', async (t) => {
  await using bus = await MainDevice.open(plant({ time: 'virtual', history_ms: 256 }));
  const seen: { cycle: number; missed: number; count: unknown }[] = [];
  const subscription = bus
    .every(5, ['count'])
    .subscribe((now) => seen.push({ cycle: now.cycle, missed: now.missed, count: now.value('count') }));
  const start = seen[0]!.cycle;
  for (let i = 0; i < 20; i += 1) await bus.advance(1);
  t.deepEqual(
    seen.map(({ cycle, missed }) => [cycle - start, missed]),
    [0, 5, 10, 15, 20].map((cycle) => [cycle, 0]),
  );
  bus.simulator.stall(93);
  await bus.advance(0);
  t.deepEqual([seen.at(-1)!.cycle - start, seen.at(-1)!.missed], [110, 17]);
  t.deepEqual(
    seen.map(({ count }) => (count as number) - (seen[0]!.count as number)),
    [0, 5, 10, 15, 20, 110],
  );
  subscription.unsubscribe();
  await bus.advance(10);
  t.is(seen.length, 6);
  t.throws(() => bus.every(0), { code: 'ECAT_ERR_INVALID_ARGUMENT' });
});

test('windows hold consecutive cycles, overlap by their hop, and say what they missed', async (t) => {
  await using bus = await MainDevice.open(plant({ time: 'virtual' }));
  const windows: { first: number; counts: number[]; missed: number; lost: number }[] = [];
  bus.windows({ tags: ['count', 'pulse'], window: 8, hop: 4 }).subscribe((window) => {
    const { missed, lost } = window;
    windows.push({ first: window.cycles[0]!, counts: [...window.column('count')].map(Number), missed, lost });
    t.is(window.length, 8);
    t.deepEqual(
      [...window.column('pulse')],
      [...window.column('count')].map((count) => Number(count) % 2),
    );
    t.true(window.qualities('count').every((quality) => quality === 0));
  });
  const start = await bus.advance(0);
  await bus.advance(21);
  t.deepEqual(
    windows.map(({ first, missed, lost }) => [first - start, missed + lost]),
    [
      [1, 0],
      [5, 0],
      [9, 0],
      [13, 0],
    ],
  );
  for (const { counts } of windows) for (const [n, count] of counts.entries()) t.is(count, counts[0]! + n);
  // Longer than the ring: a window begins anew with the oldest cycle that is left.
  bus.simulator.stall(1000);
  await bus.advance(0);
  const after = windows[4]!;
  t.is(after.lost, after.first - start - 17);
  t.true(after.lost > 900);
  t.is(after.missed, 0);
  t.throws(() => bus.windows({ tags: ['count'], window: 8, hop: 0 }), { code: 'ECAT_ERR_INVALID_ARGUMENT' });
  t.throws(() => bus.windows({ tags: ['count'], window: 8, gaps: 'hide' as never }), {
    code: 'ECAT_ERR_INVALID_ARGUMENT',
    message: /gaps has to be 'report' or 'restart', not hide/,
  });
  t.throws(() => bus.windows({ tags: ['nothing'], window: 8 }), { code: 'ECAT_ERR_TAG_UNKNOWN' });
});

test('history is the last cycles of the ring by columns, and says how many are not there', async (t) => {
  await using bus = await MainDevice.open(plant({ time: 'virtual' }));
  const now = await bus.advance(40);
  const history = bus.history(16, ['count', 'lamp.on', 'speed.actual']);
  t.is(history.length, 16);
  t.is(history.missed, 0);
  t.deepEqual(
    [...history.cycles],
    Array.from({ length: 16 }, (_, n) => now - 15 + n),
  );
  const counts = history.column<Uint16Array>('count');
  for (const [n, count] of counts.entries()) t.is(count, counts[0]! + n);
  t.is(counts.at(-1), bus.snapshot().value('count') as number);
  t.deepEqual(history.column('lamp.on'), new Uint8Array(16));
  t.true(history.column('speed.actual') instanceof Float64Array);
  t.deepEqual(history.names(), ['count', 'lamp.on', 'speed.actual']);
  t.throws(() => history.column<Uint8Array>('pulse'), { code: 'ECAT_ERR_TAG_UNKNOWN' });
  t.throws(() => bus.history(1e6), { code: 'ECAT_ERR_INVALID_ARGUMENT' });
  t.throws(() => bus.history(0), { code: 'ECAT_ERR_INVALID_ARGUMENT' });
  // Fewer cycles than were asked for.
  await using young = await MainDevice.open(plant({ time: 'virtual', history_ms: 4000 }));
  const start = young.history(2000);
  t.is(start.length + start.missed, 2000);
  t.true(start.missed > 0);
});

test('history and snapshots show what was really sent: by which interlock, after which loss, and where nothing was', async (t) => {
  const { ethercat } = plant({ time: 'virtual', history_ms: 512 });
  await using bus = await MainDevice.open({
    ethercat: {
      ...ethercat,
      interlocks: [{ name: 'guard', when: { tag: 'free', is: true }, force: { 'lamp.on': false, 'speed.target': 3 } }],
    },
  });
  using attached = attach(bus.handle);
  const outputs = ['lamp.on', 'horn.on', 'speed.target'];
  /** What the last n cycles sent, from both views, and the newest as a snapshot. */
  const sent = (n: number): number[][] => {
    const rows = [bus, attached].map((of) => {
      const history = of.history(n, outputs);
      t.is(history.missed, 0);
      return Array.from({ length: history.length }, (_, row) => outputs.map((tag) => Number(history.column(tag)[row])));
    });
    t.deepEqual(rows[0], rows[1]);
    t.deepEqual(Object.values(attached.snapshot(outputs).values()).map(Number), rows[0]!.at(-1));
    return rows[0]!;
  };
  const written = bus.write({ 'lamp.on': true, 'horn.on': true, 'speed.target': 100 });
  await bus.advance(2);
  await written;
  t.deepEqual(sent(3), [
    [0, 0, 0],
    [1, 1, 100],
    [1, 1, 100],
  ]);
  bus.simulator.device('in').input(2).set(true);
  await bus.advance(2);
  // What the application wrote meanwhile is not what was sent.
  const overridden = bus.write({ 'speed.target': 50 });
  await bus.advance(1);
  await overridden;
  t.deepEqual(sent(3), [
    [1, 1, 100],
    [0, 1, 3],
    [0, 1, 3],
  ]);
  bus.simulator.device('in').input(2).set(false);
  await bus.advance(2);
  bus.acknowledge('guard');
  await bus.advance(2);
  t.deepEqual(sent(1), [[1, 1, 50]]);
  // The lane is lost after 100 ms: zero, hold, and a value.
  bus.simulator.stall(110);
  t.deepEqual([sent(1), bus.history(110, outputs).column('speed.target')[50]], [[[0, 1, 7]], 50]);
  // A cycle whose frame was lost has its place, with what was sent, and the inputs of before as stale.
  bus.simulator.loseFrames(1);
  await bus.advance(2);
  const history = attached.history(3, ['count', 'speed.target']);
  t.deepEqual([...history.qualities('count')], [0, 1, 0]);
  const [before, lost] = history.column('count');
  t.is(lost, before);
  // And the input that is not good fires the interlock: it wins over the value of the loss.
  t.deepEqual([...history.column('speed.target')], [7, 7, 3]);
});

test('every stream can be read with for await, by a queue or the latest value alone', async (t) => {
  await using bus = await MainDevice.open(plant({ time: 'virtual' }));
  const queued = iterate(bus.tag<number>('count').value$, { capacity: 4 });
  const latest = iterate(bus.tags$(['count']), { policy: 'latest' });
  for (let i = 0; i < 10; i += 1) await bus.advance(1);
  const last = bus.tag<number>('count').value;
  t.is((await queued.next()).value!.value, last - 3);
  t.is((await latest.next()).value!.values['count'], last);
  t.is(queued.dropped, 7);
  t.is(latest.dropped, 10);
  t.throws(() => iterate(bus.changes$, { policy: 'oldest' as never }), { instanceOf: RangeError });
  await queued.return();
  await latest.return();
});

test('a subscriber that throws is reported with its tags, and the others are served', async (t) => {
  await using bus = await MainDevice.open(plant({ time: 'virtual' }));
  const messages: string[] = [];
  bus.faults$.subscribe(({ error }) => messages.push(error.message));
  let served = 0;
  const fail = (): never => {
    throw new Error('mine');
  };
  const streams = [
    bus.tags$(['count', 'pulse']),
    bus.tag('count').watch({ deadBand: 1 }),
    bus.every(1, ['count']),
    bus.windows({ tags: ['count'], window: 1 }),
  ];
  for (const stream of streams) (stream as Observable<unknown>).subscribe(fail);
  bus.tag('pulse').edges$.subscribe(fail);
  for (const stream of streams) (stream as Observable<unknown>).subscribe(() => (served += 1));
  messages.length = 0;
  served = 0;
  await bus.advance(1);
  await bus.advance(1);
  t.deepEqual(messages.toSorted(), [
    'a subscriber of tag count threw: Error: mine',
    ...Array<string>(2).fill('a subscriber of tag count, pulse threw: Error: mine'),
    ...Array<string>(2).fill('a subscriber of tag pulse threw: Error: mine'),
    ...Array<string>(4).fill('a subscriber threw: Error: mine'),
  ]);
  t.is(served, 2 + 1 + 2 + 2);
});

test('every stream completes when the bus closes, and nothing comes afterwards', async (t) => {
  const bus = await MainDevice.open(plant({ time: 'virtual' }));
  const completed: string[] = [];
  const streams = {
    value$: bus.tag('count').value$,
    watch: bus.tag('count').watch({ minIntervalMs: 1000 }),
    edges$: bus.tag('pulse').edges$,
    tags$: bus.tags$(['count', 'pulse']),
    every: bus.every(10),
    windows: bus.windows({ tags: ['count'], window: 10 }),
    changes$: bus.changes$,
  };
  for (const [name, stream] of Object.entries(streams)) {
    (stream as { subscribe(observer: object): Subscription }).subscribe({ complete: () => completed.push(name) });
  }
  await bus.advance(3);
  await bus.close();
  t.deepEqual(completed.toSorted(), Object.keys(streams).toSorted());
  let late = 0;
  streams.tags$.subscribe({ next: () => (late += 1), complete: () => (late += 10) });
  streams.every.subscribe({ next: () => (late += 100), complete: () => (late += 1000) });
  t.is(late, 1011);
});

test('whoever was the last to unsubscribe leaves nothing to be told, nor to be woken for', async (t) => {
  await using bus = await MainDevice.open(plant({ time: 'virtual' }));
  const streams: readonly Observable<unknown>[] = [
    bus.tag('count').value$,
    bus.tag('count').watch({ minIntervalMs: 1000 }),
    bus.tag('pulse').edges$,
    bus.tags$(['count', 'pulse']),
    bus.every(1),
    bus.windows({ tags: ['count'], window: 1 }),
    bus.changes$,
  ];
  let told = 0;
  for (let round = 0; round < 3; round += 1) {
    const subscriptions = streams.map((stream) => stream.subscribe(() => (told += 1)));
    await bus.advance(3);
    for (const subscription of subscriptions) subscription.unsubscribe();
    t.true(told > 0);
    told = 0;
    await bus.advance(3);
    t.is(told, 0);
  }
});

test('who unsubscribes while a batch is delivered hears no more of it', async (t) => {
  await using bus = await MainDevice.open(plant({ time: 'virtual' }));
  const subscriptions: Subscription[] = [];
  let heard = 0;
  subscriptions.push(bus.tag('pulse').value$.subscribe(() => subscriptions[1]?.unsubscribe()));
  subscriptions.push(bus.tags$(['pulse', 'count']).subscribe(() => (heard += 1)));
  heard = 0;
  await bus.advance(5);
  t.is(heard, 0);
});

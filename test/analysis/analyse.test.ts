import test from 'ava';
import { type AnalyseOptions, type AnalysisResult, type EtherCatError, MainDevice } from '../../src/index.ts';
import { plant, running } from '../support/plant.ts';

const echo = new URL('fixtures/echo.ts', import.meta.url);

interface Echo {
  readonly missed: number;
  readonly lost: number;
  readonly gaps: { at: number; periods: number }[];
  readonly windows: number;
  readonly values: number[];
  readonly cycles: number[];
  readonly cyclePeriodNs: number;
  readonly own: number;
}

/** The first results of an analysis. */
function results<T>(bus: MainDevice, script: string | URL, options: AnalyseOptions, count: number) {
  return new Promise<AnalysisResult<T>[]>((resolve, reject) => {
    const taken: AnalysisResult<T>[] = [];
    const subscription = bus.analyse<T>(script, options).subscribe({
      next: (result) => {
        taken.push(result);
        if (taken.length < count) return;
        subscription.unsubscribe();
        resolve(taken);
      },
      error: reject,
      complete: () => resolve(taken),
    });
  });
}

test('a module gets windows of consecutive raw cycles in memory of their own, overlapping where the hop is shorter', async (t) => {
  await using bus = await MainDevice.open(plant({ time: 'virtual', history_ms: 2000 }));
  await using _running = running(bus);
  const found = await results<Echo>(bus, echo, { tags: ['count'], window: 8, hop: 4, workerData: {} }, 4);
  for (const [n, { result, firstCycle, lastCycle, missed, lost, dropped }] of found.entries()) {
    t.deepEqual(
      result.cycles,
      Array.from({ length: 8 }, (_, i) => firstCycle + i),
    );
    t.is(lastCycle, firstCycle + 7);
    t.is(firstCycle, found[0]!.firstCycle + 4 * n);
    t.is(result.windows, n + 1);
    t.is(result.own, n + 1, 'windows share no memory');
    t.is(result.cyclePeriodNs, 1_000_000);
    t.is(missed + lost + dropped, 0);
    // The counter grows by one a cycle; what the module wrote over before is not seen.
    for (const [i, value] of result.values.entries()) t.is(value, result.values[0]! + i);
    if (n > 0) t.deepEqual(result.values.slice(0, 4), found[n - 1]!.result.values.slice(4));
  }
});

test('a window or hop that the history cannot hold is refused at the call, and so is what is not there', async (t) => {
  await using bus = await MainDevice.open(plant({ time: 'virtual' }));
  const refused = (options: AnalyseOptions, message: RegExp): void => {
    t.throws(() => bus.analyse(echo, options), { code: 'ECAT_ERR_INVALID_ARGUMENT', message });
  };
  refused({ tags: ['count'], window: 33 }, /window of 33 cycles is more than the history of 32; set history_ms to 33/);
  refused({ tags: ['count'], window: 16, hop: 100 }, /hop of 100 cycles/);
  refused({ tags: ['count'], window: 0 }, /window has to be/);
  refused({ tags: [], window: 4 }, /tags has to be/);
  refused({ tags: ['count'], window: 4, gaps: 'hide' as never }, /gaps has to be 'report' or 'restart'/);
  t.throws(() => bus.analyse(echo, { tags: ['count', 'counts'], window: 4 }), { code: 'ECAT_ERR_TAG_UNKNOWN' });
  t.throws(() => bus.analyse('', { tags: ['count'], window: 4 }), { code: 'ECAT_ERR_INVALID_ARGUMENT' });
});

for (const [how, misbehave] of [
  ['throws', 'throw'],
  ['exits', 'exit'],
  ['runs out of memory', 'exhaust'],
] as const) {
  test(`a module that ${how} ends its own analysis with an error, and nothing else`, async (t) => {
    await using bus = await MainDevice.open(plant({ time: 'virtual', history_ms: 2000 }));
    await using _running = running(bus);
    const options = { tags: ['count'], window: 4 };
    const other = results<Echo>(bus, echo, { ...options, workerData: {} }, 30);
    const error = await t.throwsAsync<EtherCatError>(results(bus, echo, { ...options, workerData: { misbehave } }, 1));
    t.is(error?.code, 'ECAT_ERR_ANALYSIS');
    t.is((await other).length, 30);
  });
}

test('a module that cannot be loaded, or is none, is told', async (t) => {
  await using bus = await MainDevice.open(plant({ time: 'virtual' }));
  const options = { tags: ['count'], window: 4 };
  await t.throwsAsync(results(bus, './not-there.ts', options, 1), { code: 'ECAT_ERR_ANALYSIS', message: /not-there/ });
  const none = new URL('../support/plant.ts', import.meta.url);
  await t.throwsAsync(results(bus, none, options, 1), { code: 'ECAT_ERR_ANALYSIS', message: /default export/ });
});

test('closing the bus, a signal, and unsubscribing end a module that never returns', async (t) => {
  const bus = await MainDevice.open(plant({ time: 'virtual' }));
  const loop = { tags: ['count'], window: 2, workerData: { misbehave: 'loop' } };
  const aborting = new AbortController();
  const aborted = results(bus, echo, { ...loop, signal: aborting.signal }, 1);
  const closed = results(bus, echo, loop, 1);
  bus.analyse(echo, loop).subscribe().unsubscribe();
  await bus.advance(4);
  aborting.abort();
  t.deepEqual(await aborted, []);
  await bus.close();
  t.deepEqual(await closed, []);
  t.throws(() => bus.analyse(echo, loop), { code: 'ECAT_ERR_CLOSED' });
});

test('cycles that the ring went past before the worker came to them are counted', async (t) => {
  await using bus = await MainDevice.open(plant({ time: 'virtual' }));
  // Two thousand cycles at once: more than the ring holds while a worker wakes.
  const pending = results<Echo>(bus, echo, { tags: ['count'], window: 4, workerData: {} }, 400);
  let done = false;
  void pending.then(() => (done = true));
  while (!done) await bus.advance(2000);
  const found = await pending;
  for (let n = 1; n < found.length; n += 1) {
    const { firstCycle, lost, result } = found[n]!;
    t.is(lost, result.lost);
    if (found[n]!.dropped === 0) t.is(firstCycle, found[n - 1]!.firstCycle + 4 + lost);
    t.deepEqual(
      result.cycles,
      Array.from({ length: 4 }, (_, i) => firstCycle + i),
    );
  }
});

for (const gaps of ['report', 'restart'] as const) {
  test(`on a machine that misses periods, windows ${gaps === 'report' ? 'go on behind them' : 'have none of them'}`, async (t) => {
    // The shortest cycle, and neither a priority nor a processor of its own: periods are missed whenever the host is busy.
    await using bus = await MainDevice.open(plant({ cycle_time: '250us', history_ms: 4000 }));
    const found = await results<Echo>(bus, echo, { tags: ['count'], window: 64, gaps, workerData: {} }, 40);
    for (const [n, { result, firstCycle, lastCycle, missed, lost, dropped }] of found.entries()) {
      const { cycles } = result;
      t.is(cycles.length, 64);
      t.is(missed, lastCycle - firstCycle - 63);
      t.is(missed, result.missed);
      const said = result.gaps.map(({ at, periods }) => [cycles[at - 1]! + periods + 1, cycles[at]]);
      for (const [told, is] of said) t.is(told, is);
      t.is(result.gaps.length, cycles.slice(1).filter((cycle, i) => cycle !== cycles[i]! + 1).length);
      if (gaps === 'restart') t.is(missed, 0);
      if (n > 0 && dropped === 0) t.true(firstCycle - lost > found[n - 1]!.firstCycle);
    }
  });
}

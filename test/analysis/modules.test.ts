import test from 'ava';
import type { CycleWindow } from '../../src/core/history.ts';
import type { AnalysisContext } from '../../src/index.ts';
import spectrum from '../../src/workers/analysis/spectrum.ts';
import statistics from '../../src/workers/analysis/statistics.ts';
import trigger, { type TriggerOptions } from '../../src/workers/analysis/trigger.ts';

/** A window of one column `x` of these values, of these cycles or from that cycle on. */
function windowOf(values: readonly number[], numbers: number | readonly number[] = 0, lost = 0): CycleWindow {
  const column = Float64Array.from(values);
  const cycles =
    typeof numbers === 'number' ? Float64Array.from(values, (_, i) => numbers + i) : Float64Array.from(numbers);
  const missed = cycles.at(-1)! - cycles[0]! + 1 - cycles.length;
  return { length: values.length, cycles, missed, lost, column: () => column } as unknown as CycleWindow;
}

const context = (workerData?: unknown): AnalysisContext => ({
  cyclePeriodNs: 1_000_000,
  tags: ['x'],
  workerData,
  state: {},
});

test('statistics: least, greatest, mean, root mean square and deviation', (t) => {
  const { x } = statistics(windowOf([2, 4, 4, 4, 5, 5, 7, 9]), context());
  t.deepEqual(x, { min: 2, max: 9, mean: 5, rms: Math.sqrt(29), std: 2 });
});

test('statistics: a large offset takes no digits away from the deviation', (t) => {
  const { x } = statistics(windowOf([1e9, 1e9 + 1, 1e9 + 2]), context());
  t.true(Math.abs(x!.std - Math.sqrt(2 / 3)) < 1e-9);
});

test('spectrum: sines come out at their frequencies with their amplitudes, and the mean apart', (t) => {
  const wave = (i: number): number =>
    3 + 2 * Math.sin((2 * Math.PI * 125 * i) / 1000) + 0.5 * Math.cos((2 * Math.PI * 250 * i) / 1000);
  const { frequencies, tags } = spectrum(windowOf(Array.from({ length: 256 }, (_, i) => wave(i))), context());
  t.is(frequencies.length, 129);
  t.is(frequencies[128], 500);
  const { mean, amplitudes, peak } = tags['x']!;
  t.true(Math.abs(mean - 3) < 1e-9);
  t.is(peak.frequency, 125);
  t.true(Math.abs(peak.amplitude - 2) < 1e-9);
  t.true(Math.abs(amplitudes[64]! - 0.5) < 1e-9);
  t.true(amplitudes[0]! < 1e-9);
});

test('spectrum: a window that is no power of two is filled up, and keeps the amplitude', (t) => {
  const values = Array.from({ length: 1000 }, (_, i) => Math.sin((2 * Math.PI * 50 * i) / 1000));
  const { frequencies, tags } = spectrum(windowOf(values), context());
  t.is(frequencies.length, 513);
  t.true(Math.abs(tags['x']!.peak.frequency - 50) < 1);
  t.true(Math.abs(tags['x']!.peak.amplitude - 1) < 0.03);
});

test('spectrum: a period without a cycle moves nothing in time, and the result says how many values were put in', (t) => {
  const wave = (cycle: number): number => 2 * Math.sin((2 * Math.PI * 125 * cycle) / 1000);
  // 256 cycles of which six periods are not there, the last of them at its very end.
  const numbers = Array.from({ length: 262 }, (_, cycle) => 1000 + cycle).filter(
    (cycle) => ![1040, 1041, 1090, 1150, 1200, 1255].includes(cycle),
  );
  const spectra = (cycles: readonly number[]) => spectrum(windowOf(numbers.map(wave), cycles), context());
  const even = Array.from({ length: 256 }, (_, i) => 1000 + i);
  const { filled, tags } = spectra(numbers);
  t.is(filled, 6);
  t.is(tags['x']!.peak.frequency, 125);
  t.true(Math.abs(tags['x']!.peak.amplitude - 2) < 0.04, `${tags['x']!.peak.amplitude}`);
  // The same values taken for evenly spaced: every gap is a jump of phase, and the line is smeared.
  const smeared = spectra(even);
  t.is(smeared.filled, 0);
  t.true(smeared.tags['x']!.peak.amplitude < 1.9, `${smeared.tags['x']!.peak.amplitude}`);
});

test('trigger: a gap ends no capture, and is named in it', (t) => {
  const shared = context({ tag: 'x', above: 5, pre: 2, post: 2 });
  const [capture] = trigger(windowOf([0, 1, 9, 8, 7], [10, 11, 15, 16, 17]), shared)!;
  t.is(capture!.cycle, 15, 'the first cycle that was seen of it');
  t.is(capture!.missed, 3);
  t.deepEqual([...capture!.cycles], [10, 11, 15, 16, 17]);
});

test('trigger: captures the cycles around an event, across windows, and arms again behind them', (t) => {
  const options: TriggerOptions = { tag: 'x', above: 5, pre: 3, post: 2 };
  const shared = context(options);
  t.is(trigger(windowOf([0, 1, 2, 3, 4], 100), shared), undefined);
  t.is(trigger(windowOf([5, 6, 7], 105), shared), undefined, 'not complete yet');
  const [capture, ...others] = trigger(windowOf([8, 0, 0, 9, 0, 0], 108), shared)!;
  t.is(capture!.cycle, 106);
  t.is(capture!.at, 3);
  t.deepEqual([...capture!.cycles], [103, 104, 105, 106, 107, 108]);
  t.deepEqual([...capture!.values['x']!], [3, 4, 5, 6, 7, 8]);
  t.deepEqual(
    others.map(({ cycle, values }) => [cycle, ...values['x']!]),
    [[111, 8, 0, 0, 9, 0, 0]],
  );
});

test('trigger: what was true from the start is no event, and what is lost begins anew', (t) => {
  const shared = context({ tag: 'x', equals: 1, pre: 2, post: 0 });
  t.is(trigger(windowOf([1, 1, 1], 10), shared), undefined);
  t.is(trigger(windowOf([0, 0], 13), shared), undefined);
  const [behind] = trigger(windowOf([0, 1], 50, 35), shared)!;
  t.deepEqual([...behind!.cycles], [50, 51]);
  t.is(behind!.at, 1);
});

test('trigger: overlapping windows are not recorded twice', (t) => {
  const shared = context({ tag: 'x', below: 0, pre: 1, post: 1 });
  t.is(trigger(windowOf([3, 2, 1, -1], 0), shared), undefined);
  const [capture] = trigger(windowOf([1, -1, -2, 5], 2), shared)!;
  t.deepEqual([...capture!.cycles], [2, 3, 4]);
  t.deepEqual([...capture!.values['x']!], [1, -1, -2]);
});

test('trigger: options that say nothing are refused', (t) => {
  for (const wrong of [
    undefined,
    { tag: 'y', above: 1, pre: 0, post: 0 },
    { tag: 'x', above: 1, below: 2, pre: 0, post: 0 },
    { tag: 'x', above: 1, pre: -1, post: 0 },
  ])
    t.throws(() => trigger(windowOf([1]), context(wrong)), { code: 'ECAT_ERR_INVALID_ARGUMENT' });
});

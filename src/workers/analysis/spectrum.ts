/**
 * Ready-made analysis: the amplitude spectrum of every tag in each window, by a fast Fourier transform with a Hann window.
 *
 * The mean is taken away first, and told apart. A sine of amplitude A that falls on a line of the spectrum is A there. A
 * window that is no power of two is filled up with zeros, which makes the lines denser and the resolution no better.
 *
 * A transform takes values for evenly spaced. Where periods passed without a cycle, a straight line between the
 * neighbours stands in for their values, so that all others keep their times, and `filled` says how many those are: a
 * few of a thousand raise the floor a little; of many, the spectrum is worth nothing (`gaps: 'restart'` makes none then).
 */

import FFT from 'fft.js';
import type { AnalysisContext } from '../../core/analysis.ts';
import type { CycleWindow } from '../../core/history.ts';

/** The spectrum of one tag. */
export interface TagSpectrum {
  /** Mean of the window, in the unit of the tag. */
  readonly mean: number;
  /** Amplitude at each of `frequencies`, in the unit of the tag. */
  readonly amplitudes: Float64Array<ArrayBuffer>;
  /** The highest line, without that of the mean. */
  readonly peak: { readonly frequency: number; readonly amplitude: number };
}

/** The spectra of one window. */
export interface SpectrumResult {
  /** Frequency of each line, in Hz: from 0 to half of the rate of the cycles. */
  readonly frequencies: Float64Array<ArrayBuffer>;
  /** Values of each tag that were not measured, but put in where the window has gaps; 0 is a spectrum without any. */
  readonly filled: number;
  /** By the name of the tag. */
  readonly tags: Readonly<Record<string, TagSpectrum>>;
}

const NS_PER_S = 1e9;

export default function spectrum(
  window: CycleWindow,
  { tags, cyclePeriodNs }: Pick<AnalysisContext, 'tags' | 'cyclePeriodNs'>,
): SpectrumResult {
  const size = 2 ** Math.ceil(Math.log2(Math.max(2, window.length)));
  const transform = new FFT(size);
  const lineHz = NS_PER_S / cyclePeriodNs / size;
  const frequencies = Float64Array.from({ length: size / 2 + 1 }, (_, line) => line * lineHz);
  const hann = Float64Array.from(
    { length: window.length },
    (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / window.length),
  );
  const even = evenly(window.cycles);
  const spectra = tags.map((tag) => [tag, of(even(window.column(tag)), hann, transform, frequencies)] as const);
  // The last cycle that stands at its own place: those behind it are too late for this many periods.
  const measured = window.cycles.findLastIndex((cycle) => cycle - window.cycles[0]! < window.length) + 1;
  return { frequencies, filled: window.length - measured, tags: Object.fromEntries(spectra) };
}

/** Makes of a column one value for each of as many periods, from the first cycle on. */
function evenly(cycles: Float64Array): (column: ArrayLike<number | bigint>) => ArrayLike<number | bigint> {
  const first = cycles[0]!;
  if (cycles.at(-1)! - first + 1 === cycles.length) return (column) => column;
  return (column) => {
    const values = new Float64Array(cycles.length);
    for (let period = 0, row = 0; period < values.length; period += 1) {
      // There is always a cycle behind a gap: a window ends with one.
      while (cycles[row]! - first < period) row += 1;
      const after = cycles[row]! - first;
      values[period] = Number(column[row]);
      if (after === period) continue;
      const before = cycles[row - 1]! - first;
      const from = Number(column[row - 1]);
      values[period] = from + ((Number(column[row]) - from) * (period - before)) / (after - before);
    }
    return values;
  };
}

function of(
  column: ArrayLike<number | bigint>,
  hann: Float64Array,
  transform: FFT,
  frequencies: Float64Array,
): TagSpectrum {
  let mean = 0;
  for (let i = 0; i < column.length; i += 1) mean += Number(column[i]) / column.length;
  const input = new Array<number>(transform.size).fill(0);
  let weight = 0;
  for (let i = 0; i < column.length; i += 1) {
    input[i] = (Number(column[i]) - mean) * hann[i]!;
    weight += hann[i]!;
  }
  const lines = transform.createComplexArray();
  transform.realTransform(lines, input);
  const amplitudes = new Float64Array(frequencies.length);
  let peak = 1;
  for (let line = 0; line < amplitudes.length; line += 1) {
    // Every line stands for itself and its mirror image, but for the first and the last.
    const sides = line === 0 || line === amplitudes.length - 1 ? 1 : 2;
    amplitudes[line] = (sides * Math.hypot(lines[2 * line]!, lines[2 * line + 1]!)) / weight;
    if (line > 0 && amplitudes[line]! > amplitudes[peak]!) peak = line;
  }
  return { mean, amplitudes, peak: { frequency: frequencies[peak]!, amplitude: amplitudes[peak]! } };
}

/**
 * Ready-made analysis: the amplitude spectrum of every tag in each window, by a fast Fourier transform with a Hann window.
 *
 * The mean is taken away first, and told apart. A sine of amplitude A that falls on a line of the spectrum is A there. A
 * window that is no power of two is filled up with zeros, which makes the lines denser and the resolution no better.
 */

import FFT from 'fft.js';
import type { AnalysisContext } from '../../core/analysis.ts';
import type { History } from '../../core/history.ts';

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
  /** By the name of the tag. */
  readonly tags: Readonly<Record<string, TagSpectrum>>;
}

const NS_PER_S = 1e9;

export default function spectrum(
  window: History,
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
  const spectra = tags.map((tag) => [tag, of(window.column(tag), hann, transform, frequencies)] as const);
  return { frequencies, tags: Object.fromEntries(spectra) };
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

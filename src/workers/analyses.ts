/** Where the ready-made analyses are: `.ts` in a clone, `.js` in the package. */

const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js';

function urlOf(name: string): URL {
  return new URL(`./analysis/${name}${extension}`, import.meta.url);
}

/** Ready-made modules for `bus.analyse()`. */
export const analyses: {
  /** Least, greatest, mean, root mean square and standard deviation: `StatisticsResult`. */
  readonly statistics: URL;
  /** Amplitude spectrum with a Hann window: `SpectrumResult`. */
  readonly spectrum: URL;
  /** Cycles around an event, with `TriggerOptions` as `workerData`: `Capture[]`. */
  readonly trigger: URL;
} = Object.freeze({ statistics: urlOf('statistics'), spectrum: urlOf('spectrum'), trigger: urlOf('trigger') });

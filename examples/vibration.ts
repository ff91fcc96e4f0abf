/** The spectrum of a simulated accelerometer at 1 kHz, in a worker. Run: `npx node examples/vibration.ts [windows]` */

import { analyses, MainDevice, type SpectrumResult } from '../src/index.ts';

/** Of 1,024 cycles each, half of them those of the window before. */
const wanted = Number(process.argv[2] ?? 3);

/** Of the cycles of a window, how many may be missing on a busy machine. */
const GAPS_MAX = 10;

await using bus = await MainDevice.open(new URL('vibration.yaml', import.meta.url));
const tags = ['vibration.x', 'vibration.y'];
let windows = 0;
await new Promise<void>((resolve, reject) => {
  const subscription = bus.analyse<SpectrumResult>(analyses.spectrum, { tags, window: 1024, hop: 512 }).subscribe({
    next: ({ result, lastCycle }) => {
      // Straight lines stand for cycles that were missed: with more than a few of them, amplitudes come out too small.
      if (result.filled > GAPS_MAX) return;
      for (const tag of tags) {
        const { peak } = result.tags[tag]!;
        console.log(
          `cycle ${lastCycle} (${result.filled} missed) ${tag}: ${peak.amplitude.toFixed(3)} g at ${peak.frequency.toFixed(1)} Hz`,
        );
      }
      windows += 1;
      if (windows < wanted) return;
      subscription.unsubscribe();
      resolve();
    },
    error: reject,
  });
});

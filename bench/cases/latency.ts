import { setTimeout as sleep } from 'node:timers/promises';
import { MainDevice } from '../../src/main-device.ts';
import type { BenchCase, BenchContext } from '../case.ts';
import { nowNs, timeOfDayOffsetNs } from '../clock.ts';
import { measureDecoding } from '../decoding.ts';
import { movingTags, type PlantLoad, plant } from '../plant.ts';
import { type Figures, figuresOf, mapFigures, median, medianFigures, type Row } from '../report.ts';

interface Load extends PlantLoad {
  readonly subscribers: number;
}

const loads: readonly Load[] = [
  { tags: 100, moving: 1, subscribers: 1 },
  { tags: 10_000, moving: 100, subscribers: 100 },
  { tags: 10_000, moving: 1_000, subscribers: 1_000 },
];

/** Between two rounds: whatever waited while the figures of one were made is over. */
const SETTLE_MS = 100;

/**
 * From a cycle to decoded values and to RxJS subscribers.
 *
 * A slot says when its cycle began, and not when its frames were back: what is measured begins at the start of the cycle
 * and so includes the exchange on the simulated wire. To subscribers its median is taken off, since the target is theirs
 * from the received frame on; what the exchange takes longer than that stays in.
 */
export const latency: BenchCase = {
  name: 'latency',
  async run(context) {
    const rows: Row[] = [];
    const notes: string[] = [];
    for (const load of context.quick ? loads.slice(0, 1) : loads) {
      context.progress(`cycle to decoded, ${load.tags} tags, ${load.moving} moving`);
      const inWorker = await decoded(context, load);
      rows.push(...inWorker);
      context.progress(`cycle to subscriber, ${load.tags} tags, ${load.subscribers} subscribers`);
      const row = await subscribed(context, load);
      rows.push(row);
      notes.push(shares(load, inWorker.at(-1)!.ours.p50, row.ours.p50));
    }
    return { rows, notes };
  },
};

/** Where the time to the median subscriber goes: what is before the log is not the subscribers' doing. */
function shares({ moving, subscribers }: Load, decodedUs = 0, subscriberUs = 0): string {
  const rest = Math.max(0, subscriberUs - decodedUs);
  return (
    `frame received → RxJS subscriber, ${moving} changes: ${decodedUs.toFixed(1)} µs are over when the worker has decoded them; ` +
    `${rest.toFixed(1)} µs are the wake-up of the main thread, the log's way into its arrays, and the ` +
    `${Math.floor(subscribers / 2)} subscribers who are called before the median one`
  );
}

/** From the received frame on, in µs, of what is from the start of the cycle on. */
function afterExchange(figures: Figures, exchangeUs: number): Figures {
  return mapFigures(figures, (us) => us - exchangeUs);
}

async function decoded(context: BenchContext, load: Load): Promise<Row[]> {
  const { repeats, quick } = context;
  const times = await measureDecoding(context, load, quick ? 500 : 1_000);
  const text = `${load.tags + 1} tags, ${median(times.changes).toFixed(1)} changes a cycle; ${wire(times.exchangeUs)}`;
  const row = (name: string, figures: readonly Figures[]): Row => ({
    name,
    load: text,
    unit: 'µs',
    ours: afterExchange(medianFigures(figures), times.exchangeUs),
    repeats,
  });
  return [
    row('frame received → slot in a worker', times.copied),
    row('frame received → changes decoded in a worker', times.decoded),
  ];
}

function wire(exchangeUs: number): string {
  return `cycle 1 ms, in memory; from the start of the cycle, less the median of the exchange, ${exchangeUs.toFixed(1)} µs`;
}

async function subscribed(context: BenchContext, load: Load): Promise<Row> {
  const { repeats, quick } = context;
  await using bus = await MainDevice.open(plant(context, load));
  const offsetNs = timeOfDayOffsetNs();
  const cycles = quick ? 500 : 1_000;
  const samples = new Float64Array(cycles * load.moving * 2);
  let count = 0;
  // Whole numbers of nanoseconds of this process, without an object: a thousand subscribers of a batch each take the time,
  // and what that costs one is in the figure of the next.
  let [began, beganNs] = [0n, 0];
  for (const name of movingTags(load).slice(0, load.subscribers)) {
    bus.tag(name).value$.subscribe(({ hostTimeNs }) => {
      // The sample that a subscriber begins with has no time.
      if (hostTimeNs === undefined || count === samples.length) return;
      const ns = nowNs();
      if (hostTimeNs !== began) [began, beganNs] = [hostTimeNs, Number(hostTimeNs - offsetNs)];
      samples[count] = ns - beganNs;
      count += 1;
    });
  }
  let batches = 0;
  bus.changes$.subscribe(() => {
    batches += 1;
  });
  const figures: Figures[] = [];
  const changes: number[] = [];
  // The first round only warms up.
  for (let round = 0; round <= repeats; round += 1) {
    await sleep(SETTLE_MS);
    [count, batches] = [0, 0];
    await sleep(cycles);
    if (round === 0) continue;
    figures.push(figuresOf(Array.from(samples.subarray(0, count)), 1_000));
    changes.push(count / batches);
  }
  const exchangeUs = bus.statistics().roundTrip.p50 / 1_000;
  return {
    name: 'frame received → RxJS subscriber',
    load:
      `${load.tags + 1} tags, ${median(changes).toFixed(1)} changes a batch, ${load.subscribers} + 1 subscribers; ` +
      wire(exchangeUs),
    unit: 'µs',
    ours: afterExchange(medianFigures(figures), exchangeUs),
    bounds: [
      { kind: 'absolute', at: ['p50'], atMost: 40 },
      { kind: 'absolute', at: ['p99'], atMost: 200 },
    ],
    repeats,
  };
}

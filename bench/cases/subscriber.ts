import { setTimeout as sleep } from 'node:timers/promises';
import { MainDevice } from '../../src/main-device.ts';
import type { BenchCase, BenchContext } from '../case.ts';
import { timeOfDayOffsetNs } from '../clock.ts';
import { movingTags, plant } from '../plant.ts';
import { installReferences, type Reference, startReference } from '../references.ts';
import { type Bound, type Figures, figuresOf, medianFigures, type Row } from '../report.ts';

const LOAD = { tags: 100, moving: 1 };
/** After the opening, so that the decode worker's code is compiled. */
const SETTLE_MS = 1_000;

/** One of the others, with what they are to be beaten by. */
interface Other {
  readonly program: string;
  readonly args?: readonly string[];
  readonly name: (publishingMs: number | undefined) => string;
  readonly bounds: readonly Bound[];
}

const others: readonly Other[] = [
  {
    program: 'opcua',
    name: (publishingMs) => `node-opcua, monitored item; its server publishes every ${publishingMs} ms at best`,
    bounds: [{ kind: 'ratio', at: ['p50', 'p99'], atMost: 0.01 }],
  },
  {
    program: 'opcua',
    args: ['1'],
    name: (publishingMs) => `node-opcua, monitored item; its floor lowered in its code to ${publishingMs} ms`,
    bounds: [],
  },
  {
    program: 'mqtt',
    name: () => 'mqtt, aedes as broker; QoS 0',
    bounds: [{ kind: 'ratio', at: ['p50', 'p99'], atMost: 1 }],
  },
];

/** From a change to the subscriber's callback, beside what JavaScript has for that otherwise. */
export const subscriber: BenchCase = {
  name: 'subscriber',
  async run(context) {
    const reason = await installReferences(context);
    if (reason !== undefined) return { rows: [], notes: [`other ways to a subscriber: not measured, ${reason}`] };
    const rows: Row[] = [];
    for (const other of others) rows.push(await against(context, other));
    return { rows, notes: [] };
  },
};

async function against(context: BenchContext, other: Other): Promise<Row> {
  const { repeats, quick } = context;
  const count = quick ? 300 : 1_000;
  await using theirs: Reference = await startReference(other.program, ...(other.args ?? []));
  const name = other.name(theirs.publishingMs);
  context.progress(`change to subscriber, ${repeats} × 2 × ${count} values, beside ${name}`);
  const figures = { ours: [] as Figures[], theirs: [] as Figures[] };
  for (let repeat = 0; repeat < repeats; repeat += 1) {
    figures.ours.push(await ours(context, count));
    figures.theirs.push(await theirs.measure(count));
  }
  return {
    name: 'change → subscriber',
    load: `one value changes every ms, ${count} times; ours from the start of its cycle on, over the simulated wire in memory; theirs from the call that changes it, over a socket of the same process`,
    unit: 'µs',
    ours: medianFigures(figures.ours),
    reference: { name, figures: medianFigures(figures.theirs) },
    bounds: other.bounds,
    repeats,
  };
}

/** So many samples of one tag. The bus is closed afterwards: it is not to disturb the others. */
async function ours(context: BenchContext, count: number): Promise<Figures> {
  await using bus = await MainDevice.open(plant(context, LOAD));
  const offsetNs = timeOfDayOffsetNs();
  const samples = new Float64Array(count);
  let taken: number | undefined;
  const { promise: done, resolve } = Promise.withResolvers<void>();
  const [name = ''] = movingTags(LOAD);
  bus.tag(name).value$.subscribe(({ hostTimeNs }) => {
    if (hostTimeNs === undefined || taken === undefined || taken === count) return;
    samples[taken] = Number(process.hrtime.bigint() - (hostTimeNs - offsetNs));
    taken += 1;
    if (taken === count) resolve();
  });
  await sleep(SETTLE_MS);
  taken = 0;
  await done;
  return figuresOf(Array.from(samples), 1_000);
}

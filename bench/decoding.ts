// A decode worker with its times taken, on a bus of its own.

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { readStatistics } from '../src/core/statistics.ts';
import type { BenchContext } from './case.ts';
import { timeOfDayOffsetNs } from './clock.ts';
import type { DecodedTask, DecodedTimes } from './decoded.worker.ts';
import { type PlantLoad, plant } from './plant.ts';
import { openSession } from './session.ts';

/** What the worker found, and the median exchange of the cycles that it looked at. */
type Decoding = DecodedTimes & { readonly exchangeUs: number };

/** What a worker that decodes so many cycles of a plant in each repeat finds. */
export async function measureDecoding(context: BenchContext, load: PlantLoad, cycles: number): Promise<Decoding> {
  await using session = await openSession(plant(context, load));
  const { engineId, memory, table } = session.view.handle;
  const offsetNs = timeOfDayOffsetNs();
  const task: DecodedTask = { engineId, memory, tags: table, repeats: context.repeats, cycles, offsetNs };
  const worker = new Worker(new URL('./decoded.worker.ts', import.meta.url), { workerData: task });
  const [times] = (await once(worker, 'message')) as [DecodedTimes];
  await worker.terminate();
  return { ...times, exchangeUs: readStatistics(session.view.memory).roundTrip.p50 / 1_000 };
}

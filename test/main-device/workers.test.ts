import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import test from 'ava';
import { loadConfiguration } from '../../src/core/configuration/load.ts';
import type { EtherCatError } from '../../src/core/errors/ethercat-error.ts';
import { Session, type SessionListener } from '../../src/core/session.ts';
import type { ConfigurationDocument } from '../../src/index.ts';
import { TagStreams } from '../../src/streams/tag-streams.ts';
import { DecodePools } from '../../src/workers/decode-pools.ts';
import { plant } from '../support/plant.ts';
import { Answering } from '../support/worker.ts';

const silent: SessionListener = {
  event: () => undefined,
  failure: () => undefined,
  pumped: () => undefined,
};

/** What `MainDevice.open` puts together, with a worker that can be told to misbehave. */
class Supervised implements AsyncDisposable {
  readonly session: Session;
  readonly pools: DecodePools;
  readonly failures: EtherCatError[] = [];
  readonly streams: TagStreams;

  static async open(
    silenceMs: number,
    source: ConfigurationDocument | URL = plant({ time: 'virtual' }),
  ): Promise<Supervised> {
    const configuration = await loadConfiguration(source);
    const supervised = new Supervised(await Session.bringUp(configuration, undefined), silenceMs);
    await supervised.session.reachOp(undefined);
    await supervised.session.until(() => supervised.session.view.hasDecoded);
    await supervised.session.catchUp(undefined);
    return supervised;
  }

  private constructor(session: Session, silenceMs: number) {
    this.session = session;
    this.streams = new TagStreams({
      directory: session.view.directory,
      consumer: session.view.consumer,
      cycleNumber: session.view.cycleNumber,
      reportOf: () => (error) => {
        throw error;
      },
    });
    this.pools = new DecodePools({
      filename: new URL('fixtures/misbehaving.worker.ts', import.meta.url).href,
      silenceMs,
    });
    this.pools.start(session.view, (error) => {
      this.failures.push(error);
      this.command(Misbehaviour.none);
    });
    session.view.onBatch = (batch) => this.streams.deliver(batch);
    session.listen(silent);
  }

  command(misbehaviour: number, partition = this.session.view.statuses.length - 1): void {
    Atomics.store(new Int32Array(this.session.view.handle.status), 16 * partition + 7, misbehaviour);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.session.requestClose();
    await this.session.awaitClosed();
    await this.pools.stop();
    this.session.release();
  }
}

const Misbehaviour = { none: 0, loop: 1, throw: 2, exit: 3, exhaust: 4 } as const;

for (const [how, misbehaviour] of [
  ['loops for ever', Misbehaviour.loop],
  ['throws', Misbehaviour.throw],
  ['exits', Misbehaviour.exit],
  ['runs out of memory', Misbehaviour.exhaust],
] as const) {
  const partitions = misbehaviour === Misbehaviour.throw ? 1 : 2;
  test(`a decode worker of ${partitions} that ${how} is reported once and replaced, and consumers come up to date`, async (t) => {
    await using bus = await Supervised.open(300, plant({ time: 'virtual', partitions }));
    t.is(bus.session.view.statuses.length, partitions);
    // A worker that nobody follows has nothing to be waited for.
    bus.streams.changes$.subscribe();
    await bus.session.advance(5);
    const cycle = bus.session.view.memory.latestCycle;
    bus.command(misbehaviour);
    // Fewer than the ring holds, so that the worker misbehaves behind the first; its successor decodes the last.
    await bus.session.advance(20);
    t.is(bus.session.view.memory.latestCycle, cycle + 20);
    t.is(bus.failures.length, 1);
    t.is(bus.failures[0]!.code, 'ECAT_ERR_DECODE_WORKER');
    t.is(bus.pools.replaced, 1);
    const { directory, decoder } = bus.session.view;
    for (let tag = 0; tag < directory.count; tag += 1) {
      t.deepEqual(bus.streams.value(tag), decoder.read(bus.session.view.newestSlot(), tag), directory.name(tag));
    }
  });
}

test('a killed decode worker is replaced while cycles run', async (t) => {
  await using bus = await Supervised.open(300, plant({ partitions: 2 }));
  const before = bus.session.view.memory.latestCycle;
  await bus.pools.pools[1]!.kill();
  await bus.session.until(() => bus.pools.replaced === 1);
  const status = bus.session.view.statuses[1]!;
  const { decodedCycle } = status;
  await bus.session.until(() => status.decodedCycle !== decodedCycle);
  await bus.session.catchUp(undefined);
  t.is(bus.failures.length, 1);
  t.true(bus.session.view.memory.latestCycle > before);
});

test('the control loop of the example goes on while the decode worker is killed again and again', async (t) => {
  const control = new URL('../../examples/', import.meta.url);
  await using bus = await Supervised.open(300, new URL('control.yaml', control));
  const { view } = bus.session;
  // Somebody watches, so that the worker has work.
  bus.streams.changes$.subscribe();
  const worker = new Answering(new URL('control.worker.ts', control), { handle: view.handle, setPoint: 1000 });
  const steps = async (): Promise<number> => ((await worker.next()) as { steps: number }).steps;
  await steps();
  for (let round = 1; round <= 3; round += 1) {
    await bus.pools.pools[0]!.kill();
    const before = await steps();
    t.true((await steps()) > before, 'a hundred steps more while nobody decodes, or just so');
    await bus.session.until(() => bus.pools.replaced === round);
    // A successor has to be there before it can be killed.
    const [status] = view.statuses;
    const { decodedCycle } = status!;
    await bus.session.until(() => status!.decodedCycle !== decodedCycle);
  }
  t.is(bus.failures.length, 3, 'each reported once');
  // The loop holds the speed still.
  const speed = (): number => Number(view.decoder.read(view.newestSlot(), view.numberOf('speed.actual')));
  await bus.session.until(() => Math.abs(speed() - 1000) < 20);
  await worker[Symbol.asyncDispose]();
});

test('while the worker of one partition is stuck its tags are stale, and the others go on', async (t) => {
  await using bus = await Supervised.open(1000, plant({ partitions: 2 }));
  const { view } = bus.session;
  const [pulse, count] = [view.numberOf('pulse'), view.numberOf('count')];
  t.deepEqual([view.table.partition[pulse], view.table.partition[count]], [0, 1]);
  const qualities = new Map([pulse, count].map((tag) => [tag, new Set<string>()]));
  let pulses = 0;
  for (const [tag, seen] of qualities) {
    bus.streams.samples$(tag).subscribe(({ quality }) => {
      seen.add(quality);
      // How many others came while the stuck one was stale.
      if (tag === pulse && view.consumer.quality[count] === 1) pulses += 1;
    });
  }
  bus.command(Misbehaviour.loop, 1);
  await bus.session.until(() => bus.pools.replaced === 1);
  await bus.session.until(() => view.consumer.quality[count] === 0);
  t.deepEqual([...qualities.get(count)!], ['good', 'stale']);
  t.true(pulses > 100, `${pulses}`);
  t.is(bus.failures.length, 1);
});

test('a thread without the addon reads the same slots by Atomics alone', async (t) => {
  const configuration = await loadConfiguration(plant({ time: 'virtual' }));
  const session = await Session.bringUp(configuration, undefined);
  const worker = new Worker(new URL('fixtures/atomics-reading.worker.ts', import.meta.url), {
    workerData: { memory: session.view.memory.buffer, tags: session.view.table.buffer },
  });
  try {
    session.listen(silent);
    await session.reachOp(undefined);
    const [values] = (await once(worker, 'message')) as [unknown[]];
    // Nothing runs without a grant: the newest slot is still the one that the worker has read.
    t.deepEqual(
      values,
      Array.from({ length: session.view.directory.count }, (_, tag) =>
        session.view.decoder.read(session.view.newestSlot(), tag),
      ),
    );
  } finally {
    await worker.terminate();
    session.requestClose();
    await session.awaitClosed();
    session.release();
  }
});

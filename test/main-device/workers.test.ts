import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import test from 'ava';
import { loadConfiguration } from '../../src/core/configuration/load.ts';
import type { EtherCatError } from '../../src/core/errors/ethercat-error.ts';
import { Session, type SessionListener } from '../../src/core/session.ts';
import type { ConfigurationDocument } from '../../src/index.ts';
import { TagStreams } from '../../src/streams/tag-streams.ts';
import { DecodePool } from '../../src/workers/decode-pool.ts';
import { plant } from '../support/plant.ts';

const silent: SessionListener = {
  event: () => undefined,
  failure: () => undefined,
  pumped: () => undefined,
};

/** What `MainDevice.open` puts together, with a worker that can be told to misbehave. */
class Supervised implements AsyncDisposable {
  readonly session: Session;
  readonly pool: DecodePool;
  readonly failures: EtherCatError[] = [];
  readonly streams: TagStreams;

  static async open(
    silenceMs: number,
    source: ConfigurationDocument = plant({ time: 'virtual' }),
  ): Promise<Supervised> {
    const configuration = await loadConfiguration(source);
    const supervised = new Supervised(await Session.bringUp(configuration, undefined), silenceMs);
    await supervised.session.reachOp(undefined);
    await supervised.session.until(() => supervised.session.view.status.hasDecoded);
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
    this.pool = new DecodePool({
      filename: new URL('fixtures/misbehaving.worker.ts', import.meta.url).href,
      silenceMs,
    });
    this.pool.start({
      status: session.view.status,
      task: session.view.handle,
      onFailure: (error) => {
        this.failures.push(error);
        this.command(Misbehaviour.none);
      },
    });
    session.view.onBatch = (batch) => this.streams.deliver(batch);
    session.listen(silent);
  }

  command(misbehaviour: number): void {
    Atomics.store(new Int32Array(this.session.view.status.buffer), 7, misbehaviour);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.session.requestClose();
    await this.session.awaitClosed();
    await this.pool.stop();
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
  test(`a decode worker that ${how} is reported once and replaced, and consumers come up to date`, async (t) => {
    await using bus = await Supervised.open(300);
    await bus.session.advance(5);
    const cycle = bus.session.view.memory.latestCycle;
    bus.command(misbehaviour);
    // Fewer than the ring holds, so that the worker misbehaves behind the first; its successor decodes the last.
    await bus.session.advance(20);
    t.is(bus.session.view.memory.latestCycle, cycle + 20);
    t.is(bus.failures.length, 1);
    t.is(bus.failures[0]!.code, 'ECAT_ERR_DECODE_WORKER');
    t.is(bus.pool.replaced, 1);
    const { directory, decoder } = bus.session.view;
    for (let tag = 0; tag < directory.count; tag += 1) {
      t.deepEqual(bus.streams.value(tag), decoder.read(bus.session.view.newestSlot(), tag), directory.name(tag));
    }
  });
}

test('a killed decode worker is replaced while cycles run', async (t) => {
  await using bus = await Supervised.open(300, plant());
  const before = bus.session.view.memory.latestCycle;
  await bus.pool.kill();
  await bus.session.until(() => bus.pool.replaced === 1);
  const { decodedCycle } = bus.session.view.status;
  await bus.session.until(() => bus.session.view.status.decodedCycle !== decodedCycle);
  await bus.session.catchUp(undefined);
  t.is(bus.failures.length, 1);
  t.true(bus.session.view.memory.latestCycle > before);
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

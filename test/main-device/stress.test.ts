/** Threads that read and write as fast as they can while cycles run as fast as they can. */

import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { type ConfigurationDocument, type Fault, MainDevice } from '../../src/index.ts';
import { Answering } from '../support/worker.ts';
import { mixtures } from './fixtures/whole-cycles.ts';

const DEVICES = 40;
const CHANNELS = 16;

/**
 * Devices of 32 bytes of inputs each, the first and last channel of which count cycles; four devices of outputs between
 * them, each of which leads back to an input.
 */
const line: ConfigurationDocument = (() => {
  const inputs = Array.from({ length: DEVICES }, (_, n) => `in${n}`);
  const outputs = Array.from({ length: 4 }, (_, n) => `out${n}`);
  const devices = inputs.flatMap((name, n) => [
    { name, type: 'analogue-inputs' as const, channels: CHANNELS },
    ...(n % 10 === 5 ? [{ name: outputs[(n - 5) / 10]!, type: 'analogue-outputs' as const, channels: CHANNELS }] : []),
  ]);
  const ends = inputs.flatMap((name) => [1, CHANNELS].map((channel) => ({ name, channel })));
  const backs = outputs.map((name, n) => ({ from: `${name}.${CHANNELS}`, to: `in${10 * n}.2` }));
  return {
    ethercat: {
      master: {
        segment: {
          devices,
          signals: ends.map(({ name, channel }) => ({ input: `${name}.${channel}`, counter: { period_ms: 1 } })),
          wires: backs,
        },
        time: 'virtual',
        partitions: 2,
        distributed_clocks: false,
        output_deadline_ms: 0,
      },
      devices: devices.map(({ name }, position) => ({ name, position })),
      process_data: {
        inputs: [
          ...ends.map(({ name, channel }) => ({ name: `${name}.${channel}`, slave: name, channel })),
          ...outputs.map((name, n) => ({ name: `${name}.is`, slave: `in${10 * n}`, channel: 2 })),
        ],
        outputs: outputs.flatMap((name) =>
          [1, CHANNELS].map((channel) => ({ name: `${name}.${channel}`, slave: name, channel })),
        ),
      },
    },
  };
})();
const counters = Array.from({ length: DEVICES }, (_, n) => [`in${n}.1`, `in${n}.${CHANNELS}`]).flat();
const outputs = Array.from({ length: 4 }, (_, n) => [`out${n}.1`, `out${n}.${CHANNELS}`]).flat();
const backs = Array.from({ length: 4 }, (_, n) => `out${n}.is`);

test.serial(
  'a snapshot is of one cycle, and every row of a history too, in workers and here, while cycles race on',
  async (t) => {
    await using bus = await MainDevice.open(line);
    await bus.advance(70);
    const file = new URL('fixtures/hammer.worker.ts', import.meta.url);
    const workers = [1, 2].map(() => new Answering(file, { handle: bus.handle, tags: counters, reads: 8000 }));
    await Promise.all(workers.map((worker) => worker.next()));
    let done = 0;
    const answers = workers.map(async (worker) => {
      const answer = (await worker.next()) as { found: unknown[]; cycles: number; rows: number };
      done += 1;
      return answer;
    });
    let seen = 0;
    while (done < workers.length) {
      await bus.advance(200);
      const now = bus.snapshot(counters);
      t.deepEqual(
        mixtures([now.cycle], counters, (tag) => [now.value(tag) as number]),
        [],
      );
      const history = bus.history(32, counters);
      t.is(history.length, 32);
      t.deepEqual(
        mixtures(history.cycles, counters, (tag) => history.column<Int16Array>(tag)),
        [],
      );
      seen += 1;
    }
    for (const { found, cycles, rows } of await Promise.all(answers)) {
      t.deepEqual(found, []);
      t.log(`${cycles} cycles seen, ${rows} rows of histories, beside ${200 * seen} cycles`);
      t.true(cycles > 20, `${cycles}: nothing changed under its hands`);
      t.true(rows > 1000);
    }
    for (const worker of workers) await worker[Symbol.asyncDispose]();
  },
);

test.serial(
  'every batch of changes is of its cycle, on threads that stand still until the log has gone past them',
  async (t) => {
    await using bus = await MainDevice.open(line);
    const seed = Date.now() % 2 ** 31;
    t.log(`seeds ${seed}, ${seed + 1}`);
    const file = new URL('fixtures/follower.worker.ts', import.meta.url);
    const workers = [0, 1].map((n) => new Answering(file, { handle: bus.handle, batches: 400, seed: seed + n }));
    for (const worker of workers) t.is(await worker.next(), 'following');
    let done = 0;
    const answers = workers.map(async (worker) => {
      const answer = (await worker.next()) as { found: unknown[]; coalesced: number };
      done += 1;
      return answer;
    });
    while (done < workers.length) await bus.advance(20);
    for (const { found, coalesced } of await Promise.all(answers)) {
      t.deepEqual(found, []);
      t.log(`${coalesced} of 400 batches stood for more than one cycle`);
      t.true(coalesced > 0, 'nobody was ever late');
    }
    for (const worker of workers) await worker[Symbol.asyncDispose]();
  },
);

test.serial(
  'a set of outputs never splits, however often its writer is killed, and its lane is found each time',
  async (t) => {
    await using bus = await MainDevice.open(line);
    const lost: Fault[] = [];
    bus.faults$.subscribe((fault) => void (fault.kind === 'lane-lost' && lost.push(fault)));
    let stopped = false;
    const running = (async () => {
      while (!stopped) await bus.advance(20);
    })();
    await bus.releaseOutputs(outputs);
    const seed = Date.now() % 2 ** 31;
    t.log(`seed ${seed}`);
    let state = seed;
    const random = (): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
      return state / 2 ** 31;
    };
    const values = new Set<number>();
    const look = (): void => {
      const history = bus.history(32, [...outputs, ...backs]);
      const columns = outputs.map((tag) => history.column<Int16Array>(tag));
      const seen = backs.map((tag) => history.column<Int16Array>(tag));
      for (let row = 0; row < history.length; row += 1) {
        const sent = new Set(columns.map((column) => column[row]!));
        t.is(sent.size, 1, `cycle ${history.cycles[row]!} sent ${[...sent].join(', ')}`);
        // What the devices drive comes back within the cycle, or with the one behind it: together all the same.
        const driven = new Set(seen.map((column) => column[row]!));
        t.is(driven.size, 1, `cycle ${history.cycles[row]!} drove ${[...driven].join(', ')}`);
        values.add([...sent][0]!);
      }
    };
    for (let round = 0; round < 6; round += 1) {
      const writer = new Answering(new URL('fixtures/pairs.worker.ts', import.meta.url), {
        handle: bus.handle,
        outputs,
      });
      t.is(await writer.next(), 'attached');
      const before = values.size;
      while (values.size < before + 3) {
        look();
        await sleep(1);
      }
      await sleep(20 * random());
      await writer.worker.terminate();
      look();
      while (lost.length <= round) await sleep(1);
      t.is(lost[round]!.error.lane, 'pairs');
      look();
    }
    t.is(lost.length, 6);
    stopped = true;
    await running;
  },
);

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import test from 'ava';
import { Piscina } from 'piscina';
import { parse } from 'yaml';
import { attach, type ConfigurationDocument, MainDevice } from '../../src/index.ts';
import { plant, running } from '../support/plant.ts';

const example = (name: string): URL => new URL(`../../examples/${name}`, import.meta.url);

for (const blockedMs of [1000, 5000]) {
  test.serial(`a control loop in a worker goes on while the main thread is blocked for ${blockedMs} ms`, async (t) => {
    const document = parse(readFileSync(example('control.yaml'), 'utf8')) as ConfigurationDocument;
    // A busy machine may keep the worker waiting for longer than it may be away.
    for (const lane of document.ethercat.lanes!) Object.assign(lane, { deadline_ms: 0, commit_deadline_ms: 0 });
    document.ethercat.master!.segment = fileURLToPath(example('control.segment.yaml'));
    await using bus = await MainDevice.open(document);
    const workerData = { handle: bus.handle, setPoint: 700 };
    const worker = new Worker(example('control.worker.ts'), { workerData });
    let steps = 0;
    worker.on('message', (message: { steps: number }) => (steps = message.steps));
    while (steps === 0) await sleep(10);
    const { commits, cycles } = bus.statistics();
    // As long as it is said, and until the others have gone on: how fast they do is the machine's business.
    const untilMs = performance.now() + blockedMs;
    let after = bus.statistics();
    while (performance.now() < untilMs || after.commits - commits <= 100) after = bus.statistics();
    t.true(after.cycles - cycles > 100, `${after.cycles - cycles}`);
    await bus.close();
    await worker.terminate();
  });
}

test.serial('the subscribers of a worker are served while the main thread is blocked', async (t) => {
  await using bus = await MainDevice.open(plant());
  const counted = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(new URL('fixtures/watching.worker.ts', import.meta.url), {
    workerData: { handle: bus.handle, counted },
  });
  while (Atomics.load(counted, 0) < 10) await sleep(5);
  const [samples, { cycles }] = [Atomics.load(counted, 0), bus.statistics()];
  const beganMs = performance.now();
  while (performance.now() - beganMs < 1000);
  const run = bus.statistics().cycles - cycles;
  const told = Atomics.load(counted, 0) - samples;
  // Where it is late by more than 32 cycles, one sample stands for all of them: on a busy machine that happens.
  t.true(run > 100 && told > run / 10, `${told} samples in ${run} cycles`);
  await bus.close();
  await worker.terminate();
});

test.serial('the examples run as the README says', async (t) => {
  const run = promisify(execFile);
  const control = await run(process.execPath, [fileURLToPath(example('control.ts'))]);
  t.regex(control.stdout, /speed: \d+ of 1500 rpm/);
  const vibration = await run(process.execPath, [fileURLToPath(example('vibration.ts')), '1']);
  t.regex(vibration.stdout, /vibration\.x: 0\.[78]\d\d g at 120\.1 Hz/);
  t.regex(vibration.stdout, /vibration\.y: 0\.2\d\d g at 43\.0 Hz/);
});

test.serial('a task of a piscina pool attaches like any other thread, and close() does not wait for it', async (t) => {
  const bus = await MainDevice.open(plant({ time: 'virtual' }));
  const pool = new Piscina<unknown, number>({
    filename: new URL('fixtures/attached.task.ts', import.meta.url).href,
    maxThreads: 2,
    atomics: 'disabled',
  });
  const told = new Int32Array(new SharedArrayBuffer(8));
  const tasks = [1, 2].map(() => pool.run({ handle: bus.handle, told }));
  await using _running = running(bus);
  while (Atomics.load(told, 0) < 2) await sleep(5);
  await bus.close();
  // Only now they may end.
  Atomics.store(told, 1, 1);
  Atomics.notify(told, 1);
  for (const cycles of await Promise.all(tasks)) t.true(cycles > 0);
  await pool.destroy();
});

test.serial('threads that attach and close while others do leave the bus alone', async (t) => {
  await using bus = await MainDevice.open(plant({ time: 'virtual' }));
  const rounds = Array.from({ length: 8 }, async () => {
    for (let round = 0; round < 20; round += 1) {
      const attached = attach(bus.handle);
      attached.tag('count').value$.subscribe();
      await bus.advance(1);
      attached.close();
    }
  });
  await Promise.all(rounds);
  const written = bus.write({ 'lamp.on': true });
  const cycle = await bus.advance(1);
  t.is((await written).cycle, cycle);
});

test.serial(
  'two consumers at different speeds each see the newest values, the slow one with what it missed',
  async (t) => {
    await using bus = await MainDevice.open(plant({ time: 'virtual' }));
    using fast = attach(bus.handle);
    const every: number[] = [];
    const missed: number[] = [];
    fast.tag<number>('count').value$.subscribe(({ value }) => every.push(value));
    bus.changes$.subscribe(({ missed: cycles }) => missed.push(cycles));
    await bus.advance(50, { lockstep: true });
    t.true(every.length >= 50, `${every.length}`);
    bus.simulator.stall(60);
    await bus.advance(1);
    t.true(missed.some((cycles) => cycles > 0));
    t.is(fast.snapshot().value('count'), bus.snapshot().value('count'));
  },
);

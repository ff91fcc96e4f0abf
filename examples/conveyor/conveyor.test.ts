/** The conveyor on a desk: the application as it is, a machine around the simulated segment, and virtual time. */

import test, { type ExecutionContext } from 'ava';
import { MainDevice } from '../../src/index.ts';
import type { SimulatedSegment } from '../../src/simulator/index.ts';
import { Conveyor, SPEED } from './conveyor.ts';
import { machineWithBoxes, PITCH_MM } from './machine.ts';

const file = (name: string): URL => new URL(name, import.meta.url);

/** A conveyor that has been started, until the test ends. */
async function running(
  t: ExecutionContext,
): Promise<{ machine: SimulatedSegment; bus: MainDevice; conveyor: Conveyor }> {
  const machine = await machineWithBoxes();
  const bus = await MainDevice.open(file('conveyor.yaml'), { segment: machine });
  t.teardown(() => bus.close());
  const conveyor = new Conveyor(bus);
  conveyor.start();
  return { machine, bus, conveyor };
}

test('the belt stops for a box, and brings the next one when it was taken', async (t) => {
  const { machine, bus, conveyor } = await running(t);
  const begun = machine.nowMs;
  for (let box = 1; box <= 3; box += 1) {
    await machine.until(() => conveyor.state === 'waiting', { withinMs: 2_500 });
    t.is(conveyor.boxes, box);
    await machine.until(machine.device('belt').object(0x606c).is(0), { withinMs: 500 });
    t.false(bus.snapshot().value('lamp.running'));
    conveyor.take();
    await machine.until(machine.device('lamps').output(1).is(true), { withinMs: 100 });
  }
  t.true(machine.nowMs - begun > (3 * PITCH_MM * 1_000) / SPEED - 1_000, 'no box comes more quickly than the belt');
});

test('a cable that breaks while the belt moves: the lamp is lit, the drive stops by itself, and nothing starts again', async (t) => {
  const { machine, bus, conveyor } = await running(t);
  const belt = machine.device('belt');
  const faults: string[] = [];
  bus.faults$.subscribe(({ kind }) => faults.push(kind));
  await machine.until(() => Number(bus.tag('belt.speed').value) > 0.9 * SPEED, { withinMs: 1_000 });

  belt.port(0).cut();
  await machine.until(machine.device('lamps').output(2).is(true), { withinMs: 20 });
  t.is(conveyor.state, 'broken');
  t.true(faults.includes('sub-device-lost'));
  t.deepEqual([bus.tag('belt.speed').sample.quality, bus.tag('barrier.blocked').sample.quality], ['bad', 'good']);
  // The drive hears nothing: its own watchdog takes it out of OP, and it stops.
  await machine.until(belt.state.is('SAFE-OP'), { withinMs: 150 });
  t.is(await belt.alStatusCode.read(), 0x1b);
  await machine.until(belt.object(0x606c).is(0), { withinMs: 1_000 });

  belt.port(0).mend();
  await machine.advance(1_000);
  t.is(conveyor.state, 'broken');
  t.is(await belt.object(0x606c).read(), 0);
  t.true(await machine.device('lamps').output(2).read());
  await bus.close();

  // Somebody has looked at it and starts the control again, on the machine as it is.
  await using again = await MainDevice.open(file('conveyor.yaml'), { segment: machine });
  const restarted = new Conveyor(again);
  restarted.start();
  await machine.until(() => restarted.boxes === 1, { withinMs: 3_000 });
});

test('ten thousand cycles', async (t) => {
  const { machine, conveyor } = await running(t);
  // An operator takes a box 300 ms after it has come.
  machine.every(300, () => conveyor.take());
  const begun = performance.now();
  await machine.advance({ cycles: 10_000 });
  t.log(
    `10,000 cycles, 10 s of the machine, in ${((performance.now() - begun) / 1_000).toFixed(2)} s; ${conveyor.boxes} boxes`,
  );
  t.true(conveyor.boxes >= 4);
});

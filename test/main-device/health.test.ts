/** `bus.health()`: what it says of SubDevices that are well, that have met errors, and that are away. */

import test from 'ava';
import { MainDevice } from '../../src/index.ts';
import { plant, running } from '../support/plant.ts';

test('health has the counters of the cycle, and of every SubDevice its state, errors and clock', async (t) => {
  await using bus = await MainDevice.open(plant({ time: 'virtual', output_deadline_ms: 0 }));
  await using _running = running(bus);
  const well = await bus.health();
  t.is(well.state, 'OP');
  t.deepEqual(Object.keys(well.statistics), Object.keys(bus.statistics()));
  t.true(well.statistics.cycles > 0);
  t.deepEqual(
    well.subDevices.map(({ name, position, state, quality }) => [name, position, state, quality]),
    ['coupler', 'in', 'out', 'ai', 'ao'].map((name, position) => [name, position, 'OP', 'good']),
  );
  const errors = { invalidFrames: 0, rxErrors: 0, forwardedErrors: 0, lostLinks: 0 };
  for (const { registers } of well.subDevices) {
    t.deepEqual(registers, {
      alStatusCode: 0,
      ports: Array.from({ length: 4 }, () => errors),
      processingUnitErrors: 0,
      pdiErrors: 0,
      clockDifferenceNs: undefined,
    });
  }
  // Damaged on their way into the third: it counts them, and whoever is behind it says that it was not its cable.
  bus.simulator.device('out').port(0).corruptFrames(3);
  bus.simulator.device('ao').leaveState('SAFE-OP', 0x1b);
  while (bus.subDevice('ao').state !== 'SAFE-OP') await new Promise((resolve) => setImmediate(resolve));
  const { subDevices: ill, statistics } = await bus.health();
  t.is(ill[2]!.registers!.ports[0]!.invalidFrames, 3);
  t.is(ill[1]!.registers!.ports[0]!.invalidFrames, 0);
  t.true(ill[3]!.registers!.ports[0]!.forwardedErrors > 0);
  t.is(statistics.lostFrames, 3);
  t.like(ill[4], { state: 'SAFE-OP', quality: 'uncertain', registers: { alStatusCode: 0x1b } });
});

test('of a SubDevice that is away there are no registers, and the others are asked all the same', async (t) => {
  await using bus = await MainDevice.open(plant({ time: 'virtual' }));
  await using _running = running(bus);
  bus.simulator.device('ai').unplug();
  while (bus.subDevice('ai').quality !== 'bad') await new Promise((resolve) => setImmediate(resolve));
  const { subDevices } = await bus.health();
  t.deepEqual(
    subDevices.map(({ registers }) => registers !== undefined),
    [true, true, true, false, true],
  );
  t.like(subDevices[3], { name: 'ai', quality: 'bad' });
});

test('a long line is asked a few at a time, and leaves room in the queue for others', async (t) => {
  const names = Array.from({ length: 60 }, (_, n) => `in${n}`);
  await using bus = await MainDevice.open({
    ethercat: {
      master: {
        segment: { devices: names.map((name) => ({ name, type: 'digital-inputs' as const, channels: 8 })) },
        time: 'virtual',
      },
      devices: names.map((name, position) => ({ name, position })),
    },
  });
  await using _running = running(bus);
  const health = Promise.all([bus.health(), bus.health()]);
  t.is((await bus.subDevices[59]!.readRegister(0x0130, 2)).data[0], 8);
  for (const { subDevices } of await health) {
    t.deepEqual(
      subDevices.map(({ name, registers }) => [name, registers?.alStatusCode]),
      names.map((name) => [name, 0]),
    );
  }
});

test('a closed bus has no health to tell', async (t) => {
  const bus = await MainDevice.open(plant({ time: 'virtual' }));
  await bus.close();
  await t.throwsAsync(bus.health(), { code: 'ECAT_ERR_CLOSED' });
});

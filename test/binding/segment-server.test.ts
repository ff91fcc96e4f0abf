import { execFileSync } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { native } from '../../src/core/native.ts';
import { eventually, openBus, simulatedSegment } from './support.ts';

const { BindingSegmentServer } = native();

/** A pair of connected virtual network cards, or nothing where this process may not make one. */
function cards(): { first: string; second: string; remove: () => void } | undefined {
  const [first, second] = [`bfa${process.pid}`, `bfb${process.pid}`];
  try {
    execFileSync('ip', ['link', 'add', first, 'type', 'veth', 'peer', 'name', second], { stdio: 'pipe' });
    for (const card of [first, second]) execFileSync('ip', ['link', 'set', card, 'up'], { stdio: 'pipe' });
  } catch {
    return undefined;
  }
  return { first, second, remove: () => execFileSync('ip', ['link', 'delete', first]) };
}

const pair = cards();
test.after.always(() => pair?.remove());

if (pair === undefined) {
  test.skip('a segment behind a network card needs the right to make one', () => undefined);
} else {
  test.serial('a segment behind a network card is brought up and cycles, like one in the process', async (t) => {
    // The carrier comes a moment after both ends are up.
    await delay(100);
    const segment = simulatedSegment();
    const server = new BindingSegmentServer(segment, pair.second);
    t.false(segment.isAtHome);
    t.throws(() => new BindingSegmentServer(segment, pair.second), { code: 'ECAT_ERR_LINK_BUSY' });
    t.throws(() => new BindingSegmentServer(simulatedSegment(), pair.second), { code: 'ECAT_ERR_LINK_BUSY' });
    const bus = await openBus(t, { interface: pair.first, cyclePeriodNs: 10_000_000 });
    t.is(bus.network.subDevices.length, 3);
    await eventually(() => server.frames > 100, 'frames');
    t.true(bus.close());
    server.close();
    t.notThrows(() => server.close());
    t.true(segment.isAtHome);
    new BindingSegmentServer(segment, pair.second).close();
  });

  test.serial('a segment that goes away takes its SubDevices with it', async (t) => {
    const server = new BindingSegmentServer(simulatedSegment(), pair.second);
    const bus = await openBus(t, { interface: pair.first, cyclePeriodNs: 10_000_000 });
    server.close();
    const events = new Uint32Array(5 * 64);
    await eventually(() => {
      const count = bus.engine.drainEvents(events);
      return Array.from({ length: count }, (_, index) => events[index * 5]).includes(7);
    }, 'lost frames');
    t.true(bus.close());
  });
}

/** A small plant on a simulated segment, as the tests of the MainDevice open it. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { ConfigurationDocument, MainDevice } from '../../src/index.ts';

type Main = NonNullable<ConfigurationDocument['ethercat']['master']>;

/**
 * A coupler, 8 digital inputs and outputs, 4 analogue inputs and outputs. `count` grows by one every ms, `pulse` toggles
 * every ms; the first digital and the first analogue output are wired back.
 */
export function plant(overrides: Partial<Main> = {}): ConfigurationDocument {
  return {
    ethercat: {
      master: {
        segment: {
          devices: [
            { name: 'coupler', type: 'EK1100' },
            { name: 'in', type: 'digital-inputs', channels: 8 },
            { name: 'out', type: 'digital-outputs', channels: 8 },
            { name: 'ai', type: 'analogue-inputs', channels: 4 },
            { name: 'ao', type: 'analogue-outputs', channels: 4 },
          ],
          signals: [
            { input: 'in.1', counter: { period_ms: 1 } },
            { input: 'ai.1', counter: { period_ms: 1 } },
          ],
          wires: [
            { from: 'out.1', to: 'in.8' },
            { from: 'ao.1', to: 'ai.2' },
          ],
        },
        cycle_time: 1000,
        distributed_clocks: false,
        ...overrides,
      },
      devices: ['coupler', 'in', 'out', 'ai', 'ao'].map((name, position) => ({ name, position })),
      process_data: {
        inputs: [
          { name: 'pulse', slave: 'in', channel: 1 },
          { name: 'free', slave: 'in', channel: 2 },
          { name: 'lamp.is_on', slave: 'in', channel: 8 },
          { name: 'count', slave: 'ai', channel: 1 },
          { name: 'speed.actual', slave: 'ai', channel: 2, scale: 0.5, unit: 'rpm' },
        ],
        outputs: [
          { name: 'lamp.on', slave: 'out', channel: 1, on_loss: 'zero' },
          { name: 'horn.on', slave: 'out', channel: 2, on_loss: 'hold' },
          { name: 'speed.target', slave: 'ao', channel: 1, scale: 0.5, unit: 'rpm', on_loss: 7 },
        ],
      },
    },
  };
}

/** Counts what every tag emits from now on, without the sample that a subscriber begins with. */
export function countEmissions(bus: MainDevice): Map<string, unknown[]> {
  return new Map(
    bus.tags.map((tag) => {
      const values: unknown[] = [];
      tag.value$.subscribe(({ value }) => values.push(value));
      values.length = 0;
      return [tag.name, values];
    }),
  );
}

/**
 * Lets cycles of virtual time run until it is disposed of, at most one a millisecond: time passes as on the wall clock,
 * only that a busy machine makes it slower, and trips no watchdog.
 */
export function running(bus: MainDevice): AsyncDisposable {
  let stopped = false;
  const loop = (async () => {
    while (!stopped) {
      await bus.advance(1);
      await sleep(1);
    }
  })();
  return {
    async [Symbol.asyncDispose](): Promise<void> {
      stopped = true;
      // The bus may have been closed.
      await loop.catch(() => undefined);
    },
  };
}

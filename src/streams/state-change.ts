/** Changes of state, as applications see them. */

import type { BusState, NativeEvent, SubDeviceState } from '../core/events.ts';

/** What came into a new state. `cycle` does not wrap; undefined in what a new subscriber begins with. */
export type StateChange = { readonly cycle: number | undefined } & (
  | { readonly subject: 'bus'; readonly state: BusState }
  | {
      readonly subject: 'sub-device';
      readonly position: number;
      readonly name: string;
      /** AL state; `lost` when it does not answer. */
      readonly state: SubDeviceState | 'lost';
      /** AL status code (register 0x0134); 0 is none. */
      readonly alStatusCode: number;
    }
  /** Whether the network interface has a carrier. */
  | { readonly subject: 'link'; readonly state: 'down' | 'up' }
  /** Whether the frames come back. */
  | { readonly subject: 'frames'; readonly state: 'lost' | 'restored' }
  | {
      /** An interlock began or ceased to force its outputs; `refused` when it was acknowledged and its condition holds again. */
      readonly subject: 'interlock';
      readonly name: string;
      readonly state: 'fired' | 'released' | 'refused';
      /**
       * Fired by its `condition`, or since its input was not good (`invalid-input`); released by being `acknowledged`, or
       * `removed` when interlocks were declared anew.
       */
      readonly cause?: 'condition' | 'invalid-input' | 'acknowledged' | 'removed';
    }
  | {
      /**
       * Of a writer's outputs: `live` with its first write, `lost` when it missed its deadline, and `free` when it gave
       * them up or ended. Lost and free outputs are at their loss values.
       */
      readonly subject: 'lane';
      /** Of the configuration, what a thread called itself, or `MainDevice`. */
      readonly name: string;
      readonly state: 'live' | 'lost' | 'free';
    }
);

/** The change of state in an event; undefined where it has none. */
export function stateChangeOf(
  event: NativeEvent,
  cycle: number,
  names: readonly string[],
  { laneName, interlocks }: { laneName: (lane: number) => string; interlocks: readonly string[] },
): StateChange | undefined {
  const subDevice = (position: number, state: SubDeviceState | 'lost', alStatusCode: number): StateChange => ({
    subject: 'sub-device',
    position,
    name: names[position] ?? '',
    state,
    alStatusCode,
    cycle,
  });
  switch (event.kind) {
    case 'engine-state':
      return { subject: 'bus', state: event.state, cycle };
    case 'sub-device-state':
    case 'sub-device-returned':
      return subDevice(event.position, event.state, event.alStatusCode);
    case 'sub-device-lost':
      return subDevice(event.position, 'lost', 0);
    case 'link-down':
      return { subject: 'link', state: 'down', cycle };
    case 'link-up':
      return { subject: 'link', state: 'up', cycle };
    case 'frames-lost':
      return { subject: 'frames', state: 'lost', cycle };
    case 'frames-restored':
      return { subject: 'frames', state: 'restored', cycle };
    case 'interlock-fired':
      return {
        subject: 'interlock',
        name: interlocks[event.interlock] ?? '',
        state: 'fired',
        cause: event.cause,
        cycle,
      };
    case 'interlock-released':
      return {
        subject: 'interlock',
        name: interlocks[event.interlock] ?? '',
        state: 'released',
        cause: event.cause,
        cycle,
      };
    case 'interlock-refused':
      return { subject: 'interlock', name: interlocks[event.interlock] ?? '', state: 'refused', cycle };
    case 'lane-lost':
      return { subject: 'lane', name: laneName(event.lane), state: 'lost', cycle };
    case 'lane-live':
      return { subject: 'lane', name: laneName(event.lane), state: 'live', cycle };
    case 'lane-free':
      return { subject: 'lane', name: laneName(event.lane), state: 'free', cycle };
    default:
      return undefined;
  }
}

/** What the cycle thread reports, from its five words to something with a name (native/engine/src/event.rs). */

/** Words of one event. */
export const EVENT_WORDS = 5;

/** State of the MainDevice. */
export type BusState = 'starting' | 'PRE-OP' | 'SAFE-OP' | 'OP' | 'closing' | 'closed' | 'faulted';

const busStates: readonly BusState[] = ['starting', 'PRE-OP', 'SAFE-OP', 'OP', 'closing', 'closed', 'faulted'];

/** The state of that number. */
export function busStateOf(number: number): BusState {
  return busStates[number] ?? 'faulted';
}

/** AL state of a SubDevice. */
export type SubDeviceState = 'INIT' | 'PRE-OP' | 'BOOT' | 'SAFE-OP' | 'OP' | 'unknown';

const alStates: ReadonlyMap<number, SubDeviceState> = new Map<number, SubDeviceState>([
  [1, 'INIT'],
  [2, 'PRE-OP'],
  [3, 'BOOT'],
  [4, 'SAFE-OP'],
  [8, 'OP'],
]);

/** The state in register 0x0130 (ETG.1000.6: bits 0–3 state, bit 4 error). */
export function subDeviceStateOf(register: number): SubDeviceState {
  return alStates.get(register & 0x0f) ?? 'unknown';
}

/** Something that happened on the bus. `cycle` is the 32-bit number. */
export type NativeEvent = { readonly cycle: number } & (
  | { readonly kind: 'engine-state'; readonly state: BusState; readonly previous: BusState }
  | {
      /** In `sub-device-returned` the SubDevice was lost, and answers again. */
      readonly kind: 'sub-device-state' | 'sub-device-returned';
      readonly position: number;
      readonly state: SubDeviceState;
      readonly error: boolean;
      readonly alStatusCode: number;
    }
  | {
      readonly kind: 'working-counter';
      readonly datagram: number;
      readonly received: number;
      readonly expected: number;
    }
  | { readonly kind: 'working-counter-restored'; readonly datagram: number }
  | { readonly kind: 'sub-device-lost'; readonly position: number }
  | { readonly kind: 'frames-lost'; readonly frames: number }
  | { readonly kind: 'frames-restored'; readonly cycles: number }
  | { readonly kind: 'link-down' }
  | { readonly kind: 'link-up' }
  | { readonly kind: 'lane-lost'; readonly lane: number }
  | { readonly kind: 'lane-live'; readonly lane: number }
  | { readonly kind: 'lane-free'; readonly lane: number }
  /** `interlock` is the place in the table of states. */
  | { readonly kind: 'interlock-fired'; readonly interlock: number; readonly cause: 'condition' | 'invalid-input' }
  | { readonly kind: 'interlock-released'; readonly interlock: number; readonly cause: 'acknowledged' | 'removed' }
  | { readonly kind: 'interlock-refused'; readonly interlock: number }
  /** A consumer in lockstep has not acknowledged for too long, and is not waited for until it does. */
  | {
      readonly kind: 'consumer-late';
      readonly consumer: number;
      readonly acknowledged: number;
      readonly cyclesBehind: number;
    }
  /** More SubDevices answer than were brought up. */
  | { readonly kind: 'strangers'; readonly count: number }
  | { readonly kind: 'periods-missed'; readonly periods: number }
  | { readonly kind: 'real-time-refused'; readonly what: 'priority' | 'cpu'; readonly errorNumber: number }
);

/** The event whose words begin at `at`; undefined for a kind that this version does not know. */
export function readEvent(words: Uint32Array, at: number): NativeEvent | undefined {
  const cycle = words[at + 1]!;
  const subject = words[at + 2]!;
  const a = words[at + 3]!;
  const b = words[at + 4]!;
  switch (words[at]) {
    case 1:
      return { kind: 'engine-state', cycle, state: busStateOf(a), previous: busStateOf(b) };
    case 2:
    case 6:
      return {
        kind: words[at] === 2 ? 'sub-device-state' : 'sub-device-returned',
        cycle,
        position: subject,
        state: subDeviceStateOf(a),
        error: (a & 0x10) !== 0,
        alStatusCode: b,
      };
    case 3:
      return { kind: 'working-counter', cycle, datagram: subject, received: a, expected: b };
    case 4:
      return { kind: 'working-counter-restored', cycle, datagram: subject };
    case 5:
      return { kind: 'sub-device-lost', cycle, position: subject };
    case 7:
      return { kind: 'frames-lost', cycle, frames: a };
    case 8:
      return { kind: 'frames-restored', cycle, cycles: a };
    case 9:
      return { kind: 'link-down', cycle };
    case 10:
      return { kind: 'link-up', cycle };
    case 11:
      return { kind: 'lane-lost', cycle, lane: subject };
    case 12:
      return { kind: 'lane-live', cycle, lane: subject };
    case 13:
      return { kind: 'periods-missed', cycle, periods: a };
    case 14:
      return { kind: 'real-time-refused', cycle, what: a === 1 ? 'priority' : 'cpu', errorNumber: b };
    case 15:
      return { kind: 'lane-free', cycle, lane: subject };
    case 16:
      return { kind: 'interlock-fired', cycle, interlock: subject, cause: a === 1 ? 'invalid-input' : 'condition' };
    case 17:
      return { kind: 'interlock-released', cycle, interlock: subject, cause: a === 1 ? 'removed' : 'acknowledged' };
    case 18:
      return { kind: 'interlock-refused', cycle, interlock: subject };
    case 19:
      return { kind: 'consumer-late', cycle, consumer: subject, acknowledged: a, cyclesBehind: b };
    case 20:
      return { kind: 'strangers', cycle, count: a };
    default:
      return undefined;
  }
}

/** What can go wrong while a bus runs, as applications see it. */

import { getSystemErrorMap } from 'node:util';
import { EtherCatError } from './errors/ethercat-error.ts';
import type { NativeEvent } from './events.ts';
import { native } from './native.ts';
import { hex } from './network.ts';

/**
 * - `engine`: the engine stopped by a defect, or SubDevices failed on the way to OP; no more cycles in the first case;
 * - `sub-device-lost`: a SubDevice does not answer;
 * - `sub-device-state`: a SubDevice reports an error, most often since it left OP;
 * - `sub-device-unknown`: a SubDevice answers that was not brought up: plugged in since, or started anew;
 * - `working-counter`: a datagram came back with a wrong working counter, and it is not known yet by whom;
 * - `frames-lost`: frames did not come back in their cycle (once, until one comes back);
 * - `link-down`: the carrier is gone;
 * - `lane-lost`: the thread of a lane was silent for too long, or ended; its outputs went to their loss values;
 * - `interlock`: one fired, and forces its outputs until it is acknowledged; `states$` says when it is released;
 * - `consumer-late`: a thread in lockstep has not acknowledged for too long, virtual time goes on without it;
 * - `periods-missed`: the cycle thread was late by whole periods, which have been left out;
 * - `real-time-refused`: the system refused the priority or the CPU that was asked for; found at open, and lasts;
 * - `decode-worker`: a decode worker crashed, was killed or fell silent; it is being replaced;
 * - `subscriber`: a subscriber of the application threw.
 */
export type FaultKind =
  | 'engine'
  | 'sub-device-lost'
  | 'sub-device-state'
  | 'sub-device-unknown'
  | 'working-counter'
  | 'frames-lost'
  | 'link-down'
  | 'lane-lost'
  | 'interlock'
  | 'consumer-late'
  | 'periods-missed'
  | 'real-time-refused'
  | 'decode-worker'
  | 'subscriber';

/** Something went wrong. Cycles go on, unless `kind` is `engine`. */
export interface Fault {
  /** What happened, for programs. */
  readonly kind: FaultKind;
  /** Number of the cycle in which it was found, where one is known; does not wrap. */
  readonly cycle: number | undefined;
  /** What, of whom, and what to do; `position`, `subDevice` and `tag` say what it concerns. */
  readonly error: EtherCatError;
}

/** A lane whose thread missed its deadline, or has ended. */
export function laneLost(name: string, cycle: number | undefined, hasEnded = false): Fault {
  const why = hasEnded ? 'belonged to a thread that has ended' : 'missed its deadline';
  const message = `lane ${name} ${why}, its outputs go to their loss values`;
  return { kind: 'lane-lost', cycle, error: new EtherCatError('ECAT_ERR_LANE_LOST', message, { lane: name }) };
}

/** The fault in an event; undefined where the event is none, or is about a lane (`lane-keeper.ts`). */
export function faultOfEvent(
  event: NativeEvent,
  cycle: number,
  names: readonly string[],
  interlocks: readonly string[],
): Fault | undefined {
  const of = (position: number): { position: number; subDevice: string | undefined } => ({
    position,
    subDevice: names[position],
  });
  switch (event.kind) {
    case 'sub-device-lost': {
      const { position } = event;
      const error = new EtherCatError(
        'ECAT_ERR_SUBDEVICE_LOST',
        `${names[position]} at position ${position} does not answer`,
        of(position),
      );
      return { kind: 'sub-device-lost', cycle, error };
    }
    case 'sub-device-state':
    case 'sub-device-returned': {
      if (!event.error && event.alStatusCode === 0) return undefined;
      const { position, state, alStatusCode } = event;
      const reason =
        alStatusCode === 0
          ? 'it reports an error without a code'
          : `${native().alStatusCodeText(alStatusCode)} (AL status code ${hex(alStatusCode, 4)})`;
      const message = `${names[position]} at position ${position} is in ${state}: ${reason}`;
      return {
        kind: 'sub-device-state',
        cycle,
        error: new EtherCatError('ECAT_ERR_STATE_REFUSED', message, { ...of(position), alStatusCode }),
      };
    }
    case 'working-counter': {
      const { datagram, received, expected } = event;
      const message = `datagram ${datagram} came back with working counter ${received} instead of ${expected}`;
      return { kind: 'working-counter', cycle, error: new EtherCatError('ECAT_ERR_WORKING_COUNTER', message) };
    }
    case 'strangers': {
      const { count } = event;
      const who = count === 1 ? '1 SubDevice answers that was' : `${count} SubDevices answer that were`;
      const message = `${who} not brought up`;
      return { kind: 'sub-device-unknown', cycle, error: new EtherCatError('ECAT_ERR_SUBDEVICE_UNKNOWN', message) };
    }
    case 'frames-lost': {
      const message = `${event.frames} ${event.frames === 1 ? 'frame' : 'frames'} of the cycle did not come back`;
      return { kind: 'frames-lost', cycle, error: new EtherCatError('ECAT_ERR_FRAMES_LOST', message) };
    }
    case 'link-down':
      return {
        kind: 'link-down',
        cycle,
        error: new EtherCatError('ECAT_ERR_LINK_DOWN', 'the network interface has no carrier'),
      };
    case 'interlock-fired': {
      const why = event.cause === 'condition' ? 'its condition holds' : 'its input is not good';
      const message = `interlock ${interlocks[event.interlock]} fired: ${why}; it forces its outputs until it is acknowledged`;
      return { kind: 'interlock', cycle, error: new EtherCatError('ECAT_ERR_INTERLOCK_FIRED', message) };
    }
    case 'consumer-late': {
      const { consumer, cyclesBehind } = event;
      const message = `consumer ${consumer} in lockstep is ${cyclesBehind} ${cyclesBehind === 1 ? 'cycle' : 'cycles'} behind and not waited for`;
      return { kind: 'consumer-late', cycle, error: new EtherCatError('ECAT_ERR_CONSUMER_LATE', message) };
    }
    case 'periods-missed': {
      const message = `${event.periods} ${event.periods === 1 ? 'period' : 'periods'} passed without a cycle, the cycle thread was late`;
      return { kind: 'periods-missed', cycle, error: new EtherCatError('ECAT_ERR_PERIODS_MISSED', message) };
    }
    case 'real-time-refused': {
      const { what, errorNumber } = event;
      const reason = getSystemErrorMap().get(-errorNumber)?.[1] ?? `error ${errorNumber}`;
      const message = `the system refused the ${what} of the cycle thread: ${reason}`;
      return { kind: 'real-time-refused', cycle, error: new EtherCatError('ECAT_ERR_REAL_TIME_REFUSED', message) };
    }
    default:
      return undefined;
  }
}

/** A simulated segment from outside: its devices, its cable, its time. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { SegmentFault } from '../core/configuration/fault-types.ts';
import { checkInjected } from '../core/configuration/faults.ts';
import { camelCased } from '../core/configuration/segment.ts';
import type { SegmentDescription } from '../core/configuration/segment-types.ts';
import { EtherCatError } from '../core/errors/ethercat-error.ts';
import { translated } from '../core/errors/from-binding.ts';
import { SegmentPort } from '../core/segment-port.ts';
import { checkVirtualCycles } from '../core/virtual-time.ts';
import { Condition } from './conditions.ts';
import { type FaultHits, InjectedFault } from './injected-fault.ts';
import { type IntervalScript, Scripts } from './scripts.ts';
import { SegmentServer, type ServeOptions } from './segment-server.ts';
import { SimulatedDevice } from './simulated-device.ts';

const NS_PER_MS = 1e6;
/** In such steps time passes where no MainDevice makes cycles. */
const STEP_NS = 1e6;
/** How often something is looked at on the wall clock. */
const LOOK_MS = 2;

/** How long to wait. */
export interface UntilOptions {
  /** Limit in ms of the segment's time. */
  readonly withinMs: number;
}

/** A function that says whether it is so, looked at after each cycle. */
export type Predicate = () => boolean | Promise<boolean>;

/** @internal A MainDevice that has the segment, as far as it drives time. */
export interface TimeDriver {
  readonly cyclePeriodNs: number;
  /** Runs cycles in lockstep. */
  advance(cycles: number): Promise<unknown>;
  /** Runs cycles while this thread does nothing else. */
  stall(cycles: number): void;
}

/**
 * A simulated segment. It is there from {@link simulate} on, with its devices just powered on; MainDevices can be opened on
 * it one after another, and it stays as they leave it. Devices are found by name; what is asked of them works at any
 * time, in virtual time without any of it passing.
 */
export class SimulatedSegment {
  /** What it was built from. */
  readonly description: SegmentDescription;
  /** In the order of their numbers. */
  readonly devices: readonly SimulatedDevice[];
  /** @internal */
  readonly port: SegmentPort;
  readonly #scripts: Scripts;
  #driver: TimeDriver | undefined;

  /** @internal */
  constructor(description: SegmentDescription, virtualTime: boolean) {
    this.description = description;
    this.port = new SegmentPort(description, virtualTime);
    const { port } = this;
    const scripts = new Scripts({
      nowNs: () => port.nowNs,
      virtualTime,
      report: (error) => process.emitWarning(error instanceof Error ? error : new Error(String(error))),
    });
    this.#scripts = scripts;
    this.devices = port.devices.map((directory, device) => new SimulatedDevice({ port, scripts, device }, directory));
  }

  /** Whether its time is virtual: it passes only when it is advanced. */
  get virtualTime(): boolean {
    return this.port.virtualTime;
  }

  /** Its time, in ms: that of the last frame, or where nobody has it, of the last request. */
  get nowMs(): number {
    return this.port.nowNs / NS_PER_MS;
  }

  /** A device by its name or number. @throws `ECAT_ERR_DEVICE_MISSING` */
  device(nameOrNumber: string | number): SimulatedDevice {
    const found = this.devices.find(({ name, number }) => name === nameOrNumber || number === nameOrNumber);
    if (found !== undefined) return found;
    const names = this.devices.map(({ name }) => name).join(', ');
    throw new EtherCatError('ECAT_ERR_DEVICE_MISSING', `the segment has no device ${nameOrNumber}, but ${names}`, {
      action: 'Compare the name with those of the segment file.',
    });
  }

  /**
   * Virtual time only: lets time pass, and resolves with {@link nowMs} when it has. A MainDevice that is open on the
   * segment runs its cycles in lockstep: each waits until this thread is done with the one before, scripts included, so
   * that what is written in reaction to a cycle goes with the next.
   *
   * @param time - ms, rounded up to whole cycles; or cycles of the MainDevice
   * @throws (rejects with) `ECAT_ERR_INVALID_ARGUMENT` on the wall clock, for a time below 0, and for cycles without a
   * MainDevice; `ECAT_ERR_CLOSED` when the MainDevice closes meanwhile; what a script throws
   */
  async advance(time: number | { readonly cycles: number }): Promise<number> {
    const driver = this.#driver;
    if (typeof time === 'object') {
      checkVirtualCycles(this, time.cycles);
      if (driver === undefined) {
        throw new EtherCatError('ECAT_ERR_INVALID_ARGUMENT', 'no MainDevice is open on the segment: it has no cycles');
      }
      await driver.advance(time.cycles);
      return this.nowMs;
    }
    checkVirtualCycles(this, 0);
    if (!(time >= 0 && Number.isFinite(time))) {
      throw new EtherCatError('ECAT_ERR_INVALID_ARGUMENT', `expected a time in ms from 0, got ${time}`);
    }
    if (driver === undefined) await this.#passAlone(Math.round(time * NS_PER_MS));
    else await driver.advance(Math.ceil((time * NS_PER_MS) / driver.cyclePeriodNs));
    return this.nowMs;
  }

  /**
   * Waits until something is so, and lets virtual time pass for it. A {@link Condition} is looked at by the segment after
   * every frame; a function after every cycle, or every few ms on the wall clock.
   *
   * @returns the segment's time in ms when it was so
   * @throws (rejects with) `ECAT_ERR_CONDITION_UNMET` with what was seen last; what the function throws; as `advance`
   */
  async until(condition: Condition | Predicate, { withinMs }: UntilOptions): Promise<number> {
    if (!(withinMs >= 0)) {
      throw new EtherCatError('ECAT_ERR_INVALID_ARGUMENT', `withinMs: expected a time in ms from 0, got ${withinMs}`);
    }
    return condition instanceof Condition
      ? await this.#untilHeld(condition, withinMs)
      : await this.#untilTrue(condition, withinMs);
  }

  /**
   * Runs a function every so many ms of the segment's time. In virtual time it runs between two cycles, the first one
   * at or after that time, and time waits for what it returns; what it throws, `advance` rejects with. On the wall
   * clock it is a timer: some ms late, and what it throws is a warning of the process.
   *
   * @returns ends that
   */
  every(periodMs: number, run: IntervalScript): () => void {
    if (!(periodMs > 0 && Number.isFinite(periodMs))) {
      throw new EtherCatError('ECAT_ERR_INVALID_ARGUMENT', `expected a period in ms above 0, got ${periodMs}`);
    }
    return this.#scripts.every(periodMs, run);
  }

  /**
   * Something goes wrong from now on: where, when and what, in the form of a segment file's `faults`. It begins before the
   * next frame, in the order of the calls.
   *
   * @throws `ECAT_ERR_INVALID_ARGUMENT` with what does not fit, `ECAT_ERR_REQUEST_QUEUE_FULL`
   */
  inject(fault: SegmentFault): InjectedFault {
    try {
      return new InjectedFault(this.port, this.port.inject(camelCased(fault)));
    } catch (error) {
      // The simulator names keys as JSON has them; only who made a mistake waits for the schema.
      checkInjected(fault);
      throw error;
    }
  }

  /** All faults end. @throws `ECAT_ERR_REQUEST_QUEUE_FULL` */
  clearFaults(): void {
    this.port.clearFaults();
  }

  /** What faults have done since this was last called: the newest 512, and how many were lost before them. */
  hits(): FaultHits {
    return JSON.parse(translated(() => this.port.binding.readHits())) as FaultHits;
  }

  /** The next frames do not come back; the devices have processed them. */
  loseFrames(count: number): void {
    this.port.command({ kind: 'loseFrames', count });
  }

  /** The answers to the next frames arrive only after so many further frames were sent. */
  delayFrames(count: number, byFrames: number): void {
    this.port.command({ kind: 'delayFrames', count, byFrames });
  }

  /** All cables are whole again. */
  mendCables(): void {
    this.port.command({ kind: 'mendCable' });
  }

  /** The carrier is gone. */
  linkDown(): void {
    this.port.command({ kind: 'linkDown' });
  }

  /** The carrier is back. */
  linkUp(): void {
    this.port.command({ kind: 'linkUp' });
  }

  /** The link panics in its next send: a defect inside the engine, for tests. */
  panic(): void {
    this.port.command({ kind: 'panic' });
  }

  /**
   * Virtual time only: blocks this thread while so many cycles of the MainDevice run, as a long computation would.
   * Afterwards its lane may be lost, and what it missed arrives as one change per tag.
   *
   * @throws `ECAT_ERR_INVALID_ARGUMENT` on the wall clock, without a MainDevice, or for anything but a whole number from 0;
   * `ECAT_ERR_CLOSED`
   */
  stall(cycles: number): void {
    checkVirtualCycles(this, cycles);
    if (this.#driver === undefined) {
      throw new EtherCatError('ECAT_ERR_INVALID_ARGUMENT', 'no MainDevice is open on the segment: it has no cycles');
    }
    this.#driver.stall(cycles);
  }

  /**
   * Serves it on a network card, for any MainDevice on the other end of the cable. Needs root or CAP_NET_RAW.
   *
   * @throws `ECAT_ERR_LINK_*`; `ECAT_ERR_INVALID_ARGUMENT` in virtual time, which a card does not keep
   */
  serve(interfaceName: string, options: ServeOptions = {}): SegmentServer {
    if (this.virtualTime) {
      const message = "a network card keeps wall time: simulate(…, { time: 'wall' })";
      throw new EtherCatError('ECAT_ERR_INVALID_ARGUMENT', message);
    }
    return new SegmentServer(this.port, interfaceName, options);
  }

  /** @internal A MainDevice drives its time from now on. */
  attach(driver: TimeDriver): void {
    this.#driver = driver;
  }

  /** @internal */
  detach(driver: TimeDriver): void {
    if (this.#driver === driver) this.#driver = undefined;
  }

  /** @internal A cycle has passed: what was waited for, and scripts. */
  async step(): Promise<void> {
    this.port.settle();
    await this.#scripts.run();
  }

  async #passAlone(ns: number): Promise<void> {
    const endNs = this.port.nowNs + ns;
    for (;;) {
      const { nowNs } = this.port;
      const byNs = Math.ceil(
        Math.min(endNs - nowNs, STEP_NS, Math.max(this.#scripts.nextDueMs * NS_PER_MS - nowNs, 1)),
      );
      if (nowNs >= endNs) return;
      await this.port.ask('the time', { kind: 'advance', byNs });
      await this.step();
    }
  }

  /** One step of time: a cycle, a ms without cycles, or a short sleep. */
  async #passStep(): Promise<void> {
    if (!this.virtualTime) await sleep(LOOK_MS);
    else if (this.#driver === undefined) await this.#passAlone(STEP_NS);
    else await this.#driver.advance(1);
  }

  async #untilHeld(condition: Condition, withinMs: number): Promise<number> {
    let atNs: number | undefined;
    let last: readonly (string | number | null)[] = [];
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    const end = this.port.watch(condition.request(), false, (answer) => {
      if (answer.held === true) ({ atNs } = answer);
      last = answer.last ?? [];
      resolve();
    });
    try {
      const endNs = await this.#limitNs(withinMs);
      while (atNs === undefined && this.port.nowNs < endNs) await this.#passStep();
    } finally {
      end();
    }
    // Another MainDevice may have let time pass: what came last counts.
    this.port.settle();
    if (atNs === undefined) await ended;
    if (atNs !== undefined) return atNs / NS_PER_MS;
    throw unmet(String(condition), withinMs, condition.seen(last));
  }

  async #untilTrue(predicate: Predicate, withinMs: number): Promise<number> {
    const endNs = await this.#limitNs(withinMs);
    while (!(await predicate())) {
      if (this.port.nowNs >= endNs) throw unmet(predicate.name === '' ? String(predicate) : predicate.name, withinMs);
      await this.#passStep();
    }
    return this.nowMs;
  }

  /** Everything that was asked before has been served, and a condition that holds already has been seen. */
  async #limitNs(withinMs: number): Promise<number> {
    const { atNs } = await this.port.ask('the time', { kind: 'state', device: 0 });
    return atNs + withinMs * NS_PER_MS;
  }
}

function unmet(what: string, withinMs: number, seen?: string): EtherCatError {
  const message = `not within ${withinMs} ms: ${what}${seen === undefined ? '' : `; last seen: ${seen}`}`;
  return new EtherCatError('ECAT_ERR_CONDITION_UNMET', message);
}

/** The embedded simulated segment, as a test or a demo drives it. */

import { EtherCatError } from './errors/ethercat-error.ts';
import type { Session } from './session.ts';

/**
 * Faults and inputs of the simulated segment behind a bus. Commands are taken by the cycle thread before its next
 * frame. Devices are numbered by their place in the segment, from 0, whether or not they answer at the moment.
 *
 * Every method throws `ECAT_ERR_INVALID_ARGUMENT` for arguments out of range and `ECAT_ERR_INTERNAL` when more
 * commands wait than the segment's queue holds.
 */
export class Simulator {
  readonly #session: Session;

  /** @internal */
  constructor(session: Session) {
    this.#session = session;
  }

  /** The device loses its power; frames still pass to its neighbours. */
  unplug(device: number): void {
    this.#send({ kind: 'unplug', device });
  }

  /** Its power returns: it is in INIT, without address and settings. */
  plug(device: number): void {
    this.#send({ kind: 'plug', device });
  }

  /** The next frames do not come back; the devices have processed them. */
  loseFrames(count: number): void {
    this.#send({ kind: 'loseFrames', count });
  }

  /** The answers to the next frames arrive only after so many further frames were sent. */
  delayFrames(count: number, byFrames: number): void {
    this.#send({ kind: 'delayFrames', count, byFrames });
  }

  /** The cable behind a device is cut: what is behind it keeps its power, but sees no frames. */
  cutCable(after: number): void {
    this.#send({ kind: 'cutCable', after });
  }

  /** All cables are whole again. */
  mendCable(): void {
    this.#send({ kind: 'mendCable' });
  }

  /** The cable in a port (0 to 3) of a device is cut. Port 0 leads to the MainDevice. */
  cutCableAt(device: number, port: number): void {
    this.#send({ kind: 'cutCableAt', device, port });
  }

  /** The cable in that port is whole again. */
  mendCableAt(device: number, port: number): void {
    this.#send({ kind: 'mendCableAt', device, port });
  }

  /** The port is closed, whatever is plugged in: frames loop inside the device. */
  closePort(device: number, port: number): void {
    this.#send({ kind: 'closePort', device, port });
  }

  /** The port opens and closes by itself again. */
  openPort(device: number, port: number): void {
    this.#send({ kind: 'openPort', device, port });
  }

  /** The next frames get a bad checksum on their way into a port: they are counted, and do not come back. */
  corruptFrames(device: number, port: number, count: number): void {
    this.#send({ kind: 'corruptFrames', device, port, count });
  }

  /** The carrier is gone. */
  linkDown(): void {
    this.#send({ kind: 'linkDown' });
  }

  /** The carrier is back. */
  linkUp(): void {
    this.#send({ kind: 'linkUp' });
  }

  /** The link panics in its next send: a defect inside the engine, for tests. */
  panic(): void {
    this.#send({ kind: 'panic' });
  }

  /**
   * Sets an input as the process behind the device would. A signal on the same bits overwrites it.
   *
   * @param device - place of the device in the segment
   * @param bitOffset - from the start of the device's inputs
   * @param bitLength - 1 to 53
   * @param value - its lowest bits are taken
   */
  setInput(device: number, bitOffset: number, bitLength: number, value: number | boolean): void {
    const bits = Number(value);
    if (!Number.isSafeInteger(bits) || bitLength > 53) {
      throw new EtherCatError(
        'ECAT_ERR_INVALID_ARGUMENT',
        `value: expected a whole number of up to 53 bits, got ${value}`,
      );
    }
    this.#send({
      kind: 'setInput',
      device,
      bitOffset,
      bitLength,
      value: Number(BigInt.asUintN(bitLength, BigInt(bits))),
    });
  }

  /**
   * Virtual time only: blocks this thread while so many cycles run, as a long computation would. Afterwards its lane
   * may be lost, and what it missed arrives as one change per tag.
   *
   * @throws `ECAT_ERR_INVALID_ARGUMENT` on the wall clock or for anything but a whole number from 0, `ECAT_ERR_CLOSED`
   */
  stall(cycles: number): void {
    checkVirtualCycles(this.#session.configuration, cycles);
    this.#session.stall(cycles);
  }

  #send(command: object): void {
    this.#session.segmentCommand(command);
  }
}

/** @throws `ECAT_ERR_INVALID_ARGUMENT` unless time is virtual and `cycles` a whole number from 0 */
export function checkVirtualCycles({ virtualTime }: { readonly virtualTime: boolean }, cycles: number): void {
  if (!virtualTime)
    throw new EtherCatError('ECAT_ERR_INVALID_ARGUMENT', 'only virtual time can be advanced (time: virtual)');
  if (!Number.isSafeInteger(cycles) || cycles < 0) {
    throw new EtherCatError('ECAT_ERR_INVALID_ARGUMENT', `cycles: expected a whole number from 0, got ${cycles}`);
  }
}

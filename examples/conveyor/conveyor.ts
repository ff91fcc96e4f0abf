/**
 * The application: it brings boxes to a light barrier one by one. The belt stops for a box until {@link Conveyor.take} says
 * that it was taken. When the drive does not answer any more, the fault lamp is lit and the belt stays where it is.
 */

import type { MainDevice } from '../../src/index.ts';

/** Of the belt, in mm/s. */
export const SPEED = 250;

/** Cyclic synchronous velocity (CiA 402). */
const CSV = 9;

/** What the drive is told next, by the state that its statusword shows (CiA 402): up to operation enabled. */
function controlwordFor(statusword: number): number {
  if ((statusword & 0x4f) === 0x08) return 0x80; // fault: reset it
  if ((statusword & 0x4f) === 0x40) return 0x06; // switch on disabled: shutdown
  if ((statusword & 0x6f) === 0x21) return 0x07; // ready to switch on: switch on
  return 0x0f; // switched on: enable operation
}

const isEnabled = (statusword: number): boolean => (statusword & 0x6f) === 0x27;

export type ConveyorState = 'off' | 'moving' | 'waiting' | 'broken';

/** The control of one conveyor, until its bus is closed. */
export class Conveyor {
  /** Boxes that came to the barrier. */
  boxes = 0;
  state: ConveyorState = 'off';
  readonly #bus: MainDevice;

  constructor(bus: MainDevice) {
    this.#bus = bus;
    bus.tag<number>('belt.statusword').value$.subscribe(({ quality }) => {
      if (quality === 'bad') this.#enter('broken');
      else this.#drive();
    });
    bus.tag<boolean>('barrier.blocked').edges$.subscribe(({ edge }) => {
      if (edge !== 'rising' || this.state !== 'moving') return;
      this.boxes += 1;
      this.#enter('waiting');
    });
  }

  /** The belt moves. */
  start(): void {
    if (this.state === 'off') this.#enter('moving');
  }

  /** The box at the barrier was taken: the next one may come. */
  take(): void {
    if (this.state === 'waiting') this.#enter('moving');
  }

  #enter(state: ConveyorState): void {
    // Nobody knows what the drive has done meanwhile: this control does not start it again.
    if (this.state === 'broken') return;
    this.state = state;
    this.#drive();
  }

  /** Writes the outputs that follow from the state. */
  #drive(): void {
    if (this.state === 'off') return;
    const { value: statusword } = this.#bus.tag<number>('belt.statusword');
    const isBroken = this.state === 'broken';
    const moves = this.state === 'moving' && isEnabled(statusword);
    this.#bus
      .write({
        'belt.mode': CSV,
        'belt.controlword': isBroken ? 0 : controlwordFor(statusword),
        'belt.target_speed': moves ? SPEED : 0,
        'lamp.running': moves,
        'lamp.fault': isBroken,
      })
      // What was not carried is not lost on anybody: the drive is bad, or the bus was closed.
      .catch(() => undefined);
  }
}

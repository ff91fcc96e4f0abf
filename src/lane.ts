/** A lane of the configuration in the hands of the thread that opened the bus. */

import type { BusView } from './core/bus-view.ts';
import { EtherCatError } from './core/errors/ethercat-error.ts';
import type { OutputLane, WriteResult } from './core/outputs.ts';
import type { TagValue } from './core/tag-types.ts';

/** Outputs with a writer, deadline and loss of their own. Made by `MainDevice.lane()`. */
export class Lane implements Disposable {
  /** Name of the configuration. */
  readonly name: string;
  /** Names of its outputs. */
  readonly outputs: readonly string[];
  readonly #lane: OutputLane;
  readonly #view: BusView;
  #released = false;

  /** @internal */
  constructor(lane: OutputLane, view: BusView) {
    this.name = lane.name;
    this.outputs = Object.freeze(view.owners.tagsOf(lane.number).map((tag) => view.directory.name(tag)));
    this.#lane = lane;
    this.#view = view;
  }

  /** Whether its outputs are at their loss values, until {@link Lane.resume}. */
  get isLost(): boolean {
    return this.#lane.isLost;
  }

  /** Writes outputs of this lane, all in the same cycle; as `MainDevice.write`. */
  write(values: Readonly<Record<string, TagValue>>): Promise<WriteResult> {
    return this.#released ? Promise.reject(released(this.name)) : this.#lane.write(values);
  }

  /** Takes the outputs up again after the lane was lost; as `MainDevice.resume`. */
  resume(): Promise<WriteResult> {
    return this.#released ? Promise.reject(released(this.name)) : this.#lane.resume();
  }

  /** Gives the lane up: its outputs go to their loss values, and another thread can take it over. Idempotent. */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    if (!this.#view.isReleased) this.#view.giveUp(this.#lane);
  }

  [Symbol.dispose](): void {
    this.release();
  }
}

function released(name: string): EtherCatError {
  return new EtherCatError('ECAT_ERR_CLOSED', `lane ${name} was given up`, { lane: name });
}

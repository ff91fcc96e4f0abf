/** Whoever drives the outputs of the demo: a person at the keys, or the demo itself where there is nobody. */

import { EtherCatError } from '../core/errors/ethercat-error.ts';
import type { DemoModel, TagRow } from './demo-model.ts';
import type { Value } from './format.ts';

/** What is needed of a bus. */
interface Outputs {
  write(values: Record<string, boolean | number | bigint>): Promise<unknown>;
  resume(): Promise<unknown>;
}

/** How often the demo toggles an output by itself. */
const PLAY_MS = 1000;
/** Raw steps that one press of `+` or `-` makes. */
const STEP_RAW = 100;
/** Time in which the bus surely has said that it sends what was written. */
const ECHO_MS = 300;

/** Writes outputs; a write that fails is told and does no harm. */
export class Operator {
  readonly #outputs: Outputs;
  readonly #model: DemoModel;
  readonly #onFailure: (error: EtherCatError) => void;
  #playing: NodeJS.Timeout | undefined;
  /** What was written last: keys come faster than the bus says what it sends. */
  #wanted: { name: string; value: Value; atMs: number } | undefined;

  constructor(outputs: Outputs, model: DemoModel, onFailure: (error: EtherCatError) => void) {
    this.#outputs = outputs;
    this.#model = model;
    this.#onFailure = onFailure;
  }

  /** Does what a key asks for. */
  press(key: string): void {
    switch (key) {
      case 'up':
        this.#model.choose(-1);
        break;
      case 'down':
        this.#model.choose(1);
        break;
      case 'space':
        this.#toggle();
        break;
      case '+':
      case 'right':
        this.#step(1);
        break;
      case '-':
      case 'left':
        this.#step(-1);
        break;
      default:
        break;
    }
  }

  /** Toggles the first switch once a second. Only for simulated segments: nobody asked for it. */
  play(): void {
    this.#playing ??= setInterval(() => this.#toggle(), PLAY_MS);
  }

  stop(): void {
    clearInterval(this.#playing);
  }

  /** What became of a resumption shows with the next write. */
  readonly #ignore = (): void => undefined;

  #toggle(): void {
    const chosen = this.#model.chosen();
    const value = this.#current(chosen);
    if (chosen !== undefined && typeof value === 'boolean') this.#write(chosen.name, !value);
  }

  #step(direction: 1 | -1): void {
    const chosen = this.#model.chosen();
    const value = this.#current(chosen);
    if (chosen !== undefined && typeof value === 'number') {
      // Rounded to whole raw steps, so that a hundred presses do not add up to 99.99999.
      const steps = Math.round(value / chosen.scale) + direction * STEP_RAW;
      this.#write(chosen.name, steps * chosen.scale);
    } else if (chosen !== undefined && typeof value === 'bigint') {
      this.#write(chosen.name, value + BigInt(direction * STEP_RAW));
    }
  }

  #current(chosen: TagRow | undefined): Value {
    const wanted = this.#wanted;
    const isFresh = wanted !== undefined && wanted.name === chosen?.name && Date.now() - wanted.atMs < ECHO_MS;
    return isFresh ? wanted.value : chosen?.value;
  }

  #write(name: string, value: boolean | number | bigint): void {
    this.#wanted = { name, value, atMs: Date.now() };
    const onFailure = (thrown: unknown): void => {
      const error = EtherCatError.from(thrown);
      this.#wanted = undefined;
      this.#onFailure(error);
      // Silence took the outputs to their loss values; a key is a person who looks, so the next one may write again.
      if (error.code === 'ECAT_ERR_LANE_LOST') this.#outputs.resume().catch(this.#ignore);
    };
    this.#outputs.write({ [name]: value }).catch(onFailure);
  }
}

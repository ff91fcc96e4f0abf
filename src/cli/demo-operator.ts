/** Whoever drives the outputs of the demo: a person at the keys, or the demo itself where there is nobody. */

import { EtherCatError } from '../core/errors/ethercat-error.ts';
import type { DemoModel } from './demo-model.ts';

/** What is needed of a bus. */
interface Outputs {
  write(values: Record<string, boolean | number | bigint>): Promise<unknown>;
  resume(): Promise<unknown>;
}

/** How often the demo toggles an output by itself. */
const PLAY_MS = 1000;
/** Raw steps that one press of `+` or `-` makes. */
const STEP_RAW = 100;

/** Writes outputs; a write that fails is told and does no harm. */
export class Operator {
  readonly #outputs: Outputs;
  readonly #model: DemoModel;
  readonly #onFailure: (error: EtherCatError) => void;
  #playing: NodeJS.Timeout | undefined;

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
    if (typeof chosen?.value === 'boolean') this.#write(chosen.name, !chosen.value);
  }

  #step(direction: 1 | -1): void {
    const chosen = this.#model.chosen();
    if (typeof chosen?.value === 'number') {
      // Rounded to whole raw steps, so that a hundred presses do not add up to 99.99999.
      const steps = Math.round(chosen.value / chosen.scale) + direction * STEP_RAW;
      this.#write(chosen.name, steps * chosen.scale);
    } else if (typeof chosen?.value === 'bigint') this.#write(chosen.name, chosen.value + BigInt(direction * STEP_RAW));
  }

  #write(name: string, value: boolean | number | bigint): void {
    const onFailure = (thrown: unknown): void => {
      const error = EtherCatError.from(thrown);
      this.#onFailure(error);
      // Silence took the outputs to their loss values; a key is a person who looks, so the next one may write again.
      if (error.code === 'ECAT_ERR_LANE_LOST') this.#outputs.resume().catch(this.#ignore);
    };
    this.#outputs.write({ [name]: value }).catch(onFailure);
  }
}

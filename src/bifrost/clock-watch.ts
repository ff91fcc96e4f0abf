/** Whether a SubDevice's clock follows the reference clock, looked at now and then behind the cyclic frames. */

import { BehaviorSubject, distinctUntilChanged, type Observable } from 'rxjs';
import { readClockDifference } from '../core/health.ts';
import type { SubDevice } from '../core/sub-device.ts';
import type { MainDevice } from '../main-device.ts';

/** Clocks that are further apart than this are not synchronised, by the field's common limit. */
export const CLOCK_DIFFERENCE_NS_MAX = 1000;
/** A clock that nothing corrects any more drifts by some µs in this time. */
const INTERVAL_MS = 500;

/** Of one connection. A SubDevice without a distributed clock, or on a bus without, has nothing to be out of step with. */
export class ClockWatch {
  readonly #subDevice: SubDevice;
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #synchronised: BehaviorSubject<boolean> = new BehaviorSubject(true);
  #reading = false;

  constructor({ configuration }: MainDevice, subDevice: SubDevice) {
    this.#subDevice = subDevice;
    if (!configuration.distributedClocks || !subDevice.hasDistributedClock) return;
    this.#timer = setInterval(() => void this.#look(), INTERVAL_MS).unref();
    void this.#look();
  }

  /** Whether it is in step, as far as is known. */
  get isSynchronised(): boolean {
    return this.#synchronised.value;
  }

  /** The same, and every change of it; completes with {@link stop}. */
  get synchronised$(): Observable<boolean> {
    return this.#synchronised.pipe(distinctUntilChanged());
  }

  /** Looks no more. */
  stop(): void {
    clearInterval(this.#timer);
    this.#synchronised.complete();
  }

  async #look(): Promise<void> {
    if (this.#reading) return;
    this.#reading = true;
    try {
      const difference = await readClockDifference(this.#subDevice);
      if (difference !== undefined) this.#synchronised.next(Math.abs(difference) <= CLOCK_DIFFERENCE_NS_MAX);
    } catch {
      // It is away, or the bus is closed: the qualities of its data say so.
    } finally {
      this.#reading = false;
    }
  }
}

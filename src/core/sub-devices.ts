/** The SubDevices of a session with their live states. */

import type { NativeEvent, SubDeviceState } from './events.ts';
import type { SubDeviceSummary } from './network.ts';
import { type Quality, qualityOf } from './quality.ts';
import type { Session } from './session.ts';
import type { SubDevice } from './sub-device.ts';

/** Keeps the states up to date by the events. */
export class SubDevices {
  readonly all: readonly SubDevice[];
  readonly #session: Session;
  readonly #states: SubDeviceState[];

  constructor(session: Session, names: readonly string[]) {
    this.#session = session;
    this.#states = session.subDevices.map(() => 'PRE-OP');
    this.all = Object.freeze(session.subDevices.map((found) => this.#view(found, names[found.position]!)));
  }

  /** Takes over what an event says of a SubDevice's state. */
  onEvent(event: NativeEvent): void {
    if (event.kind === 'sub-device-state' || event.kind === 'sub-device-returned')
      this.#states[event.position] = event.state;
    else if (event.kind === 'sub-device-lost') this.#states[event.position] = 'unknown';
  }

  #view(found: SubDeviceSummary, name: string): SubDevice {
    const { position, vendorId, productCode, revision, serial } = found;
    const stateOf = (): SubDeviceState => this.#states[position] ?? 'unknown';
    const qualityNow = (): Quality => this.#quality(position);
    return {
      name,
      position,
      orderName: found.name,
      description: found.description,
      identity: Object.freeze({ vendorId, productCode, revision, serial }),
      stationAddress: found.stationAddress,
      alias: found.alias,
      hasDistributedClock: found.hasDistributedClock,
      propagationDelayNs: found.propagationDelayNs,
      inputBits: found.inputBits,
      outputBits: found.outputBits,
      get state(): SubDeviceState {
        return stateOf();
      },
      get quality(): Quality {
        return qualityNow();
      },
    };
  }

  #quality(position: number): Quality {
    if (this.#session.hasEnded) return 'bad';
    return qualityOf(this.#session.newestSlot().bytes[this.#session.memory.sections.quality + position]!);
  }
}

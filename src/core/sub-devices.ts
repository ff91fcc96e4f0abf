/** The SubDevices of a bus with their live states. */

import type { BusView } from './bus-view.ts';
import type { NativeEvent, SubDeviceState } from './events.ts';
import type { SubDeviceSummary } from './network.ts';
import { type Quality, qualityOf } from './quality.ts';
import type { RegisterReader } from './registers.ts';
import type { SubDevice } from './sub-device.ts';

/** Keeps the states up to date by the events. */
export class SubDevices {
  readonly all: readonly SubDevice[];
  readonly #bus: BusView;
  readonly #registers: RegisterReader;
  readonly #states: SubDeviceState[];

  constructor(
    bus: BusView,
    registers: RegisterReader,
    subDevices: readonly SubDeviceSummary[],
    names: readonly string[],
  ) {
    this.#bus = bus;
    this.#registers = registers;
    this.#states = subDevices.map(() => 'PRE-OP');
    this.all = Object.freeze(subDevices.map((found) => this.#view(found, names[found.position]!)));
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
      mailboxProtocols: found.mailboxProtocols,
      inputOffset: found.inputOffset,
      outputOffset: found.outputOffset,
      inputBits: found.inputBits,
      outputBits: found.outputBits,
      get state(): SubDeviceState {
        return stateOf();
      },
      get quality(): Quality {
        return qualityNow();
      },
      readRegister: (register, length) => this.#registers.read(position, register, length),
    };
  }

  #quality(position: number): Quality {
    if (this.#bus.hasEnded) return 'bad';
    return qualityOf(this.#bus.newestSlot().bytes[this.#bus.memory.sections.quality + position]!);
  }
}

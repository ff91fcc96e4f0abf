/** One MainDevice a network interface, shared by all devices with that address and closed with the last of them. */

import { isDeepStrictEqual } from 'node:util';
import { EtherCatError } from '../core/errors/ethercat-error.ts';
import type { SubDevice } from '../core/sub-device.ts';
import { MainDevice } from '../main-device.ts';
import { Activity } from './activity.ts';
import { findSubDevice, type SegmentSource, segmentSource } from './device-configuration.ts';
import type { BifrostDevice } from './types.ts';

/** A device that is connected. */
export interface Connection {
  readonly bus: MainDevice;
  readonly subDevice: SubDevice;
  readonly activity: Activity;
}

interface SharedBus {
  readonly source: SegmentSource;
  readonly opening: Promise<MainDevice>;
  readonly aborting: AbortController;
  /** Devices that hold it, or wait for it. */
  holders: number;
}

/** Opens a segment; for tests. */
export type OpenSegment = (source: SegmentSource, signal: AbortSignal) => Promise<MainDevice>;

const openSegment: OpenSegment = (source, signal) =>
  MainDevice.open(source.source, { signal, ...(source.interface !== undefined && { interface: source.interface }) });

/** All connections of one handler, by id of the device. */
export class Connections {
  readonly #open: OpenSegment;
  readonly #buses: Map<string, SharedBus> = new Map();
  readonly #connected: Map<string, Promise<Connection>> = new Map();
  readonly #settled: Map<string, Connection> = new Map();

  constructor(open: OpenSegment = openSegment) {
    this.#open = open;
  }

  /** The connection of a device; undefined where there is none yet. */
  get(device: BifrostDevice): Connection | undefined {
    return this.#settled.get(device.id);
  }

  /**
   * The bus that runs on an interface, or is being opened there.
   * @throws (rejects with) `ECAT_ERR_ABORTED`; the opening goes on for whoever asked for it
   */
  async busAt(address: string, signal: AbortSignal | undefined): Promise<MainDevice | undefined> {
    const shared = this.#buses.get(address);
    return shared && abortable(shared.opening, signal);
  }

  /** Connects a device, or waits for the connection that is being made; without effect where there is one. */
  async connect(device: BifrostDevice, signal: AbortSignal | undefined): Promise<Connection> {
    const before = this.#connected.get(device.id);
    if (before !== undefined) return before;
    const connecting = this.#connect(device, signal);
    this.#connected.set(device.id, connecting);
    try {
      const connection = await connecting;
      this.#settled.set(device.id, connection);
      return connection;
    } catch (error) {
      this.#connected.delete(device.id);
      throw error;
    }
  }

  /** Ends a connection; the last one of an interface closes its MainDevice. Without effect where there is none. */
  async disconnect(device: BifrostDevice): Promise<void> {
    const connecting = this.#connected.get(device.id);
    if (connecting === undefined) return;
    this.#connected.delete(device.id);
    this.#settled.delete(device.id);
    const connected = await connecting.then(
      () => true,
      () => false,
    );
    if (connected) await this.#release(device.address);
  }

  /** Ends all of them. */
  async close(): Promise<void> {
    const buses = [...this.#buses.values()];
    this.#buses.clear();
    this.#connected.clear();
    this.#settled.clear();
    await Promise.all(buses.map(closeBus));
  }

  async #connect(device: BifrostDevice, signal: AbortSignal | undefined): Promise<Connection> {
    const shared = this.#share(device);
    shared.holders += 1;
    try {
      const bus = await abortable(shared.opening, signal);
      return { bus, subDevice: findSubDevice(device, bus.subDevices), activity: new Activity() };
    } catch (error) {
      await this.#release(device.address);
      throw error;
    }
  }

  #share(device: BifrostDevice): SharedBus {
    const { address } = device;
    const source = segmentSource(device);
    const before = this.#buses.get(address);
    if (before !== undefined) {
      if (!source.isOwn || isDeepStrictEqual(source.source, before.source.source)) return before;
      const message = `device ${device.name}: ${address} is open already, with another configuration than config says`;
      throw new EtherCatError('ECAT_ERR_LINK_BUSY', message, { subDevice: device.name });
    }
    const aborting = new AbortController();
    const shared: SharedBus = { source, aborting, opening: this.#open(source, aborting.signal), holders: 0 };
    // Whoever waits for it is told.
    shared.opening.catch(() => undefined);
    this.#buses.set(address, shared);
    return shared;
  }

  async #release(address: string): Promise<void> {
    const shared = this.#buses.get(address);
    if (shared === undefined) return;
    shared.holders -= 1;
    if (shared.holders > 0) return;
    this.#buses.delete(address);
    await closeBus(shared);
  }
}

async function closeBus({ aborting, opening }: SharedBus): Promise<void> {
  aborting.abort();
  await opening.then(
    (bus) => bus.close(),
    () => undefined,
  );
}

/** Waits for a promise that others wait for too; the signal ends the wait and nothing else. */
async function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = (): void =>
    reject(new EtherCatError('ECAT_ERR_ABORTED', 'given up, since its signal was aborted', { cause: signal.reason }));
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

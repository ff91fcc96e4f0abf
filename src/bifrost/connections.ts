/** One MainDevice a network interface, shared by all devices with that address and closed with the last of them. */

import { isDeepStrictEqual } from 'node:util';
import { EtherCatError } from '../core/errors/ethercat-error.ts';
import type { SubDevice } from '../core/sub-device.ts';
import { MainDevice } from '../main-device.ts';
import { Activity } from './activity.ts';
import { ClockWatch } from './clock-watch.ts';
import { findSubDevice, type SegmentSource, segmentSource } from './device-configuration.ts';
import type { BifrostDevice } from './types.ts';

/** A device that is connected. */
export interface Connection {
  readonly bus: MainDevice;
  readonly subDevice: SubDevice;
  readonly activity: Activity;
  readonly clock: ClockWatch;
}

interface SharedBus {
  readonly source: SegmentSource;
  readonly opening: Promise<MainDevice>;
  readonly aborting: AbortController;
  /** Devices that hold it, or wait for it. */
  holders: number;
}

/** A device that is connected, or being connected. */
interface Attachment {
  readonly address: string;
  readonly shared: SharedBus;
  readonly connecting: Promise<Connection>;
  /** The connection, once it is made. */
  connection: Connection | undefined;
}

/** Opens a segment; for tests. */
export type OpenSegment = (source: SegmentSource, signal: AbortSignal) => Promise<MainDevice>;

const openSegment: OpenSegment = (source, signal) =>
  MainDevice.open(source.source, { signal, ...(source.interface !== undefined && { interface: source.interface }) });

/** All connections of one handler, by id of the device. */
export class Connections {
  readonly #open: OpenSegment;
  readonly #buses: Map<string, SharedBus> = new Map();
  /** Buses that are on their way down, by address: nobody opens the interface before they are. */
  readonly #closing: Map<string, Promise<void>> = new Map();
  readonly #attached: Map<string, Attachment> = new Map();

  constructor(open: OpenSegment = openSegment) {
    this.#open = open;
  }

  /** The connection of a device; undefined where there is none yet. */
  get({ id, address }: BifrostDevice): Connection | undefined {
    const attachment = this.#attached.get(id);
    return attachment?.address === address ? attachment.connection : undefined;
  }

  /**
   * The bus that runs on an interface, or is being opened there.
   * @throws (rejects with) `ECAT_ERR_ABORTED`; the opening goes on for whoever asked for it
   */
  async busAt(address: string, signal: AbortSignal | undefined): Promise<MainDevice | undefined> {
    const shared = this.#buses.get(address);
    if (shared !== undefined) return abortable(shared.opening, signal);
    await abortable(this.#closing.get(address) ?? Promise.resolve(), signal);
    return undefined;
  }

  /**
   * Connects a device, or waits for the connection that is being made; without effect where there is one.
   * @throws (rejects with) also `ECAT_ERR_INVALID_ARGUMENT` where the connection of this id is to another SubDevice
   */
  async connect(device: BifrostDevice, signal: AbortSignal | undefined): Promise<Connection> {
    const before = this.#attached.get(device.id);
    if (before !== undefined) return this.#again(device, before, signal);
    const shared = this.#share(device);
    const connecting = this.#connect(device, shared, signal);
    const attachment: Attachment = { address: device.address, shared, connecting, connection: undefined };
    this.#attached.set(device.id, attachment);
    try {
      const connection = await connecting;
      if (this.#attached.get(device.id) !== attachment) {
        connection.clock.stop();
        const message = `device ${device.name} was disconnected while it was being connected`;
        throw new EtherCatError('ECAT_ERR_ABORTED', message, { subDevice: device.name });
      }
      attachment.connection = connection;
      return connection;
    } catch (error) {
      if (this.#attached.get(device.id) === attachment) this.#attached.delete(device.id);
      throw error;
    }
  }

  /** Ends a connection; the last one of an interface closes its MainDevice. Without effect where there is none. */
  async disconnect({ id, address }: BifrostDevice): Promise<void> {
    const attachment = this.#attached.get(id);
    if (attachment?.address !== address) return;
    this.#attached.delete(id);
    const connection = await attachment.connecting.catch(() => undefined);
    connection?.clock.stop();
    // Who failed to connect holds nothing.
    if (connection !== undefined) await this.#release(address, attachment.shared);
  }

  /** Ends all of them. */
  async close(): Promise<void> {
    for (const { connection } of this.#attached.values()) connection?.clock.stop();
    this.#attached.clear();
    for (const [address, shared] of this.#buses) this.#end(address, shared);
    await Promise.all(this.#closing.values());
  }

  /** A device of an id that is connected has to be the same. */
  async #again(device: BifrostDevice, before: Attachment, signal: AbortSignal | undefined): Promise<Connection> {
    const { address, shared } = before;
    const another = (which: string): EtherCatError =>
      new EtherCatError(
        'ECAT_ERR_INVALID_ARGUMENT',
        `device ${device.name}: its id ${device.id} is connected ${which}`,
        {
          subDevice: device.name,
          action:
            'Disconnect the device with the address and config that it was connected with, or give this one another id.',
        },
      );
    if (address !== device.address) throw another(`at ${address}, not at ${device.address}`);
    checkSource(device, shared.source);
    const connection = await abortable(before.connecting, signal);
    const found = findSubDevice(device, connection.bus.subDevices);
    if (found !== connection.subDevice) throw another(`to ${connection.subDevice.name}, not to ${found.name}`);
    return connection;
  }

  async #connect(device: BifrostDevice, shared: SharedBus, signal: AbortSignal | undefined): Promise<Connection> {
    shared.holders += 1;
    try {
      const bus = await abortable(shared.opening, signal);
      const subDevice = findSubDevice(device, bus.subDevices);
      return { bus, subDevice, activity: new Activity(), clock: new ClockWatch(bus, subDevice) };
    } catch (error) {
      await this.#release(device.address, shared);
      throw error;
    }
  }

  #share(device: BifrostDevice): SharedBus {
    const { address } = device;
    const before = this.#buses.get(address);
    if (before !== undefined) {
      checkSource(device, before.source);
      return before;
    }
    const source = segmentSource(device);
    const aborting = new AbortController();
    const closed = this.#closing.get(address);
    const open = (): Promise<MainDevice> => this.#open(source, aborting.signal);
    const opening = closed === undefined ? open() : closed.then(open);
    const shared: SharedBus = { source, aborting, opening, holders: 0 };
    // Whoever waits for it is told.
    opening.catch(() => undefined);
    this.#buses.set(address, shared);
    return shared;
  }

  /** The address may have another bus by now: this one alone is let go of. */
  async #release(address: string, shared: SharedBus): Promise<void> {
    shared.holders -= 1;
    if (shared.holders === 0 && this.#buses.get(address) === shared) this.#end(address, shared);
    if (shared.holders === 0) await this.#closing.get(address);
  }

  #end(address: string, shared: SharedBus): void {
    this.#buses.delete(address);
    const closing = closeBus(shared).then(() => {
      if (this.#closing.get(address) === closing) this.#closing.delete(address);
    });
    this.#closing.set(address, closing);
  }
}

/** @throws `ECAT_ERR_LINK_BUSY` where a device wants another segment than runs at its address */
function checkSource(device: BifrostDevice, running: SegmentSource): void {
  const { name, address } = device;
  const source = segmentSource(device);
  if (!source.isOwn || isDeepStrictEqual(source.source, running.source)) return;
  const message = `device ${name}: ${address} is open already, with another configuration than config says`;
  throw new EtherCatError('ECAT_ERR_LINK_BUSY', message, { subDevice: name });
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

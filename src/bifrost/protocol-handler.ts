/** Bifrost's protocol handler for EtherCAT: twelve methods over MainDevices that devices of one interface share. */

import { combineLatest, endWith, ignoreElements, map, type Observable, takeUntil } from 'rxjs';
import { EtherCatError } from '../core/errors/ethercat-error.ts';
import { hex } from '../core/network.ts';
import type { TagValue } from '../core/tag-types.ts';
import { type Connection, Connections, type OpenSegment } from './connections.ts';
import { checkDevice } from './device-configuration.ts';
import { checkHealth, qualityIn, readDiagnostics } from './diagnostics.ts';
import { discover, parseRange } from './discovery.ts';
import { noObjects, type ObjectAccess } from './objects.ts';
import { ProtocolError } from './protocol-error.ts';
import { prepareRead, prepareWrite, type Reading, watch } from './tag-access.ts';
import { parseTagAddress } from './tag-address.ts';
import type {
  BifrostBatchOperation,
  BifrostBatchResult,
  BifrostDataType,
  BifrostDevice,
  BifrostDeviceInfo,
  BifrostDiagnostics,
  BifrostHealthCheck,
  BifrostTag,
  BifrostTagUpdate,
} from './types.ts';
import { tagUpdates } from './updates.ts';
import { dataTypes } from './values.ts';

const AL_STATUS = 0x0130;
/** Bit of each mailbox protocol in word 0x1C of the SII. */
const mailboxProtocols = { aoe: 0x01, eoe: 0x02, coe: 0x04, foe: 0x08, soe: 0x10, voe: 0x20 } as const;
/** A screen's frame: more updates a second nobody sees. */
const UPDATE_INTERVAL_MS = 16;

/** How a handler works. */
export interface ProtocolHandlerOptions {
  /** The way to objects that are not in the process data. Without it they are refused with `ECAT_ERR_UNSUPPORTED`. */
  readonly objects?: ObjectAccess;
  /** Opens a segment; for tests. */
  readonly open?: OpenSegment;
}

/**
 * EtherCAT as a protocol of the Bifrost gateway. A device is a SubDevice, its address the network interface; devices with
 * the same address share one MainDevice, which is closed with the last of them.
 *
 * Every method rejects with a {@link ProtocolError}.
 */
export class EtherCatProtocolHandler implements AsyncDisposable {
  readonly #connections: Connections;
  readonly #objects: ObjectAccess;

  constructor({ objects = noObjects, open }: ProtocolHandlerOptions = {}) {
    this.#connections = new Connections(open);
    this.#objects = objects;
  }

  /**
   * Connects a device: opens its segment up to OP, or takes the one that is open, and checks that the SubDevice is who it
   * should be. Without effect on a device that is connected. Whatever fails leaves nothing behind.
   */
  async connect(device: BifrostDevice, { signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    await this.#attempt('connect', device.address, async () => {
      checkDevice(device);
      await this.#connections.connect(device, signal);
      device.connected = true;
      device.last_seen = new Date();
    });
  }

  /** Disconnects a device; the last one of a segment takes it to INIT with its outputs at their loss values. Idempotent. */
  async disconnect(device: BifrostDevice): Promise<void> {
    await this.#attempt('disconnect', device.address, async () => {
      await this.#connections.disconnect(device);
      device.connected = false;
    });
  }

  /**
   * Whether values are exchanged with the device: the bus and the SubDevice in OP, and its data not `bad`. A frame lost in
   * this very cycle disconnects nobody: a SubDevice that stays away is `bad` within a few cycles.
   */
  isConnected(device: BifrostDevice): boolean {
    const connection = this.#connections.get(device);
    if (connection === undefined) return false;
    const { bus, subDevice } = connection;
    return bus.state === 'OP' && subDevice.state === 'OP' && subDevice.quality !== 'bad';
  }

  /** Reads one tag, and writes value, quality and timestamp to it. Process data come from the newest cycle, without traffic. */
  async readTag(
    device: BifrostDevice,
    tag: BifrostTag,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<TagValue> {
    return this.#on(device, 'readTag', tag.address, async (connection) => {
      const reading = await prepareRead(connection, tag, this.#objects, options.signal)(connection.bus.snapshot());
      return fill(connection, tag, reading);
    });
  }

  /**
   * Writes one tag. Process data ride with the next cycle; the call returns when its frames came back as they should.
   * Whether the tag is writable is looked at before anything else.
   */
  async writeTag(
    device: BifrostDevice,
    tag: BifrostTag,
    value: TagValue,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<void> {
    const operation = 'writeTag';
    if (tag.writable !== true) throw ProtocolError.of(notWritable(tag), operation, tag.address);
    await this.#on(device, operation, tag.address, async (connection) => {
      const write = prepareWrite(connection, tag, value, this.#objects, options.signal);
      await (write.kind === 'process-data' ? connection.bus.write({ [write.name]: write.value }) : write.run());
    });
  }

  /**
   * Reads several tags: all process data from one cycle, objects one after the other per SubDevice. A tag that cannot be read
   * is in `errors` and disturbs no other.
   */
  async readMultipleTags(
    device: BifrostDevice,
    tags: readonly BifrostTag[],
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<BifrostBatchResult> {
    return this.#on(device, 'readMultipleTags', device.address, async (connection) => {
      const batch = new Batch();
      const snapshot = connection.bus.snapshot();
      await batch.each(tags, 'readMultipleTags', async (tag) =>
        fill(connection, tag, await prepareRead(connection, tag, this.#objects, options.signal)(snapshot)),
      );
      return batch.finish();
    });
  }

  /** Reads as {@link readMultipleTags} does, or writes: all process data in one cycle, and all of them or none. */
  async executeBatch(
    device: BifrostDevice,
    batch: BifrostBatchOperation,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<BifrostBatchResult> {
    if (batch.operation === 'read') return this.readMultipleTags(device, batch.tags, options);
    return this.#on(device, 'executeBatch', device.address, (connection) =>
      this.#writeBatch(connection, batch, options.signal),
    );
  }

  /**
   * Who is on the segments of one or several network interfaces (`"eth0"`, `"eth0,eth1"`): from the bus that runs there, or by
   * bringing the segment to PRE-OP and back. An interface without SubDevices gives none.
   */
  async discoverDevices(range: string, { signal }: { readonly signal?: AbortSignal } = {}): Promise<BifrostDevice[]> {
    return this.#attempt('discoverDevices', range, async () => {
      const devices: BifrostDevice[] = [];
      for (const address of parseRange(range)) {
        if (signal?.aborted) {
          throw new EtherCatError('ECAT_ERR_ABORTED', 'the discovery was aborted', { cause: signal.reason });
        }
        devices.push(...(await discover(address, await this.#connections.busAt(address, signal), signal)));
      }
      return devices;
    });
  }

  /** What the SubDevice is, by its EEPROM; its firmware version by its mailbox, where there is one. */
  async getDeviceInfo(device: BifrostDevice): Promise<BifrostDeviceInfo> {
    return this.#on(device, 'getDeviceInfo', device.address, async ({ bus, subDevice }) => {
      const { identity, inputBits, outputBits } = subDevice;
      const capabilities = Object.entries(mailboxProtocols)
        .filter(([, bit]) => (subDevice.mailboxProtocols & bit) !== 0)
        .map(([name]) => name);
      if (subDevice.hasDistributedClock) capabilities.push('dc');
      if (inputBits > 0) capabilities.push('inputs');
      if (outputBits > 0) capabilities.push('outputs');
      const version = capabilities.includes('coe')
        ? await this.#objects.read({ bus, subDevice, index: 0x100a, subindex: 0, type: 'string' }).catch(() => '')
        : '';
      return {
        vendor: hex(identity.vendorId, 8),
        model: subDevice.orderName || hex(identity.productCode, 8),
        serial_number: String(identity.serial),
        firmware_version: String(version),
        capabilities,
        max_connections: 1,
        supported_rates: [bus.configuration.cyclePeriodNs / 1000],
        custom_info: {
          position: String(subDevice.position),
          station_address: hex(subDevice.stationAddress, 4),
          station_alias: hex(subDevice.alias, 4),
          description: subDevice.description,
          product_code: hex(identity.productCode, 8),
          revision: hex(identity.revision, 8),
          al_state: subDevice.state,
          propagation_delay_ns: String(subDevice.propagationDelayNs),
          input_bits: String(inputBits),
          output_bits: String(outputBits),
        },
      };
    });
  }

  /** Every type that a tag can have. */
  getSupportedDataTypes(): BifrostDataType[] {
    return [...dataTypes];
  }

  /**
   * Checks the syntax of an address, without a bus: the name of a tag, an object (`slave.0x6064.0`), or a place in the process
   * data (`slave.input.4.int16`, `slave.output.0.3.bool`: byte, bit, type).
   * @throws {ProtocolError} `ECAT_ERR_INVALID_ARGUMENT`
   */
  validateTagAddress(address: string): void {
    try {
      parseTagAddress(address);
    } catch (error) {
      throw ProtocolError.of(error, 'validateTagAddress', String(address));
    }
  }

  /** Asks the SubDevice for its AL status (register 0x0130) and tells how long that took on the wire, in ns. */
  async ping(device: BifrostDevice): Promise<number> {
    return this.#on(device, 'ping', device.address, async ({ subDevice, activity }) => {
      const { roundTripNs } = await subDevice.readRegister(AL_STATUS, 2);
      activity.succeeded(roundTripNs);
      return roundTripNs;
    });
  }

  /** Counters, clocks and errors of the SubDevice, read anew. */
  async getDiagnostics(device: BifrostDevice): Promise<BifrostDiagnostics> {
    return this.#on(device, 'getDiagnostics', device.address, readDiagnostics);
  }

  /** Whether the device is well, check by check. A device that is not connected is `UNKNOWN`. */
  healthCheck(device: BifrostDevice): Promise<BifrostHealthCheck> {
    return checkHealth(this.#connections.get(device));
  }

  /**
   * Tags as they change, for a gateway's clients: each once at the beginning, then at most every `intervalMs` (16 unless told)
   * the newest value of those that changed. Completes when the device is disconnected.
   * @throws {ProtocolError} as {@link readTag}; objects that are not in the process data cannot be watched
   */
  tagUpdates(
    device: BifrostDevice,
    tags: readonly BifrostTag[],
    { intervalMs = UPDATE_INTERVAL_MS }: { readonly intervalMs?: number } = {},
  ): Observable<BifrostTagUpdate> {
    try {
      const connection = this.#connection(device);
      const { synchronised$ } = connection.clock;
      const ended$ = synchronised$.pipe(ignoreElements(), endWith(true));
      const watched = tags.map((tag) => {
        const { source, show } = watch(connection, tag);
        return {
          tag,
          samples: combineLatest([source, synchronised$]).pipe(
            takeUntil(ended$),
            map(([{ value, quality, hostTimeNs }]) => ({
              value: show(value),
              quality: qualityIn(connection, quality),
              timestamp: dateOf(hostTimeNs),
            })),
          ),
        };
      });
      return tagUpdates(device.id, watched, intervalMs);
    } catch (error) {
      throw ProtocolError.of(error, 'tagUpdates', device.address);
    }
  }

  /** Disconnects every device. */
  close(): Promise<void> {
    return this.#connections.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #writeBatch(
    connection: Connection,
    { tags, values = {} }: BifrostBatchOperation,
    signal: AbortSignal | undefined,
  ): Promise<BifrostBatchResult> {
    const batch = new Batch();
    const processData = new Map<BifrostTag, { readonly name: string; readonly value: TagValue }>();
    const written = new Map<string, BifrostTag>();
    const objects = new Map<BifrostTag, () => Promise<void>>();
    await batch.each(tags, 'executeBatch', (tag) => {
      const value = values[tag.id];
      if (tag.writable !== true) throw notWritable(tag);
      if (value === undefined)
        throw new EtherCatError('ECAT_ERR_INVALID_ARGUMENT', `tag ${tag.name}: values has none for its id ${tag.id}`);
      const write = prepareWrite(connection, tag, value, this.#objects, signal);
      if (write.kind === 'object') objects.set(tag, write.run);
      else {
        const before = written.get(write.name);
        if (before !== undefined) {
          const message = `tag ${tag.name}: tag ${before.name} of the same batch writes output ${write.name} already`;
          throw new EtherCatError('ECAT_ERR_INVALID_ARGUMENT', message, { tag: tag.name });
        }
        written.set(write.name, tag);
        processData.set(tag, write);
      }
      return value;
    });
    if (processData.size > 0 && !batch.hasErrors) {
      const writes = Object.fromEntries([...processData.values()].map(({ name, value }) => [name, value]));
      await connection.bus.write(writes).catch((error) => batch.fail([...processData.keys()], error, 'executeBatch'));
    } else if (processData.size > 0) {
      const message =
        'not written, since another tag of the batch cannot be: its process data go in one cycle or not at all';
      batch.fail([...processData.keys()], new EtherCatError('ECAT_ERR_INVALID_ARGUMENT', message), 'executeBatch');
    }
    for (const [tag, run] of objects) await run().catch((error) => batch.fail([tag], error, 'executeBatch'));
    return batch.finish();
  }

  #connection(device: BifrostDevice): Connection {
    const connection = this.#connections.get(device);
    if (connection !== undefined) return connection;
    throw new EtherCatError('ECAT_ERR_CLOSED', `device ${device.name} is not connected`, {
      subDevice: device.name,
      action: 'Call connect() with this device first.',
    });
  }

  async #on<T>(
    device: BifrostDevice,
    operation: string,
    address: string,
    body: (connection: Connection) => Promise<T>,
  ): Promise<T> {
    return this.#attempt(operation, address, async () => {
      const connection = this.#connection(device);
      const { activity } = connection;
      try {
        const result = await body(connection);
        activity.succeeded();
        device.last_seen = activity.lastSuccess;
        return result;
      } catch (error) {
        const failure = ProtocolError.of(error, operation, address);
        activity.failed(failure);
        throw failure;
      }
    });
  }

  async #attempt<T>(operation: string, address: string, body: () => Promise<T>): Promise<T> {
    try {
      return await body();
    } catch (error) {
      throw ProtocolError.of(error, operation, address);
    }
  }
}

/** Collects what becomes of the tags of a batch. */
class Batch {
  readonly #started: number = performance.now();
  // Maps, since an id may be any text, `__proto__` too.
  readonly #results: Map<string, TagValue> = new Map();
  readonly #errors: Map<string, ProtocolError> = new Map();

  get hasErrors(): boolean {
    return this.#errors.size > 0;
  }

  async each(
    tags: readonly BifrostTag[],
    operation: string,
    body: (tag: BifrostTag) => Promise<TagValue> | TagValue,
  ): Promise<void> {
    const seen = new Set<string>();
    const twice = new Set<string>();
    for (const { id } of tags) (seen.has(id) ? twice : seen).add(id);
    for (const tag of tags) {
      try {
        if (twice.has(tag.id)) {
          const message = `tag ${tag.name}: another tag of the batch has the id ${tag.id} too, and results are by id`;
          throw new EtherCatError('ECAT_ERR_INVALID_ARGUMENT', message, { tag: tag.name });
        }
        this.#results.set(tag.id, await body(tag));
      } catch (error) {
        this.fail([tag], error, operation);
      }
    }
  }

  fail(tags: readonly BifrostTag[], error: unknown, operation: string): void {
    for (const tag of tags) {
      this.#results.delete(tag.id);
      this.#errors.set(tag.id, ProtocolError.of(error, operation, tag.address));
    }
  }

  finish(): BifrostBatchResult {
    return {
      success: !this.hasErrors,
      results: Object.fromEntries(this.#results),
      errors: Object.fromEntries(this.#errors),
      duration: Math.round((performance.now() - this.#started) * 1e6),
      timestamp: new Date(),
    };
  }
}

function fill(connection: Connection, tag: BifrostTag, { value, quality, hostTimeNs }: Reading): TagValue {
  tag.value = value;
  tag.quality = qualityIn(connection, quality);
  tag.timestamp = dateOf(hostTimeNs);
  return value;
}

function dateOf(hostTimeNs: bigint): Date {
  return new Date(Number(hostTimeNs / 1_000_000n));
}

function notWritable(tag: BifrostTag): EtherCatError {
  return new EtherCatError('ECAT_ERR_NOT_AN_OUTPUT', `tag ${tag.name} is not writable`, { tag: tag.name });
}

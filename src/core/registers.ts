/** Registers of SubDevices, read while the bus runs: requests by number, settled by the answers of a pump. */

import { EtherCatError } from './errors/ethercat-error.ts';
import { translated } from './errors/from-binding.ts';
import type { BindingEngine } from './native.ts';
import { hex } from './network.ts';

/** Reads that may wait at once; the cycle thread keeps no more answers. */
export const REGISTER_READS_OUTSTANDING_MAX = 64;

/** Registers as they were in one frame. */
export interface RegisterReading {
  /** As many bytes as were asked for. */
  readonly data: Uint8Array;
  /** From the start of the frame to its return, in ns. */
  readonly roundTripNs: number;
}

/** What is read of the native side. */
export type RegisterPort = Pick<BindingEngine, 'readRegister' | 'takeRegisterAnswers'>;

interface PendingRead {
  readonly position: number;
  readonly register: number;
  readonly resolve: (reading: RegisterReading) => void;
  readonly reject: (error: EtherCatError) => void;
}

/** The reads of one engine. */
export class RegisterReader {
  readonly #port: RegisterPort;
  readonly #pending: Map<number, PendingRead> = new Map();
  #nextId = 1;

  constructor(port: RegisterPort) {
    this.#port = port;
  }

  /**
   * Reads registers with one datagram behind the cyclic ones.
   *
   * @param position - of the SubDevice
   * @param register - address of the first, below 0x1000
   * @param length - bytes, 1 to 64
   * @throws (rejects with) `ECAT_ERR_INVALID_ARGUMENT`, `ECAT_ERR_REQUEST_QUEUE_FULL`, `ECAT_ERR_SUBDEVICE_LOST` (nobody
   * counted the datagram: the SubDevice is away, or has no such register), `ECAT_ERR_TIMEOUT` (three frames were lost),
   * `ECAT_ERR_CLOSED`
   */
  read(position: number, register: number, length: number): Promise<RegisterReading> {
    const { promise, resolve, reject } = Promise.withResolvers<RegisterReading>();
    try {
      const id = this.#nextId;
      const hasRoom = this.#pending.size < REGISTER_READS_OUTSTANDING_MAX;
      if (!hasRoom || !translated(() => this.#port.readRegister(id, position, register, length))) {
        throw new EtherCatError(
          'ECAT_ERR_REQUEST_QUEUE_FULL',
          `${this.#pending.size} reads of registers wait for their answer already`,
          { position, register },
        );
      }
      this.#nextId = (id + 1) >>> 0;
      this.#pending.set(id, { position, register, resolve, reject });
    } catch (error) {
      reject(EtherCatError.from(error));
    }
    return promise;
  }

  /** Settles what has been answered. */
  settle(): void {
    if (this.#pending.size === 0) return;
    for (const { id, workingCounter, roundTripNs, data } of this.#port.takeRegisterAnswers()) {
      const read = this.#pending.get(id);
      if (read === undefined) continue;
      this.#pending.delete(id);
      if (workingCounter !== undefined && workingCounter > 0) read.resolve({ data, roundTripNs });
      else read.reject(failure(read, workingCounter));
    }
  }

  /** Rejects everything that waits. */
  failAll(error: EtherCatError): void {
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
  }
}

function failure({ position, register }: PendingRead, workingCounter: number | undefined): EtherCatError {
  const where = `register ${hex(register, 4)} of the SubDevice at position ${position}`;
  return workingCounter === undefined
    ? new EtherCatError('ECAT_ERR_TIMEOUT', `no frame came back with ${where}`, { position, register })
    : new EtherCatError(
        'ECAT_ERR_SUBDEVICE_LOST',
        `nobody answered for ${where}: it is away, or its controller has no such register`,
        { position, register },
      );
}

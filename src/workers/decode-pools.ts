/** The decode workers of a bus: one a partition, each supervised on its own. */

import type { BusView } from '../core/bus-view.ts';
import type { EtherCatError } from '../core/errors/ethercat-error.ts';
import { DecodePool, type DecodePoolOptions } from './decode-pool.ts';

/** Supervises the decode workers of all partitions. */
export class DecodePools {
  readonly #options: DecodePoolOptions;
  readonly #pools: DecodePool[];

  /** Starts the thread of the first worker, which there always is, so that it is ready when there is something to decode. */
  constructor(options: DecodePoolOptions = {}) {
    this.#options = options;
    this.#pools = [new DecodePool(options)];
  }

  /** One a partition. */
  get pools(): readonly DecodePool[] {
    return this.#pools;
  }

  /** Workers that had to be replaced so far. */
  get replaced(): number {
    return this.#pools.reduce((sum, { replaced }) => sum + replaced, 0);
  }

  /**
   * Begins to decode. Once.
   * @param onFailure - told once for every worker that has to be replaced
   */
  start({ handle, statuses }: Pick<BusView, 'handle' | 'statuses'>, onFailure: (error: EtherCatError) => void): void {
    const { engineId, memory, table, status: words } = handle;
    for (const [partition, status] of statuses.entries()) {
      const pool = this.#pools[partition] ?? new DecodePool(this.#options);
      this.#pools[partition] = pool;
      pool.start({ status, task: { engineId, memory, table, status: words, partition }, onFailure });
    }
  }

  /** Ends the workers and their threads. Idempotent; never rejects. */
  async stop(): Promise<void> {
    await Promise.all(this.#pools.map((pool) => pool.stop()));
  }
}

/** The native engine as far as it exists without tags: link, bell, bring-up, shared memory, end. */

import type { NormalizedConfiguration } from './configuration/types.ts';
import { EtherCatError } from './errors/ethercat-error.ts';
import { errorFromFailures, translated } from './errors/from-binding.ts';
import { type BindingEngine, type BindingOutputOptions, type BindingStartOptions, native } from './native.ts';
import type { Network } from './network.ts';
import { SegmentPort } from './segment-port.ts';

/** While something is awaited it is looked for that often, should a bell get lost. */
const RECHECK_MS = 100;
/** How long the cycle thread may take to end where nothing else can be waited for. */
const CLOSE_NOW_MS = 300;

/** The native engine and its bell, before there is anything else. */
export class EngineLink {
  readonly engine: BindingEngine;
  /** Called on every bell once there is something to pump. */
  onBell: () => void = () => undefined;
  readonly #waiters: (() => void)[] = [];
  readonly #devices: NormalizedConfiguration['devices'];
  readonly #segment: SegmentPort | undefined;
  #abandoned = false;

  /**
   * @param segment - the simulated segment, where it is there already; one of the configuration's own is made otherwise
   * @param firstCycle - number of the first cycle
   */
  constructor(configuration: NormalizedConfiguration, segment?: SegmentPort, firstCycle?: number) {
    this.#devices = configuration.devices;
    const { link, cyclePeriodNs, preSpinNs, priority, cpu, distributedClocks, virtualTime } = configuration;
    const options = {
      ...(link.kind === 'interface' && { interface: link.name }),
      cyclePeriodNs,
      preSpinNs,
      ...(priority !== undefined && { priority }),
      ...(cpu !== undefined && { cpu }),
      distributedClocks,
      virtualTime,
      ...(firstCycle !== undefined && { firstCycle }),
    };
    const port = segment ?? (link.kind === 'segment' ? new SegmentPort(link.description, virtualTime) : undefined);
    this.#segment = port;
    this.engine = translated(() => new (native().BindingEngine)(options, () => this.#ring(), port?.binding));
  }

  /** Waits for the end of the bring-up. */
  async bringUp(signal: AbortSignal | undefined): Promise<Network> {
    let found: Network | undefined;
    await this.until(() => {
      const result = this.engine.takeBringUp();
      if (result === null) return false;
      if (result.network === undefined) throw errorFromFailures(result.failures, this.#devices);
      found = result.network;
      return true;
    }, signal);
    return found!;
  }

  /** Allocates the shared memory and lets the cycle begin. */
  start(options: BindingStartOptions, outputs: BindingOutputOptions): SharedArrayBuffer {
    return translated(() => {
      const memory = new SharedArrayBuffer(this.engine.memoryBytes(options));
      this.engine.start(new Uint8Array(memory), options, outputs);
      return memory;
    });
  }

  /** Waits until something is so, or throws what looking at it throws. Looked at on every bell and every {@link RECHECK_MS}. */
  async until(condition: () => boolean, signal?: AbortSignal): Promise<void> {
    const timer = setInterval(() => this.recheck(), RECHECK_MS);
    const onAbort = (): void => this.recheck();
    signal?.addEventListener('abort', onAbort);
    try {
      while (!condition()) {
        if (signal?.aborted)
          throw new EtherCatError('ECAT_ERR_ABORTED', 'the operation was aborted', { cause: signal.reason });
        await new Promise<void>((resolve) => this.#waiters.push(resolve));
      }
    } finally {
      clearInterval(timer);
      signal?.removeEventListener('abort', onAbort);
    }
  }

  /** Has everybody who waits look again. */
  recheck(): void {
    for (const wake of this.#waiters.splice(0)) wake();
  }

  closeNow(): void {
    if (!this.#abandoned) this.engine.closeNow(CLOSE_NOW_MS);
  }

  /** Stops the engine, bounded, and lets go of it. */
  abandon(): void {
    if (this.#abandoned) return;
    this.closeNow();
    this.#abandoned = true;
    this.engine.release();
  }

  #ring(): void {
    if (this.#abandoned) return;
    this.#segment?.settle();
    this.onBell();
    this.recheck();
  }
}

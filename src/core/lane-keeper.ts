/**
 * The opener's part of the lanes: it takes lanes over, gives outputs away and takes them back, and tells what became of
 * the lanes of other threads.
 */

import { EtherCatError } from './errors/ethercat-error.ts';
import type { NativeEvent } from './events.ts';
import { type Fault, laneLost } from './faults.ts';
import type { OutputLane } from './outputs.ts';
import type { Session } from './session.ts';
import { cyclesRun } from './statistics.ts';

/** Cycles after which bits that were given up are in no frame and no commit any more, and one that was under way. */
const SETTLED_CYCLES = 3;
/** Cycles for which a lane or bits that were given up just now are waited for. */
const PATIENCE_CYCLES = 8;

/** Of one session. */
export class LaneKeeper {
  readonly #session: Session;
  /** Names of lanes whose owner has ended and can no longer be asked. */
  readonly #names: Map<number, string> = new Map();
  readonly #lost: Set<number> = new Set();
  /** How often each lane became free, with its owner having said so before. */
  readonly #leaves: Map<number, number> = new Map();

  constructor(session: Session) {
    this.#session = session;
  }

  /** Takes over a lane of the configuration. */
  async claim(name: string): Promise<OutputLane> {
    const { view } = this.#session;
    const claim = view.configuredLane(name);
    return await this.#patiently(() => view.claim(claim));
  }

  /** Gives outputs of the opener's lane back; resolves when another thread can have them. */
  async release(names: readonly string[]): Promise<void> {
    const { view, lane } = this.#session;
    const given = new Set(names.flatMap((name) => view.outputsOf(name)));
    for (const tag of given) {
      if (view.ownerOf(tag) === lane.number) continue;
      const name = view.directory.name(tag);
      throw new EtherCatError('ECAT_ERR_OUTPUT_CLAIMED', `output ${name} is not the MainDevice's to give back`, {
        tag: name,
      });
    }
    view.reassign(
      lane,
      view.owners.tagsOf(lane.number).filter((tag) => !given.has(tag)),
    );
    await this.#cycles(SETTLED_CYCLES);
  }

  /** Takes outputs back that nobody has. */
  async reclaim(names: readonly string[]): Promise<void> {
    const { view, lane } = this.#session;
    const wanted = names.flatMap((name) => view.outputsOf(name));
    view.checkUnowned(wanted, lane);
    const outputs = new Set([...view.owners.tagsOf(lane.number), ...wanted]);
    await this.#patiently(() => view.reassign(lane, [...outputs]));
  }

  /** The fault in an event about a lane. */
  faultOf(event: NativeEvent, cycle: number): Fault | undefined {
    switch (event.kind) {
      case 'lane-live':
        this.nameOf(event.lane);
        this.#lost.delete(event.lane);
        return undefined;
      case 'lane-lost':
        this.#lost.add(event.lane);
        return laneLost(this.nameOf(event.lane), cycle);
      case 'lane-free': {
        const wasLost = this.#lost.delete(event.lane);
        const leaves = this.#leaves.get(event.lane) ?? 0;
        const inOrder = this.#session.view.owners.leavesOf(event.lane) > leaves;
        if (inOrder) this.#leaves.set(event.lane, leaves + 1);
        // What fell silent before it ended has been reported.
        return inOrder || wasLost ? undefined : laneLost(this.nameOf(event.lane), cycle, true);
      }
      default:
        return undefined;
    }
  }

  /** The name of a lane, also of one whose owner has ended. */
  nameOf(lane: number): string {
    const name = this.#session.view.ownName(lane) ?? this.#names.get(lane) ?? `lane ${lane}`;
    this.#names.set(lane, name);
    return name;
  }

  async #patiently<T>(claim: () => T): Promise<T> {
    for (let cycle = 1; ; cycle += 1) {
      try {
        return claim();
      } catch (error) {
        if (cycle > PATIENCE_CYCLES || !this.#session.view.isFreeing(error)) throw error;
        await this.#cycles(1);
      }
    }
  }

  /** Waits until so many cycles have run. */
  async #cycles(count: number): Promise<void> {
    const { view } = this.#session;
    const end = cyclesRun(view.memory) + count;
    await this.#session.until(() => {
      if (view.hasEnded || view.isReleased) throw new EtherCatError('ECAT_ERR_CLOSED', 'the bus is closed');
      const left = end - cyclesRun(view.memory);
      if (left <= 0) return true;
      // Nobody is woken by a cycle unless he asks.
      view.awaitCycle((view.memory.latestCycle + left) >>> 0);
      return false;
    });
  }
}

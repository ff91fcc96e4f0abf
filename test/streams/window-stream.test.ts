/** Windows over a schedule with missed periods, against what a list of the cycles that ran says. */

import { fc, testProp } from '@fast-check/ava';
import { CycleClock } from '../../src/core/cycle-clock.ts';
import { Decoder, SlotBuffer } from '../../src/core/decode.ts';
import { CopyOutcome } from '../../src/core/generated/layout.ts';
import type { CycleWindow } from '../../src/core/history.ts';
import { TagDirectory } from '../../src/core/tag-directory.ts';
import { TagTable } from '../../src/core/tag-table.ts';
import { Kind } from '../../src/core/tag-types.ts';
import { type GapPolicy, WindowStream } from '../../src/core/window-stream.ts';
import { row } from '../support/log-bench.ts';

const sections = { quality: 4, inputs: 8, outputs: 12 };
const decoder = new Decoder(TagTable.build([row(Kind.uint32, 0, 32)], 1), sections);
const directory = TagDirectory.build([{ name: 'cycle' }]);

/** A ring of so many slots, over a schedule of which some periods were missed. */
class Ring {
  readonly depth: number;
  /** The cycles that ran, in order. */
  readonly ran: number[] = [];
  latest = 0;
  overtakes = 0;
  readonly #slots: (number | undefined)[];

  constructor(depth: number) {
    this.depth = depth;
    this.#slots = new Array<number | undefined>(depth).fill(undefined);
  }

  /** The next period, with a cycle or without. */
  pass(runs: boolean): void {
    this.latest += 1;
    if (!runs) return;
    this.ran.push(this.latest);
    this.#slots[this.latest % this.depth] = this.latest;
  }

  copy(cycle: number, slot: SlotBuffer): CopyOutcome {
    const held = this.#slots[cycle % this.depth];
    if (held === cycle) {
      slot.view.setUint32(sections.inputs, cycle, true);
      return CopyOutcome.Fresh;
    }
    if (held === undefined || held < cycle) return CopyOutcome.Missed;
    this.overtakes += 1;
    return CopyOutcome.Overtaken;
  }
}

/** Lets a schedule pass, with a look at it after some of its periods. */
function windowsOf(
  { ring, window, hop, gaps }: { ring: Ring; window: number; hop: number; gaps: GapPolicy },
  periods: readonly { runs: boolean; looks: boolean }[],
): { first: number; cycles: number[]; told: CycleWindow }[] {
  const found: { first: number; cycles: number[]; told: CycleWindow }[] = [];
  // The newest cycle that there is to see: one that ran.
  const latest = (): number => ring.ran.at(-1) ?? 0;
  const clock = new CycleClock(latest, () => undefined);
  const source = { decoder, directory, clock, slot: new SlotBuffer(16), depth: ring.depth, copy: ring.copy.bind(ring) };
  const stream = new WindowStream(
    source,
    { tags: Uint32Array.of(0), window, hop, gaps },
    {
      next: (told) => found.push({ first: told.cycles[0]!, cycles: [...told.cycles], told }),
      complete: () => undefined,
    },
  );
  for (const { runs, looks } of periods) {
    ring.pass(runs);
    if (looks) clock.look();
  }
  clock.look();
  stream.stop();
  return found;
}

const schedule = fc.record({
  seed: fc.integer(),
  missing: fc.constantFrom(0, 0.02, 0.2, 0.6),
  looking: fc.constantFrom(0.05, 0.3, 1),
  window: fc.integer({ min: 1, max: 12 }),
  hop: fc.integer({ min: 1, max: 20 }),
});

/** A schedule of 400 periods: each had a cycle or not, and was looked at or not. */
function periodsOf(seed: number, missing: number, looking: number): { runs: boolean; looks: boolean }[] {
  let state = seed >>> 0;
  const chance = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  return Array.from({ length: 400 }, () => ({ runs: chance() >= missing, looks: chance() < looking }));
}

testProp(
  'a window is so many cycles that ran, in a row, however many periods were missed among them',
  [schedule],
  (t, { seed, missing, looking, window, hop }) => {
    const ring = new Ring(512);
    const found = windowsOf({ ring, window, hop, gaps: 'report' }, periodsOf(seed, missing, looking));
    const { ran } = ring;
    const expected: number[][] = [];
    for (let at = 0; at + window <= ran.length; at += hop) expected.push(ran.slice(at, at + window));
    t.deepEqual(
      found.map(({ cycles }) => cycles),
      expected,
    );
    for (const { told, cycles } of found) {
      t.is(told.lost, 0);
      t.is(told.missed, cycles.at(-1)! - cycles[0]! + 1 - window);
      t.is(
        told.gaps.reduce((sum, { periods }) => sum + periods, 0),
        told.missed,
      );
      for (const { at, periods } of told.gaps) t.is(cycles[at]! - cycles[at - 1]! - 1, periods);
      t.deepEqual([...told.column('cycle')], cycles, 'each value stands beside the number of its cycle');
    }
  },
);

testProp(
  'where a gap begins a window anew, every window is evenly spaced, and what it gave up is told',
  [schedule],
  (t, { seed, missing, looking, window, hop }) => {
    const ring = new Ring(512);
    const found = windowsOf({ ring, window, hop, gaps: 'restart' }, periodsOf(seed, missing, looking));
    const { ran } = ring;
    const expected: number[][] = [];
    for (let at = 0; at + window <= ran.length; ) {
      const cycles = ran.slice(at, at + window);
      const behindGap = cycles.findIndex((cycle, i) => i > 0 && cycle !== cycles[i - 1]! + 1);
      if (behindGap === -1) expected.push(cycles);
      at += behindGap === -1 ? hop : behindGap;
    }
    t.deepEqual(
      found.map(({ cycles }) => cycles),
      expected,
    );
    for (const [n, { told, first }] of found.entries()) {
      t.is(told.missed, 0);
      // Where it should have begun: `hop` cycles that ran behind the beginning of the one before.
      const wanted = n === 0 ? ran[0]! : ran[ran.indexOf(found[n - 1]!.first) + hop]!;
      t.is(first - told.lost, wanted);
    }
  },
);

testProp(
  'what the ring has gone past begins a window anew, and is counted as lost',
  [schedule, fc.constantFrom(4, 8, 16)],
  (t, { seed, missing, looking, window, hop }, depth) => {
    const ring = new Ring(depth);
    const found = windowsOf({ ring, window, hop, gaps: 'report' }, periodsOf(seed, missing, looking));
    const { ran } = ring;
    t.true(found.length > 0 || ring.overtakes > 0 || ran.length < window);
    for (const [n, { told, first, cycles }] of found.entries()) {
      const at = ran.indexOf(first);
      t.deepEqual(cycles, ran.slice(at, at + window), 'no cycle that ran is left out within a window');
      t.true(told.lost >= 0);
      const before = n === 0 ? undefined : found[n - 1]!;
      if (told.lost === 0 && ring.overtakes === 0)
        t.is(first, before === undefined ? ran[0]! : ran[ran.indexOf(before.first) + hop]!);
      // Never earlier than it should, and what was lost is no more than what lies between the two.
      if (before !== undefined) t.true(first - told.lost > before.first);
    }
    if (ring.overtakes === 0) for (const { told } of found) t.is(told.lost, 0);
  },
);

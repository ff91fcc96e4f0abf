/**
 * Who has which output, for every thread of a bus: the lane of each tag, and how each lane was left. The native registry
 * decides about bits; this is what people and errors know outputs by.
 */

import type { NormalizedConfiguration } from './configuration/types.ts';
import { EtherCatError } from './errors/ethercat-error.ts';
import type { ResolvedTag } from './resolve-tags.ts';
import { Direction } from './tag-table.ts';

/** The lane of the thread that opened the bus. */
export const MAIN_LANE = 0;
/** The name of that lane, in errors and events. */
export const MAIN_LANE_NAME = 'MainDevice';
/** The first lane that is free. */
export const ANY_LANE = -1;
/** An output that was given back, or an input. */
const NOBODY = 0xff;
/** Lanes that are there for threads that the configuration does not know. */
const SPARE_LANES = 3;

/** A lane of the configuration. Its number is its place there, from 1. */
export interface LaneInfo {
  readonly name: string;
  /** Silence after which its outputs go to their loss values, in ms; 0 is never. */
  readonly deadlineMs: number;
  /** The same without a write; 0 is never. */
  readonly commitDeadlineMs: number;
}

/** Lanes that the shared memory needs: the opener's, those of the configuration, and some for whoever attaches. */
export function laneCount({ lanes }: Pick<NormalizedConfiguration, 'lanes'>): number {
  return 1 + lanes.length + SPARE_LANES;
}

/** A count a lane and a byte a tag, in a SharedArrayBuffer. */
export class LaneDirectory {
  readonly buffer: SharedArrayBuffer;
  readonly #leaves: Uint32Array;
  readonly #owners: Uint8Array;

  /** @param buffer - of another thread's directory */
  constructor(buffer: SharedArrayBuffer, tags: number) {
    this.buffer = buffer;
    this.#leaves = new Uint32Array(buffer, 0, (buffer.byteLength - tags) / 4);
    this.#owners = new Uint8Array(buffer, buffer.byteLength - tags);
  }

  static build(owners: readonly number[], lanes: number): LaneDirectory {
    const directory = new LaneDirectory(new SharedArrayBuffer(4 * lanes + owners.length), owners.length);
    directory.#owners.set(owners);
    return directory;
  }

  /** The lane that an output was given to last, alive or not; undefined of an input, and of one that was given back. */
  ownerOf(tag: number): number | undefined {
    const owner = Atomics.load(this.#owners, tag);
    return owner === NOBODY ? undefined : owner;
  }

  /** Notes who has an output from now on. */
  setOwner(tag: number, lane: number | undefined): void {
    Atomics.store(this.#owners, tag, lane ?? NOBODY);
  }

  /** The tags of a lane. */
  tagsOf(lane: number): number[] {
    return Array.from(this.#owners.keys()).filter((tag) => Atomics.load(this.#owners, tag) === lane);
  }

  /** Notes that the thread of a lane gives it up in order; what else frees a lane is the end of its thread. */
  leave(lane: number): void {
    Atomics.add(this.#leaves, lane, 1);
  }

  /** How often a lane was given up in order. */
  leavesOf(lane: number): number {
    return Atomics.load(this.#leaves, lane);
  }
}

/** The lane of every tag by the configuration; one error for each output that cannot be told, or has two owners. */
export function assignOutputs(
  configuration: Pick<NormalizedConfiguration, 'lanes' | 'devices'>,
  tags: readonly ResolvedTag[],
): { owners: number[]; errors: EtherCatError[] } {
  const owners: number[] = tags.map(({ row }) => (row.direction === Direction.output ? MAIN_LANE : NOBODY));
  const errors: EtherCatError[] = [];
  const positions = new Map(configuration.devices.map(({ name, position }) => [name, position]));
  const laneName = (lane: number): string =>
    lane === MAIN_LANE ? MAIN_LANE_NAME : (configuration.lanes[lane - 1]?.name ?? '');
  configuration.lanes.forEach(({ name, outputs, locations }, index) => {
    const lane = index + 1;
    outputs.forEach((output, place) => {
      const fail = (
        code: 'ECAT_ERR_TAG_UNKNOWN' | 'ECAT_ERR_OUTPUT_CLAIMED' | 'ECAT_ERR_NOT_AN_OUTPUT',
        what: string,
      ) =>
        errors.push(
          new EtherCatError(code, `lane ${name}: ${what}`, { tag: output, location: locations[place] ?? undefined }),
        );
      const number = tags.findIndex((tag) => tag.name === output);
      const position = positions.get(output);
      const meant = number === -1 ? [...owners.keys()].filter((tag) => isOutputOf(tags[tag]!, position)) : [number];
      if (number === -1 && position === undefined)
        fail('ECAT_ERR_TAG_UNKNOWN', `there is no output or device ${output}`);
      else if (meant.length === 0) fail('ECAT_ERR_NOT_AN_OUTPUT', `${output} has no outputs`);
      for (const tag of meant) {
        const owner = owners[tag]!;
        if (owner === NOBODY) fail('ECAT_ERR_NOT_AN_OUTPUT', `${output} is an input`);
        else if (owner !== MAIN_LANE && owner !== lane)
          fail('ECAT_ERR_OUTPUT_CLAIMED', `${tags[tag]!.name} belongs to lane ${laneName(owner)}`);
        else owners[tag] = lane;
      }
    });
  });
  errors.push(...sharedBits(tags, owners, laneName));
  return { owners, errors };
}

function isOutputOf({ row }: ResolvedTag, position: number | undefined): boolean {
  return row.direction === Direction.output && row.subDevice === position;
}

/** Tags that share bits, as a control word and its bits do, have to have one owner. */
function sharedBits(
  tags: readonly ResolvedTag[],
  owners: readonly number[],
  laneName: (lane: number) => string,
): EtherCatError[] {
  const outputs = tags
    .map(({ name, row }, tag) => ({
      name,
      from: row.bitOffset,
      end: row.bitOffset + row.bitLength,
      lane: owners[tag]!,
    }))
    .filter(({ lane }) => lane !== NOBODY)
    .toSorted((a, b) => a.from - b.from);
  const errors: EtherCatError[] = [];
  let widest: (typeof outputs)[number] | undefined;
  for (const output of outputs) {
    if (widest !== undefined && output.from < widest.end && output.lane !== widest.lane) {
      const message = `${output.name} of lane ${laneName(output.lane)} shares bits with ${widest.name} of lane ${laneName(widest.lane)}`;
      errors.push(new EtherCatError('ECAT_ERR_OUTPUT_CLAIMED', message, { tag: output.name }));
    }
    if (widest === undefined || output.end > widest.end) widest = output;
  }
  return errors;
}

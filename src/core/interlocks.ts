/**
 * Interlocks, from the configuration to bits, and their states. They work in the cycle thread: a condition on an input of
 * the cycle just received forces outputs in the next frame. No safety function.
 */

import type { InterlockConfiguration, NormalizedConfiguration } from './configuration/types.ts';
import { encodeNamed, setBits, writeBits } from './encode.ts';
import { EtherCatError } from './errors/ethercat-error.ts';
import { INTERLOCK_TABLE_STATES_I32, INTERLOCKS_OFFSET, InterlockState } from './generated/layout.ts';
import type { BindingInterlock, BindingOutputOptions } from './native.ts';
import type { Network } from './network.ts';
import type { ProcessMemory } from './process-image.ts';
import type { TagDirectory } from './tag-directory.ts';
import { Direction, type TagTable } from './tag-table.ts';
import { isSigned, Kind } from './tag-types.ts';

/** An interlock of the configuration, and what it does at the moment. */
export interface Interlock {
  /** Name of the configuration. */
  readonly name: string;
  /**
   * `armed`: it waits; `fired`: its condition holds, or its input is not good; `latched`: it had fired and is not
   * acknowledged yet. It forces its outputs in every state but `armed`.
   */
  readonly state: 'armed' | 'fired' | 'latched';
}

/** Which outputs may be sent out of cycle, and the interlocks, as the engine takes them. */
export function outputOptions(
  configuration: Pick<NormalizedConfiguration, 'devices' | 'interlocks'>,
  network: Network,
  table: TagTable,
  directory: TagDirectory,
): BindingOutputOptions {
  const urgentAllowed = Uint8Array.from(network.subDevices, ({ position, deviceEmulation }) => {
    const urgent = configuration.devices.find((device) => device.position === position)?.urgent;
    // A terminal that answers state requests by itself has no application that an extra event could disturb.
    return Number(urgent ?? deviceEmulation);
  });
  const interlocks = configuration.interlocks.map((interlock) => bitsOf(interlock, network, table, directory));
  return { urgentAllowed, interlocks };
}

/** The state of the interlock at that place of the configuration. */
export function interlockState({ words }: ProcessMemory, place: number): Interlock['state'] {
  // The low half of a u64.
  const state = Atomics.load(words, INTERLOCKS_OFFSET / 4 + INTERLOCK_TABLE_STATES_I32 + 2 * place);
  if (state === InterlockState.Fired) return 'fired';
  return state === InterlockState.Latched ? 'latched' : 'armed';
}

function bitsOf(
  { name, when, force, location }: InterlockConfiguration,
  { outputBytes }: Network,
  table: TagTable,
  directory: TagDirectory,
): BindingInterlock {
  const fail = (tag: string, message: string): never => {
    throw new EtherCatError('ECAT_ERR_CONFIGURATION_INVALID', `interlock ${name}: ${message}`, { tag, location });
  };
  const tag = directory.find(when.tag) ?? fail(when.tag, `there is no tag ${when.tag}`);
  if (table.direction(tag) !== Direction.input || table.isWide(tag))
    fail(when.tag, `${when.tag} has to be an input, and no array or byte string`);
  const kind = table.kind(tag);
  const [scale, offset] = [table.scale(tag), table.offset(tag)];
  const raw = (value: unknown): number => {
    const number = Number(directory.unlabelled(tag, value as string));
    if (Number.isNaN(number)) fail(when.tag, `${String(value)} is no value of ${when.tag}`);
    return (number - offset) / scale;
  };
  // A negative scale turns the order of raw values round.
  const [above, below] = scale < 0 ? [when.below, when.above] : [when.above, when.below];
  const forceMask = new Uint8Array(outputBytes);
  const forceImage = new Uint8Array(outputBytes);
  for (const [output, value] of Object.entries(force)) {
    const forced = directory.find(output) ?? fail(output, `there is no tag ${output}`);
    if (table.direction(forced) !== Direction.output) fail(output, `${output} is not an output`);
    setBits(table, forced, forceMask);
    writeBits(table, encodeNamed(table, directory, forced, output, value), forceImage);
  }
  return {
    name,
    bitOffset: table.bitOffset[tag]!,
    bitLength: table.bitLength(tag),
    kind: kind === Kind.float32 || kind === Kind.float64 ? 'float' : isSigned(kind) ? 'signed' : 'unsigned',
    ...(when.is !== undefined && { is: raw(when.is) }),
    ...(above !== undefined && { above: raw(above) }),
    ...(below !== undefined && { below: raw(below) }),
    forceMask,
    forceImage,
  };
}

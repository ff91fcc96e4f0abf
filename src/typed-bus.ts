/**
 * A bus whose tags the compiler knows: a misspelt name, a value of the wrong type and a write to an input do not compile.
 * `bifrost-ethercat types FILE` writes the {@link TagMap} of a configuration. Types alone: nothing here runs.
 */

import type { CycleWindow, History } from './core/history.ts';
import type { WriteResult } from './core/outputs.ts';
import type { Quality } from './core/quality.ts';
import type { Snapshot } from './core/snapshot.ts';
import type { TagValue } from './core/tag-types.ts';
import type { WindowOptions } from './core/window-stream.ts';
import type { BusObservable } from './streams/bus-observable.ts';
import type { Tag } from './streams/tag.ts';
import type { TagsSample } from './streams/tag-group.ts';

/** The tags of a bus by their names, with the types of their values. */
export interface TagMap {
  /** What SubDevices send. */
  readonly inputs: object;
  /** What they receive. */
  readonly outputs: object;
}

/** Names of the tags of a map. */
export type TagNameOf<T extends TagMap> = string & (keyof T['inputs'] | keyof T['outputs']);

/** Type of a tag's values. */
export type TagValueOf<T extends TagMap, N> = Extract<
  N extends keyof T['outputs'] ? T['outputs'][N] : N extends keyof T['inputs'] ? T['inputs'][N] : never,
  TagValue
>;

/** A tag of a map: an input cannot be written. */
export type TagOf<T extends TagMap, N> = N extends keyof T['outputs']
  ? Tag<TagValueOf<T, N>>
  : Omit<Tag<TagValueOf<T, N>>, 'write'>;

/** A snapshot with the tags of a map. */
export type TypedSnapshot<T extends TagMap> = Omit<Snapshot, 'value' | 'quality'> & {
  /** As {@link Snapshot.value}. */
  value<N extends TagNameOf<T>>(tag: N): TagValueOf<T, N>;
  /** As {@link Snapshot.quality}. */
  quality(tag: TagNameOf<T>): Quality;
};

/** What of a bus takes names of tags, or gives their values. */
export interface TypedMembers<T extends TagMap> {
  /** As `Bus.tag`. */
  tag<N extends TagNameOf<T>>(name: N): TagOf<T, N>;
  /** As `Bus.tags$`. */
  tags$<N extends TagNameOf<T>>(
    names: readonly N[],
  ): BusObservable<TagsSample<{ readonly [K in N]: TagValueOf<T, K> }>>;
  /** As `Bus.every`. */
  every(n: number, names?: readonly TagNameOf<T>[]): BusObservable<TypedSnapshot<T>>;
  /** As `Bus.windows`. */
  windows(
    options: Omit<WindowOptions, 'tags'> & { readonly tags: readonly TagNameOf<T>[] },
  ): BusObservable<CycleWindow>;
  /** As `Bus.history`. */
  history(n: number, names?: readonly TagNameOf<T>[]): History;
  /** As `Bus.snapshot`. */
  snapshot(names?: readonly TagNameOf<T>[]): TypedSnapshot<T>;
  /** As `Bus.write`. */
  write(values: { readonly [N in keyof T['outputs']]?: T['outputs'][N] }): Promise<WriteResult>;
}

/** What an attached bus has beside them. */
export interface TypedCycleMembers<T extends TagMap> {
  /** As `AttachedBus.read`. */
  read<N extends TagNameOf<T>>(tag: N): TagValueOf<T, N>;
  /** As `AttachedBus.readQuality`. */
  readQuality(tag: TagNameOf<T>): Quality;
}

/** A `MainDevice` or an `AttachedBus` with the tags of a map. */
export type Typed<B extends object, T extends TagMap> = Omit<B, keyof TypedMembers<T> | keyof TypedCycleMembers<T>> &
  TypedMembers<T> &
  (B extends { read(tag: string): TagValue } ? TypedCycleMembers<T> : unknown);

/** A tag as an application sees it. */

import type { TagType } from '../core/configuration/types.ts';
import type { CycleClock } from '../core/cycle-clock.ts';
import { EtherCatError } from '../core/errors/ethercat-error.ts';
import type { WriteResult } from '../core/outputs.ts';
import type { TagDirectory, TagLabels } from '../core/tag-directory.ts';
import { Direction, type TagTable } from '../core/tag-table.ts';
import { Kind, type TagValue, tagTypes } from '../core/tag-types.ts';
import type { BusObservable } from './bus-observable.ts';
import { type Edge, edgeWatcher } from './edges.ts';
import type { Sample, TagStreams } from './tag-streams.ts';
import { checkWatchOptions, WatchFilter, type WatchOptions } from './watch.ts';

/** A named place in the process image. */
export interface Tag<T extends TagValue = TagValue> {
  /** Name of the configuration, or `DEVICE.0xINDEX.SUBINDEX`; unique. */
  readonly name: string;
  /** A second name that it is found by; undefined where there is none. */
  readonly alias: string | undefined;
  /** How its bits are read; with scaling its values are numbers all the same. */
  readonly type: TagType;
  /** `input` comes from the SubDevice, `output` goes to it. */
  readonly direction: 'input' | 'output';
  /** Name of the SubDevice whose process data it is in. */
  readonly subDevice: string;
  /** Unit of the configuration, for people. */
  readonly unit: string | undefined;
  /** Elements of an array; 1 where it is none. */
  readonly count: number;
  /** Its bits in the process image. */
  readonly bitLength: number;
  /** Names of its values; undefined where they have none. */
  readonly labels: TagLabels | undefined;
  /**
   * The tag's samples: the newest at once, then one for every change of value or quality, at most one a cycle.
   *
   * Rate: as often as the tag changes. When this thread is late by up to 32 cycles it still gets every change; when
   * it is later, each changed tag emits once, with its newest value. A subscriber that throws is reported in
   * `faults$`. Completes when the bus closes.
   */
  readonly value$: BusObservable<Sample<T>>;
  /**
   * As `value$`, without what this subscription does not want to hear: changes within a dead band, and more than one
   * sample in a time. The latest sample wins; a slow subscriber is not possible, since it is called synchronously.
   * @throws `ECAT_ERR_INVALID_ARGUMENT`
   */
  watch(options: WatchOptions): BusObservable<Sample<T>>;
  /**
   * Flanks of a bool, each with its cycle; begins with the next one. Rate: as often as the bool changes, at most once a
   * cycle; when this thread is late by more than 32 cycles there is at most one for all of them, with `missed`.
   * @throws `ECAT_ERR_TAG_TYPE` when the tag is no single bool
   */
  readonly edges$: BusObservable<Edge>;
  /** The newest value that this thread was told of; of the newest cycle where it watches nothing. */
  readonly value: T;
  /** The same with its quality, and the cycle in which this thread found it changed. */
  readonly sample: Sample<T>;
  /** Writes this tag alone; see `Bus.write`. */
  write(value: T): Promise<WriteResult>;
}

/** Who writes for a tag. */
export interface TagWriter {
  write(values: Readonly<Record<string, TagValue>>): Promise<WriteResult>;
}

/** What the tags of a bus share. */
export interface TagContext {
  readonly directory: TagDirectory;
  readonly table: TagTable;
  /** Names of the SubDevices, by position. */
  readonly subDevices: readonly string[];
  readonly streams: TagStreams;
  readonly clock: CycleClock;
  readonly cyclePeriodNs: number;
  readonly writer: TagWriter;
}

/** Made when it is asked for, and small: everything but its number is shared. */
export class BusTag implements Tag {
  readonly #context: TagContext;
  readonly #number: number;
  #value$: BusObservable<Sample> | undefined;

  constructor(context: TagContext, number: number) {
    this.#context = context;
    this.#number = number;
  }

  get name(): string {
    return this.#context.directory.name(this.#number);
  }

  get alias(): string | undefined {
    return this.#context.directory.alias(this.#number);
  }

  get type(): TagType {
    return tagTypes[this.#context.table.kind(this.#number)]!;
  }

  get direction(): 'input' | 'output' {
    return this.#context.table.direction(this.#number) === Direction.input ? 'input' : 'output';
  }

  get subDevice(): string {
    const { table, subDevices } = this.#context;
    return subDevices[table.subDevice[this.#number]!]!;
  }

  get unit(): string | undefined {
    return this.#context.directory.unit(this.#number);
  }

  get count(): number {
    return this.#context.table.elements(this.#number);
  }

  get bitLength(): number {
    return this.#context.table.bitLength(this.#number);
  }

  get labels(): TagLabels | undefined {
    return this.#context.directory.labels(this.#number);
  }

  get value$(): BusObservable<Sample> {
    this.#value$ ??= this.#context.streams.samples$(this.#number);
    return this.#value$;
  }

  watch(options: WatchOptions): BusObservable<Sample> {
    const { streams, clock, cyclePeriodNs } = this.#context;
    const { type } = this;
    const isNumber = type !== 'bool' && type !== 'bytes' && this.count === 1 && this.labels === undefined;
    const filter = checkWatchOptions(options, { name: this.name, isNumber }, cyclePeriodNs);
    return streams.samples$(this.#number, (subscriber) => new WatchFilter(filter, clock, subscriber));
  }

  get edges$(): BusObservable<Edge> {
    const { table, streams } = this.#context;
    if (table.kind(this.#number) !== Kind.bool || table.isWide(this.#number) || this.labels !== undefined) {
      const { name } = this;
      throw new EtherCatError('ECAT_ERR_TAG_TYPE', `tag ${name} is no bool, only bools have edges`, { tag: name });
    }
    return streams.samples$<Edge>(this.#number, edgeWatcher);
  }

  get value(): TagValue {
    return this.#context.streams.value(this.#number);
  }

  get sample(): Sample {
    return this.#context.streams.sample(this.#number);
  }

  write(value: TagValue): Promise<WriteResult> {
    return this.#context.writer.write({ [this.name]: value });
  }
}

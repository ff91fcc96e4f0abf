/** A tag as an application sees it. */

import type { TagType } from '../core/configuration/types.ts';
import type { WriteResult } from '../core/outputs.ts';
import type { TagInfo } from '../core/resolve-tags.ts';
import type { TagValue } from '../core/tag-types.ts';
import type { BusObservable } from './bus-observable.ts';
import type { Sample, TagStreams } from './tag-streams.ts';

/** A named place in the process image. */
export interface Tag<T extends TagValue = TagValue> {
  /** Name of the configuration; unique. */
  readonly name: string;
  /** How its bits are read; with scaling its values are numbers all the same. */
  readonly type: TagType;
  /** `input` comes from the SubDevice, `output` goes to it. */
  readonly direction: 'input' | 'output';
  /** Unit of the configuration, for people. */
  readonly unit: string | undefined;
  /**
   * The tag's samples: the newest at once, then one for every change of value or quality, at most one a cycle.
   *
   * Rate: as often as the tag changes. When this thread is late by up to 32 cycles it still gets every change; when
   * it is later, each changed tag emits once, with its newest value. A subscriber that throws is reported in
   * `faults$`. Completes when the bus closes.
   */
  readonly value$: BusObservable<Sample<T>>;
  /** The newest value that this thread has seen. */
  readonly value: T;
  /** The newest sample that this thread has seen. */
  readonly sample: Sample<T>;
  /** Writes this tag alone; see `Bus.write`. */
  write(value: T): Promise<WriteResult>;
}

/** Who writes for a tag. */
export interface TagWriter {
  write(values: Readonly<Record<string, TagValue>>): Promise<WriteResult>;
}

/** Small, since there may be ten thousand: everything but its number is shared. */
export class BusTag implements Tag {
  readonly #info: TagInfo;
  readonly #number: number;
  readonly #streams: TagStreams;
  readonly #writer: TagWriter;

  constructor(info: TagInfo, number: number, streams: TagStreams, writer: TagWriter) {
    this.#info = info;
    this.#number = number;
    this.#streams = streams;
    this.#writer = writer;
  }

  get name(): string {
    return this.#info.name;
  }

  get type(): TagType {
    return this.#info.type;
  }

  get direction(): 'input' | 'output' {
    return this.#info.direction;
  }

  get unit(): string | undefined {
    return this.#info.unit;
  }

  get value$(): BusObservable<Sample> {
    return this.#streams.value$(this.#number);
  }

  get value(): TagValue {
    return this.#streams.value(this.#number);
  }

  get sample(): Sample {
    return this.#streams.sample(this.#number);
  }

  write(value: TagValue): Promise<WriteResult> {
    return this.#writer.write({ [this.#info.name]: value });
  }
}

/** What a configuration looks like before (`ConfigurationDocument`) and after (`NormalizedConfiguration`) it was read. */

import type { Location } from '../errors/ethercat-error.ts';
import type { SegmentDescription, SegmentDocument } from './segment-types.ts';

/** How the bytes of a tag are read. `bytes` is a byte string of any whole number of bytes. */
export type TagType =
  | 'bool'
  | 'int8'
  | 'uint8'
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'uint64'
  | 'float32'
  | 'float64'
  | 'bytes';

/** What an output does when its writer falls silent: keep, go to zero, or go to a value (in units of the tag). */
export type OnLoss = 'hold' | 'zero' | number | boolean;

/**
 * A configuration as a person writes it: the YAML file, or the same as a plain object.
 * `schemas/configuration.schema.json` describes every key.
 */
export interface ConfigurationDocument {
  /** Everything about one segment. */
  ethercat: {
    master?: MainDeviceDocument;
    /** The same as `master`. */
    main_device?: MainDeviceDocument;
    devices?: readonly DeviceDocument[];
    process_data?: {
      inputs?: readonly InputDocument[];
      outputs?: readonly OutputDocument[];
    };
    lanes?: readonly LaneDocument[];
    interlocks?: readonly InterlockDocument[];
  };
}

interface MainDeviceDocument {
  interface?: string;
  segment?: string | SegmentDocument;
  cycle_time?: number | string;
  distributed_clocks?: boolean;
  redundancy?: boolean;
  pre_spin_us?: number;
  priority?: number;
  cpu?: number;
  time?: 'wall' | 'virtual';
  signals?: boolean;
  history_ms?: number;
  output_deadline_ms?: number;
  partitions?: 'auto' | number;
}

interface DeviceDocument {
  name: string;
  position: number;
  vendor_id?: number;
  product_code?: number;
  revision?: number;
  serial?: number;
  config_file?: string;
  urgent?: boolean;
  partition?: number;
}

export interface InputDocument {
  name: string;
  slave?: string;
  /** The same as `slave`. */
  sub_device?: string;
  index?: number;
  subindex?: number;
  channel?: number;
  entry?: string;
  bit_offset?: number;
  bit_length?: number;
  type?: TagType;
  scale?: number;
  offset?: number;
  unit?: string;
  count?: number;
  labels?: Readonly<Record<number, string>>;
  dead_band?: number | string;
}

export interface OutputDocument extends InputDocument {
  on_loss?: OnLoss;
}

interface InterlockDocument {
  name: string;
  when: { tag: string; is?: number | boolean | string; above?: number; below?: number };
  force: Readonly<Record<string, number | boolean | string>>;
}

interface LaneDocument {
  name: string;
  outputs: readonly string[];
  deadline_ms?: number;
  commit_deadline_ms?: number;
}

/** Where the frames go. */
export type LinkConfiguration =
  | { readonly kind: 'interface'; readonly name: string }
  | { readonly kind: 'segment'; readonly description: SegmentDescription };

/** A SubDevice that the configuration names; an undefined part of its identity is not compared. */
export interface DeviceConfiguration {
  readonly name: string;
  /** Position in the segment, from 0. */
  readonly position: number;
  readonly vendorId: number | undefined;
  readonly productCode: number | undefined;
  readonly revision: number | undefined;
  readonly serial: number | undefined;
  /** ESI file, kept as written: this version does not read it. */
  readonly configFile: string | undefined;
  /** Whether its outputs may be sent out of cycle; undefined where its device emulation decides. */
  readonly urgent: boolean | undefined;
  /** Decode worker that looks at its tags; undefined is 0 where another device names one, and up to us otherwise. */
  readonly partition: number | undefined;
  readonly location: Location | undefined;
}

/**
 * A tag and how to find it in the process data of its device. Exactly one way is given:
 * - `index` (with `subindex`, 0 unless written): the entry with this object address;
 * - `channel`, from 1: the n-th PDO of the tag's direction that has entries with an index; `entry`
 *   then names one entry in it, and without it the PDO's only entry, or else its longest, is meant;
 * - `entry` alone: the only entry of the device with this name, in this direction, or the only
 *   entry of the PDO with this name.
 */
export interface TagConfiguration {
  readonly name: string;
  readonly direction: 'input' | 'output';
  /** Name of the device in `devices`. */
  readonly device: string;
  readonly index: number | undefined;
  readonly subindex: number | undefined;
  readonly channel: number | undefined;
  readonly entry: string | undefined;
  /** First bit within the entry; undefined is 0. */
  readonly bitOffset: number | undefined;
  /** Bits of the tag, or of one element of an array; undefined takes the length of the type, or else of the entry. */
  readonly bitLength: number | undefined;
  /** Elements of an array; undefined is no array. */
  readonly count: number | undefined;
  /** Undefined takes the type of the entry. */
  readonly type: TagType | undefined;
  /** value = raw · scale + offset. */
  readonly scale: number;
  readonly offset: number;
  readonly unit: string | undefined;
  /** Names of values. */
  readonly labels: Readonly<Record<number, string>> | undefined;
  /** Changes that are not told: in units of the value, or as text in percent of the value last told. */
  readonly deadBand: number | string | undefined;
  /** Outputs only; inputs have 'hold', which means nothing there. */
  readonly onLoss: OnLoss;
  readonly location: Location | undefined;
}

/** Outputs that are set aside for a writer of their own. */
export interface LaneConfiguration {
  readonly name: string;
  /** Names of tags and devices; a device stands for all of its outputs. */
  readonly outputs: readonly string[];
  /** Silence of the writer after which its outputs go to their loss values; 0 is never. */
  readonly deadlineMs: number;
  /** The same for a writer that does not write, alive or not; 0 is never. */
  readonly commitDeadlineMs: number;
  readonly location: Location | undefined;
  /** Of each of its outputs. */
  readonly locations: readonly (Location | undefined)[];
}

/** A condition that forces outputs, in the cycle thread. */
export interface InterlockConfiguration {
  readonly name: string;
  /** Exactly one of `is`, `above` and `below`, in the unit of the tag. */
  readonly when: {
    readonly tag: string;
    readonly is?: number | boolean | string;
    readonly above?: number;
    readonly below?: number;
  };
  /** Values by the names of outputs. */
  readonly force: Readonly<Record<string, number | boolean | string>>;
  readonly location: Location | undefined;
}

/** A configuration after every check, with every default filled in; deeply frozen. */
export interface NormalizedConfiguration {
  /** File name, for messages; undefined for a plain object. */
  readonly source: string | undefined;
  /** A network interface, or a simulated segment. */
  readonly link: LinkConfiguration;
  /** Period of the cyclic exchange, 250,000 to 100,000,000 ns. */
  readonly cyclePeriodNs: number;
  /** How long before the start of a cycle the thread wakes to spin. */
  readonly preSpinNs: number;
  /** SCHED_FIFO priority (1 to 99); undefined asks for none. */
  readonly priority: number | undefined;
  /** CPU to run the cycle thread on; undefined leaves it to the scheduler. */
  readonly cpu: number | undefined;
  /** Whether the distributed clocks of the SubDevices are synchronised. */
  readonly distributedClocks: boolean;
  /** Whether cycles run only as they are granted (`advance`), in place of every period of the clock. */
  readonly virtualTime: boolean;
  /** Slots of the input ring, a power of two; undefined takes the default (at least 32 ms). */
  readonly historySlots: number | undefined;
  /** Silence of a writer after which its outputs go to their loss values; 0 is never. */
  readonly outputDeadlineMs: number;
  /** Decode workers that share the tags; undefined chooses by how many tags and processors there are. */
  readonly partitions: number | undefined;
  /** Whether SIGINT and SIGTERM close the MainDevice in order before the process ends. */
  readonly signals: boolean;
  /** The SubDevices that have to be there. */
  readonly devices: readonly DeviceConfiguration[];
  /** Inputs first, in the order of the document; empty when there is to be one for every entry. */
  readonly tags: readonly TagConfiguration[];
  /** Writers with outputs of their own; all other outputs are the opener's. */
  readonly lanes: readonly LaneConfiguration[];
  /** Conditions that force outputs. */
  readonly interlocks: readonly InterlockConfiguration[];
}

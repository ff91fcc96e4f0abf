/** A simulated segment: as a person writes it (`SegmentDocument`), and as the simulator reads it (`SegmentDescription`). */

import type { SegmentFault } from './fault-types.ts';

/** `schemas/segment.schema.json` describes every key. */
export interface SegmentDocument {
  /** A line in this order, or each after the one that it is plugged into; at least one. */
  devices: readonly SegmentDeviceDocument[];
  /** What inputs do by themselves. */
  signals?: readonly SignalDocument[];
  /** Outputs that are wired back to inputs. */
  wires?: readonly WireDocument[];
  /** Ethernet cables between sockets of devices, each end as DEVICE.SOCKET. */
  ethernet?: readonly WireDocument[];
  /** What goes wrong, from the first frame on. */
  faults?: readonly SegmentFault[];
  /** What the segment's chance is made of; by default 0. */
  seed?: number;
  /** The port that is cabled to the MainDevice's second port. */
  ring?: { parent: string; port: number; cable_metres?: number };
  /** Registers of which a replay does not compare every bit. */
  compare?: readonly CompareDocument[];
}

interface CompareDocument {
  /** Name of the device; without it, all. */
  device?: string;
  register: number;
  mask: readonly number[];
}

interface SegmentDeviceDocument {
  name?: string;
  type?: SimulatedDeviceType;
  /** Path of an SII image, relative to the segment file. */
  sii?: string;
  /** What is known of an SII image of which the rest is not; in place of `sii`. */
  sii_words?: readonly { word: number; values: readonly number[] }[];
  /** Device of a vendor's ESI file; a path, or more than that. */
  esi?: string | SegmentEsiDocument;
  esc?: Readonly<Record<string, unknown>>;
  start?: Readonly<Record<string, unknown>>;
  channels?: number;
  /** Modules of a modular-coupler by name or number; `slot` counts from 1. */
  modules?: readonly { slot?: number; module: string | number }[];
  /** Whether modules may be pulled while process data goes on; by default false. */
  hot_swap?: boolean;
  vendor_id?: number;
  product_code?: number;
  revision?: number;
  serial?: number;
  order_name?: string;
  pdos?: readonly SimulatedPdoDocument[];
  alias?: number;
  device_emulation?: boolean;
  distributed_clock?: boolean;
  clock?: { drift_ppm?: number; jitter_ns?: number; offset_ns?: number };
  dc_modes?: readonly Readonly<Record<string, unknown>>[];
  sync?: Readonly<Record<string, unknown>>;
  /** What its microcontroller runs, by `kind`. */
  program?: Readonly<Record<string, unknown>>;
  identification?: number;
  refuse?: readonly { to: string; code: number; when?: Readonly<Record<string, unknown>> }[];
  transition_delay_ms?: number;
  mailbox?: Readonly<Record<string, unknown>>;
  /** Name of the device that it is plugged into; by default the one just before. */
  parent?: string;
  /** Port of that device, by default 1. */
  port?: number;
  cable_metres?: number;
  inlet?: number;
  forward_ns?: readonly number[];
  processing_ns?: number;
  /** Ports with a link to something that is not described. */
  outside_ports?: readonly number[];
}

/** A device of ESI files. */
export interface SegmentEsiDocument {
  /** Paths, relative to the segment file: that of the device, and others with modules. */
  file: string | readonly string[];
  /** Type or name of the device. */
  device?: string;
  product_code?: number;
  /** By default the newest. */
  revision?: number;
  /** Modules by type, name or number; `slot` counts from 1. */
  modules?: readonly { slot?: number; module: string | number }[];
  assigned_pdos?: readonly number[];
  /** Whether the EEPROM has the PDOs of modules, too, and enables every SyncManager that carries something; by default true. */
  modules_in_eeprom?: boolean;
  language?: number;
}

export type SimulatedDeviceType =
  | 'EK1100'
  | 'EK1122'
  | 'EK1914'
  | 'CU1128-like'
  | 'EL1004'
  | 'EL1008-like'
  | 'EL1018-like'
  | 'EL1502-like'
  | 'EL1904-like'
  | 'EL2004'
  | 'EL2008-like'
  | 'EL2809-like'
  | 'EL2828'
  | 'EL2889'
  | 'EL2904-like'
  | 'EL3004'
  | 'EL3102-like'
  | 'EL3204-like'
  | 'EL3602-like'
  | 'EL3632-like'
  | 'EL3xxx-like'
  | 'EL4004-like'
  | 'EL4132-like'
  | 'EL4xxx-like'
  | 'EL5001-like'
  | 'EL5101-like'
  | 'EL7041-like'
  | 'LAN9252'
  | 'AKD'
  | 'EL6601-like'
  | 'EL6614-like'
  | 'AX5206-like'
  | 'servo'
  | 'digital-inputs'
  | 'digital-outputs'
  | 'analogue-inputs'
  | 'analogue-outputs'
  | 'modular-coupler'
  | 'stress'
  | 'generic';

interface SimulatedPdoDocument {
  direction: 'input' | 'output';
  index: number;
  name?: string;
  assigned?: boolean;
  fixed?: boolean;
  entries: readonly { index: number; subindex?: number; name?: string; bits: number; data_type?: number }[];
}

interface SignalDocument {
  /** `<device name>.<channel, from 1>` */
  input: string;
  sine?: { amplitude: number; offset?: number; period_ms: number };
  counter?: { period_ms: number };
  square?: { period_ms: number };
  constant?: number;
}

interface WireDocument {
  from: string;
  to: string;
}

/**
 * What the simulator reads, as JSON: camelCase keys, SII images as base64 text. The simulator checks
 * it again and names the place of an error by a JSON pointer.
 */
export interface SegmentDescription {
  /** In the order of the wire. */
  readonly devices: readonly Readonly<Record<string, unknown>>[];
  /** What inputs do by themselves. */
  readonly signals: readonly Readonly<Record<string, unknown>>[];
  /** Outputs that are wired back to inputs. */
  readonly wires: readonly Readonly<Record<string, unknown>>[];
  /** Ethernet cables between sockets of devices. */
  readonly ethernet?: readonly Readonly<Record<string, unknown>>[];
  /** What goes wrong, from the first frame on. */
  readonly faults?: readonly Readonly<Record<string, unknown>>[];
  /** What the segment's chance is made of; by default 0. */
  readonly seed?: number;
  /** The port that is cabled to the MainDevice's second port. */
  readonly ring?: Readonly<Record<string, unknown>>;
  /** Registers of which a replay does not compare every bit. */
  readonly compare?: readonly Readonly<Record<string, unknown>>[];
  /** ESI files that devices are of, as base64 text. */
  readonly esiFiles?: readonly { readonly name: string; readonly content: string }[];
}

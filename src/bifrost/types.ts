/**
 * Bifrost's contract for a protocol, as its gateway speaks it: objects keep the keys of its JSON, times are `Date` (RFC 3339
 * in JSON), durations whole nanoseconds.
 */

import type { TagType } from '../core/configuration/types.ts';
import type { TagValue } from '../core/tag-types.ts';
import type { ProtocolError } from './protocol-error.ts';

/** How far a value can be trusted. */
export type BifrostQuality = 'GOOD' | 'BAD' | 'UNCERTAIN' | 'STALE';

/** Types of values: Bifrost's, and the two that EtherCAT's objects need beside them. */
export type BifrostDataType = TagType | 'string';

/** A device of the gateway: here one SubDevice. */
export interface BifrostDevice {
  /** Of the gateway; unique. */
  readonly id: string;
  /** For people; where `config` names no SubDevice, the one of this name is meant. */
  readonly name: string;
  /** `ethercat`. */
  readonly protocol: string;
  /** Network interface of the segment. Devices with the same address share one MainDevice. */
  readonly address: string;
  /** 0, EtherCAT has none. */
  readonly port?: number;
  /** Which SubDevice it is, and how to open its segment; see {@link BifrostDeviceConfig}. */
  readonly config?: BifrostDeviceConfig;
  /** Written by the handler. */
  connected?: boolean;
  /** Written by the handler: when it answered last. */
  last_seen?: Date | string;
}

/** What `config` of a device may hold. Other keys are refused, since a misspelt one would do nothing. */
export interface BifrostDeviceConfig {
  /** Position of the SubDevice, from 0. */
  readonly position?: number;
  /** Name of the SubDevice in the segment's configuration. */
  readonly sub_device?: string;
  /** The same as `sub_device`. */
  readonly slave?: string;
  /** Vendor that the SubDevice has to have. */
  readonly vendor_id?: number;
  /** Product code that it has to have. */
  readonly product_code?: number;
  /** Revision that it has to have. */
  readonly revision?: number;
  /** Serial number that it has to have. */
  readonly serial?: number;
  /** The configuration of the whole segment: the `ethercat` part of its YAML. The first device of an address decides. */
  readonly ethercat?: Readonly<Record<string, unknown>>;
  /** In place of `ethercat`: the YAML file. */
  readonly configuration_file?: string;
  /** In place of `ethercat.master.interface`, and of `address`. */
  readonly network_interface?: string;
  /** In place of `ethercat.master.cycle_time`. */
  readonly cycle_time?: number | string;
  /** In place of `ethercat.master.distributed_clocks`. */
  readonly enable_dc?: boolean;
  /** Most SubDevices that the segment may have; a longer one is refused. */
  readonly max_slaves?: number;
}

/** A tag of the gateway. */
export interface BifrostTag {
  /** Key of results. */
  readonly id: string;
  /** For people. */
  readonly name: string;
  /** See `EtherCatProtocolHandler.validateTagAddress`. */
  readonly address: string;
  /** Where given, a tag of another type is refused. */
  readonly data_type?: BifrostDataType | '';
  /** Written by a read. */
  value?: TagValue | null;
  /** Written by a read. */
  quality?: BifrostQuality;
  /** Written by a read: when the cycle of the value began. */
  timestamp?: Date | string;
  /** Whether it may be written. */
  readonly writable?: boolean;
  /** For people. */
  readonly unit?: string;
  /** For people. */
  readonly description?: string;
  /** value = raw · scale_factor + offset, on top of what the configuration scales. 0 counts as not set. */
  readonly scale_factor?: number;
  /** See `scale_factor`. */
  readonly offset?: number;
  /** Not looked at. */
  readonly protocol_config?: Readonly<Record<string, unknown>>;
}

/** What a device is. */
export interface BifrostDeviceInfo {
  /** Vendor id of the SII, in hex: names of vendors are in nobody's SII. */
  vendor: string;
  /** Order text of the SII, or the product code in hex. */
  model: string;
  /** Of the SII; 0 where the vendor writes none. */
  serial_number: string;
  /** Empty where only the mailbox could tell and there is none. */
  firmware_version: string;
  /** Of `coe`, `foe`, `eoe`, `soe`, `aoe`, `voe`, `dc`, `inputs`, `outputs`. */
  capabilities: string[];
  /** A segment has one MainDevice. */
  max_connections: number;
  /** Rates at which values are renewed, as cycle times in µs. */
  supported_rates: number[];
  /** Position, addresses, identity, AL state, sizes. */
  custom_info: Record<string, string>;
}

/** How a device has been doing. */
export interface BifrostDiagnostics {
  /** Whether no check of the health is critical. */
  is_healthy: boolean;
  /** When a call succeeded last. */
  last_communication: Date;
  /** Of the newest exchange with this SubDevice, in ns. */
  response_time: number;
  /** Calls that failed since it was connected. */
  error_count: number;
  /** Calls that succeeded, 0 to 1; 1 before the first. */
  success_rate: number;
  /** In ns. */
  connection_uptime: number;
  /** The newest last, at most 32. */
  recent_errors: BifrostDiagnosticError[];
  /** What only EtherCAT has. */
  protocol_diagnostics: EtherCatDiagnostics;
}

/** An error of a device that a call met. */
export interface BifrostDiagnosticError {
  /** When. */
  timestamp: Date;
  /** `ECAT_ERR_…`. */
  error_code: string;
  /** What has happened. */
  description: string;
  /** Method of the handler. */
  operation: string;
  /** Of the tag, or of the device. */
  address?: string;
}

/** What EtherCAT's registers and the cycle say of one SubDevice. */
export interface EtherCatDiagnostics {
  /** `INIT`, `PRE-OP`, `BOOT`, `SAFE-OP`, `OP` or `unknown`. */
  al_state: string;
  /** Register 0x0134; 0 without an error. */
  al_status_code: number;
  /** Of its data in the newest cycle. */
  quality: BifrostQuality;
  /** Registers 0x0300–0x0307: of each port, frames with a bad checksum or length, and damaged symbols. */
  ports: { invalid_frames: number; rx_errors: number; forwarded_errors: number; lost_links: number }[];
  /** Register 0x030C. */
  processing_unit_errors: number;
  /** Register 0x030D. */
  pdi_errors: number;
  /** Register 0x092C, in ns, negative where the local clock is behind; undefined without distributed clocks. */
  dc_time_difference_ns: number | undefined;
  /** The whole bus since its start. */
  bus: {
    state: string;
    cycles: number;
    missed_cycles: number;
    overruns: number;
    lost_frames: number;
    working_counter_errors: number;
    /** Percentiles in ns. */
    start_lateness_p99: number;
    round_trip_p99: number;
  };
}

/** What a health check found. */
export interface BifrostHealthCheck {
  /** The worst of the checks. */
  status: 'HEALTHY' | 'WARNING' | 'CRITICAL' | 'UNKNOWN';
  /** `connectivity`, `state`, `working-counter`, `dc`, `timing`. */
  checks: { name: string; status: 'HEALTHY' | 'WARNING' | 'CRITICAL' | 'UNKNOWN'; message: string }[];
}

/** Several reads, or several writes that take effect in one cycle. */
export interface BifrostBatchOperation {
  /** Which. */
  readonly tags: readonly BifrostTag[];
  /** What to do with them. */
  readonly operation: 'read' | 'write';
  /** By id of the tag; for writes. */
  readonly values?: Readonly<Record<string, TagValue>>;
}

/** What became of them; a tag is in `results` or in `errors`. */
export interface BifrostBatchResult {
  /** Whether there are no errors. */
  success: boolean;
  /** By id of the tag. */
  results: Record<string, TagValue>;
  /** By id of the tag. */
  errors: Record<string, ProtocolError>;
  /** In ns. */
  duration: number;
  /** When it was done. */
  timestamp: Date;
}

/** One change, as the gateway pushes it to its clients. */
export interface BifrostTagUpdate {
  /** Tells it from other messages. */
  type: 'tag_update';
  /** Id of the device. */
  device_id: string;
  /** With its newest value, quality and timestamp. */
  tag: BifrostTag;
}

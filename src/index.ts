/** bifrost-ethercat: an EtherCAT MainDevice for Node.js. */

export { type AttachedBus, type AttachOptions, attach } from './attached-bus.ts';
export type { Bus } from './bus.ts';
export type { Analyse, AnalyseOptions, AnalysisContext, AnalysisResult } from './core/analysis.ts';
export type { BusHandle } from './core/bus-handle.ts';
export type { SegmentDescription, SegmentDocument } from './core/configuration/segment-types.ts';
export type { ConfigurationDocument, NormalizedConfiguration, OnLoss, TagType } from './core/configuration/types.ts';
export type { DeadBand } from './core/dead-band.ts';
export {
  type DeviceIdentity,
  type ErrorDetails,
  type ErrorObject,
  EtherCatError,
  type Location,
} from './core/errors/ethercat-error.ts';
export { type ErrorCategory, type ErrorCode, errorCodes, errorTable } from './core/errors/table.ts';
export type { BusState, SubDeviceState } from './core/events.ts';
export type { Fault, FaultKind } from './core/faults.ts';
export type { BusHealth, PortErrors, SubDeviceHealth, SubDeviceRegisters } from './core/health.ts';
export type { CycleWindow, Gap, History } from './core/history.ts';
export type { Interlock } from './core/interlocks.ts';
export type { WriteResult } from './core/outputs.ts';
export type { Quality } from './core/quality.ts';
export type { Snapshot, SnapshotEntry } from './core/snapshot.ts';
export type { CycleStatistics, DurationStatistics } from './core/statistics.ts';
export type { SubDevice } from './core/sub-device.ts';
export type { TagLabels } from './core/tag-directory.ts';
export type { TagArray, TagValue } from './core/tag-types.ts';
export type { GapPolicy, WindowOptions } from './core/window-stream.ts';
export type { Lane } from './lane.ts';
export { MainDevice, type OpenOptions } from './main-device.ts';
export type { SimulatedDevice, SimulatedPort } from './simulator/simulated-device.ts';
export type { SimulatedSegment } from './simulator/simulated-segment.ts';
export type { BusObservable } from './streams/bus-observable.ts';
export type { Change, ChangeBatch } from './streams/change-batch.ts';
export type { CycleInfo } from './streams/cycle-stream.ts';
export type { Edge } from './streams/edges.ts';
export { type IterateOptions, iterate, type ObservableIterator } from './streams/iterate.ts';
export type { StateChange } from './streams/state-change.ts';
export type { Tag } from './streams/tag.ts';
export type { DeliveryHead, TagsSample } from './streams/tag-group.ts';
export type { TagList } from './streams/tag-list.ts';
export type { Sample } from './streams/tag-streams.ts';
export type { WatchOptions } from './streams/watch.ts';
export type {
  TagMap,
  TagNameOf,
  TagOf,
  TagValueOf,
  Typed,
  TypedCycleMembers,
  TypedMembers,
  TypedSnapshot,
} from './typed-bus.ts';
export { analyses } from './workers/analyses.ts';
export type { SpectrumResult, TagSpectrum } from './workers/analysis/spectrum.ts';
export type { StatisticsResult, TagStatistics } from './workers/analysis/statistics.ts';
export type { Capture, TriggerOptions } from './workers/analysis/trigger.ts';

/** bifrost-ethercat/simulator: a simulated segment, for tests and for machines in software. */

export type {
  DatagramCommand,
  FaultEffect,
  FaultFrames,
  FaultPlace,
  FaultTimes,
  MailEffect,
  MailFault,
  SegmentFault,
} from '../core/configuration/fault-types.ts';
export type { SegmentDescription, SegmentDocument } from '../core/configuration/segment-types.ts';
export { all, any, Condition } from './conditions.ts';
export { type FaultHit, type FaultHits, InjectedFault } from './injected-fault.ts';
export type { IntervalScript } from './scripts.ts';
export type { SegmentServer, ServeOptions } from './segment-server.ts';
export { type SimulateOptions, simulate } from './simulate.ts';
export type {
  DeviceStatus,
  EmergencyOptions,
  SimulatedDevice,
  SimulatedPort,
  SimulatedSlot,
} from './simulated-device.ts';
export type { Predicate, SimulatedSegment, UntilOptions } from './simulated-segment.ts';
export type {
  ProcessInput,
  ProcessValue,
  Readable,
  SimulatedObject,
  SimulatedRegister,
  SimulatedState,
  SimulatedValueType,
} from './values.ts';

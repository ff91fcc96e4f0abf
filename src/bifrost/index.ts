/** `bifrost-ethercat/bifrost`: EtherCAT as a protocol of the Bifrost gateway. */

export type { ObjectAccess, ObjectAddress } from './objects.ts';
export { ProtocolError } from './protocol-error.ts';
export { EtherCatProtocolHandler, type ProtocolHandlerOptions } from './protocol-handler.ts';
export type {
  BifrostBatchOperation,
  BifrostBatchResult,
  BifrostDataType,
  BifrostDevice,
  BifrostDeviceConfig,
  BifrostDeviceInfo,
  BifrostDiagnosticError,
  BifrostDiagnostics,
  BifrostHealthCheck,
  BifrostQuality,
  BifrostTag,
  BifrostTagUpdate,
  EtherCatDiagnostics,
} from './types.ts';

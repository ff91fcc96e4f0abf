/** The error that Bifrost's contract knows, with everything that ours says. */

import { EtherCatError } from '../core/errors/ethercat-error.ts';
import type { ErrorCategory } from '../core/errors/table.ts';

/** An error of one operation of the protocol handler. */
export class ProtocolError extends Error {
  /** `ECAT_ERR_…`; stable. */
  readonly code: string;
  /** Method of the handler. */
  readonly operation: string;
  /** Of the tag, or of the device where no tag is concerned. */
  readonly address: string | undefined;
  /** When it happened. */
  readonly timestamp: Date;
  /** Whether it is worth trying again. */
  readonly recoverable: boolean;
  /** Whose fault it is. */
  readonly category: ErrorCategory;
  /** What to do. */
  readonly action: string;
  /** The error of the MainDevice. */
  override readonly cause: EtherCatError;

  constructor(cause: EtherCatError, operation: string, address: string | undefined) {
    super(cause.message);
    this.name = 'ProtocolError';
    this.cause = cause;
    this.code = cause.code;
    this.operation = operation;
    this.address = address;
    this.timestamp = new Date();
    this.recoverable = cause.recoverable;
    this.category = cause.category;
    this.action = cause.action;
  }

  /** Any error as one of an operation. */
  static of(error: unknown, operation: string, address?: string): ProtocolError {
    return error instanceof ProtocolError ? error : new ProtocolError(EtherCatError.from(error), operation, address);
  }

  /** The keys of Bifrost's JSON: an `Error` of its own would be `{}`. */
  toJSON(): Record<string, unknown> {
    const { code, message, operation, address, timestamp, recoverable, category, action } = this;
    return {
      code,
      message,
      operation,
      ...(address !== undefined && { address }),
      timestamp,
      recoverable,
      category,
      action,
    };
  }
}

/** The one error class of the package. */

import { type ErrorCategory, type ErrorCode, errorTable, isErrorCode } from './table.ts';

/** A place in a configuration or segment file; line and column count from 1. */
export interface Location {
  /** As it was given to `open`, or relative to the file that names it. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
}

/** Who a SubDevice says it is, or should be; absent parts are not compared. */
export interface DeviceIdentity {
  /** Vendor, as ETG assigned it. */
  readonly vendorId?: number;
  /** Product, as the vendor numbers it. */
  readonly productCode?: number;
  /** Revision of the product. */
  readonly revision?: number;
  /** Serial number; 0 where the vendor writes none. */
  readonly serial?: number;
}

/** What an error concerns. All of it is optional: only what is known is there. */
export interface ErrorDetails {
  /** Position of the SubDevice in the segment, from 0. */
  readonly position?: number | undefined;
  /** Name of the SubDevice. */
  readonly subDevice?: string | undefined;
  /** Name of the tag. */
  readonly tag?: string | undefined;
  /** Name of the lane that writes outputs. */
  readonly lane?: string | undefined;
  /** Address of the ESC register. */
  readonly register?: number | undefined;
  /** AL state that was requested (1 INIT, 2 PRE-OP, 3 BOOT, 4 SAFE-OP, 8 OP). */
  readonly requestedState?: number | undefined;
  /** AL state that the SubDevice is in. */
  readonly state?: number | undefined;
  /** AL status code (register 0x0134) with which the SubDevice explains itself; the message says it in words. */
  readonly alStatusCode?: number | undefined;
  /** Identity that the configuration asks for. */
  readonly expected?: DeviceIdentity | undefined;
  /** Identity that was found. */
  readonly found?: DeviceIdentity | undefined;
  /** Where in the configuration or segment file; the message begins with it. */
  readonly location?: Location | undefined;
  /** What to do, where more is known than for every error of this code. */
  readonly action?: string | undefined;
  /** The error behind this one. */
  readonly cause?: unknown;
}

/** Plain form of an error, for logs, `--json` and messages between threads. */
export interface ErrorObject extends Omit<ErrorDetails, 'cause' | 'action'> {
  /** Stable; what to match on. */
  readonly code: ErrorCode;
  /** What has happened; may change with every version. */
  readonly message: string;
  /** Which part a person has to look at. */
  readonly category: ErrorCategory;
  /** True when the same call can succeed later with nothing changed in configuration or program. */
  readonly recoverable: boolean;
  /** One sentence on what to do. */
  readonly action: string;
  /** When several failures came together: all of them, this one's own first. */
  readonly errors?: readonly ErrorObject[];
}

/** Marks instances of every copy of this class that may be loaded in one process. */
const brand: symbol = Symbol.for('bifrost-ethercat.EtherCatError');

const detailKeys = [
  'position',
  'subDevice',
  'tag',
  'lane',
  'register',
  'requestedState',
  'state',
  'alStatusCode',
  'expected',
  'found',
  'location',
] as const;

/** Lines that a combined message shows before it only counts. */
const SHOWN_ERRORS_MAX = 10;

/**
 * Every error that this package throws, rejects with or emits.
 *
 * Match on `code`: it is stable, messages are not. `instanceof` holds across several loaded copies
 * of the package.
 */
export class EtherCatError extends Error {
  /** Stable; what to match on. */
  declare readonly code: ErrorCode;
  /** Which part a person has to look at. */
  declare readonly category: ErrorCategory;
  /** True when the same call can succeed later with nothing changed in configuration or program. */
  declare readonly recoverable: boolean;
  /** One sentence on what to do. */
  declare readonly action: string;
  /** Position of the SubDevice in the segment, from 0. */
  declare readonly position?: number;
  /** Name of the SubDevice: that of the configuration, or what its SII says. */
  declare readonly subDevice?: string;
  /** Name of the tag. */
  declare readonly tag?: string;
  /** Name of the lane that writes outputs. */
  declare readonly lane?: string;
  /** Address of the ESC register. */
  declare readonly register?: number;
  /** AL state that was requested (1 INIT, 2 PRE-OP, 3 BOOT, 4 SAFE-OP, 8 OP). */
  declare readonly requestedState?: number;
  /** AL state that the SubDevice is in (register 0x0130: bits 0–3 state, bit 4 error). */
  declare readonly state?: number;
  /** AL status code (register 0x0134); the message says it in words. */
  declare readonly alStatusCode?: number;
  /** Identity that the configuration asks for. */
  declare readonly expected?: DeviceIdentity;
  /** Identity that was found. */
  declare readonly found?: DeviceIdentity;
  /** Where in the configuration or segment file; the message begins with it. */
  declare readonly location?: Location;
  /** When several failures came together: all of them, this one's own first. */
  declare readonly errors?: readonly EtherCatError[];

  static override [Symbol.hasInstance](value: unknown): boolean {
    // biome-ignore lint/complexity/noThisInStatic: it is the class to the right of `instanceof`, which may be derived
    // biome-ignore lint/complexity/noUselessThisAlias: `this` in a static member is what the line above allows, once
    const right = this;
    if (right !== EtherCatError) return Function.prototype[Symbol.hasInstance].call(right, value);
    return typeof value === 'object' && value !== null && brand in value;
  }

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    const { location, cause } = details;
    super(
      location === undefined ? message : `${formatLocation(location)} ${message}`,
      cause === undefined ? undefined : { cause },
    );
    const { category, recoverable, action } = errorTable[code];
    const fields: Record<string, unknown> = { code, category, recoverable, action: details.action ?? action };
    for (const key of detailKeys) if (details[key] !== undefined) fields[key] = details[key];
    Object.assign(this, fields);
  }

  /**
   * One error for several failures of one operation: code and details are those of the first, the
   * message lists them, `errors` holds them all. A single failure is returned as it is.
   */
  static combine(errors: readonly EtherCatError[]): EtherCatError {
    const [first, ...others] = errors;
    if (first === undefined) return new EtherCatError('ECAT_ERR_INTERNAL', 'an operation failed without saying why');
    if (others.length === 0) return first;
    const shown = errors.slice(0, SHOWN_ERRORS_MAX).map((error) => `\n  ${error.message}`);
    const hidden = errors.length - shown.length;
    const combined = new EtherCatError(
      first.code,
      `${errors.length} problems:${shown.join('')}${hidden > 0 ? `\n  and ${hidden} more` : ''}`,
      { action: first.action, ...(first.cause === undefined ? {} : { cause: first.cause }) },
    );
    const fields: Record<string, unknown> = { errors: Object.freeze([...errors]) };
    for (const key of detailKeys) if (first[key] !== undefined) fields[key] = first[key];
    return Object.assign(combined, fields);
  }

  /** Turns anything thrown into an `EtherCatError`; one that is one already is returned as it is. */
  static from(error: unknown, code: ErrorCode = 'ECAT_ERR_INTERNAL'): EtherCatError {
    if (error instanceof EtherCatError) return error;
    return new EtherCatError(code, error instanceof Error ? error.message : String(error), { cause: error });
  }

  /** Rebuilds an error that crossed a thread as its plain form. Details survive, `cause` and stack do not. */
  static fromObject(object: ErrorObject): EtherCatError {
    const { location, errors, ...rest } = object;
    const error = new EtherCatError(isErrorCode(object.code) ? object.code : 'ECAT_ERR_INTERNAL', object.message, rest);
    const fields: Record<string, unknown> = {};
    if (location !== undefined) fields['location'] = location;
    if (errors !== undefined) fields['errors'] = Object.freeze(errors.map((one) => EtherCatError.fromObject(one)));
    return Object.assign(error, fields);
  }

  /** The plain form: everything but `cause` and the stack. */
  toJSON(): ErrorObject {
    const object: Record<string, unknown> = {
      code: this.code,
      message: this.message,
      category: this.category,
      recoverable: this.recoverable,
      action: this.action,
    };
    for (const key of detailKeys) if (this[key] !== undefined) object[key] = this[key];
    if (this.errors !== undefined) object['errors'] = this.errors.map((error) => error.toJSON());
    return object as unknown as ErrorObject;
  }
}

// On the prototype, so that they neither clutter printed errors nor depend on the build.
Object.defineProperties(EtherCatError.prototype, {
  name: { value: 'EtherCatError', configurable: true, writable: true },
  [brand]: { value: true },
});

/** `plant.yaml:4:18`, as editors and terminals make it clickable. */
export function formatLocation({ file, line, column }: Location): string {
  return `${file}:${line}:${column}`;
}

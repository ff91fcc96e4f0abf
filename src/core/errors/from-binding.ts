/** Turns what the native side reports into `EtherCatError`s: the only place that does. */

import { type ErrorDetails, EtherCatError } from './ethercat-error.ts';
import { isErrorCode } from './table.ts';

/** A failure as the addon hands it over (`BindingFailure` in native/binding/index.d.ts). */
export interface NativeFailure {
  readonly code: string;
  readonly message: string;
  readonly position?: number | undefined;
  readonly subDevice?: string | undefined;
  readonly register?: number | undefined;
  readonly requestedState?: number | undefined;
  readonly state?: number | undefined;
  readonly alStatusCode?: number | undefined;
}

/** One error for the failures of one operation; with several, `errors` holds them all. */
export function errorFromFailures(failures: readonly NativeFailure[]): EtherCatError {
  return EtherCatError.combine(failures.map((failure) => errorFromFailure(failure)));
}

/**
 * Translates an exception of a native call. The addon throws plain Errors whose `code` is one of the
 * table and which carry the fields of the failure; anything else becomes `ECAT_ERR_INTERNAL`.
 */
export function errorFromThrown(thrown: unknown): EtherCatError {
  if (thrown instanceof EtherCatError) return thrown;
  if (thrown instanceof Error && 'code' in thrown && isErrorCode(thrown.code)) {
    return errorFromFailure(thrown as Error & NativeFailure, thrown);
  }
  return EtherCatError.from(thrown);
}

/** Runs a native call and translates what it throws. */
export function translated<T>(call: () => T): T {
  try {
    return call();
  } catch (thrown) {
    throw errorFromThrown(thrown);
  }
}

function errorFromFailure(failure: NativeFailure, cause?: unknown): EtherCatError {
  const { position, subDevice, register, requestedState, state, alStatusCode } = failure;
  const details: ErrorDetails = { position, subDevice, register, requestedState, state, alStatusCode, cause };
  if (isErrorCode(failure.code)) return new EtherCatError(failure.code, failure.message, details);
  return new EtherCatError('ECAT_ERR_INTERNAL', `${failure.code}: ${failure.message}`, details);
}

/** Turns what the native side reports into `EtherCatError`s: the only place that does. */

import { type ErrorDetails, EtherCatError } from './ethercat-error.ts';
import { isErrorCode } from './table.ts';

type NativeDetails = Pick<
  ErrorDetails,
  'position' | 'subDevice' | 'register' | 'requestedState' | 'state' | 'alStatusCode'
>;

/** A failure as the addon hands it over (`BindingFailure` in native/binding/index.d.ts). */
export interface NativeFailure extends NativeDetails {
  readonly code: string;
  readonly message: string;
  /** What to do about the AL status code. */
  readonly hint?: string;
}

/**
 * One error for the failures of one operation; with several, `errors` holds them all.
 *
 * @param devices - names of the configuration: people know a SubDevice by that, the addon by what its SII says
 */
export function errorFromFailures(
  failures: readonly NativeFailure[],
  devices: readonly { readonly name: string; readonly position: number }[] = [],
): EtherCatError {
  const names = new Map(devices.map(({ name, position }) => [position, name]));
  return EtherCatError.combine(
    failures.map((failure) => {
      const name = failure.position === undefined ? undefined : names.get(failure.position);
      if (name === undefined) return errorFromFailure(failure);
      return errorFromFailure({ ...failure, subDevice: name, message: `device ${name}: ${failure.message}` });
    }),
  );
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
  const { position, subDevice, register, requestedState, state, alStatusCode, hint } = failure;
  const details: ErrorDetails = {
    position,
    subDevice,
    register,
    requestedState,
    state,
    alStatusCode,
    action: hint,
    cause,
  };
  if (isErrorCode(failure.code)) return new EtherCatError(failure.code, failure.message, details);
  return new EtherCatError('ECAT_ERR_INTERNAL', `${failure.code}: ${failure.message}`, details);
}

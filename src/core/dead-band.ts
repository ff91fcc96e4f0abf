/** Dead bands: changes too small to be worth telling. */

import { Band } from './tag-table.ts';

/** A dead band as it is written: in units of the value, or as a part of the value last told (`"2 %"`). */
export type DeadBand = number | `${number}%` | `${number} %`;

/** Whether text is a dead band in percent. */
const PERCENT = /^([0-9]+(?:\.[0-9]+)?) ?%$/;

/** A dead band as a row of the tag table has it; undefined where it is none. */
export function parseDeadBand(written: unknown): { band: number; deadBand: number } | undefined {
  if (typeof written === 'number') {
    return written >= 0 && written < Number.POSITIVE_INFINITY ? { band: Band.absolute, deadBand: written } : undefined;
  }
  const percent = typeof written === 'string' ? PERCENT.exec(written)?.[1] : undefined;
  return percent === undefined ? undefined : { band: Band.relative, deadBand: Number(percent) / 100 };
}

/** Whether a value has left the dead band around the one that was told last. NaN is beyond every band but its own. */
export function leavesBand(band: number, deadBand: number, told: number, value: number): boolean {
  if (value === told || (Number.isNaN(value) && Number.isNaN(told))) return false;
  const width = band === Band.relative ? deadBand * Math.abs(told) : deadBand;
  return !(Math.abs(value - told) <= width);
}

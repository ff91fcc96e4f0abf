/** Values, numbers and tables as people read them in a terminal. */

import { stripVTControlCharacters } from 'node:util';

import type { TagValue } from '../core/tag-types.ts';

/** What a tag can hold. */
export type Value = TagValue | undefined;

/** Bytes of a byte string, and values of an array, that are shown. */
const SHOWN_BYTES_MAX = 8;
const SHOWN_VALUES_MAX = 4;

/** A tag's value, without its unit. `scale` decides how many decimals are worth showing. */
export function formatValue(value: Value, scale = 1): string {
  switch (typeof value) {
    case 'undefined':
      return '–';
    case 'boolean':
      return value ? 'on' : 'off';
    case 'bigint':
      return grouped(value.toString());
    case 'number':
      return formatNumber(value, scale);
    case 'string':
      return value;
    default: {
      const isBytes = value instanceof Uint8Array;
      const shown = isBytes ? SHOWN_BYTES_MAX : SHOWN_VALUES_MAX;
      const texts = Array.from(value.subarray(0, shown), (one: number | bigint) =>
        isBytes ? one.toString(16).padStart(2, '0') : formatValue(one, scale),
      );
      return `${texts.join(' ')}${value.length > shown ? ' …' : ''}`;
    }
  }
}

/** What {@link jsonValue} makes of a value. */
export type JsonValue = boolean | number | string | null | readonly JsonValue[];

/** A tag's value as JSON holds it: bigints beyond 2⁵³ as text, byte strings in hex, arrays as lists. */
export function jsonValue(value: Value): JsonValue {
  switch (typeof value) {
    case 'undefined':
      return null;
    case 'bigint':
      return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString();
    case 'number':
      // JSON has neither NaN nor infinities; null would hide that there is a value.
      return Number.isFinite(value) ? value : String(value);
    case 'boolean':
    case 'string':
      return value;
    default:
      return value instanceof Uint8Array
        ? Buffer.from(value).toString('hex')
        : Array.from<number | bigint, JsonValue>(value, jsonValue);
  }
}

/** `12 345 678` */
export function grouped(digits: number | string): string {
  return String(digits).replaceAll(/\B(?=(?:\d{3})+(?!\d))/g, ' ');
}

/** `850 ns`, `12 µs`, `3.4 ms` */
export function formatNanoseconds(ns: number): string {
  if (ns < 1000) return `${Math.round(ns)} ns`;
  if (ns < 1e6) return `${significant(ns / 1e3)} µs`;
  return ns < 1e9 ? `${significant(ns / 1e6)} ms` : `${significant(ns / 1e9)} s`;
}

/** `1:05` or `2:01:05` */
export function formatElapsed(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const two = (part: number): string => String(part).padStart(2, '0');
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/** Lines of a table; every column as wide as its widest cell, those of `right` aligned to the right. */
export function table(rows: readonly (readonly string[])[], right: readonly number[] = []): string[] {
  const widths: number[] = [];
  for (const row of rows)
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, width(cell));
  return rows.map((row) =>
    row
      .map((cell, column) =>
        pad(cell, column === row.length - 1 && !right.includes(column) ? 0 : widths[column]!, right.includes(column)),
      )
      .join('  '),
  );
}

/** Columns that text takes; styles take none. Good for the narrow characters that this package prints. */
export function width(text: string): number {
  return [...stripVTControlCharacters(text)].length;
}

/** Text of exactly `columns`, or longer where it does not fit. */
export function pad(text: string, columns: number, right = false): string {
  const space = ' '.repeat(Math.max(0, columns - width(text)));
  return right ? space + text : text + space;
}

/** Text cut to `columns`, styles kept and ended. */
export function cut(text: string, columns: number): string {
  if (width(text) <= columns) return text;
  let left = columns - 1;
  let kept = '';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape sequences of styles begin with one
  for (const part of text.split(/(\x1b\[[\d;]*m)/)) {
    if (part.startsWith('\x1b')) kept += part;
    else {
      const letters = [...part].slice(0, left);
      left -= letters.length;
      kept += letters.join('');
    }
  }
  return `${kept}…`;
}

function formatNumber(value: number, scale: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (Number.isInteger(scale) && Number.isInteger(value)) return grouped(value);
  // A raw step of 0.003 deserves three decimals, and never more than six.
  const decimals = scale === 1 ? 3 : Math.min(6, Math.max(0, Math.ceil(-Math.log10(Math.abs(scale)) - 1e-9)));
  const [whole = '', fraction] = value.toFixed(decimals).split('.');
  return fraction === undefined ? grouped(whole) : `${grouped(whole)}.${fraction}`;
}

function significant(value: number): string {
  return value < 10 ? value.toFixed(1) : String(Math.round(value));
}

/** The segment file of a twin, as a person reads it: what is known as keys, what is not as comments. */

import { stringify } from 'yaml';

/** One device of a twin. */
export interface TwinDevice {
  readonly name: string;
  /** Keys of the segment file beside its name. */
  readonly keys: Readonly<Record<string, unknown>>;
  /** What is known and has no key. */
  readonly known: readonly string[];
  /** What is not known. */
  readonly unknown: readonly string[];
}

/** A segment made from what somebody has. */
export interface Twin {
  /** What it was made from. */
  readonly source: string;
  readonly devices: readonly TwinDevice[];
  /** What is not known of the whole. */
  readonly unknown: readonly string[];
}

/** Keys whose numbers people read in hex, and how many digits. */
const HEX: Readonly<Record<string, number>> = {
  word: 2,
  values: 4,
  index: 4,
  register: 4,
  features: 4,
  pdi_control: 4,
  port_descriptor: 2,
  type: 2,
  code: 4,
  ecat_event_mask: 4,
  ecat_events: 4,
};
const LINE_MAX = 110;

/** The text of a segment file. */
export function twinFile({ source, devices, unknown }: Twin): string {
  const head = [
    `A twin of ${source}, written by bifrost-ethercat twin.`,
    ...unknown.map((what) => `Not known: ${what}.`),
  ];
  const entries = devices.map(({ name, keys, known, unknown: of }) => {
    const notes = [...known.map(sentence), ...of.map((what) => `Not known: ${what}.`)];
    const body = keyed({ name, ...keys })
      .split('\n')
      .filter((line) => line !== '');
    return [
      ...notes.map((note) => `  # ${note}`),
      ...body.map((line, n) => (n === 0 ? `  - ${line}` : `    ${line}`)),
    ].join('\n');
  });
  return `${head.map((line) => `# ${line}`).join('\n')}\ndevices:\n${entries.join('\n')}\n`;
}

function sentence(text: string): string {
  return `${text[0]?.toUpperCase() ?? ''}${text.slice(1)}.`;
}

/** YAML of a map, numbers in the base in which they are read. */
function keyed(value: object): string {
  return Object.entries(value)
    .filter(([, part]) => part !== undefined)
    .map(([key, part]) => `${key}:${block(part, key)}`)
    .join('\n');
}

/** What follows a key: in its line where it fits. */
function block(value: unknown, key: string): string {
  const line = flow(value, key);
  if (line.length < LINE_MAX || typeof value !== 'object' || value === null) return ` ${line}`;
  if (!Array.isArray(value)) return `\n${indented(keyed(value))}`;
  if (value.every((item) => typeof item !== 'object')) return `\n  [${wrapped(value.map((item) => flow(item, key)))}]`;
  const items = value.map((item: object) => {
    const short = flow(item, key);
    return `- ${short.length < LINE_MAX ? short : indented(keyed(item)).trimStart()}`;
  });
  return `\n${indented(items.join('\n'))}`;
}

function flow(value: unknown, key: string): string {
  if (Array.isArray(value)) return `[${value.map((item) => flow(item, key)).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const pairs = Object.entries(value).filter(([, part]) => part !== undefined);
    return `{ ${pairs.map(([name, part]) => `${name}: ${flow(part, name)}`).join(', ')} }`;
  }
  const digits = HEX[key];
  if (typeof value === 'number' && digits !== undefined) return `0x${value.toString(16).padStart(digits, '0')}`;
  return typeof value === 'string' ? stringify(value, { lineWidth: 0 }).trim() : String(value);
}

/** Items of a list over several lines. */
function wrapped(items: readonly string[]): string {
  const lines = [''];
  for (const item of items) {
    if (lines.at(-1)!.length + item.length > LINE_MAX - 10) lines.push('');
    lines[lines.length - 1] += `${item}, `;
  }
  return lines.join('\n   ').replace(/, $/, '').replaceAll(/ +\n/g, '\n');
}

function indented(text: string): string {
  return text.replaceAll(/^/gm, '  ');
}

/** Names that no two devices have, and that a segment file takes. */
export class Names {
  readonly #used: Set<string> = new Set();

  /** That name in the letters of a segment file, or the next one like it. */
  of(wanted: string): string {
    const base =
      wanted
        .toLowerCase()
        .replaceAll(/[^a-z0-9]+/g, '_')
        .replaceAll(/^_+|_+$/g, '') || 'device';
    let name = base;
    for (let n = 2; this.#used.has(name); n += 1) name = `${base}_${n}`;
    this.#used.add(name);
    return name;
  }
}

/** `bifrost-ethercat sii`: what an SII image says, of a file or of a device that is described, and how it differs from another. */

import { styleText } from 'node:util';
import { fileError } from '../core/configuration/files.ts';
import { EtherCatError } from '../core/errors/ethercat-error.ts';
import { translated } from '../core/errors/from-binding.ts';
import { native } from '../core/native.ts';
import { hex } from '../core/network.ts';
import { grouped, table } from './format.ts';
import { writeOut } from './output-file.ts';
import { imageOf, imageOfEsi, readImage, type SiiOptions, viewEsi } from './sii-source.ts';

interface Areas {
  readonly receiveOffset: number;
  readonly receiveSize: number;
  readonly sendOffset: number;
  readonly sendSize: number;
}

interface PdoView {
  readonly direction: 'input' | 'output';
  readonly index: number;
  readonly name: string;
  readonly syncManager: number | null;
  readonly synchronization: number;
  readonly flags: number;
  readonly entries: readonly {
    readonly index: number;
    readonly subindex: number;
    readonly name: string;
    readonly dataType: number;
    readonly bits: number;
  }[];
}

/** What the addon says of an image (native/binding/src/sii.rs). */
interface SiiView {
  readonly bytes: number;
  readonly checksum: {
    readonly stored: number;
    readonly computed: number;
    readonly right: boolean;
    readonly bypassed: boolean;
  };
  readonly configuration: {
    readonly pdiControl: number;
    readonly pdiConfiguration: number;
    readonly syncPulseLength: number;
    readonly pdiConfiguration2: number;
    readonly stationAlias: number;
    readonly reserved: readonly number[];
    readonly deviceEmulation: boolean;
  };
  readonly identity: {
    readonly vendorId: number;
    readonly productCode: number;
    readonly revision: number;
    readonly serial: number;
  };
  readonly bootMailbox: Areas;
  readonly mailbox: Areas;
  readonly protocols: number;
  readonly sizeBytes: number;
  readonly version: number;
  readonly reservedWords: readonly { readonly word: number; readonly value: number }[];
  readonly general: {
    readonly group: string;
    readonly image: string;
    readonly order: string;
    readonly name: string;
    readonly coeDetails: number;
    readonly foeDetails: number;
    readonly eoeDetails: number;
    readonly soeChannels: number;
    readonly flags: number;
    readonly ebusCurrentMa: number;
    readonly ports: number;
    readonly identificationAddress: number;
  } | null;
  readonly strings: readonly string[];
  readonly fmmuUsage: readonly (string | number)[];
  readonly syncManagers: readonly {
    readonly start: number;
    readonly length: number;
    readonly control: number;
    readonly enable: number;
    readonly kind: string;
  }[];
  readonly pdos: readonly PdoView[];
  readonly dcModes: readonly {
    readonly name: string;
    readonly description: string;
    readonly cycleTime0Ns: number;
    readonly shiftTime0Ns: number;
    readonly shiftTime1Ns: number;
    readonly sync1CycleFactor: number;
    readonly assignActivate: number;
    readonly sync0CycleFactor: number;
  }[];
  readonly categories: readonly {
    readonly code: number;
    readonly name: string;
    readonly offset: number;
    readonly bytes: number;
    readonly data?: string;
  }[];
  readonly bytesBehind: number;
}

const PROTOCOLS = ['AoE', 'EoE', 'CoE', 'FoE', 'SoE', 'VoE'];
const COE_DETAILS = [
  'SDO',
  'SDO information',
  'PDO assignment',
  'PDO configuration',
  'upload at start-up',
  'complete access',
];
const FLAGS = ['EnableSafeOp', 'EnableNotLRW', 'MboxDataLinkLayer', 'IdentALSts', 'IdentPhyM'];
const ENABLE = ['enabled', 'fixed', 'virtual', 'only in OP'];
const PORT_KINDS: Readonly<Record<number, string>> = { 0: 'none', 1: 'MII', 3: 'E-bus', 4: 'fast hot connect' };

/** Everything in which two images differ, by place. */
type Differences = readonly {
  readonly place: string;
  readonly first: string | null;
  readonly second: string | null;
  readonly reason: string;
}[];

/**
 * Prints what an SII image says, writes it to `out` and compares it with `compare` where those are named. Of ESI files
 * it prints which devices there are until one is chosen.
 */
export async function sii(file: string | undefined, options: SiiOptions): Promise<void> {
  if ((file === undefined) === (options.esi.length === 0))
    throw new EtherCatError('ECAT_ERR_INVALID_ARGUMENT', 'name either a file or --esi FILE');
  if (
    file === undefined &&
    options.device === undefined &&
    options.out === undefined &&
    options.compare === undefined
  ) {
    print(options.json ? await catalogueEvents(options.esi) : await catalogue(options.esi));
    return;
  }
  const { image, notes } = file === undefined ? await imageOfEsi(options) : await imageOf(file, options.device);
  const name = file ?? options.esi.join(', ');
  const view = viewed(name, image);
  if (options.out !== undefined) {
    await writeOut(options.out, image);
  }
  const differences = options.compare === undefined ? undefined : await compared(image, options.compare);
  if (options.json) {
    print([JSON.stringify({ event: 'sii', file: name, notes, ...view, ...(differences && { differences }) })]);
  } else {
    const shown =
      differences === undefined ? readable(view) : differenceLines(name, options.compare ?? '', differences);
    print([...shown, ...notes.map((note) => `note: ${note}`)]);
  }
}

function print(lines: readonly string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`);
}

async function compared(image: Uint8Array, file: string): Promise<Differences> {
  const other = await readImage(file);
  viewed(file, other);
  return JSON.parse(translated(() => native().compareSii(image, other))) as Differences;
}

function differenceLines(name: string, other: string, differences: Differences): string[] {
  if (differences.length === 0) return [`${name} and ${other} say the same`];
  const rows = differences.map(({ place, first, second, reason }) => [
    place,
    first ?? 'nothing',
    second ?? 'nothing',
    reason,
  ]);
  const count = `${differences.length} difference${differences.length === 1 ? '' : 's'}`;
  return [count, ...table([['', name, other, 'why'], ...rows]).map((line) => line.trimEnd())];
}

async function catalogueEvents(files: readonly string[]): Promise<string[]> {
  const views = await Promise.all(files.map(async (file) => ({ event: 'esi', file, ...(await viewEsi(file)) })));
  return views.map((view) => JSON.stringify(view));
}

/** Devices and modules of ESI files, and what is odd in them. */
async function catalogue(files: readonly string[]): Promise<string[]> {
  const lines: string[] = [];
  for (const file of files) {
    const { vendor, devices, modules, references, warnings } = await viewEsi(file);
    lines.push(styleText('bold', `${file}: ${vendor.name} (${hex(vendor.id, 8)})`, { stream: process.stdout }));
    lines.push(
      ...table(
        devices.map((one) => [
          `  ${one.type}`,
          hex(one.productCode, 8),
          `revision ${hex(one.revision, 8)}`,
          bits(one.protocols, PROTOCOLS, 'no mailbox'),
          one.slots === 0 ? '' : `${one.slots} slots`,
          one.name,
        ]),
      ).map((line) => line.trimEnd()),
      ...table(modules.map((one) => [`  module ${one.type}`, hex(one.ident, 8), one.class, one.name])).map((line) =>
        line.trimEnd(),
      ),
      ...references.map((reference) => `  more modules are in ${reference}`),
      ...warnings.map(({ place, path, message }) => `${file}:${place.line}:${place.column}: ${path}: ${message}`),
    );
  }
  return lines;
}

function viewed(file: string, image: Uint8Array): SiiView {
  try {
    return JSON.parse(translated(() => native().readSii(image))) as SiiView;
  } catch (error) {
    const { code, message } = EtherCatError.from(error);
    if (code !== 'ECAT_ERR_INVALID_ARGUMENT') throw error;
    throw fileError('the SII image', file, new Error(message, { cause: error }));
  }
}

function readable(view: SiiView): string[] {
  const title = (text: string): string => styleText('bold', text, { stream: process.stdout });
  const section = (text: string, rows: readonly (readonly string[])[], right: readonly number[] = []): string[] =>
    rows.length === 0 ? [] : [title(text), ...table(rows, right).map((line) => `  ${line.trimEnd()}`)];
  return [
    ...section(view.general === null ? 'device' : view.general.order, facts(view)),
    ...section('configuration', configuration(view)),
    ...section('mailboxes', mailboxes(view)),
    ...section(
      'FMMUs',
      view.fmmuUsage.map((usage, n) => [String(n), typeof usage === 'number' ? `unknown use ${usage}` : usage]),
    ),
    ...section(
      'SyncManagers',
      view.syncManagers.map(({ start, length, control, enable, kind }, n) => [
        String(n),
        kind,
        hex(start, 4),
        `${length} bytes`,
        `control ${hex(control, 2)}`,
        bits(enable, ENABLE, 'off'),
      ]),
      [3],
    ),
    ...section('PDOs', view.pdos.flatMap(pdoRows), [2]),
    ...section('DC modes', dcModes(view)),
    ...section(
      'strings',
      view.strings.map((text, n) => [String(n + 1), text]),
    ),
    ...section(
      'categories',
      view.categories.map(({ code, name, offset, bytes, data }) => [
        `byte ${hex(offset, 4)}`,
        code < 0x800 ? String(code) : hex(code, 4),
        name,
        `${grouped(bytes)} bytes`,
        data === undefined ? '' : 'not read',
      ]),
      [1, 3],
    ),
    ...(view.bytesBehind === 0 ? [] : [`${grouped(view.bytesBehind)} bytes behind the end are neither 0x00 nor 0xff`]),
  ];
}

function facts({ identity, general, bytes, sizeBytes, version }: SiiView): string[][] {
  const rows = [
    ['vendor', hex(identity.vendorId, 8)],
    ['product code', hex(identity.productCode, 8)],
    ['revision', hex(identity.revision, 8)],
    ['serial number', hex(identity.serial, 8)],
    ['size', `${grouped(sizeBytes)} bytes${bytes === sizeBytes ? '' : ` (the file has ${grouped(bytes)})`}`],
    ['version', String(version)],
  ];
  if (general === null) return rows;
  const ports = [0, 1, 2, 3].map((n) => (general.ports >> (4 * n)) & 15);
  return [
    ['name', general.name],
    ['group', general.group],
    ...(general.image === '' ? [] : [['image', general.image]]),
    ...rows,
    ['ports', ports.map((kind) => PORT_KINDS[kind] ?? `unknown kind ${kind}`).join(', ')],
    ['E-bus current', `${general.ebusCurrentMa} mA`],
    ['flags', bits(general.flags, FLAGS, 'none')],
    ...(general.identificationAddress === 0 ? [] : [['identification', hex(general.identificationAddress, 4)]]),
  ];
}

function configuration({ checksum, configuration: words, reservedWords }: SiiView): string[][] {
  const { stored, computed, right, bypassed } = checksum;
  const verdict = bypassed ? 'bypassed' : right ? 'right' : `wrong: it should be ${hex(computed, 2)}`;
  return [
    ['PDI control', hex(words.pdiControl, 4), words.deviceEmulation ? 'device emulation' : ''],
    ['PDI configuration', `${hex(words.pdiConfiguration, 4)} ${hex(words.pdiConfiguration2, 4)}`],
    ['SYNC pulse', `${words.syncPulseLength * 10} ns`],
    ['station alias', String(words.stationAlias)],
    ...(words.reserved.some((word) => word !== 0)
      ? [['reserved', words.reserved.map((w) => hex(w, 4)).join(' ')]]
      : []),
    ['checksum', hex(stored, 4), verdict],
    ...reservedWords.map(({ word, value }) => [`word ${hex(word, 2)}`, hex(value, 4), 'reserved']),
  ];
}

function mailboxes({ mailbox, bootMailbox, protocols, general }: SiiView): string[][] {
  if (protocols === 0 && mailbox.receiveSize === 0) return [];
  const area = ({ receiveOffset, receiveSize, sendOffset, sendSize }: Areas): string[] => [
    `receives at ${hex(receiveOffset, 4)}, ${receiveSize} bytes`,
    `sends at ${hex(sendOffset, 4)}, ${sendSize} bytes`,
  ];
  return [
    ['standard', ...area(mailbox)],
    ...(bootMailbox.receiveSize === 0 ? [] : [['BOOT', ...area(bootMailbox)]]),
    ['protocols', bits(protocols, PROTOCOLS, 'none')],
    ...(general === null ? [] : [['CoE', bits(general.coeDetails, COE_DETAILS, 'none')]]),
  ];
}

function pdoRows({ direction, index, name, syncManager, flags, entries }: PdoView): string[][] {
  const assigned = syncManager === null ? 'not assigned' : `SyncManager ${syncManager}`;
  return [
    [`${direction} ${hex(index, 4)}`, assigned, '', name, flags === 0 ? '' : `flags ${hex(flags, 4)}`],
    ...entries.map((entry) => [
      entry.index === 0 ? '  gap' : `  ${hex(entry.index, 4)}:${entry.subindex}`,
      entry.dataType === 0 ? '' : `type ${entry.dataType}`,
      `${entry.bits} bit${entry.bits === 1 ? '' : 's'}`,
      entry.name,
    ]),
  ];
}

function dcModes({ dcModes: modes }: SiiView): string[][] {
  return modes.map((mode) => [
    mode.name,
    mode.description,
    `assign ${hex(mode.assignActivate, 4)}`,
    `SYNC0 cycle ${mode.cycleTime0Ns} ns × ${mode.sync0CycleFactor}, shift ${mode.shiftTime0Ns} ns`,
    `SYNC1 × ${mode.sync1CycleFactor}, shift ${mode.shiftTime1Ns} ns`,
  ]);
}

/** Names of the bits that are set; of those without a name, the number. */
function bits(value: number, names: readonly string[], none: string): string {
  const set = Array.from({ length: 16 }, (_, n) => n).filter((n) => ((value >> n) & 1) !== 0);
  return set.length === 0 ? none : set.map((n) => names[n] ?? `bit ${n}`).join(', ');
}

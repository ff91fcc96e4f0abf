/** `bifrost-ethercat twin`: a segment file of what a user has, with what it could not know. */

import { readFile } from 'node:fs/promises';
import { basename, dirname, extname, join, relative } from 'node:path';
import { fileError } from '../core/configuration/files.ts';
import { loadConfiguration } from '../core/configuration/load.ts';
import { EtherCatError } from '../core/errors/ethercat-error.ts';
import { translated } from '../core/errors/from-binding.ts';
import { native } from '../core/native.ts';
import { hex, type NetworkSubDevice, nameSubDevices } from '../core/network.ts';
import { scanSegment } from '../core/scan.ts';
import { stopSignal } from './failure.ts';
import { writeOut } from './output-file.ts';
import { type EsiView, viewEsi } from './sii-source.ts';
import { twinsOfCapture } from './twin-capture.ts';
import { Names, type Twin, type TwinDevice, twinFile } from './twin-file.ts';

/** Where a twin comes from: one of them. */
export interface TwinOptions {
  readonly sii?: readonly string[];
  /** ESI files, each `FILE` or `FILE=TYPE` where it describes several devices. */
  readonly esi?: readonly string[];
  readonly interface?: string;
  readonly configuration?: string;
  readonly segment?: string;
  readonly capture?: string;
  /** The file to write. */
  readonly out: string;
}

/** What is read of the image of an EEPROM (`native/binding/src/sii.rs`). */
interface Image {
  readonly identity: { readonly vendorId: number; readonly productCode: number };
  readonly general: { readonly order: string; readonly name: string } | null;
  readonly checksum: { readonly right: boolean };
  readonly protocols: number;
  readonly configuration: { readonly deviceEmulation: boolean };
}

/** Writes the segment file, and prints what it could not know. */
export async function twin(options: TwinOptions): Promise<void> {
  const { sii = [], esi = [], interface: card, configuration, segment, capture, out } = options;
  const sources = [
    sii.length > 0,
    esi.length > 0,
    card !== undefined || configuration !== undefined || segment !== undefined,
    capture !== undefined,
  ];
  if (sources.filter(Boolean).length !== 1) {
    const message =
      'twin needs one source: --sii FILE…, --esi FILE…, --capture FILE, or a running bus (--interface NAME or --configuration FILE)';
    throw new EtherCatError('ECAT_ERR_INVALID_ARGUMENT', message);
  }
  const made = await source(options);
  await writeOut(out, twinFile(made));
  const unknown = [
    ...made.unknown,
    ...made.devices.flatMap(({ name, unknown: of }) => of.map((what) => `${name}: ${what}`)),
  ];
  const lines = [
    `${out}: ${made.devices.length} devices of ${made.source}`,
    ...unknown.map((what) => `  not known: ${what}`),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

async function source(options: TwinOptions): Promise<Twin> {
  const { sii = [], esi = [], capture, out } = options;
  if (sii.length > 0) return await ofImages(sii, out);
  if (esi.length > 0) return await ofEsi(esi, out);
  return capture === undefined ? await ofBus(options) : await ofCapture(capture);
}

/** A line of devices with these images, in their order. */
async function ofImages(files: readonly string[], out: string): Promise<Twin> {
  const names = new Names();
  const devices: TwinDevice[] = [];
  for (const file of files) {
    const bytes = await read(file, 'the SII image');
    const image = view(file, bytes);
    const name = names.of(image.general?.order ?? basename(file, extname(file)));
    devices.push({
      name,
      keys: { sii: relative(dirname(out), file) },
      known: [known(image)],
      unknown: notInImages(image),
    });
  }
  return {
    source: `${files.length} SII image${files.length === 1 ? '' : 's'}`,
    devices,
    unknown: ['how they are cabled: they stand in a line, in the order in which they were named'],
  };
}

/** A line of devices that ESI files describe, the newest revision of each; of a file that lists a bus, all of them. */
async function ofEsi(given: readonly string[], out: string): Promise<Twin> {
  const names = new Names();
  const devices: TwinDevice[] = [];
  for (const one of given) {
    const [file = '', wanted] = one.split('=', 2);
    const view = await viewEsi(file);
    const path = relative(dirname(out), file);
    for (const device of chosen(one, file, wanted, view)) {
      const { type, productCode, revision, slots } = device;
      const isAmbiguous = view.devices.some((other) => other.type === type && other.productCode !== productCode);
      const product = isAmbiguous ? { product_code: productCode } : {};
      devices.push({
        name: names.of(type),
        keys: { esi: { file: path, device: type, ...product, revision } },
        known: [device.name, slots === 0 ? '' : `${slots} slots for modules`].filter((text) => text !== ''),
        unknown: [
          'its serial number, its alias, and what its objects hold beside their defaults',
          ...(slots === 0 ? [] : ['which modules are in its slots: those that the file puts there are assumed']),
          'how long it takes for transitions and answers, and what it does with its process data',
        ],
      });
    }
  }
  return {
    source: `${given.length} ESI file${given.length === 1 ? '' : 's'}`,
    devices,
    unknown: ['how they are cabled: they stand in a line, in the order in which they were named'],
  };
}

/** The devices that an argument means: one by its type, or all of a bus. */
function chosen(argument: string, file: string, wanted: string | undefined, view: EsiView): EsiView['devices'] {
  const refused = (why: string) => new EtherCatError('ECAT_ERR_INVALID_ARGUMENT', `--esi ${argument}: ${why}`);
  const visible = view.devices.filter(({ invisible }) => !invisible);
  if (visible.length === 0) {
    throw refused(`describes no device, only ${view.modules.length} modules; name the file of their device`);
  }
  if (view.isBus && wanted === undefined) return visible;
  const types = [...new Set(visible.map(({ type }) => type))];
  const type = wanted ?? types[0]!;
  if (!types.includes(type) || (wanted === undefined && types.length > 1)) {
    const choice = types.slice(0, 10).join(', ');
    throw refused(
      `which device? Write ${file}=TYPE; it has ${types.length}: ${choice}${types.length > 10 ? ' …' : ''}`,
    );
  }
  const ofType = visible.filter((device) => device.type === type);
  return [ofType.reduce((a, b) => (b.revision > a.revision ? b : a))];
}

/** Whoever answers on a network card, or on the segment of a configuration. */
async function ofBus({ interface: card, configuration: file, segment, out }: TwinOptions): Promise<Twin> {
  const master = { ...(card !== undefined && { interface: card }), ...(segment !== undefined && { segment }) };
  const source = file ?? { ethercat: { master } };
  const configuration = await loadConfiguration(source, { interface: card, segment });
  const stopping = stopSignal();
  const network = await scanSegment(configuration, stopping.signal).finally(() => stopping.dispose());
  const own = nameSubDevices(configuration.devices, network.subDevices);
  const names = new Names();
  const folder = `${join(dirname(out), basename(out, extname(out)))}.sii`;
  const devices: TwinDevice[] = [];
  for (const found of network.subDevices) {
    const isNamed = configuration.devices.some(({ position }) => position === found.position);
    const name = names.of(isNamed ? own[found.position]! : found.name);
    const image = join(folder, `${name}.bin`);
    await writeOut(image, found.sii);
    devices.push(ofSubDevice(name, found, relative(dirname(out), image)));
  }
  return {
    source: card ?? file ?? segment ?? 'a bus',
    devices,
    unknown: ['how they are cabled: they stand in a line, in the order in which frames pass them'],
  };
}

function ofSubDevice(name: string, found: NetworkSubDevice, sii: string): TwinDevice {
  const image = view(name, found.sii);
  const unknown = ['words of its EEPROM that no table of ETG1000.6 names, which were not read', ...notInImages(image)];
  // What the chip says of itself and the image does not.
  const keys = {
    sii,
    ...(found.deviceEmulation !== image.configuration.deviceEmulation && { device_emulation: found.deviceEmulation }),
    ...(!found.hasDistributedClock && { distributed_clock: false }),
  };
  return { name, keys, known: [known(image), `propagation delay ${found.propagationDelayNs} ns`], unknown };
}

async function ofCapture(file: string): Promise<Twin> {
  const bytes = await read(file, 'the capture');
  try {
    return twinsOfCapture(
      file,
      translated(() => native().twinOfCapture(bytes)),
      new Names(),
    );
  } catch (error) {
    const { code, message } = EtherCatError.from(error);
    if (code !== 'ECAT_ERR_INVALID_ARGUMENT') throw error;
    throw fileError('the capture', file, new Error(message, { cause: error }));
  }
}

/** What no image tells. */
function notInImages({ protocols, checksum }: Image): string[] {
  return [
    ...(checksum.right ? [] : ['whether its EEPROM is intact: the checksum is wrong']),
    ...((protocols & 4) === 0
      ? []
      : [
          'its objects and their values: an image names those of PDOs alone, and there is no mailbox engine yet to upload the others',
        ]),
    ...((protocols & ~4) === 0 ? [] : ['what its other mailbox protocols answer']),
    'how long it takes for transitions and answers, and what it does with its process data',
  ];
}

function known({ identity, general }: Image): string {
  return `${general?.name ?? 'no name'}, vendor ${hex(identity.vendorId, 8)}, product ${hex(identity.productCode, 8)}`;
}

function view(file: string, bytes: Uint8Array): Image {
  try {
    return JSON.parse(translated(() => native().readSii(Uint8Array.from(bytes)))) as Image;
  } catch (error) {
    const { code, message } = EtherCatError.from(error);
    if (code !== 'ECAT_ERR_INVALID_ARGUMENT') throw error;
    throw fileError('the SII image', file, new Error(message, { cause: error }));
  }
}

async function read(file: string, what: string): Promise<Uint8Array> {
  try {
    return Uint8Array.from(await readFile(file));
  } catch (error) {
    throw fileError(what, file, error);
  }
}

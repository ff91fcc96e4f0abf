/** Where `bifrost-ethercat sii` takes an image from: a file of one, a described device, or a device of ESI files. */

import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { fileError } from '../core/configuration/files.ts';
import { loadSegmentOf } from '../core/configuration/load.ts';
import { located } from '../core/configuration/segment-source.ts';
import { EtherCatError } from '../core/errors/ethercat-error.ts';
import { translated } from '../core/errors/from-binding.ts';
import { native } from '../core/native.ts';

/** Options of the command. */
export interface SiiOptions {
  /** ESI files: that of the device, and others with modules. */
  readonly esi: readonly string[];
  readonly device?: string;
  readonly revision?: number;
  /** Each `NAME` or `SLOT=NAME`. */
  readonly module: readonly string[];
  readonly language: number;
  readonly out?: string;
  readonly compare?: string;
  readonly json: boolean;
}

/** An image and where it is from. */
export interface SourceImage {
  readonly image: Uint8Array;
  /** What was decided because an ESI file leaves it open, or contradicts itself. */
  readonly notes: readonly string[];
}

/** What an ESI file has (native/binding/src/esi.rs). */
export interface EsiView {
  readonly vendor: { readonly id: number; readonly name: string; readonly fileVersion: number | null };
  /** Whether it lists what one bus has, in its order. */
  readonly isBus: boolean;
  readonly references: readonly string[];
  readonly devices: readonly {
    readonly type: string;
    readonly name: string;
    readonly group: string;
    readonly productCode: number;
    readonly revision: number;
    /** It has no ESC. */
    readonly invisible: boolean;
    readonly place: Place;
    readonly slots: number;
    readonly pdos: number;
    readonly objects: number;
    readonly protocols: number;
    readonly dcModes: readonly string[];
  }[];
  readonly modules: readonly {
    readonly type: string;
    readonly name: string;
    readonly ident: number;
    readonly class: string;
    readonly place: Place;
  }[];
  readonly warnings: readonly { readonly place: Place; readonly path: string; readonly message: string }[];
  readonly ignored: Readonly<Record<string, number>>;
}

interface Place {
  readonly line: number;
  readonly column: number;
}

/** The bytes of an image file. */
export async function readImage(file: string): Promise<Uint8Array> {
  return await readFile(file).catch((error: unknown) => {
    throw fileError('the SII image', file, error);
  });
}

/** The bytes of an image file, or those of a device that a segment describes. */
export async function imageOf(file: string, device: string | undefined): Promise<SourceImage> {
  if (device === undefined && !['.yaml', '.yml', '.json'].includes(extname(file))) {
    return { image: await readImage(file), notes: [] };
  }
  const images = located(await loadSegmentOf(file), (json) => native().deviceImages(json));
  const chosen = images.length === 1 && device === undefined ? images[0] : images.find(({ name }) => name === device);
  if (chosen !== undefined) return { image: chosen.sii, notes: chosen.notes };
  const names = images.map(({ name }) => name).join(', ');
  const wanted = device === undefined ? 'which device? Add --device NAME' : `--device: no device is called ${device}`;
  throw new EtherCatError('ECAT_ERR_INVALID_ARGUMENT', `${wanted}; ${file} has ${names}`);
}

/** What an ESI file has. */
export async function viewEsi(file: string): Promise<EsiView> {
  const content = await readEsi(file);
  try {
    return JSON.parse(translated(() => native().readEsi(content))) as EsiView;
  } catch (error) {
    const { code, message } = EtherCatError.from(error);
    if (code !== 'ECAT_ERR_INVALID_ARGUMENT') throw error;
    throw new EtherCatError('ECAT_ERR_CONFIGURATION_FILE', `the ESI file: ${file}:${message}`, { cause: error });
  }
}

/** The image that ESI files lead to: that of a device with modules, as a segment would have it. */
export async function imageOfEsi(options: SiiOptions): Promise<SourceImage> {
  const esiFiles = await Promise.all(
    options.esi.map(async (name) => ({ name, content: (await readEsi(name)).toString('base64') })),
  );
  const { device, revision, language } = options;
  const modules = options.module.map((text) => {
    const [, slot, module = text] = /^(\d+)=(.*)$/.exec(text) ?? [];
    return slot === undefined ? { module } : { slot: Number(slot), module };
  });
  const esi = {
    files: options.esi,
    language,
    // The image of a real device: modules come and go.
    modulesInEeprom: false,
    ...(device === undefined ? {} : { device }),
    ...(revision === undefined ? {} : { revision }),
    ...(modules.length === 0 ? {} : { modules }),
  };
  const [image] = ofOptions(() => native().deviceImages(JSON.stringify({ devices: [{ esi }], esiFiles })));
  if (image === undefined) throw new EtherCatError('ECAT_ERR_INTERNAL', 'a segment of one device has none');
  return { image: image.sii, notes: image.notes };
}

/** No file describes this segment: what is wrong in it is an option, or within an ESI file, which the message then names. */
function ofOptions<T>(call: () => T): T {
  try {
    return translated(call);
  } catch (error) {
    const { code, message } = EtherCatError.from(error);
    const [, key = '', rest = message] = /^\/devices\/0\/esi(\/\w+)?\S*?: (.*)$/s.exec(message) ?? [];
    if (code !== 'ECAT_ERR_SEGMENT_INVALID') throw error;
    if (key === '/files')
      throw new EtherCatError('ECAT_ERR_CONFIGURATION_FILE', `the ESI file: ${rest}`, { cause: error });
    const option = key === '/modules' ? '--module' : '--device';
    throw new EtherCatError('ECAT_ERR_INVALID_ARGUMENT', `${option}: ${rest}`, { cause: error });
  }
}

async function readEsi(file: string): Promise<Buffer> {
  return await readFile(file).catch((error: unknown) => {
    throw fileError('the ESI file', file, error);
  });
}

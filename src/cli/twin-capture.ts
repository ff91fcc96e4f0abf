/** A twin from what a capture tells (`simulators/src/twin.rs`): registers, EEPROM words, objects, states and times. */

import { hex } from '../core/network.ts';
import type { Names, Twin, TwinDevice } from './twin-file.ts';

interface Upload {
  readonly index: number;
  readonly subindex: number;
  readonly complete: boolean;
  readonly bytes: readonly number[];
}

/** `TwinDevice` in simulators/src/twin.rs. Maps have their keys as text. */
interface Seen {
  readonly position: number | null;
  readonly stationAddress: number | null;
  readonly hadAddress: boolean;
  readonly registers: Readonly<Record<string, number>>;
  readonly missingRegisters: readonly number[];
  readonly siiWords: Readonly<Record<string, number>>;
  readonly emulated: boolean;
  readonly alState: number | null;
  readonly refused: readonly (readonly [number, number])[];
  readonly transitionNs: readonly [number, number] | null;
  readonly uploads: readonly Upload[];
  readonly refusedUploads: readonly (Omit<Upload, 'bytes'> & { readonly code: number })[];
  readonly otherMail: Readonly<Record<string, number>>;
  readonly emergencies: number;
  readonly mailNs: readonly [number, number] | null;
}

const STATES: Readonly<Record<number, string>> = { 1: 'INIT', 2: 'PRE-OP', 3: 'BOOT', 4: 'SAFE-OP', 8: 'OP' };
/** Data types of whole numbers by their bytes (ETG1000.6). */
const UNSIGNED: Readonly<Record<number, number>> = { 1: 5, 2: 6, 4: 7, 8: 27 };
const OCTET_STRING = 10;
/** Categories of an EEPROM. */
const STRINGS = 10;
const SYNC_MANAGERS = 41;
/** Register of digital outputs, which a SyncManager reaches in a chip whose process interface they are. */
const DIGITAL_OUTPUTS = 0x0f00;
/** 0x0140: digital I/O, with device emulation. */
const DIGITAL_IO = 0x0104;
/** Words below this are the fixed part of an EEPROM. */
const FIXED_WORDS = 0x40;
/** In the order in which frames leave a device: behind port 3 first. */
const OUTLETS = [3, 1, 2];
const DL_STATUS = 0x0110;

/** @param json - what the addon says of the capture */
export function twinsOfCapture(file: string, json: string, names: Names): Twin {
  const {
    frames,
    counted,
    firstEvents,
    maskedEvents,
    devices: seen,
  } = JSON.parse(json) as {
    frames: number;
    counted: number;
    firstEvents: number;
    maskedEvents: number | null;
    devices: readonly Seen[];
  };
  // Events of several devices are one field of a frame.
  const isAlone = seen.length === 1;
  const events = { mask: isAlone ? firstEvents : 0, areNone: isAlone && maskedEvents === 0 };
  const devices = seen.map((device) => ofDevice(device, events, names));
  for (let n = devices.length; n < counted; n += 1) {
    const name = names.of('device');
    devices.push({
      name,
      keys: { sii_words: [] },
      known: [],
      unknown: ['anything: a broadcast counted it, and nobody addressed it'],
    });
  }
  const cabled = cables(seen, devices);
  const unplaced = seen.filter(({ position }) => position === null);
  return {
    source: `${file}, ${frames} frames`,
    devices: cabled.devices,
    unknown: [
      ...cabled.unknown,
      ...(unplaced.length === 0
        ? []
        : ['the order of the devices: they were addressed by station address, and stand in the order of those']),
      ...(firstEvents === 0 || isAlone ? [] : ['which devices have an event mask and events from before']),
      'drift of clocks: bifrost-ethercat replay measures how well they fit',
    ],
  };
}

function ofDevice(seen: Seen, events: { readonly mask: number; readonly areNone: boolean }, names: Names): TwinDevice {
  const words = new Map(Object.entries(seen.siiWords).map(([word, value]) => [Number(word), value]));
  const register = (address: number): number | undefined => seen.registers[String(address)];
  const pair = (address: number): number | undefined => {
    const [low, high] = [register(address), register(address + 1)];
    return low === undefined || high === undefined ? undefined : low | (high << 8);
  };
  const start = {
    station_address: seen.hadAddress ? seen.stationAddress : pair(0x0010) || undefined,
    al_state: seen.alState === null || seen.alState === 1 ? undefined : STATES[seen.alState],
    ecat_event_mask: events.mask || pair(0x0200) || undefined,
    ecat_events: events.mask || (events.areNone ? 0 : undefined),
  };
  const features = pair(0x0008);
  const missingClock = seen.missingRegisters.some((address) => address >= 0x0910 && address < 0x0930);
  const esc = {
    type: register(0x0000),
    revision: register(0x0001),
    build: pair(0x0002),
    fmmus: register(0x0004),
    sync_managers: register(0x0005),
    ram_kb: register(0x0006),
    port_descriptor: register(0x0007),
    features,
    // Nobody read it, but outputs in 0x0F00 that were counted tell.
    pdi_control: pair(0x0140) ?? (seen.emulated && drivesPins(words) ? DIGITAL_IO : undefined),
    pdi_watchdog: ((register(DL_STATUS) ?? 0) & 2) !== 0 || undefined,
    stale_port_times: staleTimes(seen),
    clock:
      features === undefined ? undefined : (features & 4) === 0 ? 'none' : missingClock ? 'receive-times' : undefined,
  };
  const objects = objectsOf(seen.uploads);
  const mailMs = seen.mailNs === null ? undefined : Math.round(seen.mailNs[0] / 1e5) / 10;
  const mailbox =
    seen.uploads.length === 0 && seen.mailNs === null
      ? undefined
      : { ...(mailMs !== undefined && { delay_ms: mailMs }), ...(objects.length > 0 && { objects }) };
  const refuse = seen.refused.map(([state, code]) => ({ to: STATES[state] ?? 'OP', code }));
  const keys = {
    sii_words: runs(words),
    ...some('esc', esc),
    ...some('start', start),
    ...(seen.emulated && { device_emulation: true }),
    ...(refuse.length > 0 && { refuse }),
    ...(mailbox !== undefined && { mailbox }),
  };
  return {
    name: names.of(nameOf(words, seen.stationAddress)),
    keys,
    known: knownOf(seen),
    unknown: unknownOf(seen, words),
  };
}

/** What the receive times (0x0900) of ports without a link read: times of frames of long ago. */
function staleTimes({ registers }: Seen): number[] | undefined {
  const links = registers[String(DL_STATUS)];
  if (links === undefined) return undefined;
  const times = [0, 1, 2, 3].map((port) => {
    const bytes = [0, 1, 2, 3].map((n) => registers[String(0x0900 + 4 * port + n)] ?? 0);
    return ((links >> (4 + port)) & 1) === 1 ? 0 : bytes.reduceRight((all, byte) => all * 256 + byte, 0);
  });
  return times.some((time) => time !== 0) ? times : undefined;
}

/** The categories of an EEPROM as far as they were read: number, and where the content begins. */
function* categories(
  words: ReadonlyMap<number, number>,
): Generator<readonly [category: number, word: number, words: number]> {
  for (let word = FIXED_WORDS; words.has(word) && words.has(word + 1) && words.get(word) !== 0xffff; ) {
    const length = words.get(word + 1)!;
    yield [words.get(word)!, word + 2, length];
    word += 2 + length;
  }
}

/** Whether its SyncManagers put outputs where only a chip with digital outputs has memory. */
function drivesPins(words: ReadonlyMap<number, number>): boolean {
  return [...categories(words)].some(
    ([category, from, length]) =>
      category === SYNC_MANAGERS &&
      Array.from({ length: length / 4 }, (_, n) => words.get(from + 4 * n)).some((start) => start === DIGITAL_OUTPUTS),
  );
}

/** Its order text, the first string of the EEPROM; else its product code, or its address. */
function nameOf(words: ReadonlyMap<number, number>, stationAddress: number | null): string {
  const bytes = (from: number, count: number): number[] =>
    Array.from({ length: count }, (_, n) => ((words.get(from + (n >> 1)) ?? 0) >> (8 * (n & 1))) & 0xff);
  const strings = [...categories(words)].find(([category]) => category === STRINGS);
  if (strings !== undefined) {
    const [, from] = strings;
    const [count = 0, letters = 0] = bytes(from, 2);
    if (count > 0 && letters > 0) return String.fromCharCode(...bytes(from, 2 + letters).slice(2));
  }
  const [low, high] = [words.get(0x0a), words.get(0x0b)];
  if (low === undefined || high === undefined) return `device ${stationAddress ?? ''}`;
  return `product ${hex(low + high * 65_536, 8)}`;
}

function knownOf({ transitionNs, mailNs, uploads, refusedUploads, otherMail, emergencies }: Seen): string[] {
  const ms = ([least, greatest]: readonly [number, number]): string =>
    `${(least / 1e6).toFixed(2)} to ${(greatest / 1e6).toFixed(2)} ms`;
  const mails = Object.entries(otherMail).map(([type, count]) => `${count} mails of type ${type}`);
  return [
    ...(transitionNs === null ? [] : [`transitions were seen after ${ms(transitionNs)}`]),
    ...(mailNs === null ? [] : [`answers to mail were fetched after ${ms(mailNs)}`]),
    ...(uploads.length === 0
      ? []
      : [`${uploads.length} values were uploaded; of which type they are, only their length tells`]),
    ...(refusedUploads.length === 0
      ? []
      : [
          `uploads refused: ${refusedUploads
            .map(({ index, subindex, code }) => `${hex(index, 4)}:${subindex} (${hex(code, 8)})`)
            .join(', ')}`,
        ]),
    ...mails,
    ...(emergencies === 0 ? [] : [`${emergencies} emergencies`]),
  ];
}

function unknownOf({ registers, uploads, mailNs }: Seen, words: ReadonlyMap<number, number>): string[] {
  const fixed = Array.from({ length: FIXED_WORDS }, (_, word) => word).filter((word) => !words.has(word));
  const hasMail = (words.get(0x1c) ?? 0) !== 0 || mailNs !== null;
  return [
    ...(words.size === 0
      ? ['its EEPROM']
      : [
          `${fixed.length} of the ${FIXED_WORDS} fixed words of its EEPROM, and what stands in categories that were not read`,
        ]),
    ...(registers['0'] === undefined ? ['its chip: that of the identity is assumed, or an ET1100'] : []),
    ...(hasMail
      ? [`its other objects, and the values of ${uploads.length === 0 ? 'all' : 'those that were not uploaded'}`]
      : []),
    'what it does with its process data',
  ];
}

/** Words one behind the other. */
function runs(words: ReadonlyMap<number, number>): { word: number; values: number[] }[] {
  const found: { word: number; values: number[] }[] = [];
  for (const [word, value] of [...words].sort(([one], [other]) => one - other)) {
    const last = found.at(-1);
    if (last !== undefined && last.word + last.values.length === word) last.values.push(value);
    else found.push({ word, values: [value] });
  }
  return found;
}

function some(key: string, keys: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const present = Object.entries(keys).filter(([, value]) => value !== undefined && value !== null);
  return present.length === 0 ? {} : { [key]: Object.fromEntries(present) };
}

/** Bytes of each value of objects that came at once, where a standard says (ETG1000.6: types, assignments, mappings). */
function valueBytes(index: number): number | undefined {
  if (index === 0x1c00) return 1;
  if (index > 0x1c00 && index < 0x1c40) return 2;
  return index >= 0x1600 && index < 0x1c00 ? 4 : undefined;
}

/** The values of an object that came at once. */
function values({ index, subindex, complete, bytes }: Upload): Upload[] {
  const size = valueBytes(index);
  if (!complete || size === undefined || subindex !== 0) return complete ? [] : [{ index, subindex, complete, bytes }];
  const list = bytes.slice(2);
  const parts = Array.from({ length: Math.floor(list.length / size) }, (_, n) => ({
    index,
    subindex: n + 1,
    complete: false,
    bytes: list.slice(n * size, (n + 1) * size),
  }));
  return [{ index, subindex: 0, complete: false, bytes: bytes.slice(0, 1) }, ...parts];
}

/** Objects with their values; those that PDOs carry can be mapped. Where the values of others end that came at once, nobody said. */
function objectsOf(all: readonly Upload[]): Record<string, unknown>[] {
  const single = all.filter(({ complete }) => !complete);
  const known = (one: Upload): boolean => single.some((of) => of.index === one.index && of.subindex === one.subindex);
  const uploads = [
    ...single,
    ...all
      .filter(({ complete }) => complete)
      .flatMap(values)
      .filter((one) => !known(one)),
  ];
  const byIndex = new Map<number, Upload[]>();
  for (const upload of uploads) byIndex.set(upload.index, [...(byIndex.get(upload.index) ?? []), upload]);
  const mapped = mappings(uploads);
  const objects = [...byIndex].map(([index, parts]) => {
    const [first] = parts;
    // 0x1C12 and its like: values of one type.
    const isArray = index >= 0x1c00 && index < 0x1c40;
    if (first !== undefined && parts.length === 1 && first.subindex === 0 && !isArray)
      return { index, ...mappingOf(mapped, index, 0), ...valued(first.bytes) };
    const count = parts.find(({ subindex }) => subindex === 0)?.bytes[0];
    const entries = parts
      .filter(({ subindex }) => subindex > 0)
      .sort((one, other) => one.subindex - other.subindex)
      .map(({ subindex, bytes }) => ({ subindex, ...mappingOf(mapped, index, subindex), ...valued(bytes) }));
    const highest = entries.at(-1)?.subindex ?? 0;
    return {
      index,
      ...(isArray && { array: true }),
      ...(count !== undefined && count !== highest && { count }),
      entries,
    };
  });
  // What a PDO carries is there, whether or not anybody uploaded it.
  const missing = new Map<number, { subindex: number; bits: number; mapping: string }[]>();
  for (const one of mapped.filter(({ index }) => index !== 0 && !byIndex.has(index))) {
    const known = missing.get(one.index) ?? [];
    if (!known.some(({ subindex }) => subindex === one.subindex)) known.push(one);
    missing.set(one.index, known);
  }
  for (const [index, parts] of missing) {
    const [first] = parts;
    if (parts.length === 1 && first?.subindex === 0) {
      objects.push({ index, ...typeOf(first.bits), mapping: first.mapping });
    } else {
      const entries = parts
        .sort((one, other) => one.subindex - other.subindex)
        .map(({ subindex, bits, mapping }) => ({ subindex, ...typeOf(bits), mapping }));
      objects.push({ index, entries });
    }
  }
  return objects.sort((one, other) => Number(one['index']) - Number(other['index']));
}

/** What PDOs carry: entries of 0x1600 to 0x17FF are outputs, of 0x1A00 to 0x1BFF inputs. */
function mappings(uploads: readonly Upload[]): { index: number; subindex: number; bits: number; mapping: string }[] {
  return uploads
    .filter(
      ({ index, subindex, bytes, complete }) =>
        !complete && subindex > 0 && bytes.length === 4 && index >= 0x1600 && index < 0x1c00,
    )
    .map(({ index, bytes: [bits = 0, subindex = 0, low = 0, high = 0] }) => ({
      index: low | (high << 8),
      subindex,
      bits,
      mapping: index < 0x1a00 ? 'output' : 'input',
    }));
}

function mappingOf(mapped: ReturnType<typeof mappings>, index: number, subindex: number): { mapping?: string } {
  const found = mapped.find((one) => one.index === index && one.subindex === subindex);
  return found === undefined ? {} : { mapping: found.mapping };
}

function typeOf(bits: number): Record<string, number> {
  if (bits === 1) return { data_type: 1 };
  const type = UNSIGNED[bits / 8];
  if (type !== undefined) return { data_type: type };
  return bits < 8 ? { data_type: 0x2f + bits, bits } : { data_type: OCTET_STRING, bits };
}

function valued(bytes: readonly number[]): Record<string, unknown> {
  const type = UNSIGNED[bytes.length];
  const value = bytes.reduceRight((all, byte) => all * 256 + byte, 0);
  if (type !== undefined && Number.isSafeInteger(value)) return { data_type: type, value };
  return { data_type: OCTET_STRING, value: bytes.length === 0 ? '' : [...bytes] };
}

/** Who is plugged in where, by the links that the devices showed (0x0110 bits 4 to 7). */
function cables(
  seen: readonly Seen[],
  devices: readonly TwinDevice[],
): { readonly devices: readonly TwinDevice[]; readonly unknown: readonly string[] } {
  const status = seen.map(({ registers }) => registers[String(DL_STATUS)]);
  const inOrder = seen.every(({ position }, n) => position === n) && devices.length === seen.length;
  if (!inOrder || status.some((links) => links === undefined)) {
    return { devices, unknown: ['how all of them are cabled: those that did not show their links stand in a line'] };
  }
  // Frames go on at the last device that still has a linked port, behind port 3 first.
  const open: { device: number; ports: number[] }[] = [];
  const placed = devices.map((device, n) => {
    const ports = OUTLETS.filter((port) => ((status[n]! >> (4 + port)) & 1) === 1);
    let plug: Record<string, unknown> = {};
    while (open.length > 0 && open.at(-1)!.ports.length === 0) open.pop();
    const parent = open.at(-1);
    const port = parent?.ports.shift();
    if (parent !== undefined && port !== undefined && (parent.device !== n - 1 || port !== 1)) {
      plug = { parent: devices[parent.device]!.name, port };
    }
    open.push({ device: n, ports });
    return { ...device, keys: { ...device.keys, ...plug } };
  });
  const outside = new Map(open.filter(({ ports }) => ports.length > 0).map(({ device, ports }) => [device, ports]));
  return {
    devices: placed.map((device, n) => {
      const ports = outside.get(n);
      return ports === undefined ? device : { ...device, keys: { ...device.keys, outside_ports: ports } };
    }),
    unknown: [],
  };
}

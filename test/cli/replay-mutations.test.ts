// A capture with any single field changed must give a structural difference: the six captures, a sample of their
// fields by a seed that is printed (BIFROST_ETHERCAT_SEED sets it).

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { loadSegmentOf } from '../../src/core/configuration/load.ts';
import { native } from '../../src/core/native.ts';

const root = join(import.meta.dirname, '../..');
const captures = process.env['BIFROST_ETHERCAT_CAPTURES'] ?? join(root, '../shared/data/captures');
const seed = Number(process.env['BIFROST_ETHERCAT_SEED'] ?? Date.now() % 1_000_000);
/** Changes of each capture. */
const CHANGES = 25;
/** Frames of which one is changed: the others only take time. */
const FRAMES = 400;
/** pcapng: a section, an interface, a packet. */
const ENHANCED_PACKET = 6;

const names = [
  'replay-ek1100-el2828-el2889',
  'replay-ek1100-alias-address',
  'twincat-run-ek1100-el1004',
  'soem-single-lan9252',
  'soem-sdinfo-akd',
  'replay-ek1914-no-complete-access',
];

for (const name of names) {
  const file = join(captures, `${name}.pcapng`);
  const run = existsSync(file) ? test : test.skip;
  run(`${name}: every field that is changed is told`, async (t) => {
    const segment = JSON.stringify(await loadSegmentOf(join(root, 'test/fixtures/segments', `${name}.yaml`)));
    const whole = await readFile(file);
    const packets = packetsOf(whole).slice(0, FRAMES);
    const capture = whole.subarray(0, packets.at(-1)?.end);
    t.is(structural(capture, segment), 0, 'as it is');
    // What is sent at the very end, and whose answer the part of the capture does not have, nobody can judge.
    const judged = packets.slice(0, packets.findLastIndex((packet) => isAnswer(capture, packet)) + 1);
    const random = numbers(seed);
    for (let n = 0; n < CHANGES; n += 1) {
      const fields = fieldsOf(capture, judged[random(judged.length)]);
      const at = fields[random(fields.length)];
      if (at === undefined) continue;
      const changed = Uint8Array.from(capture);
      changed[at] = (changed[at] ?? 0) ^ (1 << random(8));
      const found = structural(changed, segment);
      t.true(found > 0, `seed ${seed}, change ${n}: byte ${at} of the file, ${capture[at]} → ${changed[at]}`);
    }
  });
}

function structural(capture: Uint8Array, segment: string): number {
  const report = JSON.parse(native().replay(Uint8Array.from(capture), segment)) as { counts: Record<string, number> };
  return report.counts['structural'] ?? Number.NaN;
}

interface Packet {
  readonly start: number;
  readonly length: number;
  /** Where its block ends. */
  readonly end: number;
}

/** Packets of a pcapng file in little-endian order. */
function packetsOf(file: Buffer): Packet[] {
  const found: Packet[] = [];
  for (let at = 0; at < file.length; at += file.readUInt32LE(at + 4)) {
    if (file.readUInt32LE(at) !== ENHANCED_PACKET) continue;
    found.push({ start: at + 28, length: file.readUInt32LE(at + 20), end: at + file.readUInt32LE(at + 4) });
  }
  return found;
}

/** Whether a frame has been through a SubDevice: the first one marks the address of its sender. */
function isAnswer(file: Buffer, packet: Packet): boolean {
  return ((file[packet.start + 6] ?? 0) & 2) !== 0;
}

/**
 * Bytes of an EtherCAT frame that say something: of each datagram header, working counter and data, but not what a
 * request that only reads brings along, clocks, mail, inputs and addresses of senders.
 */
function fieldsOf(file: Buffer, packet: Packet | undefined): number[] {
  if (packet === undefined || file.readUInt16BE(packet.start + 12) !== 0x88a4) return [];
  const found = [14, 15].map((at) => packet.start + at);
  const answered = isAnswer(file, packet);
  for (let at = packet.start + 16, more = true; more; ) {
    const code = file[at] ?? 0;
    const register = file.readUInt16LE(at + 4);
    const length = file.readUInt16LE(at + 6) & 0x7ff;
    const counter = file.readUInt16LE(at + 10 + length);
    more = (file.readUInt16LE(at + 6) & 0x8000) !== 0;
    for (let byte = 0; byte < 10; byte += 1) found.push(at + byte);
    found.push(at + 10 + length, at + 11 + length);
    const reads = [1, 4, 7, 10].includes(code);
    const clock = register < 0x0930 && register + length > 0x0900;
    const memory = code >= 10 && code <= 12 ? true : register + length > 0x0f00;
    // A request's data are overwritten by who reads; nobody may have answered.
    if (!(reads && !answered) && !clock && !memory && !(answered && counter === 0)) {
      for (let byte = 0; byte < length; byte += 1) found.push(at + 10 + byte);
    }
    at += 12 + length;
  }
  return found;
}

/** Whole numbers below a limit, from a seed (mulberry32). */
function numbers(from: number): (limit: number) => number {
  let state = from;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
}

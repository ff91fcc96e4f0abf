/** Wireshark's dissectors, which nobody here wrote, on what goes over a test wire. */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestWireEnd } from './namespaces.ts';
import { preparedFolder } from './prepared.ts';

/** Fields that are there only where tshark calls a frame or a mail malformed. */
const MALFORMED = [
  '_ws.malformed',
  'ecat_mailbox.invalid',
  'ecat_mailbox.coe.invalid',
  'ecat_mailbox.eoe.invalid',
  'ecat_mailbox.foe.invalid',
  'ecat_mailbox.soe.invalid',
];
/** `PI_ERROR`; warnings are about SOEM's own source address. */
const SEVERITY_ERROR = 0x80_0000;

const NOBODY = 65_534;
const OUTPUT_BYTES_MAX = 256 << 20;
const CAPTURE_BUFFER_MIB = 64;
/** So long after the last frame dumpcap has it. */
const SETTLE_MS = 300;

/** The two programs, and what they need to run where they are. */
export interface Tshark {
  readonly tshark: string;
  readonly dumpcap: string;
  readonly env: Readonly<Record<string, string>>;
  /** Who runs tshark, where that is not oneself. */
  readonly user?: { readonly uid: number; readonly gid: number };
}

let found: Tshark | { readonly reason: string } | undefined;

/** The machine's own tshark; else, for root on a system with apt, its packages unpacked into a folder of their own. */
export function findTshark(): Tshark | { readonly reason: string } {
  found ??= look();
  return found;
}

function look(): Tshark | { readonly reason: string } {
  const installed = { tshark: 'tshark', dumpcap: 'dumpcap', env: {} };
  if (works(installed)) return installed;
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return { reason: 'tshark is not installed' };
  const folder = preparedFolder('tshark', unpack);
  const unpacked = folder === undefined ? undefined : inFolder(folder);
  return unpacked !== undefined && works(unpacked) ? unpacked : { reason: 'tshark cannot be unpacked' };
}

function works(programs: Tshark): boolean {
  try {
    return dissect(programs, 'ignore', '-G', 'protocols').includes('\tecat_mailbox');
  } catch {
    return false;
  }
}

function dissect({ tshark, env, user }: Tshark, stdin: number | 'ignore', ...args: readonly string[]): string {
  return execFileSync(tshark, args, {
    ...user,
    env: { ...process.env, ...env },
    encoding: 'utf8',
    maxBuffer: OUTPUT_BYTES_MAX,
    stdio: [stdin, 'pipe', 'ignore'],
  });
}

function unpack(folder: string): void {
  const archives = join(folder, 'archives');
  mkdirSync(join(archives, 'partial'), { recursive: true });
  const apt = (...args: readonly string[]): void => {
    execFileSync('apt-get', args, { stdio: 'ignore', timeout: 120_000 });
  };
  apt('update');
  apt(
    'install',
    '--download-only',
    '-y',
    '--no-install-recommends',
    '-o',
    `Dir::Cache::archives=${archives}`,
    'tshark',
  );
  for (const name of readdirSync(archives).filter((one) => one.endsWith('.deb'))) {
    execFileSync('dpkg-deb', ['-x', join(archives, name), join(folder, 'root')], { stdio: 'ignore' });
  }
  rmSync(archives, { recursive: true });
}

function inFolder(folder: string): Tshark {
  const bin = join(folder, 'root/usr/bin');
  const lib = join(folder, 'root/usr/lib');
  const triplet = readdirSync(lib).find((name) => name.includes('-linux-gnu')) ?? '';
  const libraries = join(lib, triplet);
  return {
    tshark: join(bin, 'tshark'),
    dumpcap: join(bin, 'dumpcap'),
    env: {
      HOME: folder,
      LD_LIBRARY_PATH: `${libraries}:${join(folder, 'root/lib', triplet)}`,
      // Where the EtherCAT dissector is.
      WIRESHARK_PLUGIN_DIR: join(libraries, 'wireshark/plugins'),
    },
    // It does not take such a directory from root.
    user: { uid: NOBODY, gid: NOBODY },
  };
}

/** A capture, as Wireshark's dissectors read it. */
export class CaptureFile {
  readonly #programs: Tshark;
  readonly #file: string;

  constructor(programs: Tshark, file: string) {
    this.#programs = programs;
    this.#file = file;
  }

  /**
   * Fields of the frames that match a filter, one line a frame, as text; a field that occurs several times is
   * separated by commas.
   */
  fields(filter: string, ...names: readonly string[]): string[][] {
    // The file is ours alone; tshark may run as somebody else.
    const file = openSync(this.#file, 'r');
    const fields = names.flatMap((name) => ['-e', name]);
    let output: string;
    try {
      output = dissect(this.#programs, file, '-r', '-', '-Y', filter, '-T', 'fields', ...fields);
    } finally {
      closeSync(file);
    }
    return output
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.split('\t'));
  }

  /**
   * How many EtherCAT frames there are that match a filter, and those that tshark calls malformed, with what it says.
   */
  judge(filter = 'ecat'): { frames: number; malformed: string[][] } {
    const judged = this.fields(filter, 'frame.number', '_ws.expert.message', '_ws.expert.severity', ...MALFORMED);
    const malformed = judged.filter(([, , severities = '', ...fields]) => {
      const errors = severities.split(',').some((severity) => Number(severity) >= SEVERITY_ERROR);
      return errors || fields.some((field) => field !== '');
    });
    return { frames: judged.length, malformed };
  }
}

/** A capture of everything at one end of a wire, in both directions. Disposing of it deletes the file. */
export class Capture extends CaptureFile implements AsyncDisposable {
  readonly #folder: string;
  readonly #dumpcap: ChildProcess;

  private constructor(programs: Tshark, end: TestWireEnd) {
    const folder = mkdtempSync(join(tmpdir(), 'bifrost-ethercat-capture-'));
    const file = join(folder, 'wire.pcapng');
    super(programs, file);
    this.#folder = folder;
    const [command = '', ...prefix] = end.exec;
    const args = ['-q', '-i', end.interface, '-B', String(CAPTURE_BUFFER_MIB), '-w', file];
    this.#dumpcap = spawn(command, [...prefix, programs.dumpcap, ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, ...programs.env },
    });
  }

  /** Begins to capture; returns when it does. */
  static async start(programs: Tshark, end: TestWireEnd): Promise<Capture> {
    const capture = new Capture(programs, end);
    await new Promise<void>((resolve, reject) => {
      let said = '';
      const failed = (): void => {
        rmSync(capture.#folder, { recursive: true, force: true });
        reject(new Error(`dumpcap: ${said}`));
      };
      capture.#dumpcap.once('close', failed);
      // Read to the end: it would die of a closed pipe.
      capture.#dumpcap.stderr?.setEncoding('utf8').on('data', (text: string) => {
        said += text;
        // It names the file when it has it open.
        if (!said.includes('File: ')) return;
        capture.#dumpcap.off('close', failed);
        resolve();
      });
    });
    return capture;
  }

  /** Ends the capture. */
  async stop(): Promise<void> {
    if (this.#dumpcap.exitCode !== null || this.#dumpcap.signalCode !== null) return;
    await new Promise((resolve) => {
      setTimeout(resolve, SETTLE_MS);
    });
    const closed = once(this.#dumpcap, 'close');
    this.#dumpcap.kill('SIGTERM');
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

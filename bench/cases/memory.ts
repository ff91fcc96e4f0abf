import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { logRecords } from '../../src/core/change-log.ts';
import { RECORD_BYTES } from '../../src/core/generated/layout.ts';
import { makeTestWire, whyNoTestWire } from '../../test/support/namespaces.ts';
import type { BenchCase, BenchContext } from '../case.ts';
import { NativeResult, runNative, serveNative } from '../native.ts';
import type { Row } from '../report.ts';

const root = join(import.meta.dirname, '../..');
const DEVICES = 100;
const TAGS = 10_000;
const BYTES = 1_250;
const NATIVE_KB = 512;
const ALL_KB = 2_000;

/** What 10,000 tags cost a process of JavaScript beside the same image without: measured where a test holds it, too. */
const FIXTURE = join(root, 'test/gates/fixtures/tag-bytes.ts');

interface TagBytes {
  readonly tags: number;
  readonly heap: number;
  readonly buffers: number;
}

/** What an engine holds: counted where a test holds it, too. */
interface EngineBytes {
  readonly allocated: number;
  readonly withBringUp: number;
  readonly shared: number;
  readonly stack: number;
}

/** What 100 devices and 10,000 tags hold. */
export const memory: BenchCase = {
  name: 'memory',
  async run(context) {
    const load = `${DEVICES} devices, ${BYTES.toLocaleString('en')} B, ${TAGS.toLocaleString('en')} tags of a bit`;
    const rows: Row[] = [];
    const notes: string[] = [];
    context.progress('memory of an engine, counted');
    const { allocated, withBringUp, shared, stack } = await counted();
    const kb = (bytes: number): string => (bytes / 1_000).toFixed(0);
    const native = (allocated + shared + stack) / 1_000;
    rows.push({
      name: 'memory, native and shared, counted',
      load: `${load}: ${kb(allocated)} kB of the allocator, ${kb(shared)} kB shared, ${kb(stack)} kB of stack touched`,
      unit: 'kB',
      ours: { p50: native },
      bounds: [{ kind: 'absolute', at: ['p50'], atMost: NATIVE_KB }],
      repeats: 1,
    });
    notes.push(
      `memory: until the bring-up is taken an engine holds ${kb(withBringUp)} kB, SII images and PDO entries; they go before the first cycle`,
    );
    const reason = whyNoTestWire();
    if (reason === undefined) {
      rows.push({
        name: 'memory, by how much a process grows with an engine in OP',
        load: `${DEVICES} devices, ${BYTES.toLocaleString('en')} B, a segment on a veth pair; with what the allocator keeps of the bring-up, and a thread that wakes JavaScript`,
        unit: 'kB',
        ours: (await grown(context)).value('ours', 'resident', 1_000),
        repeats: context.repeats,
      });
    } else notes.push(`memory that a process grows by: not measured, ${reason}`);
    context.progress('memory of 10,000 tags');
    const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', FIXTURE]);
    const { heap, buffers } = JSON.parse(stdout) as TagBytes;
    // The change log is in the shared memory, and so counted already; without tags it is small.
    const log = (logRecords(TAGS) - logRecords(1)) * RECORD_BYTES;
    const tags = (heap + buffers - log) / 1_000;
    rows.push({
      name: 'memory, native, shared and JavaScript',
      load: `${load}, streams of all and of 100, and every(1000); no stream of one tag; of it JavaScript ${tags.toFixed(0)} kB`,
      unit: 'kB',
      ours: { p50: native + tags },
      bounds: [{ kind: 'absolute', at: ['p50'], atMost: ALL_KB }],
      repeats: 1,
    });
    return { rows, notes };
  },
};

/** What an engine holds: see `memory.rs` of the engine's tests. */
async function counted(): Promise<EngineBytes> {
  const words = [
    'test',
    '--release',
    '--locked',
    '--quiet',
    '-p',
    'ecat-engine',
    '--test',
    'memory',
    '--',
    '--nocapture',
  ];
  const { stdout } = await promisify(execFile)('cargo', words, { cwd: root });
  const line = stdout.split('\n').find((text) => text.startsWith('{'));
  if (line === undefined) throw new Error(`cargo ${words.join(' ')} printed no figures: ${stdout}`);
  return JSON.parse(line) as EngineBytes;
}

/** A process for each repeat: see `memory.rs` of the benchmark. */
async function grown(context: BenchContext): Promise<NativeResult> {
  const { cpu, priority, repeats } = context;
  context.progress('memory of a process with an engine');
  using wire = makeTestWire('bm');
  const segment = { interface: wire.segment.interface, bytes: BYTES, devices: DEVICES, cpu: 0, priority: 0 };
  await using _server = await serveNative(context, segment, wire.segment.exec);
  const end = wire.mainDevice;
  const results: NativeResult[] = [];
  for (let repeat = 0; repeat < repeats; repeat += 1) {
    results.push(await runNative(context, 'memory', { interface: end.interface, cpu, priority }, end.exec));
  }
  return NativeResult.joined(results);
}

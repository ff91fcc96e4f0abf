import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { makeTestWire, whyNoTestWire } from '../../test/support/namespaces.ts';
import type { BenchCase, BenchContext } from '../case.ts';
import { NativeResult, runNative, serveNative } from '../native.ts';
import type { Row } from '../report.ts';

const DEVICES = 100;
const BYTES = 1_250;
const NATIVE_KB = 512;
const ALL_KB = 2_000;

/** What 10,000 tags cost a process of JavaScript beside the same image without: measured where a test holds it, too. */
const FIXTURE = join(import.meta.dirname, '../../test/gates/fixtures/tag-bytes.ts');

interface TagBytes {
  readonly tags: number;
  readonly heap: number;
  readonly buffers: number;
}

/** What 100 devices and 10,000 tags hold. */
export const memory: BenchCase = {
  name: 'memory',
  async run(context) {
    const load = `${DEVICES} devices, ${BYTES.toLocaleString('en')} B, 10,000 tags`;
    const rows: Row[] = [];
    const notes: string[] = [];
    const reason = whyNoTestWire();
    let nativeKb = 0;
    if (reason === undefined) {
      const native = await engine(context);
      const ours = native.value('ours', 'resident', 1_000);
      nativeKb = ours.p50;
      rows.push({
        name: 'memory, native and shared',
        load: `${DEVICES} devices, ${BYTES.toLocaleString('en')} B; by how much a process grows with an engine in OP, a segment on a veth pair`,
        unit: 'kB',
        ours,
        bounds: [{ kind: 'absolute', at: ['p50'], atMost: NATIVE_KB }],
        repeats: context.repeats,
      });
    } else notes.push(`memory of an engine: not measured, ${reason}`);
    context.progress('memory of 10,000 tags');
    const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', FIXTURE]);
    const { heap, buffers } = JSON.parse(stdout) as TagBytes;
    notes.push(
      `memory: 10,000 tags, their streams, table and names ${((heap + buffers) / 1_000).toFixed(0)} kB beside the engine`,
    );
    rows.push({
      name:
        reason === undefined ? 'memory, native, shared and JavaScript' : 'memory, JavaScript and tables of the tags',
      load: `${load}, streams of all and of 100, and every(1000); no stream of one tag`,
      unit: 'kB',
      ours: { p50: nativeKb + (heap + buffers) / 1_000 },
      bounds: [{ kind: 'absolute', at: ['p50'], atMost: ALL_KB }],
      repeats: 1,
    });
    return { rows, notes };
  },
};

/** A process for each repeat: see `memory.rs`. */
async function engine(context: BenchContext): Promise<NativeResult> {
  const { cpu, priority, repeats } = context;
  context.progress('memory of an engine');
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

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { makeTestWire, type TestWireEnd, whyNoTestWire } from '../../test/support/namespaces.ts';
import type { BenchCase } from '../case.ts';
import { runNative } from '../native.ts';
import type { Row } from '../report.ts';

const root = join(import.meta.dirname, '../..');
const DEVICES = 100;
/** Bytes of outputs, and as many of inputs, of each device. */
const BYTES = 6;
/** A tenth of a cycle of 1 ms. */
const AIM_US = 100;

/** How long `bifrost-ethercat simulate` takes to answer a cyclic frame on a network interface. */
export const answer: BenchCase = {
  name: 'answer',
  async run(context) {
    const reason = whyNoTestWire();
    if (reason !== undefined) return { rows: [], notes: [`answers of a simulated segment: not measured, ${reason}`] };
    const { cpu, priority, quick, repeats } = context;
    const rows: Row[] = [];
    const notes = new Set<string>();
    for (const fifo of [false, true]) {
      const how = fifo ? `SCHED_FIFO ${priority - 1} on processor 0` : 'default class';
      context.progress(`answers of a simulated segment, ${how}`);
      using wire = makeTestWire('ba');
      await using _served = await serve(wire.segment, fifo ? [`--priority=${priority - 1}`, '--cpu=0'] : []);
      const values = { interface: wire.mainDevice.interface, seconds: quick ? 2 : 20, repeats, cpu, priority };
      const result = await runNative(context, 'answer', values, wire.mainDevice.exec);
      const bytes = result.value('ours', 'bytes').p50;
      rows.push({
        name: 'answer of a segment on an interface',
        load: `frame of ${bytes} B each ms to ${DEVICES} devices; simulate on a veth pair, ${how}; sender polls`,
        unit: 'µs',
        ours: result.figures('ours', 'answer', 1_000),
        bounds: [{ kind: 'absolute', at: ['p99'], atMost: AIM_US }],
        repeats,
      });
      for (const note of result.notes('answer')) notes.add(note);
    }
    return { rows, notes: [...notes] };
  },
};

/** Runs `bifrost-ethercat simulate` until it is disposed of. */
async function serve(end: TestWireEnd, options: readonly string[]): Promise<AsyncDisposable> {
  const folder = await mkdtemp(join(tmpdir(), 'bifrost-ethercat-bench-'));
  const file = join(folder, 'segment.yaml');
  const entries = Array.from({ length: BYTES }, (_, n) => ({ index: 0x6000, subindex: n + 1, bits: 8 }));
  const pdos = [
    { direction: 'output', index: 0x1600, entries },
    { direction: 'input', index: 0x1a00, entries },
  ];
  const devices = Array.from({ length: DEVICES }, (_, n) => ({ name: `d${n}`, type: 'generic', pdos }));
  await writeFile(file, JSON.stringify({ devices }));
  const [command = '', ...prefix] = end.exec;
  const args = [...prefix, process.execPath, join(root, 'src/cli/main.ts'), 'simulate', file];
  const child = spawn(command, [...args, '--interface', end.interface, ...options], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const closed = once(child, 'close');
  const ready = once(createInterface({ input: child.stdout }), 'line');
  await Promise.race([ready, closed.then(() => Promise.reject(new Error('simulate ended before it served')))]);
  return {
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await closed;
      await rm(folder, { recursive: true });
    },
  };
}

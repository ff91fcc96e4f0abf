import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { makeTestWire, type TestWireEnd, whyNoTestWire } from '../../test/support/namespaces.ts';
import { pythonWithSoem } from '../../test/support/soem-python.ts';
import type { BenchCase, BenchContext } from '../case.ts';
import { NativeResult, runNative, serveNative } from '../native.ts';
import { referenceFolder } from '../references.ts';
import type { Row } from '../report.ts';

const DEVICES = 10;

/**
 * What one exchange of the process image costs, against stock ethercrab, against SOEM, and against sending and receiving
 * alone.
 */
export const exchange: BenchCase = {
  name: 'exchange',
  async run(context) {
    const reason = whyNoTestWire();
    const sizes = context.quick ? [1_250] : [32, 1_250, 1_486];
    const rows: Row[] = [];
    const notes = new Set<string>();
    const soem = reason === undefined ? pythonWithSoem() : { reason };
    if ('reason' in soem) notes.add(`SOEM's exchange: not measured, ${soem.reason}`);
    const python = 'python' in soem ? soem.python : undefined;
    if (reason !== undefined) notes.add(`exchange on a veth pair: not measured, ${reason}`);
    for (const bytes of sizes) {
      const measured: [string, NativeResult][] = [];
      if (reason === undefined)
        measured.push(['veth pair, the segment polls in a second process', await onWire(context, bytes, python)]);
      measured.push(['in memory, the simulated devices included', await inMemory(context, bytes)]);
      for (const [wire, result] of measured) {
        rows.push(...rowsOf(result, wire, bytes, context.repeats));
        for (const note of result.notes('exchange')) notes.add(note);
      }
    }
    return { rows, notes: [...notes] };
  },
};

function values(context: BenchContext, bytes: number): Record<string, number> {
  const { cpu, priority, repeats, quick } = context;
  return { bytes, devices: DEVICES, count: quick ? 5_000 : 20_000, repeats, cpu, priority };
}

async function inMemory(context: BenchContext, bytes: number): Promise<NativeResult> {
  context.progress(`exchange of ${bytes} B in memory`);
  return runNative(context, 'exchange', values(context, bytes));
}

async function onWire(context: BenchContext, bytes: number, python: string | undefined): Promise<NativeResult> {
  context.progress(`exchange of ${bytes} B on a veth pair`);
  using wire = makeTestWire('bn');
  const segment = { interface: wire.segment.interface, bytes, devices: DEVICES, cpu: 0, priority: 0 };
  await using _server = await serveNative(context, segment, wire.segment.exec);
  const end = wire.mainDevice;
  const results: NativeResult[] = [];
  for (let repeat = 0; repeat < context.repeats; repeat += 1) {
    const ours = { ...values(context, bytes), repeats: 1, interface: end.interface };
    results.push(await runNative(context, 'exchange', ours, end.exec));
    if (python !== undefined) results.push(await bySoem(context, bytes, python, end));
  }
  return NativeResult.joined(results);
}

/** As many exchanges of the same image by SOEM, on the same processor with the same priority. */
async function bySoem(context: BenchContext, bytes: number, python: string, end: TestWireEnd): Promise<NativeResult> {
  const { count = 0, cpu = 0, priority = 0 } = values(context, bytes);
  const [command = '', ...prefix] = end.exec;
  const script = join(referenceFolder, 'pysoem_exchange.py');
  const words = [...prefix, python, script, end.interface, ...[bytes, count, cpu, priority].map(String)];
  const { stdout } = await promisify(execFile)(command, words);
  return new NativeResult(stdout.trim().split('\n'));
}

function rowsOf(result: NativeResult, wire: string, bytes: number, repeats: number): Row[] {
  const frames = result.value('ours', 'frames').p50;
  const load = `${bytes} B, ${DEVICES} devices, ${frames} ${frames === 1 ? 'frame' : 'frames'}; ${wire}; back to back`;
  const row = { name: 'one exchange of the image (LRW)', load, unit: 'µs', repeats } as const;
  const ours = result.figures('ours', 'exchange', 1_000);
  const soem = result.figures('pysoem', 'exchange', 1_000);
  return [
    {
      ...row,
      ours,
      reference: { name: 'bare send and receive', figures: result.figures('bare', 'exchange', 1_000) },
      bounds: [{ kind: 'ratio', at: ['p50'], atMost: 1.25 }],
    },
    {
      ...row,
      ours,
      reference: { name: 'ethercrab tx_rx', figures: result.figures('ethercrab', 'exchange', 1_000) },
      bounds: [{ kind: 'ratio', at: ['p50'], atMost: 1 }],
    },
    ...(Number.isNaN(soem.p50)
      ? []
      : [
          {
            ...row,
            ours,
            reference: { name: 'pysoem (SOEM), send and receive_processdata', figures: soem },
            bounds: [{ kind: 'ratio', at: ['p50'], atMost: 1 }] as const,
          },
        ]),
  ];
}

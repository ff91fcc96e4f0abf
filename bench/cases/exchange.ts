import { makeTestWire, whyNoTestWire } from '../../test/support/namespaces.ts';
import type { BenchCase, BenchContext } from '../case.ts';
import { type NativeResult, runNative, serveNative } from '../native.ts';
import type { Row } from '../report.ts';

const DEVICES = 10;

/** What one exchange of the process image costs, against stock ethercrab and against sending and receiving alone. */
export const exchange: BenchCase = {
  name: 'exchange',
  async run(context) {
    const reason = whyNoTestWire();
    const sizes = context.quick ? [1_250] : [32, 1_250, 1_486];
    const rows: Row[] = [];
    const notes = new Set<string>();
    if (reason !== undefined) notes.add(`exchange on a veth pair: not measured, ${reason}`);
    for (const bytes of sizes) {
      const measured: [string, NativeResult][] = [];
      if (reason === undefined)
        measured.push(['veth pair, the segment polls in a second process', await onWire(context, bytes)]);
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

async function onWire(context: BenchContext, bytes: number): Promise<NativeResult> {
  context.progress(`exchange of ${bytes} B on a veth pair`);
  using wire = makeTestWire('bn');
  const segment = { interface: wire.segment.interface, bytes, devices: DEVICES, cpu: 0, priority: 0 };
  await using _server = await serveNative(context, segment, wire.segment.exec);
  // Awaited here: the wire and the segment at its other end go with this function.
  return await runNative(
    context,
    'exchange',
    { ...values(context, bytes), interface: wire.mainDevice.interface },
    wire.mainDevice.exec,
  );
}

function rowsOf(result: NativeResult, wire: string, bytes: number, repeats: number): Row[] {
  const frames = result.value('ours', 'frames').p50;
  const load = `${bytes} B, ${DEVICES} devices, ${frames} ${frames === 1 ? 'frame' : 'frames'}; ${wire}; back to back`;
  const row = { name: 'one exchange of the image (LRW)', load, unit: 'µs', repeats } as const;
  const ours = result.figures('ours', 'exchange', 1_000);
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
  ];
}

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { makeTestWire, whyNoTestWire } from '../../test/support/namespaces.ts';
import type { BenchCase, BenchContext, CaseResult } from '../case.ts';
import { runNative, serveNative } from '../native.ts';
import { figuresOf, median, medianFigures, type Row } from '../report.ts';
import type { UrgentWrites } from '../urgent.child.ts';

const DEVICES = 10;
const BYTES = 1_250;
/** Of the first device's outputs, 62 bytes in words of 64 bits and single bytes, the first single byte. */
const TAG = 'd0.0x7000.8';
/** A commit that comes when no frame would leave before the cycle rides it. */
const PATIENCE_NS = 3_000_000;
/** p99 of the way from the call to the link. */
const AIM_US = 50;

/** From an urgent commit to its frame, and from the call in JavaScript to its frame on a wire. */
export const urgent: BenchCase = {
  name: 'urgent',
  async run(context) {
    const { cpu, priority, repeats, quick } = context;
    context.progress('urgent commit to frame');
    const count = quick ? 200 : 1_000;
    const result = await runNative(context, 'urgent', { count, repeats, cpu, priority });
    const row: Row = {
      name: 'urgent commit → frame handed to the link',
      load: `cycle 1 ms; ${DEVICES} devices, ${BYTES.toLocaleString('en')} B, in memory; at any moment; ${percent(median(result.values('ours', 'rode-a-cycle')))} rode a cycle instead; SCHED_FIFO, CPU ${cpu}`,
      unit: 'µs',
      ours: result.figures('ours', 'called-to-sent', 1_000),
      bounds: [{ kind: 'absolute', at: ['p99'], atMost: AIM_US }],
      repeats,
    };
    const reason = whyNoTestWire();
    const wire: CaseResult =
      reason === undefined
        ? await onWire(context, quick ? 100 : 500)
        : { rows: [], notes: [`writeUrgent() to its frame: not measured, ${reason}`] };
    return { rows: [row, ...wire.rows], notes: [...result.notes('urgent'), ...wire.notes] };
  },
};

async function onWire(context: BenchContext, count: number): Promise<CaseResult> {
  const { cpu, priority, repeats } = context;
  context.progress('writeUrgent() in JavaScript to its frame on a veth pair');
  using wire = makeTestWire('bu');
  const segment = { interface: wire.segment.interface, bytes: BYTES, devices: DEVICES, cpu: 0, priority: 0 };
  await using server = await serveNative(context, segment, wire.segment.exec);
  const devices = Array.from({ length: DEVICES }, (_, position) => ({ name: `d${position}`, position, urgent: true }));
  const master = {
    interface: wire.mainDevice.interface,
    cycle_time: '1ms',
    priority,
    cpu,
    // A machine that stalls is to show in the figures, and not to end the run.
    output_deadline_ms: 10_000,
  };
  const writes: UrgentWrites = { plant: { ethercat: { master, devices } }, tag: TAG, count, repeats };
  const [command = '', ...prefix] = wire.mainDevice.exec;
  const script = join(import.meta.dirname, '../urgent.child.ts');
  const { stdout } = await promisify(execFile)(command, [...prefix, process.execPath, script, JSON.stringify(writes)]);
  const received = server.printed().values('peer', 'urgent-received');
  const found = stdout
    .trim()
    .split('\n')
    .map((line) => waysOf(JSON.parse(line) as number[], received));
  const rode = median(found.map((ways) => 1 - ways.length / count));
  return {
    rows: [
      {
        name: 'writeUrgent(): JavaScript call → frame received at the other end of the wire',
        load: `1 tag of 8 bits, at any moment of a cycle of 1 ms; ${DEVICES} devices, ${BYTES.toLocaleString('en')} B, veth pair; the receiver polls; ${percent(rode)} rode a cycle instead; SCHED_FIFO, CPU ${cpu}`,
        unit: 'µs',
        ours: medianFigures(found.map((ways) => figuresOf(ways, 1_000))),
        bounds: [{ kind: 'absolute', at: ['p99'], atMost: AIM_US }],
        repeats,
      },
    ],
    notes: [],
  };
}

/**
 * The time from each call to its frame, both in ns of one clock and in order. A call whose frame did not come before the
 * next call, or within {@link PATIENCE_NS}, went with a cycle, and has none.
 */
export function waysOf(called: readonly number[], received: readonly number[]): number[] {
  return called.flatMap((begun, n) => {
    const next = Math.min(called[n + 1] ?? Number.POSITIVE_INFINITY, begun + PATIENCE_NS);
    const came = received.find((ns) => ns >= begun && ns < next);
    return came === undefined ? [] : [came - begun];
  });
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

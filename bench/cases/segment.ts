import type { BenchCase } from '../case.ts';
import { runNative } from '../native.ts';
import type { Row } from '../report.ts';

/** Bytes of a frame around the data of its only datagram. */
const OVERHEAD_BYTES = 28;
/** What one LRW of 1,250 bytes through 100 I/O devices may take. */
const AIM = { devices: 100, bytes: 1_250, us: 5 };
/** What an hour in virtual time may take, so that it is "seconds". */
const HOUR_MS = 10_000;

/** What a frame through the simulated segment costs, and an hour of a plant in virtual time. */
export const segment: BenchCase = {
  name: 'segment',
  async run(context) {
    const { cpu, priority, repeats, quick } = context;
    const place = { repeats, cpu, priority };
    const rows: Row[] = [];
    const notes = new Set<string>();
    const frames = quick ? [60, 1_514] : [60, 256, 512, 1_024, 1_514];
    const sizes = [1, 10, 100, 500].flatMap((devices) =>
      frames.map((frame) => ({ devices, bytes: frame - OVERHEAD_BYTES })),
    );
    for (const { devices, bytes } of [{ devices: AIM.devices, bytes: AIM.bytes }, ...sizes]) {
      context.progress(`a frame of ${bytes + OVERHEAD_BYTES} B through ${devices} simulated devices`);
      const count = Math.max(quick ? 1_280 : 6_400, Math.floor((quick ? 20_000 : 100_000) / devices));
      const result = await runNative(context, 'segment', { devices, bytes, count, ...place });
      rows.push({
        name: 'one LRW through simulated devices',
        load: `frame of ${bytes + OVERHEAD_BYTES} B (${bytes} B of data), ${devices} devices with two FMMUs and two SyncManagers; in process`,
        unit: 'µs',
        ours: result.figures('ours', 'frame', 1_000),
        ...(devices === AIM.devices && bytes === AIM.bytes
          ? { bounds: [{ kind: 'absolute', at: ['p50'], atMost: AIM.us }] as const }
          : {}),
        repeats,
      });
      for (const note of result.notes('segment')) notes.add(note);
    }
    context.progress('a plant in virtual time');
    const seconds = quick ? 36 : 360;
    const hour = await runNative(context, 'virtual', { seconds, ...place });
    const ours = hour.value('ours', 'hour', 1_000_000);
    rows.push({
      name: 'an hour of a plant in virtual time',
      load: `cycle 1 ms: FRMW, LRW of 160 B, BRD; 10 terminals with signals and a wire; in process, ${seconds} s measured`,
      unit: 'ms',
      ours,
      bounds: [{ kind: 'absolute', at: ['p50'], atMost: HOUR_MS }],
      repeats,
    });
    notes.add(`virtual time: ${Math.round(3_600_000 / ours.p50)} simulated seconds a second`);
    return { rows, notes: [...notes] };
  },
};

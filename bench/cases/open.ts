import type { BenchCase } from '../case.ts';
import { runNative } from '../native.ts';
import type { Bound, Row } from '../report.ts';

/** From nothing to OP, against stock ethercrab's `init` and `into_op`. */
export const open: BenchCase = {
  name: 'open',
  async run(context) {
    const rows: Row[] = [];
    const notes: string[] = [];
    const { cpu, priority } = context;
    for (const devices of context.quick ? [1, 10] : [1, 10, 100, 500]) {
      // 500 take so long that a repeat says no more than the first run.
      const repeats = devices > 100 ? 1 : context.repeats;
      context.progress(`open to OP, ${devices} ${devices === 1 ? 'device' : 'devices'}`);
      const result = await runNative(context, 'open', { devices, repeats, cpu, priority });
      const busyUs = result.value('simulator', 'eeprom-busy-ns', 1_000).p50;
      const half: Bound = { kind: 'ratio', at: ['p50'], atMost: 0.5 };
      rows.push({
        name: 'open to OP',
        load: `${devices} × 8 B, in memory; EEPROM busy ${busyUs} µs a read; cycle 1 ms; 1,000 static DC frames`,
        unit: 'ms',
        ours: result.value('ours', 'open', 1e6),
        reference: { name: 'ethercrab init, into_op', figures: result.value('ethercrab', 'open', 1e6) },
        bounds: [
          ...(devices === 100 ? [{ kind: 'absolute', at: ['p50'], atMost: 2_000 } as const] : []),
          ...(devices >= 100 ? [half] : []),
        ],
        repeats,
      });
      const ms = (what: string): string => result.value('ours', what, 1e6).p50.toFixed(1);
      notes.push(
        `open to OP, ${devices} × 8 B: ethercrab's init to PRE-OP ${ms('pre-op')} ms, SII images ${ms('identified')} ms, ` +
          `SyncManagers and FMMUs ${ms('configured')} ms; the rest is the way from PRE-OP to OP within the cycle`,
      );
    }
    return { rows, notes };
  },
};

// What the kernel has counted of the cycle thread of this process.

import { readdirSync, readFileSync } from 'node:fs';

const NAME = 'ecat-cycle';

/** What delays a thread that is ready to run. */
export interface Disturbances {
  /** Page faults, minor and major: each may wait for the lock on the memory map of the process. */
  readonly pageFaults: number;
  /** How often another thread took its processor. */
  readonly preempted: number;
  /** Calls of other processors that its processor answered, TLB shoot-downs most of them. */
  readonly calls: number;
}

/** Counts so far, of the one cycle thread of this process, whose processor is `cpu`. */
export function lookAtCycleThread(cpu: number): Disturbances {
  const folder = readdirSync('/proc/self/task')
    .map((thread) => `/proc/self/task/${thread}`)
    .find((task) => readFileSync(`${task}/comm`, 'utf8').trim() === NAME);
  if (folder === undefined) throw new Error(`no thread of this process is called ${NAME}`);
  // Behind the name, which may hold spaces, field 3 is the first: minflt is 10, majflt 12.
  const stat = readFileSync(`${folder}/stat`, 'utf8').split(') ').at(-1)?.split(' ').map(Number) ?? [];
  const status = readFileSync(`${folder}/status`, 'utf8');
  return {
    pageFaults: (stat[7] ?? Number.NaN) + (stat[9] ?? Number.NaN),
    preempted: Number(/^nonvoluntary_ctxt_switches:\s*(\d+)$/m.exec(status)?.[1]),
    calls: callsOf(cpu),
  };
}

/** What was counted between two looks. */
export function disturbancesBetween(before: Disturbances, after: Disturbances): Disturbances {
  return {
    pageFaults: after.pageFaults - before.pageFaults,
    preempted: after.preempted - before.preempted,
    calls: after.calls - before.calls,
  };
}

/** Function-call interrupts of a processor. On x86 alone is there a line of them; elsewhere NaN. */
function callsOf(cpu: number): number {
  const [heads = '', ...lines] = readFileSync('/proc/interrupts', 'utf8').split('\n');
  const column = heads.trim().split(/\s+/).indexOf(`CPU${cpu}`);
  const counts = lines
    .find((line) => line.trim().startsWith('CAL:'))
    ?.trim()
    .split(/\s+/);
  return Number(counts?.[column + 1]);
}

// The machine that a run was made on.

import { readFileSync } from 'node:fs';
import { arch, availableParallelism, cpus, loadavg, release } from 'node:os';

/** What a figure depends on besides the code. */
export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly architecture: string;
  readonly kernel: string;
  /** Whether the kernel is a PREEMPT_RT one. */
  readonly realTimeKernel: boolean;
  readonly virtual: boolean;
  readonly node: string;
  /** Load average of the last minute before the run: what else the machine was doing. */
  readonly loadBefore: number;
}

/** Looks at this machine. */
export function machine(): Machine {
  const info = read('/proc/cpuinfo');
  return {
    processor: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    architecture: arch(),
    kernel: release(),
    realTimeKernel: read('/sys/kernel/realtime').trim() === '1',
    virtual: /^flags\s*:.*\bhypervisor\b/m.test(info),
    node: process.version,
    loadBefore: loadavg()[0] ?? 0,
  };
}

/** The same as a list for the documentation. */
export function describeMachine(facts: Machine): string[] {
  return [
    `${facts.cores} cores of ${facts.virtual ? 'a virtual machine on ' : ''}${facts.processor} (${facts.architecture})`,
    `Linux ${facts.kernel}, ${facts.realTimeKernel ? 'a real-time kernel' : 'no real-time kernel'}; Node.js ${facts.node}`,
    'no network card: the wire is a veth pair or the memory of the process; the SubDevices are simulated',
    `load average before the run: ${facts.loadBefore.toFixed(2)}`,
  ];
}

/** Time of all processors so far, in ticks, and what of it this process and its ended children took, in ms. */
interface Taken {
  readonly total: number;
  readonly busy: number;
  readonly stolen: number;
  readonly oursMs: number;
}

/** Ticks of `/proc/stat` in a second (USER_HZ, 100 on every architecture of Linux that Node.js runs on). */
const TICKS_PER_SECOND = 100;

/** What the processors have done so far. */
export function lookAtProcessors(): Taken {
  // cpu user nice system idle iowait irq softirq steal …
  const ticks = (read('/proc/stat').split('\n', 1)[0] ?? '').trim().split(/\s+/).slice(1, 9).map(Number);
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, stolen = 0] = ticks;
  const total = ticks.reduce((sum, part) => sum + part, 0);
  // The fields behind the name, which may hold spaces: utime, stime, cutime, cstime are 14 to 17.
  const own = read('/proc/self/stat').split(') ').at(-1)?.split(' ').slice(11, 15).map(Number) ?? [];
  const oursMs = (own.reduce((sum, part) => sum + part, 0) * 1_000) / TICKS_PER_SECOND;
  return { total, busy: user + nice + system + irq + softirq, stolen, oursMs };
}

/** How much others had of the processors meanwhile, in words. */
export function describeOthers(before: Taken, after: Taken): string {
  const total = after.total - before.total;
  const ours = ((after.oursMs - before.oursMs) / 1_000) * TICKS_PER_SECOND;
  const share = (ticks: number): string => `${((Math.max(0, ticks) / total) * 100).toFixed(1)} %`;
  const others = share(after.busy - before.busy - ours);
  return `during the run other processes had ${others} of the processors' time, and the host ${share(after.stolen - before.stolen)}`;
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

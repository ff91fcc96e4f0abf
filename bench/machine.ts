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

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

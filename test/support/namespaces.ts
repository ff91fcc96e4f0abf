// Two network namespaces joined by a veth pair: a wire between two processes, without a network card.

import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';

const CARRIER_TIMEOUT_MS = 30_000;

/**
 * Before everybody else, where that is allowed: what else the machine does is to cost neither end its frames. Not of a
 * real-time class, in which a MainDevice that polls would keep the other end off a processor.
 */
const FIRST = ['nice', '-n', '-15'];

/** A wire with two ends, each in a network namespace of its own. */
export interface TestWire extends Disposable {
  /** Where the simulated segment stands. */
  readonly segment: TestWireEnd;
  /** Where the MainDevice stands. */
  readonly mainDevice: TestWireEnd;
}

/** One end of the wire. */
export interface TestWireEnd {
  readonly namespace: string;
  readonly interface: string;
  /** Command and leading arguments that run a program in this namespace, before everything else on the machine. */
  readonly exec: readonly string[];
}

/** Why this machine cannot make a {@link TestWire}, or `undefined` where it can. */
export function whyNoTestWire(): string | undefined {
  if (process.getuid?.() !== 0) return 'network namespaces need root';
  try {
    makeTestWire('probe')[Symbol.dispose]();
    return undefined;
  } catch (error) {
    return `network namespaces cannot be made here: ${String(error)}`;
  }
}

/**
 * Makes the wire.
 *
 * @param name for people who look at the namespaces; its first four characters are used
 * @throws where `ip` is missing or refuses; see {@link whyNoTestWire}
 */
export function makeTestWire(name: string): TestWire {
  // Test files run as threads of one process: its number would not tell them apart.
  const unique = `${name.slice(0, 4)}${randomBytes(3).toString('hex')}`;
  const [a, b] = [`ec-${unique}-a`, `ec-${unique}-b`];
  const [vethA, vethB] = [`${unique}a`, `${unique}b`];
  const remove = (): void => {
    for (const namespace of [a, b]) {
      try {
        ip('netns', 'delete', namespace);
      } catch {
        // It was not made, or is gone: both are what removal wants.
      }
    }
  };
  try {
    ip('netns', 'add', a);
    ip('netns', 'add', b);
    ip('link', 'add', vethA, 'netns', a, 'type', 'veth', 'peer', 'name', vethB, 'netns', b);
    ip('-n', a, 'link', 'set', vethA, 'up');
    ip('-n', b, 'link', 'set', vethB, 'up');
    awaitCarrier(a, vethA);
    awaitCarrier(b, vethB);
  } catch (error) {
    remove();
    throw error;
  }
  return {
    segment: end(a, vethA),
    mainDevice: end(b, vethB),
    [Symbol.dispose]: remove,
  };
}

function end(namespace: string, name: string): TestWireEnd {
  return { namespace, interface: name, exec: [...first(), 'ip', 'netns', 'exec', namespace] };
}

let prefix: readonly string[] | undefined;

function first(): readonly string[] {
  // It runs its command either way, and complains where it may not.
  prefix ??= spawnSync('nice', [...FIRST.slice(1), 'true'], { encoding: 'utf8' }).stderr === '' ? FIRST : [];
  return prefix;
}

/** The kernel raises a carrier some time after both ends are up. */
function awaitCarrier(namespace: string, name: string): void {
  const deadline = performance.now() + CARRIER_TIMEOUT_MS;
  while (!ip('-n', namespace, '-brief', 'link', 'show', 'dev', name).includes(' UP ')) {
    if (performance.now() > deadline) throw new Error(`${name} has no carrier after ${CARRIER_TIMEOUT_MS} ms`);
  }
}

function ip(...args: readonly string[]): string {
  return execFileSync('ip', args, { stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' });
}

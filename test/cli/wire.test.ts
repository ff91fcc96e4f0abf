import { execFileSync } from 'node:child_process';
import test from 'ava';
import { Command } from './run.ts';

/** Two network namespaces with a veth pair between them; nothing where this process may not make them. */
function makePlant():
  | { readonly here: string[]; readonly there: string[]; ip(...args: string[]): void; remove(): void }
  | undefined {
  const names = [`bifrost-a-${process.pid}`, `bifrost-b-${process.pid}`] as const;
  const ip = (...args: string[]): void => void execFileSync('ip', args, { stdio: 'pipe' });
  const remove = (): void => {
    for (const name of names) {
      try {
        ip('netns', 'delete', name);
      } catch {
        // It was not made.
      }
    }
  };
  try {
    for (const name of names) ip('netns', 'add', name);
    ip('-n', names[0], 'link', 'add', 'ecat0', 'type', 'veth', 'peer', 'name', 'plant0', 'netns', names[1]);
    ip('-n', names[0], 'link', 'set', 'ecat0', 'up');
    ip('-n', names[1], 'link', 'set', 'plant0', 'up');
  } catch {
    remove();
    return undefined;
  }
  const inside = (name: string): string[] => ['ip', 'netns', 'exec', name];
  return { here: inside(names[0]), there: inside(names[1]), ip: (...args) => ip('-n', names[0], ...args), remove };
}

const plant = makePlant();
test.after.always(() => plant?.remove());

if (plant === undefined) {
  test('a real wire needs the right to make network namespaces: not run', (t) => {
    t.log('run as root to test the command line over a veth pair between two network namespaces');
    t.pass();
  });
} else {
  const { here, there, ip } = plant;

  test.serial('nobody at the other end of the wire is an error that says so', async (t) => {
    const demo = new Command(t, ['demo', '--interface', 'ecat0', '--json'], here);
    t.is(await demo.end(), 1);
    t.like(demo.events.at(-1), { event: 'error', code: 'ECAT_ERR_NO_SUBDEVICES' });
  });

  test.serial('an interface that there is not is an error that says so', async (t) => {
    const demo = new Command(t, ['demo', '--interface', 'ecat9', '--json'], here);
    t.is(await demo.end(), 1);
    t.like(demo.events.at(-1), { event: 'error', code: 'ECAT_ERR_LINK_INTERFACE_MISSING' });
    const simulate = new Command(t, ['simulate', 'examples/line.yaml', '--interface', 'plant9'], there);
    t.is(await simulate.end(), 1);
    t.regex(simulate.stderr, /^ECAT_ERR_LINK_INTERFACE_MISSING: .*plant9/);
  });

  test.serial('a segment simulated in one process is run by a MainDevice in another', async (t) => {
    const simulate = new Command(t, ['simulate', 'examples/line.yaml', '--interface', 'plant0'], there);
    await simulate.line(() => true);
    t.deepEqual(simulate.events, [{ event: 'ready', interface: 'plant0', subDevices: 5 }]);

    const scan = new Command(t, ['scan', '--interface', 'ecat0', '--json'], here);
    t.is(await scan.end(), 0);
    t.is(scan.events.length, 5);

    const demo = new Command(t, ['demo', '--interface', 'ecat0', '--json'], here);
    await demo.event(({ event, name, quality }) => event === 'tag' && name === 'tank.level' && quality === 'good');

    const second = new Command(t, ['demo', '--interface', 'ecat0', '--json'], here);
    t.is(await second.end(), 1);
    t.like(second.events.at(-1), { event: 'error', code: 'ECAT_ERR_LINK_BUSY' });

    demo.process.kill('SIGINT');
    t.is(await demo.end(), 0);
    t.is(demo.events.at(-1)?.event, 'summary');

    simulate.process.kill('SIGTERM');
    t.is(await simulate.end(), 0);
    t.is(simulate.lines.length, 1);
    t.is(simulate.stderr, '');
  });

  test.serial('a cable that is pulled is reported, and cycles go on', async (t) => {
    const simulate = new Command(t, ['simulate', 'examples/line.segment.yaml', '--interface', 'plant0'], there);
    await simulate.line(() => true);
    const demo = new Command(t, ['demo', '--interface', 'ecat0', '--json'], here);
    await demo.event(({ event }) => event === 'tag');
    ip('link', 'set', 'ecat0', 'down');
    await demo.event(({ event, code }) => event === 'fault' && code === 'ECAT_ERR_LINK_DOWN');
    await demo.event(({ event, quality }) => event === 'tag' && quality !== 'good');
    ip('link', 'set', 'ecat0', 'up');
    demo.process.kill('SIGINT');
    t.is(await demo.end(), 0);
    simulate.process.kill('SIGTERM');
    t.is(await simulate.end(), 0);
  });
}

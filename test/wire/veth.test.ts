// The MainDevice and the simulated segment as two processes at the two ends of a wire.

import { execFile, execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';
import { folderWith } from '../configuration/files.ts';
import { RunningCommand } from '../support/cli.ts';
import { makeTestWire, whyNoTestWire } from '../support/namespaces.ts';

const PLANT = 'examples/line.yaml';
const SEGMENT = 'examples/line.segment.yaml';

const reason = whyNoTestWire();
if (reason !== undefined) process.stderr.write(`test/wire: skipped, ${reason}\n`);
const wireTest = reason === undefined ? test.serial : test.serial.skip;

wireTest('a MainDevice reaches OP over a wire, and its outputs are seen at the other end', async (t) => {
  using wire = makeTestWire('op');
  await using segment = new RunningCommand(
    ['simulate', SEGMENT, '--interface', wire.segment.interface],
    wire.segment.exec,
  );
  const ready = await segment.event((line) => line.event === 'ready');
  t.is(ready['interface'], wire.segment.interface);
  t.true(Number(ready['subDevices']) >= 5);

  const demo = new RunningCommand(
    ['demo', PLANT, '--interface', wire.mainDevice.interface, '--json', '--seconds', '2'],
    wire.mainDevice.exec,
  );
  const { code, stderr, events } = await demo.ended;
  t.is(code, 0, stderr);
  t.true(events.some((line) => line.event === 'state' && line['state'] === 'OP'));
  t.true(events.some((line) => line.event === 'tag' && line['quality'] === 'good'));
  const summary = events.at(-1);
  t.is(summary?.event, 'summary');
  t.true(Number(summary?.['cycles']) > 0);
});

wireTest(
  'a second MainDevice on the interface is refused in the same process, and harms the first in nothing',
  async (t) => {
    using wire = makeTestWire('one');
    await using segment = new RunningCommand(
      ['simulate', SEGMENT, '--interface', wire.segment.interface],
      wire.segment.exec,
    );
    await segment.event((line) => line.event === 'ready');
    const script = fileURLToPath(new URL('fixtures/open-twice.ts', import.meta.url));
    const [command = '', ...prefix] = wire.mainDevice.exec;
    const { stdout } = await promisify(execFile)(command, [
      ...prefix,
      process.execPath,
      script,
      wire.mainDevice.interface,
    ]);
    t.deepEqual(JSON.parse(stdout), { code: 'ECAT_ERR_LINK_BUSY', first: 'OP', again: 'OP' });
  },
);

wireTest('a second MainDevice on the interface is refused from another process', async (t) => {
  using wire = makeTestWire('two');
  await using segment = new RunningCommand(
    ['simulate', SEGMENT, '--interface', wire.segment.interface],
    wire.segment.exec,
  );
  await segment.event((line) => line.event === 'ready');
  const demo = ['demo', PLANT, '--interface', wire.mainDevice.interface, '--json', '--seconds'];
  await using first = new RunningCommand([...demo, '60'], wire.mainDevice.exec);
  await first.event((line) => line.event === 'state' && line['state'] === 'OP');

  const second = await new RunningCommand([...demo, '2'], wire.mainDevice.exec).ended;
  t.is(second.code, 1);
  t.is(second.events.find((line) => line.event === 'error')?.['code'], 'ECAT_ERR_LINK_BUSY');
});

wireTest('a wire with nobody at its other end has no SubDevices', async (t) => {
  using wire = makeTestWire('none');
  const demo = ['demo', PLANT, '--interface', wire.mainDevice.interface, '--json', '--seconds', '2'];
  const { code, events } = await new RunningCommand(demo, wire.mainDevice.exec).ended;
  t.is(code, 1);
  t.is(events.find((line) => line.event === 'error')?.['code'], 'ECAT_ERR_NO_SUBDEVICES');
});

wireTest('an interface that does not exist, is down, or may not be opened has an error of its own', async (t) => {
  using wire = makeTestWire('err');
  const demo = (name: string): string[] => ['demo', PLANT, '--interface', name, '--json', '--seconds', '2'];
  const codeOf = async (args: string[], prefix: readonly string[]): Promise<unknown> => {
    const { events } = await new RunningCommand(args, prefix).ended;
    return events.find((line) => line.event === 'error')?.['code'];
  };
  t.is(await codeOf(demo('nosuchcard0'), wire.mainDevice.exec), 'ECAT_ERR_LINK_INTERFACE_MISSING');
  t.is(
    await codeOf(demo(wire.mainDevice.interface), [...wire.mainDevice.exec, 'setpriv', '--bounding-set=-net_raw']),
    'ECAT_ERR_LINK_PERMISSION',
  );
  // `lo` of a fresh namespace is down.
  t.is(await codeOf(demo('lo'), wire.mainDevice.exec), 'ECAT_ERR_LINK_DOWN');
});

wireTest('a segment that falls silent while it is brought up is an error', async (t) => {
  using wire = makeTestWire('mid');
  // Its slowest device takes its time to PRE-OP, and the bring-up waits for it.
  const slow = 'devices: [{ type: digital-inputs, device_emulation: false, transition_delay_ms: 60000 }]\n';
  const folder = await folderWith(t, { 'slow.yaml': slow });
  await using segment = new RunningCommand(
    ['simulate', join(folder, 'slow.yaml'), '--interface', wire.segment.interface],
    wire.segment.exec,
  );
  await segment.event((line) => line.event === 'ready');
  await using scan = new RunningCommand(
    ['scan', '--interface', wire.mainDevice.interface, '--json'],
    wire.mainDevice.exec,
  );
  const received = `/sys/class/net/${wire.mainDevice.interface}/statistics/rx_packets`;
  const [command = '', ...prefix] = wire.mainDevice.exec;
  while (Number(execFileSync(command, [...prefix, 'cat', received], { encoding: 'utf8' })) < 100);
  segment.child.kill('SIGKILL');
  const { code, events } = await scan.ended;
  t.is(code, 1);
  t.is(events[0]?.['code'], 'ECAT_ERR_TIMEOUT');
});

wireTest('when the other end of the wire dies, frames are lost and counted, and the process lives', async (t) => {
  using wire = makeTestWire('die');
  const segment = new RunningCommand(['simulate', SEGMENT, '--interface', wire.segment.interface], wire.segment.exec);
  await segment.event((line) => line.event === 'ready');
  await using demo = new RunningCommand(
    ['demo', PLANT, '--interface', wire.mainDevice.interface, '--json', '--seconds', '60'],
    wire.mainDevice.exec,
  );
  await demo.event((line) => line.event === 'tag' && line['quality'] === 'good');
  await segment[Symbol.asyncDispose]();
  await demo.event((line) => line.event === 'tag' && line['quality'] !== 'good');
  demo.child.kill('SIGINT');
  const { code, events } = await demo.ended;
  t.is(code, 0);
  const summary = events.at(-1);
  t.is(summary?.event, 'summary');
  t.true(Number(summary?.['lostFrames']) > 0);
});

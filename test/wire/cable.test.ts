// What the command line does on a wire, and when its cable is pulled.

import { execFileSync } from 'node:child_process';
import test from 'ava';
import { RunningCommand } from '../support/cli.ts';
import { makeTestWire, whyNoTestWire } from '../support/namespaces.ts';

const SEGMENT = 'examples/line.segment.yaml';
const wireTest = whyNoTestWire() === undefined ? test.serial : test.serial.skip;

wireTest('a scan lists the SubDevices of a wire, and what serves them says one line and ends on SIGTERM', async (t) => {
  using wire = makeTestWire('scan');
  await using segment = new RunningCommand(
    ['simulate', SEGMENT, '--interface', wire.segment.interface],
    wire.segment.exec,
  );
  await segment.event((line) => line.event === 'ready');

  const scan = await new RunningCommand(
    ['scan', '--interface', wire.mainDevice.interface, '--json'],
    wire.mainDevice.exec,
  ).ended;
  t.is(scan.code, 0, scan.stderr);
  t.deepEqual(
    scan.events.map((line) => [line.event, line['position']]),
    [0, 1, 2, 3, 4].map((position) => ['device', position]),
  );

  segment.child.kill('SIGTERM');
  const { code, stderr, events } = await segment.ended;
  t.is(code, 0);
  t.is(stderr, '');
  t.deepEqual(events, [{ event: 'ready', interface: wire.segment.interface, subDevices: 5 }]);
});

wireTest('a cable that is pulled is reported, the values are no longer good, and the end is in order', async (t) => {
  using wire = makeTestWire('cable');
  await using segment = new RunningCommand(
    ['simulate', SEGMENT, '--interface', wire.segment.interface],
    wire.segment.exec,
  );
  await segment.event((line) => line.event === 'ready');
  await using demo = new RunningCommand(
    ['demo', '--interface', wire.mainDevice.interface, '--json'],
    wire.mainDevice.exec,
  );
  await demo.event((line) => line.event === 'tag' && line['quality'] === 'good');

  const { namespace, interface: card } = wire.mainDevice;
  execFileSync('ip', ['-n', namespace, 'link', 'set', card, 'down']);
  await demo.event((line) => line.event === 'fault' && line['code'] === 'ECAT_ERR_LINK_DOWN');
  await demo.event((line) => line.event === 'tag' && line['quality'] !== 'good');

  demo.child.kill('SIGINT');
  const { code, events } = await demo.ended;
  t.is(code, 0);
  t.is(events.at(-1)?.event, 'summary');
});

// The gateway's handler on a wire: what it says of an interface that is empty, and of one that it may not open.

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';
import { RunningCommand } from '../support/cli.ts';
import { makeTestWire, whyNoTestWire } from '../support/namespaces.ts';

const reason = whyNoTestWire();
if (reason !== undefined) process.stderr.write(`test/wire: skipped, ${reason}\n`);
const wireTest = reason === undefined ? test.serial : test.serial.skip;

interface Outcome {
  readonly discovered: string | { readonly name: string; readonly config: { readonly position: number } }[];
  readonly connected: boolean | string;
}

async function outcome(address: string, ...prefix: readonly string[]): Promise<Outcome> {
  const script = fileURLToPath(new URL('fixtures/bifrost-range.ts', import.meta.url));
  const [command = '', ...args] = [...prefix, process.execPath, script, address];
  const { stdout } = await promisify(execFile)(command, args);
  return JSON.parse(stdout) as Outcome;
}

wireTest('a range that is valid and empty is a list without devices, to connect there is an error', async (t) => {
  using wire = makeTestWire('none');
  t.deepEqual(await outcome(wire.mainDevice.interface, ...wire.mainDevice.exec), {
    discovered: [],
    connected: 'ECAT_ERR_NO_SUBDEVICES',
  });
});

wireTest('without CAP_NET_RAW every call says that it is the permission that is missing', async (t) => {
  using wire = makeTestWire('perm');
  const { exec, interface: name } = wire.mainDevice;
  t.deepEqual(await outcome(name, ...exec, 'setpriv', '--bounding-set=-net_raw'), {
    discovered: 'ECAT_ERR_LINK_PERMISSION',
    connected: 'ECAT_ERR_LINK_PERMISSION',
  });
});

wireTest(
  'who is on the segment of an interface is found, and the segment is free for a connection afterwards',
  async (t) => {
    using wire = makeTestWire('find');
    await using segment = new RunningCommand(
      ['simulate', 'examples/line.segment.yaml', '--interface', wire.segment.interface],
      wire.segment.exec,
    );
    const { subDevices } = await segment.event((line) => line.event === 'ready');
    const { discovered, connected } = await outcome(wire.mainDevice.interface, ...wire.mainDevice.exec);
    if (typeof discovered === 'string') return t.fail(discovered);
    t.deepEqual(
      discovered.map(({ config }) => config.position),
      Array.from({ length: Number(subDevices) }, (_, position) => position),
    );
    t.true(connected);
  },
);

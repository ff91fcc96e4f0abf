// What goes over the wire, in both directions, as Wireshark's dissectors see it.

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { RunningCommand } from '../support/cli.ts';
import { makeTestWire, type TestWire, whyNoTestWire } from '../support/namespaces.ts';
import { runSoem } from '../support/pysoem.ts';
import { pythonWithSoem } from '../support/soem-python.ts';
import { Capture, findTshark, type Tshark } from '../support/tshark.ts';

const PLANT = 'examples/line.yaml';
const SEGMENT = 'examples/line.segment.yaml';
const MAIL = join(import.meta.dirname, 'fixtures/soem/mailbox.segment.yaml');

const reason = whyNoTestWire();
const programs: Tshark | { readonly reason: string } = reason === undefined ? findTshark() : { reason };
if ('reason' in programs) process.stderr.write(`test/wire/tshark: skipped, ${programs.reason}\n`);

/** A test with a capture of a wire on which a segment is served. */
function captured(
  title: string,
  file: string,
  check: (t: ExecutionContext, wire: TestWire, capture: Capture) => Promise<void>,
): void {
  if ('reason' in programs) {
    test.skip(title, () => undefined);
    return;
  }
  test.serial(title, async (t) => {
    using wire = makeTestWire('tshark');
    await using segment = new RunningCommand(
      ['simulate', file, '--interface', wire.segment.interface],
      wire.segment.exec,
    );
    await segment.event((line) => line.event === 'ready');
    await using capture = await Capture.start(programs, wire.mainDevice);
    await check(t, wire, capture);
  });
}

captured(
  'our own MainDevice and the segment exchange nothing malformed from the scan to the end of OP',
  SEGMENT,
  async (t, wire, capture) => {
    const { interface: card, exec } = wire.mainDevice;
    const { code, stderr } = await new RunningCommand(
      ['demo', PLANT, '--interface', card, '--json', '--seconds', '1'],
      exec,
    ).ended;
    t.is(code, 0, stderr);
    await capture.stop();
    const { frames, malformed } = capture.judge();
    t.deepEqual(malformed, []);
    t.true(frames > 1000, String(frames));
    // Both directions: the segment sets bit 1 of the first byte of the source.
    const requests = capture.fields('ecat && eth.src[0] & 02 == 0', 'frame.number').length;
    t.true(requests >= frames / 2 - 1 && requests < frames, `${requests} of ${frames}`);
  },
);

captured('mail of our own MainDevice is CoE as Wireshark reads it', MAIL, async (t, wire, capture) => {
  const [command = '', ...prefix] = wire.mainDevice.exec;
  await promisify(execFile)(command, [
    ...prefix,
    process.execPath,
    'src/cli/main.ts',
    'scan',
    '--interface',
    wire.mainDevice.interface,
    '--json',
  ]);
  await capture.stop();
  const { frames, malformed } = capture.judge();
  t.deepEqual(malformed, []);
  t.true(frames > 100, String(frames));
});

const soem = 'reason' in programs ? programs : pythonWithSoem();
const soemTest = 'python' in soem ? test.serial : test.serial.skip;

soemTest('Wireshark reads the objects, abort codes, files and packets that SOEM and a device have sent', async (t) => {
  if ('reason' in programs || !('python' in soem)) return;
  await using run = await runSoem('dissected', soem.python, programs);
  t.deepEqual(run.found, { gain: '3412', aborted: 0x0602_0000, file: true });
  const { capture } = run;
  if (capture === undefined) throw new Error('there is no capture');
  t.deepEqual(capture.judge().malformed, []);
  // As the answers have it: where a request came by, a device has counted it.
  const fields = [
    'coe.sdoreq',
    'coe.sdoidx',
    'coe.sdosub',
    'coe.abortcode',
    'foe_opmode',
    'foe_filename',
    'foe_packetno',
  ];
  const names = fields.map((name) => `ecat_mailbox.${name}`);
  const mails = capture.fields('ecat_mailbox && ecat.cnt == 1', ...names);
  const mail = (matches: (fields: readonly string[]) => boolean, ...picked: readonly number[]): string[] =>
    mails.filter(matches).map((line) => picked.map((n) => line[n]).join(' '));
  const requested = mail(([request]) => request !== '', 0, 1, 2);
  t.true(requested.includes('2 0x2000 0x00'), requested.join('; '));
  t.true(requested.includes('2 0x3000 0x07'), requested.join('; '));
  const aborts = mail(([, , , abort]) => abort !== '', 3);
  t.deepEqual(aborts, ['0x06020000']);
  // Read and write requests name the file.
  t.deepEqual(
    mail(([, , , , operation]) => Number(operation) === 2, 5),
    ['data'],
  );
  t.deepEqual(
    mail(([, , , , operation]) => Number(operation) === 1, 5),
    ['data'],
  );
  // 60 bytes in packets of 52: written, and read back.
  t.deepEqual(
    mail(([, , , , operation]) => Number(operation) === 3, 6),
    ['1', '2', '1', '2'],
  );
});

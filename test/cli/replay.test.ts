// `bifrost-ethercat replay`: captures of real hardware against segments described in test/fixtures/segments.
// Captures that are too large for this repository are read from the folder that BIFROST_ETHERCAT_CAPTURES names.

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { folderWith } from '../configuration/files.ts';
import { runCli } from '../support/cli.ts';

const root = join(import.meta.dirname, '../..');
const captures = process.env['BIFROST_ETHERCAT_CAPTURES'] ?? join(root, '../shared/data/captures');
const own = join(root, 'test/fixtures/captures/ek1100-el2828-el2889.pcapng');

/** What every capture comes to; the share of clocks, live inputs and lost answers belongs to the capture. */
const judged = [
  { name: 'replay-ek1100-el2828-el2889', counts: { identical: 1958, clock: 104, total: 2062 } },
  { name: 'replay-ek1100-alias-address', counts: { identical: 547, clock: 103, total: 650 } },
  { name: 'twincat-run-ek1100-el1004', counts: { identical: 290, unanswered: 1, skipped: 1, total: 292 } },
  { name: 'soem-single-lan9252', counts: { identical: 497, clock: 2, skipped: 1, total: 500 } },
  { name: 'soem-sdinfo-akd', counts: { identical: 3377, clock: 1, unanswered: 3, skipped: 3, total: 3384 } },
  { name: 'replay-ek1914-no-complete-access', counts: { identical: 1105, clock: 2, total: 1107 } },
];

for (const { name, counts } of judged) {
  const file = join(captures, `${name}.pcapng`);
  const run = existsSync(file) ? test : test.skip;
  run(`${name} has no structural difference`, async (t) => {
    const { code, events } = await runCli('replay', file, '--segment', segmentOf(name), '--json');
    t.is(code, 0);
    const none = { identical: 0, clock: 0, live: 0, unanswered: 0, skipped: 0, structural: 0, total: 0 };
    t.deepEqual(events[0]?.['counts'], { ...none, ...counts });
  });
}

test('replay prints the share of each class, and what is off where', async (t) => {
  const good = await runCli('replay', own, '--segment', segmentOf('replay-ek1100-el2828-el2889'));
  t.is(good.code, 0);
  t.is(good.lines[1]?.trim(), 'identical   1958  95.0 %  as recorded');
  t.is(good.lines[6]?.trim(), 'structural     0   0.0 %  different');

  const bad = await runCli('replay', own, '--segment', segmentOf('twincat-run-ek1100-el1004'));
  t.is(bad.code, 1);
  t.is(
    bad.lines.find((line) => line.startsWith('✗')),
    '✗ frame 1, answer 2, datagram 0, BRD 0x0000:0x0000 (1 bytes): address at 0x0000 (type): ' +
      'expected 03 00 00 00, got 02 00 00 00',
  );
});

test('a capture that is none is refused with the place', async (t) => {
  const whole = await readFile(own);
  const folder = await folderWith(t, { 'none.pcap': 'hello world', 'cut.pcapng': whole.subarray(0, 1000) });
  const segment = segmentOf('replay-ek1100-el2828-el2889');
  const none = await runCli('replay', join(folder, 'none.pcap'), '--segment', segment);
  t.is(none.code, 1);
  t.regex(none.stderr, /^ECAT_ERR_CONFIGURATION_FILE: the capture: cannot read .*none\.pcap: capture: byte 0: /);
  const cut = await runCli('replay', join(folder, 'cut.pcapng'), '--segment', segment);
  t.regex(cut.stderr, /cut\.pcapng: capture: byte \d+: /);
  const missing = await runCli('replay', join(folder, 'missing.pcap'), '--segment', segment);
  t.regex(missing.stderr, /the capture: cannot read .*missing\.pcap: there is no such file/);
});

function segmentOf(capture: string): string {
  return join(root, 'test/fixtures/segments', `${capture}.yaml`);
}

// Mail of EoE, SoE and AoE, as Wireshark's dissectors see it. VoE they do not read.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { runExample } from '../../scripts/example.ts';
import { CaptureFile, findTshark } from '../support/tshark.ts';

/** Mail that was answered or written, once each: as it came back. */
const MAIL = 'ecat_mailbox && ecat.cnt == 1';

const programs = findTshark();
const capture = 'reason' in programs ? programs : captured();

/** A capture of what `simulators/examples/mail.rs` sends and gets, or why there is none. */
function captured(): CaptureFile | { readonly reason: string } {
  if ('reason' in programs) return programs;
  const folder = mkdtempSync(join(tmpdir(), 'bifrost-ethercat-mail-'));
  test.after.always('the capture is deleted', () => rmSync(folder, { recursive: true, force: true }));
  try {
    const file = join(folder, 'mail.pcap');
    writeFileSync(file, runExample('mail'));
    return new CaptureFile(programs, file);
  } catch (error) {
    return { reason: `cargo cannot make the capture: ${error instanceof Error ? error.message : String(error)}` };
  }
}

/** Declares a test on the capture: `mails` gives fields of the mails that have the first of them. */
function wireshark(
  title: string,
  check: (t: ExecutionContext, mails: (...fields: string[]) => string[]) => void,
): void {
  if ('reason' in capture) {
    test.skip(title, () => undefined);
    return;
  }
  test(title, (t) => {
    check(t, (...fields) => {
      const filter = `${MAIL} && ${fields[0]}`;
      return capture.fields(filter, ...fields).map((line) => line.join(' ').trim());
    });
  });
}

if ('reason' in capture) process.stderr.write(`test/wire/tshark-mail: skipped, ${capture.reason}\n`);

wireshark('Wireshark finds no mail of EoE, SoE and AoE malformed', (t) => {
  if ('reason' in capture) return;
  // It takes the first piece of a frame for the whole, whose IP header then says more than there is.
  const whole = 'ecat && !(ecat_mailbox.eoe.fragno == 0 && ecat_mailbox.eoe.last == 0)';
  const { frames, malformed } = capture.judge(whole);
  t.deepEqual(malformed, []);
  t.true(frames > 100, String(frames));
  const kinds = new Set(capture.fields(MAIL, 'ecat_mailbox.type').flat());
  t.deepEqual([...kinds].sort(), ['1', '2', '5']);
});

wireshark('Wireshark reads the IDNs, drives, values and errors of SoE', (t, mails) => {
  const read = mails(
    'ecat_mailbox.soe_opcode',
    'ecat_mailbox.soe_idn',
    'ecat_mailbox.soe_header_driveno',
    'ecat_mailbox.soe_data',
  );
  // S-0-0100 of drive 1: written, acknowledged, asked for, read.
  t.deepEqual(read.slice(4, 8), ['3 0x0064 1 fa000000', '4 0x0064 1', '1 0x0064 1', '2 0x0064 1 fa000000']);
  // S-0-0017 is a list with its length twice and S-0-0001, 2, 11 … in it.
  t.regex(read[1] ?? '', /^2 0x0011 0 3e003e00010002000b00/);
  // The end of S-0-0099, and an emergency.
  t.deepEqual(read.slice(-2), ['5 0x0063 0 0300', '6  1']);
  // The dissector's field for the error is the IDN; its summary has the code.
  const summaries = mails('ecat_mailbox.soe', '_ws.col.Info');
  const said = (text: string): number => summaries.filter((line) => line.includes(text)).length;
  t.deepEqual([said('SoE: Error 7004'), said('SoE: Error 1001')], [1, 1]);
  t.is(said("RRQ (S-0-0100, 'DNAUIXV')"), 1);
  t.is(said("NFC (S-0-0099, 'D')"), 1);
});

wireshark('Wireshark reads the addresses, filters, fragments and time stamps of EoE', (t, mails) => {
  const init = ['ipaddr', 'subnetmask', 'defaultgateway', 'dnsserver', 'macaddr', 'dnsname', 'append_timestamp'];
  t.deepEqual(mails(...init.map((name) => `ecat_mailbox.eoe.init.${name}`)), [
    '192.168.1.10 255.255.255.0 192.168.1.1 9.9.9.9 02:00:5e:00:00:0a switch 1',
  ]);
  // It shows as many addresses as count, by the low bits; its field for the number looks at others.
  t.deepEqual(mails('ecat_mailbox.eoe.macfilter.filter0'), ['02:00:00:00:00:01']);
  t.deepEqual(mails('ecat_mailbox.eoe.macfilter.filter1'), []);
  // What was asked, by its type: each has its answer.
  const types = mails('ecat_mailbox.eoe.type');
  t.deepEqual(types.slice(0, 8), ['2', '3', '6', '7', '4', '5', '8', '9']);
  const pieces = mails(...['fragno', 'offset', 'frame', 'last'].map((name) => `ecat_mailbox.eoe.${name}`));
  // A question of 42 bytes and its answer; an echo of 442 bytes in three, and back in one.
  t.deepEqual(pieces, ['0 64 1 1', '0 64 1 1', '0 448 2 0', '1 192 2 0', '2 384 2 1', '0 448 2 1']);
  // Two that were requested, and two that were appended.
  t.is(mails('ecat_mailbox.eoe.timestamp').length, 4);
});

wireshark('Wireshark reads the frames within EoE', (t, mails) => {
  t.deepEqual(mails('arp.opcode', 'arp.src.proto_ipv4', 'arp.dst.proto_ipv4'), [
    '1 192.168.1.1 192.168.1.11',
    '2 192.168.1.11 192.168.1.1',
  ]);
  // Of the answer the checksum is right; the request is there by its first piece alone.
  const answers = mails('icmp.checksum.status', 'icmp.type', 'icmp.seq', 'ip.src').filter((line) =>
    line.includes('192.168.1.11'),
  );
  t.deepEqual(answers, ['1 0 42 192.168.1.11']);
});

wireshark('Wireshark reads the addresses, groups, states and results of AoE', (t, mails) => {
  const asked = mails('ams.ads_indexgroup', 'ams.ads_indexoffset', 'ams.targetnetid', 'ams.targetport');
  t.is(asked[0], '0x0000f302 0x10180001 5.1.1.1.3.1 65535');
  t.is(asked.length, 5);
  const answered = mails('ams.state_response', 'ams.cmdid', 'ams.invokeid', 'ams.errorcode').filter((line) =>
    line.startsWith('1'),
  );
  t.deepEqual(
    answered.map((line) => line.split(' ').slice(1, 3).map(Number)),
    [
      [2, 1],
      [3, 2],
      [2, 3],
      [2, 4],
      [5, 5],
      [4, 6],
      [1, 7],
      [9, 8],
    ],
  );
  // Stopped on request, and then it says so.
  t.deepEqual(mails('ams.ads_state', 'ams.ads_devicestate'), ['0x0006 0x0003', '0x0006 0x0003']);
  t.true(mails('ams.ads_devicename')[0]?.startsWith('io'));
});

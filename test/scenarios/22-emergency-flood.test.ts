import test from 'ava';
import { faultOfPage } from './page.ts';
import { plant } from './support.ts';

const SYNC_MANAGER_1 = 0x0808;
const MAILBOX_FULL = 8;

test('a flood of emergencies fills the mailbox, and disturbs no process data', async (t) => {
  const { machine, changes, qualities, errors, hits, faults, states, write } = await plant(t);
  const drive = machine.device('drive');
  const full = async (): Promise<boolean> =>
    (Number(await drive.register(SYNC_MANAGER_1 + 5, 1).read()) & MAILBOX_FULL) !== 0;
  t.false(await full());
  machine.inject(faultOfPage(import.meta.url, 'encoder'));
  await machine.advance(100);
  t.true(await full());
  const mail = Buffer.from(await drive.memory(Number(await drive.register(SYNC_MANAGER_1, 2).read()), 10));
  // Header of the mail: length, address, channel, type; then service and error code.
  t.deepEqual(
    [mail.readUInt16LE(0), mail.readUInt8(5) & 0x0f, mail.readUInt16LE(6) >> 12, mail.readUInt16LE(8)],
    [10, 3, 1, 0x7305],
  );
  t.deepEqual([await changes(), faults, states], [[], [], []]);
  t.is(qualities(), 'good good good');
  t.is(errors().lostFrames, 0);
  t.deepEqual(hits(), ['encoder drive: done']);
  t.is(await write(4), 'written');
});

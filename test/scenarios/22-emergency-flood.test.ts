import test from 'ava';
import { changed, counters } from './counters.ts';
import { faultsOfPage } from './page.ts';
import { qualities, running } from './support-devices.ts';

const SYNC_MANAGER_1 = 0x0808;
const MAILBOX_FULL = 8;

test('a flood of emergencies fills the mailbox, and disturbs no process data', async (t) => {
  const { machine, bus, faults } = await running(t);
  const drive = machine.device('drive');
  const full = async (): Promise<boolean> =>
    (Number(await drive.register(SYNC_MANAGER_1 + 5, 1).read()) & MAILBOX_FULL) !== 0;
  const before = await counters(machine);
  t.false(await full());
  machine.inject(faultsOfPage(import.meta.url)[0]!);
  await machine.advance(100);
  t.true(await full());
  const mail = Buffer.from(await drive.memory(Number(await drive.register(SYNC_MANAGER_1, 2).read()), 10));
  // Header of the mail: length, address, channel, type; then service and error code.
  t.deepEqual(
    [mail.readUInt16LE(0), mail.readUInt8(5) & 0x0f, mail.readUInt16LE(6) >> 12, mail.readUInt16LE(8)],
    [10, 3, 1, 0x7305],
  );
  t.deepEqual(changed(before, await counters(machine)), []);
  t.is(qualities(bus), 'good good good good');
  t.deepEqual(faults, []);
  t.is(bus.statistics().lostFrames, 0);
  t.like(machine.hits(), { hits: [{ fault: 'encoder', device: 'drive', change: 'done' }], lost: 0, refused: 0 });
});

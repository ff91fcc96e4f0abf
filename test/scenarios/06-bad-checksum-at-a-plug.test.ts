import test from 'ava';
import { faultOfPage } from './page.ts';
import { plant } from './support.ts';

/** Outputs of the drive, in three buffers. */
const SYNC_MANAGER_2 = 0x0810;
const TARGET_BYTES = 4;

test('the RX error counter points at the plug, and all behind it count a forwarded error', async (t) => {
  const { machine, cycles, changes, errors, hits, faults, states, write } = await plant(t);
  machine.inject(faultOfPage(import.meta.url, 'plug'));
  t.deepEqual(await cycles(3), ['stale stale stale', 'good good good', 'good good good']);
  t.deepEqual(await changes(), [
    'coupler forwarded 1: 0 to 1',
    'in forwarded 1: 0 to 1',
    'out invalid frames 0: 0 to 1',
    'out RX errors 0: 0 to 1',
    'out forwarded 1: 0 to 1',
    'out processing unit: 0 to 1',
    'drive forwarded 0: 0 to 1',
    'drive processing unit: 0 to 1',
  ]);
  t.deepEqual(errors(), { lostFrames: 1, workingCounterErrors: 0 });
  t.deepEqual([faults, states], [['frames-lost'], ['frames lost', 'frames restored']]);
  t.deepEqual(hits(), ['plug out port 0: done']);
  t.is(await write(4), 'written');
});

test('the program of the drive does not get what a spoilt frame brings, and the write is confirmed with the next one', async (t) => {
  const { machine, bus } = await plant(t);
  const drive = machine.device('drive');
  const target = drive.object(0x607a);
  const holds = async (value: number): Promise<boolean> => {
    const start = Number(await drive.register(SYNC_MANAGER_2, 2).read());
    const buffers = Buffer.from(await drive.memory(start, 3 * TARGET_BYTES));
    return [0, 1, 2].some((buffer) => buffers.readInt32LE(buffer * TARGET_BYTES) === value);
  };
  machine.inject(faultOfPage(import.meta.url, 'plug'));
  const { cycle: before } = bus.snapshot();
  const writing = bus.write({ target: 4711 });
  await machine.advance({ cycles: 1 });
  t.deepEqual([await target.read(), await holds(4711)], [0, true]);
  await machine.advance({ cycles: 1 });
  t.is(await target.read(), 4711);
  t.is((await writing).cycle, before + 1, 'the first cycle that carried it');
});

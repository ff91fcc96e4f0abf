import test from 'ava';
import { faultOfPage } from './page.ts';
import { plant } from './support.ts';

test('a device that comes back is in INIT without an address, and stays lost', async (t) => {
  const { machine, bus, cycles, changes, qualities, errors, hits, faults, states, write } = await plant(t);
  machine.inject(faultOfPage(import.meta.url, 'supply'));
  t.deepEqual(await cycles(3), ['uncertain uncertain uncertain', 'good good bad', 'good good bad']);
  t.false((await machine.device('drive').status()).powered);
  await machine.advance(300);
  t.deepEqual(await changes(), ['out lost links 1: 0 to 1', 'drive AL status: 0x8 to 0x1']);
  t.like(await machine.device('drive').status(), { powered: true, reached: true, stationAddress: 0 });
  t.deepEqual([faults, states], [['working-counter', 'sub-device-lost drive', 'sub-device-unknown'], ['drive lost']]);
  t.is(qualities(), 'good good bad');
  t.is(bus.subDevice('drive').quality, 'bad');
  t.is(errors().lostFrames, 0);
  t.deepEqual(hits(), ['supply drive: began', 'supply drive: ended']);
  t.is(await write(2), 'ECAT_ERR_NOT_OPERATIONAL drive');
  t.is(await write(4, ['lamp']), 'written');
});

test('everything behind a device without power is lost with it, and found again', async (t) => {
  const { machine, changes, qualities, hits, faults, states } = await plant(t);
  machine.inject(faultOfPage(import.meta.url, 'in the middle'));
  await machine.advance(20);
  t.is(qualities(), 'good bad bad');
  t.false((await machine.device('drive').status()).reached);
  await machine.advance(300);
  t.deepEqual(await changes(), ['in lost links 1: 0 to 1', 'out AL status: 0x8 to 0x1', 'drive lost links 0: 0 to 1']);
  // 50 ms are less than the watchdog of the drive takes: it never left OP.
  t.deepEqual(
    [faults, states],
    [
      ['working-counter', 'sub-device-lost out', 'sub-device-lost drive', 'working-counter', 'sub-device-unknown'],
      ['out lost', 'drive lost', 'drive OP'],
    ],
  );
  t.is(qualities(), 'good bad good');
  t.deepEqual(hits(), ['in the middle out: began', 'in the middle out: ended']);
});

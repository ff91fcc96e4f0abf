import test from 'ava';
import { MainDevice } from '../../src/index.ts';
import { faultsOfPage } from './page.ts';
import { configuration, powered, refused, watched } from './support.ts';

test('a device that the configuration names and that is not there is told by its name', async (t) => {
  const { error, changes } = await refused(t, { faults: faultsOfPage(import.meta.url) });
  t.like(error, { code: 'ECAT_ERR_DEVICE_MISSING', position: 3, subDevice: 'drive' });
  t.deepEqual(await changes(), ['out DL status: 0x5a33 to 0x5613', 'drive DL status: 0x5613 to 0x5403']);
});

test('a device that comes later is told once, disturbs nobody, and is there for the next MainDevice', async (t) => {
  const { machine, hits } = await powered(t, { faults: faultsOfPage(import.meta.url) });
  const bus = await MainDevice.open(configuration({ without: 'drive' }), { segment: machine });
  t.teardown(() => bus.close());
  const { changes, cycles, errors, faults, states, write } = await watched(t, machine, bus);
  machine.clearFaults();
  const seen = await cycles(300);
  t.deepEqual(await changes(), ['out DL status: 0x5613 to 0x5a33', 'drive DL status: 0x5403 to 0x5613']);
  t.like(await machine.device('drive').status(), { powered: true, reached: true, stationAddress: 0, alStatus: 1 });
  t.deepEqual(new Set(seen), new Set(['good good']));
  t.deepEqual([faults, states], [['sub-device-unknown'], []]);
  t.deepEqual(errors(), { lostFrames: 0, workingCounterErrors: 0 });
  t.is(await write(4, ['lamp']), 'written');
  t.deepEqual(hits(), ['not there yet drive: began', 'not there yet drive: ended']);
  await bus.close();
  await using next = await MainDevice.open(configuration(), { segment: machine });
  t.is(next.subDevice('drive').state, 'OP');
});

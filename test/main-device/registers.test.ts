import test from 'ava';
import { EtherCatError, MainDevice } from '../../src/index.ts';

const plant = (time: 'wall' | 'virtual') => ({
  ethercat: {
    master: {
      time,
      cycle_time: '1ms',
      segment: {
        devices: [
          { name: 'coupler', type: 'EK1100' as const },
          { name: 'in', type: 'digital-inputs' as const },
        ],
      },
    },
  },
});

test('registers of a SubDevice are read while the bus runs', async (t) => {
  await using bus = await MainDevice.open(plant('wall'));
  const { data, roundTripNs } = await bus.subDevice(1).readRegister(0x0130, 2);
  t.deepEqual([...data], [8, 0]);
  t.true(roundTripNs > 0);
  const readings = await Promise.all(bus.subDevices.map((subDevice) => subDevice.readRegister(0x0010, 2)));
  t.deepEqual(
    readings.map((reading) => reading.data[0]! | (reading.data[1]! << 8)),
    bus.subDevices.map(({ stationAddress }) => stationAddress),
  );
});

test('a SubDevice that is away, a register that is none, and a full queue have errors of their own', async (t) => {
  await using bus = await MainDevice.open(plant('virtual'));
  const lost = bus.subDevice(1).readRegister(0x0f70, 1);
  const outside = await t.throwsAsync(bus.subDevice(1).readRegister(0x0fff, 2), { instanceOf: EtherCatError });
  t.is(outside.code, 'ECAT_ERR_INVALID_ARGUMENT');
  const waiting = Array.from({ length: 63 }, () => bus.subDevice(0).readRegister(0x0000, 1));
  const full = await t.throwsAsync(bus.subDevice(0).readRegister(0x0000, 1), { instanceOf: EtherCatError });
  t.is(full.code, 'ECAT_ERR_REQUEST_QUEUE_FULL');
  await Promise.all([bus.advance(100), Promise.all(waiting), t.throwsAsync(lost, { message: /nobody answered/ })]);
});

test('a closed bus reads no registers', async (t) => {
  const bus = await MainDevice.open(plant('virtual'));
  await bus.close();
  const error = await t.throwsAsync(bus.subDevice(0).readRegister(0x0000, 1), { instanceOf: EtherCatError });
  t.is(error.code, 'ECAT_ERR_CLOSED');
});

// What only the simulator finds wrong in a segment is told with the place where a person wrote it.

import { join } from 'node:path';
import test from 'ava';
import { EtherCatError } from '../../src/core/errors/ethercat-error.ts';
import { MainDevice } from '../../src/main-device.ts';
import { simulate } from '../../src/simulator/simulate.ts';
import { folderWith } from './files.ts';

const esi = join(import.meta.dirname, '../fixtures/esi/BogusIO.xml');
const dead = '[{ on: { device: 0 }, effect: { kind: corrupt } }]';
const quick = '{ kind: servo, control: { current_bandwidth_hz: 5000 } }';

for (const [what, device, place] of [
  [
    'a module that there is not',
    'type: modular-coupler, modules: [{ module: 9DI }]',
    '2:50 devices[0].modules[0].module:',
  ],
  ['a device that its ESI file does not have', `esi: { file: ${esi}, device: EK9999 }`, '2:12 devices[0].esi:'],
  ['what is no ESI file', 'esi: line.yaml', '2:12 devices[0].esi:'],
  ['one of several ESI files', `esi: { file: [${esi}, line.yaml] }`, `2:${23 + esi.length} devices[0].esi.file[1]:`],
  ['a setting of a program', `type: servo, program: ${quick}`, '2:77 devices[0].program.control.current_bandwidth_hz:'],
  ['what the schema finds', 'type: EL1008-like, cable_metres: -1', '2:40 devices[0].cable_metres'],
] as const) {
  test(`${what} is told at its key`, async (t) => {
    const folder = await folderWith(t, { 'line.yaml': `devices:\n  - { ${device} }\n` });
    const file = join(folder, 'line.yaml');
    const content = await simulate(file, { seed: 7 }).catch((error: unknown) => error);
    t.true(content instanceof EtherCatError);
    t.true((content as EtherCatError).message.startsWith(`${file}:${place}`), (content as EtherCatError).message);
  });
}

test('a segment within a configuration is told of by the place in the configuration', async (t) => {
  const yaml = `ethercat:\n  main_device:\n    segment:\n      devices: [{ type: EK1100 }]\n      faults: ${dead}\n`;
  const file = join(await folderWith(t, { 'plant.yaml': yaml }), 'plant.yaml');
  const error = await t.throwsAsync(MainDevice.open(file), { instanceOf: EtherCatError });
  t.is(error?.code, 'ECAT_ERR_SEGMENT_INVALID');
  t.is(error?.message, `${file}:5:22 ethercat.main_device.segment.faults[0].on: corrupt needs a device and a port`);
  t.deepEqual(error?.location, { file, line: 5, column: 22 });
});

test('an object has keys and no places', async (t) => {
  const error = await t.throwsAsync(
    simulate({ devices: [{ type: 'servo', program: { kind: 'servo', control: { current_bandwidth_hz: 5000 } } }] }),
    { instanceOf: EtherCatError, code: 'ECAT_ERR_SEGMENT_INVALID' },
  );
  t.is(error?.message, 'devices[0].program.control.current_bandwidth_hz: is at most 1500');
  t.is(error?.location, undefined);
});

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { filter, firstValueFrom } from 'rxjs';
import { parse } from 'yaml';
import {
  type BusState,
  type ConfigurationDocument,
  EtherCatError,
  MainDevice,
  type SegmentDocument,
} from '../../src/index.ts';
import { plant } from '../support/plant.ts';

test('the climb is told state by state', async (t) => {
  const states: BusState[] = [];
  await using bus = await MainDevice.open(plant(), { onState: (state) => states.push(state) });
  t.deepEqual(states, ['PRE-OP', 'SAFE-OP', 'OP']);
  t.is(bus.state, 'OP');
  t.deepEqual(
    bus.subDevices.map(({ name, position, state, quality }) => ({ name, position, state, quality })),
    ['coupler', 'in', 'out', 'ai', 'ao'].map((name, position) => ({ name, position, state: 'OP', quality: 'good' })),
  );
  t.is(bus.subDevice('in').inputBits, 8);
  t.is(bus.subDevice(2).outputBits, 8);
});

test('the configuration of the plan drives a simulated servo', async (t) => {
  const text = readFileSync(new URL('../fixtures/plan-5.1.yaml', import.meta.url), 'utf8');
  const document = parse(text) as ConfigurationDocument;
  // The one thing that is added, so that a busy machine does not trip the watchdog of the servo.
  Object.assign(document.ethercat.master!, { time: 'virtual' });
  const entry = (index: number): { index: number; bits: number; data_type: number } => ({
    index,
    bits: 32,
    data_type: 4,
  });
  const servo = {
    name: 'servo',
    type: 'generic' as const,
    vendor_id: 0x2,
    product_code: 0x044c2c52,
    pdos: [
      { direction: 'output' as const, index: 0x1600, entries: [entry(0x607a)] },
      { direction: 'input' as const, index: 0x1a00, entries: [entry(0x6064)] },
    ],
  };
  const segment = { devices: [servo], wires: [{ from: 'servo.1', to: 'servo.1' }] };
  await using bus = await MainDevice.open(document, { segment });
  const feedback = bus.tag<number>('position_feedback');
  const arrived = firstValueFrom(feedback.value$.pipe(filter(({ value }) => value === -123_456)));
  const written = bus.write({ target_position: -123_456 });
  await bus.advance(3);
  t.false((await written).superseded);
  t.like(await arrived, { quality: 'good' });
  t.is(typeof feedback.sample.dcTimeNs, 'bigint');
  await t.throwsAsync(MainDevice.open(document, { segment, interface: 'lo' }), { code: 'ECAT_ERR_INVALID_ARGUMENT' });
});

test('a callback that throws does not keep the bus from opening', async (t) => {
  const warned = once(process, 'warning') as Promise<[Error]>;
  await using bus = await MainDevice.open(plant(), {
    onState: () => {
      throw new Error('a mistake in the application');
    },
  });
  t.is(bus.state, 'OP');
  t.regex((await warned)[0].message, /a mistake in the application/);
});

test('a priority or CPU that the system refuses is told to every subscriber of faults$, and the bus runs', async (t) => {
  await using bus = await MainDevice.open(plant({ cpu: 1023 }));
  for (let subscriber = 0; subscriber < 2; subscriber += 1) {
    const { kind, error } = await firstValueFrom(bus.faults$);
    t.is(kind, 'real-time-refused');
    t.is(error.code, 'ECAT_ERR_REAL_TIME_REFUSED');
    t.is(error.message, 'the system refused the cpu of the cycle thread: invalid argument');
  }
});

test('every device that is not the configured one is named with position, expected and found', async (t) => {
  const document = plant();
  document.ethercat.devices = [
    { name: 'coupler', position: 0, vendor_id: 2, product_code: 0x044c_2c52 },
    { name: 'in', position: 1, product_code: 0x1b81_3052 },
    { name: 'out', position: 2, vendor_id: 0x99 },
    { name: 'ai', position: 3 },
    { name: 'ao', position: 4 },
    { name: 'servo', position: 5 },
  ];
  const error = await t.throwsAsync(MainDevice.open(document), { instanceOf: EtherCatError });
  t.is(error!.code, 'ECAT_ERR_DEVICE_MISMATCH');
  t.deepEqual(
    error!.errors!.map(({ code, position }) => [code, position]),
    [
      ['ECAT_ERR_DEVICE_MISMATCH', 1],
      ['ECAT_ERR_DEVICE_MISMATCH', 2],
      ['ECAT_ERR_DEVICE_MISSING', 5],
    ],
  );
  t.is(error!.expected!.productCode, 0x1b81_3052);
  t.is(typeof error!.found!.productCode, 'number');
});

test('a tag that its device does not have, and a type that does not fit, fail the opening together', async (t) => {
  const document = plant();
  document.ethercat.process_data!.inputs = [
    { name: 'none', slave: 'in', channel: 9 },
    { name: 'wrong', slave: 'ai', channel: 1, type: 'float64' },
  ];
  const error = await t.throwsAsync(MainDevice.open(document), { instanceOf: EtherCatError });
  t.deepEqual(
    error!.errors!.map(({ code, tag }) => [code, tag]),
    [
      ['ECAT_ERR_TAG_UNRESOLVED', 'none'],
      ['ECAT_ERR_TAG_TYPE', 'wrong'],
    ],
  );
});

test('every SubDevice that refuses a state is named with its AL status code', async (t) => {
  const document = plant();
  const segment = document.ethercat.master!.segment as { devices: Record<string, unknown>[] };
  Object.assign(segment.devices[1]!, { device_emulation: false, refuse: [{ to: 'SAFE-OP', code: 0x1e }] });
  Object.assign(segment.devices[4]!, { device_emulation: false, refuse: [{ to: 'SAFE-OP', code: 0x1d }] });
  const error = await t.throwsAsync(MainDevice.open(document), { instanceOf: EtherCatError });
  t.is(error!.code, 'ECAT_ERR_STATE_REFUSED');
  t.deepEqual(
    error!.errors!.map(({ position, subDevice, alStatusCode }) => [position, subDevice, alStatusCode]),
    [
      [1, 'in', 0x1e],
      [4, 'ao', 0x1d],
    ],
  );
  t.regex(error!.message, /device in: .* refused SAFE-OP: invalid input configuration/);
  t.regex(error!.action, /^Compare the configured PDOs/, 'what to do comes from the AL status code');
});

/** What a segment of these devices makes of an opening. */
async function failureOf(t: ExecutionContext, ...devices: SegmentDocument['devices']): Promise<EtherCatError> {
  const named = [{ name: 'first', position: 0 }];
  const document = { ethercat: { master: { segment: { devices }, time: 'virtual' as const }, devices: named } };
  const error = await t.throwsAsync(MainDevice.open(document), { instanceOf: EtherCatError });
  t.regex(error!.action, /\.$/);
  return error!;
}

test('a SubDevice with a blank EEPROM is named, also between others', async (t) => {
  const sii = fileURLToPath(new URL('../fixtures/eeprom/empty.bin', import.meta.url));
  t.like(await failureOf(t, { sii }), {
    code: 'ECAT_ERR_EEPROM_INVALID',
    position: 0,
    subDevice: 'first',
    message: 'device first: SubDevice 0: the EEPROM is blank from byte 0x0014 on',
  });
  t.like(await failureOf(t, { type: 'EK1100' }, { sii }, { type: 'EK1100' }), {
    code: 'ECAT_ERR_EEPROM_INVALID',
    position: 1,
  });
});

test('a SubDevice that neither reaches nor refuses a state is named', async (t) => {
  const slow = { type: 'digital-inputs', device_emulation: false, transition_delay_ms: 60_000 } as const;
  t.like(await failureOf(t, { type: 'EK1100' }, slow), {
    code: 'ECAT_ERR_STATE_TIMEOUT',
    position: 1,
    requestedState: 2,
    state: 1,
  });
});

test('an interface that does not exist is named', async (t) => {
  const error = await t.throwsAsync(MainDevice.open(plant(), { interface: 'nosuchcard0' }));
  t.is((error as EtherCatError).code, 'ECAT_ERR_LINK_INTERFACE_MISSING');
});

test('an opening can be aborted at any moment', async (t) => {
  await t.throwsAsync(MainDevice.open(plant(), { signal: AbortSignal.abort() }), { code: 'ECAT_ERR_ABORTED' });
  for (const ms of [0, 1, 3, 10, 30, 60, 100, 200, 400]) {
    const controller = new AbortController();
    const opening = MainDevice.open(plant(), { signal: controller.signal });
    const abort = delay(ms).then(() => controller.abort(new Error('changed my mind')));
    const [result] = await Promise.allSettled([opening, abort]);
    if (result.status === 'fulfilled') {
      // It was quicker. The signal has no effect on a bus that is open.
      t.is(result.value.state, 'OP');
      await result.value.close();
    } else {
      const error = result.reason as EtherCatError;
      t.is(error.code, 'ECAT_ERR_ABORTED');
      t.is((error.cause as Error).message, 'changed my mind');
    }
  }
});

test('a signal that is aborted after the opening leaves the bus alone', async (t) => {
  const controller = new AbortController();
  await using bus = await MainDevice.open(plant({ time: 'virtual' }), { signal: controller.signal });
  controller.abort();
  await bus.advance(3);
  t.is(bus.state, 'OP');
});

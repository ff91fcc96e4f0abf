// Every effect that there is, in a segment file and injected from TypeScript.

import { join } from 'node:path';
import test from 'ava';
import { stringify } from 'yaml';
import { type SegmentDocument, type SegmentFault, simulate } from '../../src/simulator/index.ts';
import { folderWith } from '../configuration/files.ts';

type Kind = SegmentFault['effect']['kind'];

const on = { device: 'axis' };
const port = { device: 'axis', port: 0 };

/** One of each. */
const FAULTS: { readonly [K in Kind]: SegmentFault } = {
  drop: { on: { link: 'in' }, when: { rate_ppm: 500, burst: 2 }, effect: { kind: 'drop' } },
  truncate: { on: { link: 'out' }, effect: { kind: 'truncate', bytes: 40 } },
  delay: { effect: { kind: 'delay', by_frames: 1, by_ms: 0.5 } },
  duplicate: { effect: { kind: 'duplicate', copies: 2 } },
  reorder: { effect: { kind: 'reorder', by: 2 } },
  replay: { effect: { kind: 'replay', age: 3 } },
  'wrong-index': { effect: { kind: 'wrong-index', by: 4 } },
  'wrong-length': { effect: { kind: 'wrong-length', by: -1 } },
  'flip-bits': { effect: { kind: 'flip-bits', offset: 12, mask: 1 } },
  'working-counter': {
    on: { frames: { command: ['LRD', 'LRW'], register: [0x0130, 0x0135], station: 0x1001, device: 'axis' } },
    effect: { kind: 'working-counter', by: -1 },
  },
  corrupt: { on: port, when: { after: 2, count: 3 }, effect: { kind: 'corrupt' } },
  cut: { on: port, when: { on_ms: 1, off_ms: 2 }, effect: { kind: 'cut' } },
  'port-closed': { on: port, effect: { kind: 'port-closed' } },
  'carrier-loss': { when: { for_ms: 2 }, effect: { kind: 'carrier-loss' } },
  swap: { on, effect: { kind: 'swap', with: 'out' } },
  'power-off': { on, when: { after_ms: 1, for_ms: 2 }, effect: { kind: 'power-off' } },
  bypass: { on, when: { after_ms: 1, for_ms: 2 }, effect: { kind: 'bypass' } },
  reset: { on, effect: { kind: 'reset' } },
  'pdi-hang': { on, effect: { kind: 'pdi-hang' } },
  identity: { on, effect: { kind: 'identity', vendor_id: 1, product_code: 2, revision: 3, serial: 4 } },
  'sii-checksum': { on, effect: { kind: 'sii-checksum' } },
  'sii-empty': { on: { device: 2 }, effect: { kind: 'sii-empty' } },
  'eeprom-busy': { on, effect: { kind: 'eeprom-busy' } },
  'eeprom-error': { on, effect: { kind: 'eeprom-error', error: 'write-enable' } },
  'leave-state': { on, effect: { kind: 'leave-state', state: 'SAFE-OP', code: 1 } },
  refuse: { on, effect: { kind: 'refuse', to: 'OP', code: 0x1d } },
  'slow-transition': { on, effect: { kind: 'slow-transition', to: 'OP', delay_ms: 5 } },
  watchdog: { on, effect: { kind: 'watchdog' } },
  mail: { on, effect: { kind: 'mail', does: { kind: 'late', delay_ms: 5 }, protocol: 'CoE' } },
  emergency: { on, effect: { kind: 'emergency', code: 0x8130, register: 1, data: [1, 2, 3, 4, 5], times: 2 } },
  'clock-drift': { on, effect: { kind: 'clock-drift', ppm: 12.5 } },
  'clock-step': { on, effect: { kind: 'clock-step', by_ns: -500 } },
  'clock-jitter': { on, effect: { kind: 'clock-jitter', ns: 50 } },
  'pll-loss': { on, effect: { kind: 'pll-loss' } },
  'sync0-loss': { on, effect: { kind: 'sync0-loss' } },
  'start-in-past': { on, effect: { kind: 'start-in-past' } },
};
const KINDS = Object.keys(FAULTS) as Kind[];

/** What holds for a while, and what happens at once: both without anybody's frame. */
const CONDITIONS: readonly Kind[] = [
  ...([
    'cut',
    'port-closed',
    'carrier-loss',
    'swap',
    'power-off',
    'bypass',
    'pdi-hang',
    'identity',
    'sii-checksum',
  ] as const),
  ...(['sii-empty', 'eeprom-busy', 'clock-drift', 'clock-jitter', 'pll-loss'] as const),
];
const EVENTS: readonly Kind[] = ['reset', 'leave-state', 'watchdog', 'emergency', 'clock-step'];

const segment: SegmentDocument = {
  devices: [
    { name: 'coupler', type: 'EK1100' },
    { name: 'out', type: 'digital-outputs' },
    { name: 'axis', type: 'generic', device_emulation: false, distributed_clock: true, pdos: [], mailbox: {} },
  ],
};

test('a segment file has all of them at once', async (t) => {
  const faults = KINDS.map((kind) => ({ name: `the ${kind}`, ...FAULTS[kind] }));
  const folder = await folderWith(t, { 'line.segment.yaml': stringify({ ...segment, faults }) });
  const machine = await simulate(join(folder, 'line.segment.yaml'));
  await machine.advance(10);
  const { hits, lost, refused } = machine.hits();
  const acted = new Set(hits.filter(({ change }) => change !== 'ended').map(({ fault }) => fault));
  t.deepEqual([...acted].toSorted(), [...CONDITIONS, ...EVENTS].map((kind) => `the ${kind}`).toSorted());
  t.true(hits.every(({ fault, kind }) => fault === `the ${kind}`));
  t.deepEqual([lost, refused], [0, 0]);
});

test('each is injected from TypeScript, and is over when it is cleared', async (t) => {
  const machine = await simulate(segment);
  for (const kind of KINDS) {
    const { effect, on: place } = FAULTS[kind];
    {
      using fault = machine.inject({ effect, ...(place !== undefined && { on: place }) });
      t.regex(fault.name, new RegExp(`^${kind} \\d+$`));
      await machine.advance(2);
    }
    await machine.advance(1);
    const changes = machine.hits().hits.map((hit) => hit.change);
    const expected = CONDITIONS.includes(kind) ? ['began', 'ended'] : EVENTS.includes(kind) ? ['done'] : [];
    t.deepEqual(changes, expected, kind);
  }
});

test('what does not fit is refused with its place', async (t) => {
  const machine = await simulate(segment);
  const refused: readonly (readonly [fault: unknown, message: RegExp])[] = [
    [{ on: { device: 'nobody' }, effect: { kind: 'reset' } }, /no device is called "nobody"/],
    [{ on: { device: 'axis' }, effect: { kind: 'cut' } }, /cut needs a device and a port/],
    [
      { on: { device: 'axis', port: 4 }, effect: { kind: 'cut' } },
      /on\.port must be a whole number from 0 to 3, not 4/,
    ],
    [{ effect: { kind: 'power-off' } }, /power-off needs a device/],
    [
      { when: { burst: 2 }, effect: { kind: 'drop' } },
      /when needs the key rate_ppm beside burst: a whole number of ppm/,
    ],
    [
      { when: { rate_ppm: 1_000_001 }, effect: { kind: 'drop' } },
      /when\.rate_ppm must be a whole number of ppm from 0 to 1000000/,
    ],
    [{ when: { on_ms: 1 }, effect: { kind: 'drop' } }, /when needs the key off_ms beside on_ms: /],
    [{ when: { at: { fault: { name: 'none' } } }, effect: { kind: 'drop' } }, /no fault is called "none"/],
    [{ effect: { kind: 'delay' } }, /delay needs/],
    [{ effect: { kind: 'explode' } }, /effect\.kind must be one of drop, .*, not "explode"/],
  ];
  for (const [fault, message] of refused) {
    const error = t.throws(() => machine.inject(fault as SegmentFault), { code: 'ECAT_ERR_INVALID_ARGUMENT' });
    t.regex(error?.message ?? '', message);
  }
  t.deepEqual(machine.hits(), { hits: [], lost: 0, refused: 0 });
});

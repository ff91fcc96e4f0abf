// Faults from the command line, and by commands on stdin while the segment is served on a wire.

import test from 'ava';
import { type JsonEvent, RunningCommand, runCli } from '../support/cli.ts';
import { makeTestWire, type TestWire, whyNoTestWire } from '../support/namespaces.ts';

const SEGMENT = 'examples/line.segment.yaml';

const reason = whyNoTestWire();
if (reason !== undefined) process.stderr.write(`test/wire: skipped, ${reason}\n`);
const wireTest = reason === undefined ? test.serial : test.serial.skip;

/** The segment on a wire, with hits and commands. */
async function served(wire: TestWire, ...faults: readonly string[]): Promise<RunningCommand> {
  const options = ['--interface', wire.segment.interface, '--hits', '--commands'];
  const segment = new RunningCommand(
    ['simulate', SEGMENT, ...options, ...faults.flatMap((fault) => ['--fault', fault])],
    wire.segment.exec,
    'pipe',
  );
  await segment.event((line) => line.event === 'ready');
  return segment;
}

/** Names of the devices that a MainDevice finds at the other end. */
async function found(wire: TestWire): Promise<unknown[]> {
  const scan = new RunningCommand(['scan', '--interface', wire.mainDevice.interface, '--json'], wire.mainDevice.exec);
  const { events, stderr } = await scan.ended;
  return events.some((line) => line.event === 'error') ? [stderr] : events.map((line) => line['orderName']);
}

/** Writes a command to stdin, and waits for what is said to it. */
async function obey(segment: RunningCommand, command: object | string): Promise<JsonEvent> {
  const isAnswer = (line: JsonEvent): boolean => line.event === 'commanded' || line.event === 'error';
  const before = segment.events.filter(isAnswer).length;
  segment.child.stdin?.write(`${typeof command === 'string' ? command : JSON.stringify(command)}\n`);
  return await segment.nth(before + 1, isAnswer);
}

const isHit =
  (fault: string, change: string) =>
  (line: JsonEvent): boolean =>
    line.event === 'hit' && line['fault'] === fault && line['change'] === change;

wireTest('a fault of --fault is there from the first frame on, until a command clears it', async (t) => {
  using wire = makeTestWire('flt');
  await using segment = await served(
    wire,
    '{ name: dip, on: { device: setpoints }, effect: { kind: power-off } }',
    '{ name: wrong, on: { link: in, frames: { register: 0x0130 } }, when: { count: 1 }, effect: { kind: wrong-index } }',
  );
  const without = await found(wire);
  t.is(without.length, 4);
  // Time has begun, and no frame had come yet.
  t.like(await segment.event(isHit('dip', 'began')), { kind: 'power-off', device: 'setpoints', frame: 0 });
  // The log says which datagram of which frame it was, and what was changed.
  const wrong = await segment.event(isHit('wrong', 'value'));
  t.like(wrong, { kind: 'wrong-index', datagram: { number: 0, register: 0x0130 } });
  t.true(Number(wrong['frame']) >= 1);
  t.is(Number(wrong['after']), (Number(wrong['before']) + 1) % 256);

  t.deepEqual(await obey(segment, { kind: 'clearFault', name: 'dip' }), { event: 'commanded' });
  t.is((await found(wire)).length, 5);
  t.like(await segment.event(isHit('dip', 'ended')), { device: 'setpoints' });
});

wireTest('commands inject faults while the segment is served, and each hit is a line', async (t) => {
  using wire = makeTestWire('inj');
  await using segment = await served(wire);
  const all = await found(wire);
  t.is(all.length, 5);
  t.deepEqual(
    segment.events.filter(({ event }) => event === 'hit'),
    [],
  );

  const corrupt = { on: { device: 'actuators', port: 0 }, when: { count: 2 }, effect: { kind: 'corrupt' } };
  t.deepEqual(await obey(segment, { kind: 'inject', fault: { name: 'noise', ...corrupt } }), {
    event: 'commanded',
    fault: 'noise',
  });
  // The MainDevice sends what was lost again.
  t.deepEqual(await found(wire), all);
  const hits = [await segment.nth(1, isHit('noise', 'done')), await segment.nth(2, isHit('noise', 'done'))];
  t.true(hits.every((hit) => hit['device'] === 'actuators' && hit['port'] === 0));
  t.is(Number(hits[1]?.['frame']), Number(hits[0]?.['frame']) + 1);

  // Without a name it gets one.
  const cut = { on: { device: 'measurements', port: 0 }, effect: { kind: 'cut' } };
  const { fault } = await obey(segment, { kind: 'inject', fault: cut });
  t.regex(String(fault), /^cut \d+$/);
  t.is((await found(wire)).length, 3);
  t.deepEqual(await obey(segment, { kind: 'clearFaults' }), { event: 'commanded' });
  t.deepEqual(await found(wire), all);
});

wireTest('faults that there is no room for are counted', async (t) => {
  using wire = makeTestWire('room');
  await using segment = await served(wire);
  const waiting = { when: { at: { sdo: { number: 9 } } }, effect: { kind: 'drop' } };
  for (let n = 0; n < 66; n += 1) await obey(segment, { kind: 'inject', fault: waiting });
  await found(wire);
  t.deepEqual(await segment.event(({ event }) => event === 'hits-missing'), {
    event: 'hits-missing',
    lost: 0,
    refused: 2,
  });
});

wireTest('what is wrong with a command is said, and ends nothing', async (t) => {
  using wire = makeTestWire('bad');
  await using segment = await served(wire);
  const wrong: readonly (readonly [command: object | string, message: RegExp])[] = [
    ['{ not JSON', /command: /],
    [
      { kind: 'inject', fault: { on: { device: 'nobody' }, effect: { kind: 'power-off' } } },
      /no device is called "nobody"/,
    ],
    [{ kind: 'inject', fault: { on: { device: 'sensors' }, effect: { kind: 'explode' } } }, /explode/],
    [
      { kind: 'inject', fault: { on: { device: 'sensors' }, effect: { kind: 'cut' } } },
      /cut needs a device and a port/,
    ],
    [{ kind: 'clearFault', name: 'nothing' }, /nothing/],
    [{ kind: 'dance' }, /dance/],
  ];
  for (const [command, message] of wrong) {
    const answer = await obey(segment, command);
    t.is(answer.event, 'error', JSON.stringify(command));
    t.regex(String(answer['message']), message);
  }
  t.is((await found(wire)).length, 5);
});

test('a fault that is none is refused before anything is served', async (t) => {
  const simulate = (fault: string) => runCli('simulate', SEGMENT, '--interface', 'nosuchcard0', '--fault', fault);
  for (const [fault, message] of [
    ['{ kind: power-off }', /ECAT_ERR_INVALID_ARGUMENT: --fault: expected a fault such as/],
    ['{ on: { device: nobody }, effect: { kind: reset } }', /no device is called "nobody"/],
    [
      '{ on: { device: sensors }, when: { count: 0 }, effect: { kind: reset } }',
      /when\.count must be a whole number from 1/,
    ],
  ] as const) {
    const { code, stderr } = await simulate(fault);
    t.is(code, 1, fault);
    t.regex(stderr, message);
  }
});

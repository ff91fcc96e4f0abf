import test from 'ava';
import { climb, DemoModel } from '../../src/cli/demo-model.ts';
import { drawScreen, type Paint } from '../../src/cli/demo-screen.ts';
import { JsonView, LinesView } from '../../src/cli/demo-view.ts';
import { width } from '../../src/cli/format.ts';
import { EtherCatError } from '../../src/core/errors/ethercat-error.ts';

const plain: Paint = (_, text) => text;
const statistics = {
  cycles: 12_345,
  missedCycles: 0,
  lostFrames: 1,
  workingCounterErrors: 0,
  lateness: { p50: 4200, p99: 18_000, max: 81_000 },
  roundTrip: { p50: 2100, p99: 5000, max: 9000 },
};
const coupler = {
  position: 0,
  name: 'coupler',
  orderName: 'EK1100',
  vendorId: 2,
  productCode: 0x044c2c52,
  revision: 0x110000,
  inputBits: 0,
  outputBits: 0,
};
const sensors = {
  ...coupler,
  position: 1,
  name: 'sensors',
  orderName: 'EL1008',
  productCode: 0x03f03052,
  inputBits: 8,
};

function model(): DemoModel {
  const made = new DemoModel('line.yaml', 'simulated segment', 1_000_000, 0);
  made.devices = [coupler, sensors];
  made.addTag({ name: 'tank.level', direction: 'input', unit: '%', scale: 0.01 });
  made.addTag({ name: 'pump.speed', direction: 'output', unit: 'rpm', scale: 1 });
  made.addTag({ name: 'valve.open', direction: 'output', unit: '', scale: 1 });
  made.state = 'OP';
  made.statistics = statistics;
  made.sample('tank.level', 52.31, 'good', 100);
  made.sample('pump.speed', 1200, 'good', 100);
  made.sample('valve.open', true, 'uncertain', 101);
  return made;
}

test('the screen shows devices, the climb, tags with value and quality, and the numbers of the cycle', (t) => {
  const screen = drawScreen(model(), 120, 40, 65_000, plain).join('\n');
  t.regex(screen, /bifrost-ethercat +line\.yaml · simulated segment · 1\.0 ms +1:05/);
  t.regex(screen, /✓ INIT ─ ✓ PRE-OP ─ ✓ SAFE-OP ─ ● OP/);
  t.regex(screen, /1 +sensors +EL1008 +0x00000002:0x03f03052 rev 0x00110000 +8 bits in/);
  t.regex(screen, /tank\.level +in +52\.31 % +good/);
  t.regex(screen, /▸ +valve\.open +out +on +uncertain/);
  t.regex(screen, /cycles 12 345 +missed 0 +lost frames 1 +working counter errors 0/);
  t.regex(screen, /Lateness +p50 4\.2 µs +p99 18 µs +max 81 µs/);
  t.regex(screen, /space toggles valve\.open +↑ ↓ chooses an output +q quits/);
});

test('the screen fits every terminal, and the chosen output stays in sight', (t) => {
  const big = model();
  for (let n = 0; n < 500; n += 1)
    big.addTag({ name: `tag ${n} ${'x'.repeat(50)}`, direction: 'input', unit: '', scale: 1 });
  big.devices = Array.from({ length: 300 }, () => sensors);
  const sizes = [
    [80, 24],
    [40, 10],
    [200, 60],
    [20, 3],
  ] as const;
  for (const [columns, rows] of sizes) {
    const lines = drawScreen(big, columns, rows, 0, plain);
    t.true(lines.length <= rows);
    t.true(lines.every((line) => width(line) <= columns));
  }
  t.regex(drawScreen(big, 100, 30, 0, plain).join('\n'), /▸ +valve\.open/);
});

test('every step of the climb, and a fault, has its own look', (t) => {
  const one = model();
  const looks = [...climb, 'faulted' as const].map((state) => {
    one.state = state;
    return drawScreen(one, 100, 30, 0, plain)[2];
  });
  t.is(new Set(looks).size, 5);
  t.regex(looks[4] ?? '', /● FAULTED/);
});

test('keys act on the first switch, and the choice goes round', (t) => {
  const one = model();
  t.is(one.chosen()?.name, 'valve.open');
  one.choose(1);
  t.is(one.chosen()?.name, 'pump.speed');
  one.choose(-1);
  t.is(one.chosen()?.name, 'valve.open');
});

test('rates follow the changes, and come to rest', (t) => {
  const one = model();
  for (let ms = 100; ms <= 5000; ms += 100) {
    for (let n = 0; n < 10; n += 1) one.sample('tank.level', ms + n, 'good', ms);
    one.tick(ms);
  }
  t.is(Math.round(one.tags.get('tank.level')?.rate ?? 0), 100);
  for (let ms = 5100; ms <= 12_000; ms += 100) one.tick(ms);
  t.is(one.tags.get('tank.level')?.rate, 0);
});

test('JSON lines have the promised form, and a tag only when it changed', (t) => {
  const lines: unknown[] = [];
  const one = model();
  const view = new JsonView(one, (text) => lines.push(JSON.parse(text)));
  view.state('OP', 90);
  view.refresh();
  one.sample('tank.level', 53, 'stale', 102);
  view.refresh();
  view.refresh();
  view.fault(new EtherCatError('ECAT_ERR_SUBDEVICE_LOST', 'gone', { position: 1 }));
  view.summary(statistics, 1500);
  t.deepEqual(lines.slice(0, 5), [
    { event: 'state', state: 'OP', cycle: 90 },
    { event: 'tag', name: 'tank.level', value: 52.31, quality: 'good', cycle: 100 },
    { event: 'tag', name: 'pump.speed', value: 1200, quality: 'good', cycle: 100 },
    { event: 'tag', name: 'valve.open', value: true, quality: 'uncertain', cycle: 101 },
    { event: 'tag', name: 'tank.level', value: 53, quality: 'stale', cycle: 102 },
  ]);
  t.like(lines[5], { event: 'fault', code: 'ECAT_ERR_SUBDEVICE_LOST', position: 1 });
  t.deepEqual(lines[6], {
    event: 'summary',
    seconds: 1.5,
    cycles: 12_345,
    missedCycles: 0,
    lostFrames: 1,
    workingCounterErrors: 0,
    lateness: { unit: 'us', p50: 4.2, p99: 18, max: 81 },
    roundTrip: { unit: 'us', p50: 2.1, p99: 5, max: 9 },
  });
});

test('plain lines come once a second', (t) => {
  let text = '';
  const one = model();
  const view = new LinesView(one, (line) => {
    text += line;
  });
  view.state('OP');
  view.opened();
  for (let ms = 0; ms < 2000; ms += 100) view.refresh(ms);
  t.is(text.match(/12 345 cycles/g)?.length, 2);
  t.is(text.match(/tank\.level/g)?.length, 1);
  t.regex(text, /^line\.yaml, simulated segment\nstate OP\n/);
});

/** docs/simulator.md as somebody reads it who has never read the code: every snippet does what it says. */

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { parse } from 'yaml';
import { type SegmentDocument, type SegmentFault, simulate } from '../../src/simulator/index.ts';
import { SimulatedSlot } from '../../src/simulator/simulated-device.ts';
import { folderWith } from '../configuration/files.ts';
import { runCli } from '../support/cli.ts';
import { effectKinds } from '../support/fault-kinds.ts';

const root = join(import.meta.dirname, '../..');
const page = readFileSync(join(root, 'docs/simulator.md'), 'utf8');

/** Snippets of a language, in their order. */
function snippets(language: string): string[] {
  return [...page.matchAll(new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``, 'g'))].map(([, text]) => text!);
}

/** The one snippet of a language that has this in it. */
function snippet(language: string, having: string): string {
  const found = snippets(language).filter((text) => text.includes(having));
  if (found.length !== 1) throw new Error(`${found.length} ${language} snippets have ${having}`);
  return found[0]!;
}

const LINE = snippet('yaml', '# line.segment.yaml');
const PLANT = snippet('yaml', '# plant.yaml');
/** Of the belt's drive. */
const UNITS_PER_MM = 655.36;
const line = parse(LINE) as SegmentDocument;

/** The files that the page writes. */
function files(t: ExecutionContext): Promise<string> {
  return folderWith(t, { 'line.segment.yaml': LINE, 'plant.yaml': PLANT });
}

/** Runs a snippet of TypeScript that has no imports, with these at hand. */
async function run(code: string, scope: Readonly<Record<string, unknown>>): Promise<void> {
  const AsyncFunction = (async () => {}).constructor as new (
    ...parts: string[]
  ) => (...args: unknown[]) => Promise<void>;
  await new AsyncFunction(...Object.keys(scope), code)(...Object.values(scope));
}

test('what a MainDevice finds on the segment of the page is listed', async (t) => {
  const folder = await files(t);
  const { code, stderr, lines } = await runCli('scan', '--segment', join(folder, 'line.segment.yaml'));
  t.deepEqual([code, stderr], [0, '']);
  for (const type of ['EK1100', 'EL1008', 'EL2008'])
    t.true(
      lines.some((one) => one.includes(type)),
      type,
    );
});

test('a configuration of a plant is shown on it', async (t) => {
  const folder = await files(t);
  const segment = join(folder, 'line.segment.yaml');
  const args = ['demo', join(folder, 'plant.yaml'), '--segment', segment, '--seconds', '0.2', '--json'];
  const { code, stderr, events } = await runCli(...args);
  t.deepEqual([code, stderr], [0, '']);
  t.true(events.some(({ event, state }) => event === 'state' && state === 'OP'));
});

test('every segment of the page can be built', async (t) => {
  const whole = snippets('yaml').filter((text) => text.includes('devices:') && !/^ethercat:|esi:/m.test(text));
  t.true(whole.length >= 5);
  for (const text of whole) t.true((await simulate(parse(text) as SegmentDocument)).devices.length > 0, text);
});

test('all that a segment of ESI files misses are the files', async (t) => {
  const folder = await folderWith(t, { 'plant.segment.yaml': snippet('yaml', 'esi:') });
  await t.throwsAsync(simulate(join(folder, 'plant.segment.yaml')), { code: 'ECAT_ERR_CONFIGURATION_FILE' });
});

test('what goes wrong with mail fits into a device', async (t) => {
  const { mailbox } = parse(snippet('yaml', 'drive-error')) as { mailbox: object };
  const drive = { type: 'generic', pdos: [], mailbox: { ...mailbox, eoe: {}, soe: { drives: [{}] } } } as const;
  t.is((await simulate({ devices: [drive] })).devices.length, 1);
});

test('faults fit onto the segment, from its file, from code, as an option and as a command', async (t) => {
  const { faults } = parse(snippet('yaml', 'power dip')) as { faults: SegmentFault[] };
  const machine = await simulate({ ...line, faults });
  await run(snippet('ts', 'simulator.inject'), { bus: { simulator: machine } });
  const option = /--fault '(.*)'/.exec(snippet('sh', '--fault'))?.[1];
  t.is(machine.inject(parse(option!) as SegmentFault).name, 'cut 4');
  const [inject, clear] = snippet('json', 'clearFault')
    .trim()
    .split('\n')
    .map((text) => JSON.parse(text) as { fault?: SegmentFault; name?: string });
  t.is(machine.inject(inject!.fault!).name, clear!.name!);
  t.is(machine.hits().refused, 0);
});

test('the application and its test run as they stand', async (t) => {
  const folder = await files(t);
  const source = (path: string): string => `'${pathToFileURL(join(root, 'src', path)).href}'`;
  const code = snippet('ts', 'MainDevice.open')
    .replace("'bifrost-ethercat/simulator'", source('simulator/index.ts'))
    .replace("'bifrost-ethercat'", source('index.ts'));
  await writeFile(join(folder, 'example.mts'), `${code}console.log(bus.state);\n`);
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ['example.mts'], { cwd: folder });
  t.deepEqual([stdout, stderr], ['OP\n', '']);
});

test('a machine in software moves its inputs', async (t) => {
  const position = { direction: 'input', index: 0x1a00, entries: [{ index: 0x6064, bits: 32, data_type: 4 }] } as const;
  const belt = { name: 'belt', type: 'generic', pdos: [position], mailbox: {} } as const;
  const machine = await simulate({ devices: [{ type: 'EK1100' }, { name: 'sensors', type: 'EL1008-like' }, belt] });
  const taken: number[] = [];
  await run(snippet('ts', 'onChange'), { machine, conveyor: { take: () => taken.push(machine.nowMs) } });
  for (const [mm, isBlocked] of [
    [300, true],
    [430, false],
    [700, true],
  ] as const) {
    await machine.advance(1);
    const position = Math.round(mm * UNITS_PER_MM);
    machine.device('belt').input(1).set(position);
    await machine.advance(330);
    t.is(await machine.device('sensors').input(1).read(), isBlocked, `${mm} mm`);
  }
  t.is(taken.length, 3);
});

test('every effect of a fault is in the table, and nothing else is', (t) => {
  const table = page.slice(page.indexOf('| Kind | Where |'), page.indexOf('A hot connect is'));
  const first = [...table.matchAll(/^\| (`.*?) \|/gm)].map(([, cell]) => cell!.replaceAll(/\(.*?\)/g, ''));
  t.deepEqual(
    first.flatMap((cell) => [...cell.matchAll(/`([a-z0-9-]+)`/g)].map(([, kind]) => kind)).sort(),
    [...effectKinds].sort(),
  );
});

test('every method that makes something go wrong is there', async (t) => {
  const text = page.slice(page.indexOf('### What goes wrong'), page.indexOf('## For other MainDevices'));
  const machine = await simulate(line);
  const device = machine.device('valves');
  const targets: object[] = [device, device.port(0), SimulatedSlot.prototype, machine];
  const names = [...text.matchAll(/([a-zA-Z]+)\(/g)].map(([, name]) => name!);
  t.true(names.length > 15);
  for (const name of names)
    t.true(
      targets.some((target) => typeof (target as Record<string, unknown>)[name] === 'function'),
      name,
    );
});

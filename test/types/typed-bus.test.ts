/** What `bifrost-ethercat types` writes, held against the compiler. */

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import ts from 'typescript';
import { declareTags } from '../../src/core/tag-declarations.ts';
import { runCli } from '../support/cli.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const line = join(root, 'examples/line.yaml');

/** What the compiler says to a program with the tags of the example line, by line of the program. */
async function complaints(declaration: string, program: readonly string[]): Promise<string[]> {
  const folder = await mkdtemp(join(root, 'test/types/.typed-'));
  try {
    await writeFile(join(folder, 'tags.ts'), declaration);
    const head = [
      "import { MainDevice } from '../../../src/index.ts';",
      "import type { LineTags } from './tags.ts';",
      "const bus = await MainDevice.open<LineTags>('line.yaml');",
    ];
    const file = join(folder, 'program.ts');
    await writeFile(file, [...head, ...program, 'export {};'].join('\n'));
    const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile) as { config: unknown };
    const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
    const compiled = ts.createProgram([file], { ...options, noUnusedLocals: false });
    return ts.getPreEmitDiagnostics(compiled).map(({ file: where, start, messageText }) => {
      const at = where === undefined ? -1 : where.getLineAndCharacterOfPosition(start ?? 0).line - head.length;
      return `${where?.fileName === file ? program[at] : where?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
    });
  } finally {
    await rm(folder, { recursive: true });
  }
}

test('the compiler knows the tags of a configuration', async (t) => {
  const { lines, code } = await runCli('types', line);
  const declaration = lines.join('\n');
  t.is(code, 0);
  const right = [
    "const level: number = bus.tag('tank.level').value;",
    "bus.tag('valve.open').write(true);",
    "bus.write({ 'valve.open': true, 'pump.speed': 120 });",
    "bus.tags$(['tank.level', 'bottle.present']).subscribe(({ values }) => { const there: boolean = values['bottle.present']; });",
    "const now: number = bus.snapshot(['tank.level']).value('tank.level');",
    "bus.windows({ tags: ['tank.level'], window: 8 });",
    'await bus.close();',
  ];
  t.deepEqual(await complaints(declaration, right), []);
  const wrong = [
    "bus.tag('tank.levle');",
    "bus.tag('tank.level').write(1);",
    "bus.tag('valve.open').write(1);",
    "bus.write({ 'valve.opne': true });",
    "bus.write({ 'tank.level': 1 });",
    "bus.write({ 'pump.speed': true });",
    "bus.snapshot(['tank.levle']);",
    "const text: string = bus.snapshot().value('tank.level');",
    "bus.tags$(['nothing']);",
  ];
  const found = await complaints(declaration, wrong);
  for (const statement of wrong)
    t.true(
      found.some((complaint) => complaint.startsWith(statement)),
      statement,
    );
  t.is(found.length, wrong.length, found.join('\n'));
});

test('every kind of tag has its type', (t) => {
  const tag = { direction: 'input', count: 1, isScaled: false } as const;
  const text = declareTags(
    [
      { ...tag, name: 'a.bool', type: 'bool' },
      { ...tag, name: 'a.wide', type: 'int64' },
      { ...tag, name: 'a.scaled', type: 'int64', isScaled: true, unit: 'mm' },
      { ...tag, name: 'a.bytes', type: 'bytes' },
      { ...tag, name: 'a.row', type: 'int16', count: 8 },
      { ...tag, name: 'a.rows', type: 'int16', count: 8, isScaled: true },
      { ...tag, name: 'a.mode', type: 'uint8', labels: { 0: 'off', 1: 'on "fast"' } },
      { ...tag, name: 'a.unknown', alias: 'a.0x6000.1', type: undefined },
    ],
    'plant.yaml',
    'PlantTags',
  );
  for (const expected of [
    '"a.bool": boolean;',
    '"a.wide": bigint;',
    '/** In mm. */\n    readonly "a.scaled": number;',
    '"a.bytes": Uint8Array;',
    '"a.row": Int16Array;',
    '"a.rows": Float64Array;',
    '"a.mode": "off" | "on \\"fast\\"" | number;',
    '"a.unknown": TagValue;',
    '"a.0x6000.1": TagValue;',
    "import type { TagValue } from 'bifrost-ethercat';",
  ]) {
    t.true(text.includes(expected), expected);
  }
});

test('the command writes a file, and refuses a name that is none', async (t) => {
  const folder = await mkdtemp(join(root, 'test/types/.types-'));
  try {
    const out = join(folder, 'line.ts');
    const { code } = await runCli('types', line, '--out', out, '--name', 'Plant');
    t.is(code, 0);
    t.regex(await readFile(out, 'utf8'), /export interface Plant \{/);
    const refused = await runCli('types', line, '--name', '7up');
    t.is(refused.code, 1);
    t.regex(refused.stderr, /no name of an interface/);
  } finally {
    await rm(folder, { recursive: true });
  }
});

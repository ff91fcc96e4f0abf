import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';
import { folderWith } from '../configuration/files.ts';

const root = join(import.meta.dirname, '../..');

test('the example of the README runs as it stands', async (t) => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const [, example = ''] = /```ts\n(.*?)```/s.exec(readme) ?? [];
  t.regex(example, /MainDevice\.open/);
  const index = pathToFileURL(join(root, 'src/index.ts')).href;
  const folder = await folderWith(t, { 'example.mts': example.replace("'bifrost-ethercat'", `'${index}'`) });
  const { stdout, stderr } = await unlessStalled(() =>
    promisify(execFile)(process.execPath, [join(folder, 'example.mts')], { cwd: root }),
  );
  t.regex(stdout, /^[\d.]+ good \d+\n/);
  t.is(stderr, '');
});

/**
 * The example runs by the wall clock. Where the machine stops its process for longer than the watchdogs of the SubDevices
 * bear (100 ms), its write fails, as it should; that alone is tried again.
 */
async function unlessStalled<T>(run: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await run();
    } catch (error) {
      const { stderr = '' } = error as { stderr?: string };
      if (tries === 3 || !stderr.includes('ECAT_ERR_WRITE_FAILED')) throw error;
    }
  }
}

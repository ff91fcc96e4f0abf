/** Helpers of the configuration's tests. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { loadConfiguration } from '../../src/core/configuration/load.ts';
import { EtherCatError } from '../../src/core/errors/ethercat-error.ts';

/** A folder with these files, removed after the test. */
export async function folderWith(t: ExecutionContext, files: Record<string, string | Uint8Array>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'bifrost-ethercat-test-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  return folder;
}

/** Loads `yaml` from a file and returns what is wrong with it, without the folder in the messages. */
export async function problemsOf(
  t: ExecutionContext,
  yaml: string,
  files: Record<string, string> = {},
): Promise<EtherCatError> {
  const folder = await folderWith(t, { 'plant.yaml': yaml, ...files });
  const error: unknown = await loadConfiguration(join(folder, 'plant.yaml')).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof EtherCatError)) throw new Error(`expected an EtherCatError, got ${String(error)}`);
  error.message = error.message.replaceAll(`${folder}/`, '');
  return error;
}

/** The messages of all problems. */
export async function messagesOf(
  t: ExecutionContext,
  yaml: string,
  files: Record<string, string> = {},
): Promise<string[]> {
  const error = await problemsOf(t, yaml, files);
  return (error.errors ?? [error]).map(({ message }) => message.replaceAll(/^\S*\/(?=[^/\s]+:\d)/g, ''));
}

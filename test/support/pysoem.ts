/** SOEM by its Python package: a MainDevice that others wrote. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import test, { type ExecutionContext } from 'ava';
import { RunningCommand } from './cli.ts';
import { makeTestWire, whyNoTestWire } from './namespaces.ts';
import { pythonWithSoem } from './soem-python.ts';
import { Capture, findTshark, type Tshark } from './tshark.ts';

const FIXTURES = join(import.meta.dirname, '../wire/fixtures/soem');

/** A test of what SOEM has found. */
type Declare<Found> = (title: string, check: (t: ExecutionContext, found: Found) => void) => void;

/** What a run of SOEM has left. Disposing of it deletes the capture. */
export interface SoemRun extends AsyncDisposable {
  /** What its script found. */
  readonly found: unknown;
  /** Everything that went over the wire, where there is what captures it. */
  readonly capture: Capture | undefined;
}

/**
 * One run of SOEM on one simulated segment, and tests of what it found there.
 *
 * `fixtures/soem/SUBJECT.py` works on `fixtures/soem/SUBJECT.segment.yaml` at the other end of a wire, commands the
 * segment where it needs to, and ends with what it found as one JSON object. Where SOEM or the wire cannot be had, the
 * tests are skipped and the reason is printed. One more test has Wireshark judge all that was said.
 *
 * @returns what declares a test
 */
export function soemFinds<Found>(subject: string): Declare<Found> {
  const reason = whyNoTestWire();
  const soem = reason === undefined ? pythonWithSoem() : { reason };
  if ('reason' in soem) {
    process.stderr.write(`test/wire/pysoem-${subject}: skipped, ${soem.reason}\n`);
    return (title) => test.skip(title, () => undefined);
  }
  const programs = findTshark();
  let run: Promise<SoemRun> | undefined;
  const once = (): Promise<SoemRun> => {
    run ??= runSoem(subject, soem.python, 'reason' in programs ? undefined : programs);
    return run;
  };
  test.after.always('the capture is deleted', async () => {
    // A run that failed has deleted its own.
    const ended = await run?.catch(() => undefined);
    await ended?.[Symbol.asyncDispose]();
  });
  const judged = 'Wireshark finds no frame and no mail malformed, in either direction';
  if ('reason' in programs) {
    process.stderr.write(`test/wire/pysoem-${subject}: not judged by Wireshark, ${programs.reason}\n`);
    test.skip(judged, () => undefined);
  } else {
    test.serial(judged, async (t) => {
      const { frames, malformed } = (await once()).capture?.judge() ?? { frames: 0, malformed: [] };
      t.true(frames > 100, String(frames));
      t.deepEqual(malformed, []);
    });
  }
  return (title, check) =>
    test.serial(title, async (t) => {
      check(t, (await once()).found as Found);
    });
}

/** Runs SOEM's script of a subject, captured where there are the programs for it. */
export async function runSoem(subject: string, python: string, programs?: Tshark): Promise<SoemRun> {
  using wire = makeTestWire(`s${subject}`);
  await using segment = new RunningCommand(
    ['simulate', join(FIXTURES, `${subject}.segment.yaml`), '--interface', wire.segment.interface, '--commands'],
    wire.segment.exec,
    'pipe',
  );
  await segment.event((line) => line.event === 'ready');
  const capture = programs === undefined ? undefined : await Capture.start(programs, wire.mainDevice);
  try {
    const [command = '', ...prefix] = wire.mainDevice.exec;
    const args = [...prefix, python, '-u', join(FIXTURES, `${subject}.py`), wire.mainDevice.interface];
    const script = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    const found = await converse(script, segment);
    await capture?.stop();
    return { found, capture, [Symbol.asyncDispose]: async () => capture?.[Symbol.asyncDispose]() };
  } catch (error) {
    await capture?.[Symbol.asyncDispose]();
    throw error;
  }
}

/** Hands the script's commands to the segment; resolves to what it found. */
async function converse(script: ChildProcess, segment: RunningCommand): Promise<unknown> {
  let errors = '';
  let found: unknown;
  let commands = 0;
  script.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const ended = once(script, 'close');
  if (script.stdout === null) throw new Error('a script without stdout');
  for await (const line of createInterface({ input: script.stdout })) {
    if (!line.startsWith('{')) throw new Error(`SOEM's script said: ${line}`);
    const said = JSON.parse(line) as { command?: unknown; found?: unknown };
    if (said.command === undefined) {
      found = said.found;
      continue;
    }
    commands += 1;
    segment.child.stdin?.write(`${JSON.stringify(said.command)}\n`);
    await segment.nth(commands, (answer) => answer.event === 'commanded' || answer.event === 'error');
    script.stdin?.write('\n');
  }
  const [code] = (await ended) as [number | null];
  if (code !== 0 || found === undefined) throw new Error(`SOEM's script ended with ${code}:\n${errors}`);
  const refused = segment.events.find((line) => line.event === 'error');
  if (refused !== undefined) throw new Error(`the segment refused a command: ${JSON.stringify(refused)}`);
  return found;
}

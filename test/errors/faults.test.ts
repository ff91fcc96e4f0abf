import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { readEvent } from '../../src/core/events.ts';
import { faultOfEvent } from '../../src/core/faults.ts';

/** The fault in an event of these five words, in short. */
function faultOf(kind: number, subject: number, a: number, b: number): string[] | undefined {
  const fault = faultOfEvent(readEvent(Uint32Array.of(kind, 7, subject, a, b), 0)!, 7, ['coupler', 'drive'], ['guard']);
  return fault && [fault.kind, fault.error.code, fault.error.message];
}

test('everything that goes wrong on a running bus is a fault with a code of its own', (t) => {
  const expected: readonly [number, number, number, number, string, string, string][] = [
    [
      2,
      1,
      0x14,
      0x1b,
      'sub-device-state',
      'ECAT_ERR_STATE_REFUSED',
      'drive at position 1 is in SAFE-OP: SyncManager watchdog: no outputs arrived in time (AL status code 0x001b)',
    ],
    [
      6,
      1,
      0x14,
      0x1b,
      'sub-device-state',
      'ECAT_ERR_STATE_REFUSED',
      'drive at position 1 is in SAFE-OP: SyncManager watchdog: no outputs arrived in time (AL status code 0x001b)',
    ],
    [
      2,
      0,
      0x12,
      0,
      'sub-device-state',
      'ECAT_ERR_STATE_REFUSED',
      'coupler at position 0 is in PRE-OP: it reports an error without a code',
    ],
    [
      3,
      0,
      2,
      6,
      'working-counter',
      'ECAT_ERR_WORKING_COUNTER',
      'datagram 0 came back with working counter 2 instead of 6',
    ],
    [5, 1, 0, 0, 'sub-device-lost', 'ECAT_ERR_SUBDEVICE_LOST', 'drive at position 1 does not answer'],
    [7, 0xffff_ffff, 1, 0, 'frames-lost', 'ECAT_ERR_FRAMES_LOST', '1 frame of the cycle did not come back'],
    [9, 0xffff_ffff, 0, 0, 'link-down', 'ECAT_ERR_LINK_DOWN', 'the network interface has no carrier'],
    [
      13,
      0xffff_ffff,
      3,
      0,
      'periods-missed',
      'ECAT_ERR_PERIODS_MISSED',
      '3 periods passed without a cycle, the cycle thread was late',
    ],
    [
      16,
      0,
      0,
      0,
      'interlock',
      'ECAT_ERR_INTERLOCK_FIRED',
      'interlock guard fired: its condition holds; it forces its outputs until it is acknowledged',
    ],
    [
      16,
      0,
      1,
      0,
      'interlock',
      'ECAT_ERR_INTERLOCK_FIRED',
      'interlock guard fired: its input is not good; it forces its outputs until it is acknowledged',
    ],
    [
      20,
      0xffff_ffff,
      1,
      0,
      'sub-device-unknown',
      'ECAT_ERR_SUBDEVICE_UNKNOWN',
      '1 SubDevice answers that was not brought up',
    ],
    [
      19,
      2,
      7,
      5,
      'consumer-late',
      'ECAT_ERR_CONSUMER_LATE',
      'consumer 2 in lockstep is 5 cycles behind and not waited for',
    ],
    [
      14,
      0xffff_ffff,
      1,
      1,
      'real-time-refused',
      'ECAT_ERR_REAL_TIME_REFUSED',
      'the system refused the priority of the cycle thread: operation not permitted',
    ],
  ];
  for (const [kind, subject, a, b, ...fault] of expected) t.deepEqual(faultOf(kind, subject, a, b), fault);
});

test('what is as it should be is no fault, and an event of a later version is left out', (t) => {
  for (const [kind, a] of [
    [1, 3],
    [2, 0x08],
    [4, 0],
    [6, 0x08],
    [8, 0],
    [10, 0],
    [12, 0],
    [17, 0],
    [18, 0],
  ] as const) {
    t.is(faultOf(kind, 0, a, 0), undefined);
  }
  t.is(readEvent(Uint32Array.of(99, 0, 0, 0, 0), 0), undefined);
});

test('an addon that cannot be loaded says which files were tried', async (t) => {
  const error = await t.throwsAsync(
    promisify(execFile)(process.execPath, ['src/cli/main.ts', 'scan', 'examples/line.yaml', '--json'], {
      cwd: join(import.meta.dirname, '../..'),
      env: { ...process.env, BIFROST_ETHERCAT_NATIVE: '/nowhere/addon.node' },
    }),
  );
  const { stdout } = error as Error & { stdout: string };
  const { code, message } = JSON.parse(stdout) as { code: string; message: string };
  t.is(code, 'ECAT_ERR_ADDON_MISSING');
  t.regex(message, /\/nowhere\/addon\.node/);
});

/**
 * Loads the native addon. The only file that does.
 *
 * Load it in the main thread first: one shared object serves the whole process, and its engines live as long
 * as the process has it.
 */

import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type * as Native from '../../native/binding/index.d.ts';
import { EtherCatError } from './errors/ethercat-error.ts';
import { LAYOUT_HASH } from './generated/layout.ts';

/** What the addon exports. */
export type NativeBinding = typeof Native;

export type {
  BindingAttachment,
  BindingClaims,
  BindingEngine,
  BindingEngineOptions,
  BindingInterlock,
  BindingLane,
  BindingNetwork,
  BindingOutputOptions,
  BindingSegment,
  BindingSegmentServer,
  BindingStartOptions,
} from '../../native/binding/index.d.ts';

/** Names an addon file to load in place of all others. */
const OVERRIDE = 'BIFROST_ETHERCAT_NATIVE';

const require = createRequire(import.meta.url);

let loaded: NativeBinding | undefined;

/**
 * The addon, loaded and checked on the first call.
 *
 * @throws EtherCatError `ECAT_ERR_ADDON_MISSING` where there is none for this platform or it does not load,
 * `ECAT_ERR_LAYOUT_MISMATCH` where it was built from other sources than this JavaScript.
 */
export function native(): NativeBinding {
  loaded ??= checked(load());
  return loaded;
}

/** Where the addon is looked for, in this order. The depth is the same in `src` and in `dist`. */
function candidates(): string[] {
  const override = process.env[OVERRIDE];
  if (override !== undefined && override !== '') return [override];
  return [
    fileURLToPath(new URL('../../native/bifrost-ethercat.node', import.meta.url)),
    `@bifrost-ethercat/native-${process.platform}-${process.arch}-gnu`,
  ];
}

function load(): NativeBinding {
  const failures: string[] = [];
  const causes: unknown[] = [];
  for (const candidate of candidates()) {
    try {
      return require(candidate) as NativeBinding;
    } catch (error) {
      causes.push(error);
      failures.push(`${candidate}: ${firstLine(error)}`);
    }
  }
  throw new EtherCatError(
    'ECAT_ERR_ADDON_MISSING',
    `no native addon for ${process.platform}-${process.arch} could be loaded:\n  ${failures.join('\n  ')}`,
    { cause: causes.length === 1 ? causes[0] : new AggregateError(causes, 'every candidate failed') },
  );
}

function checked(binding: NativeBinding): NativeBinding {
  const found = binding.layoutHash();
  if (found === LAYOUT_HASH) return binding;
  throw new EtherCatError(
    'ECAT_ERR_LAYOUT_MISMATCH',
    `the native addon (version ${binding.version()}) has the layout ${found}, this JavaScript ${LAYOUT_HASH}`,
  );
}

function firstLine(error: unknown): string {
  return String(error instanceof Error ? error.message : error).split('\n', 1)[0] ?? '';
}

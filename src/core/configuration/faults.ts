/** Faults: of a segment file what its schema cannot say, and those that are injected. */

import { EtherCatError } from '../errors/ethercat-error.ts';
import { didYouMean } from '../nearest.ts';
import { type Path, plainDocument } from './document.ts';
import type { FaultEffect, SegmentFault } from './fault-types.ts';
import { problem, schemaProblems, shown } from './problems.ts';

/** Keys of each effect beside `kind`: those that it needs, and those that it may have. */
const EFFECT_KEYS: Readonly<Record<FaultEffect['kind'], readonly [readonly string[], readonly string[]]>> = {
  drop: [[], []],
  truncate: [['bytes'], []],
  delay: [[], ['by_frames', 'by_ms']],
  duplicate: [[], ['copies']],
  reorder: [[], ['by']],
  replay: [[], ['age']],
  'wrong-index': [[], ['by']],
  'wrong-length': [[], ['by']],
  'flip-bits': [['offset', 'mask'], []],
  'working-counter': [['by'], []],
  corrupt: [[], []],
  cut: [[], []],
  'port-closed': [[], []],
  'carrier-loss': [[], []],
  swap: [['with'], []],
  'power-off': [[], []],
  bypass: [[], []],
  reset: [[], []],
  'pdi-hang': [[], []],
  identity: [[], ['vendor_id', 'product_code', 'revision', 'serial']],
  'sii-checksum': [[], []],
  'sii-empty': [[], []],
  'eeprom-busy': [[], []],
  'eeprom-error': [[], ['error']],
  'leave-state': [['state', 'code'], []],
  refuse: [['code'], ['to']],
  'slow-transition': [['delay_ms'], ['to']],
  watchdog: [[], []],
  mail: [['does'], ['protocol']],
  emergency: [['code'], ['register', 'data', 'times']],
  'clock-drift': [['ppm'], []],
  'clock-step': [['by_ns'], []],
  'clock-jitter': [['ns'], []],
  'sync0-loss': [[], []],
  'start-in-past': [[], []],
  'pll-loss': [[], []],
};

/** Checks the keys of effects, and that devices and faults that are named are there. */
export function checkFaults(
  faults: readonly SegmentFault[],
  devices: readonly (string | undefined)[],
  complain: (path: Path, message: string) => void,
): void {
  const known = new Set(devices.filter((name) => name !== undefined));
  const before = new Set<string>();
  for (const [index, { name, on, when, effect }] of faults.entries()) {
    const path: Path = ['faults', index];
    const checkDevice = (keys: Path, device: unknown): void => {
      if (device === undefined) return;
      if (typeof device === 'number') {
        if (device >= devices.length)
          complain([...path, ...keys], `is ${device}, but there are ${devices.length} devices`);
      } else if (!known.has(String(device))) {
        const hint = didYouMean(String(device), known);
        complain([...path, ...keys], `is ${shown(device)}, but no device is called that${hint}`);
      }
    };
    checkDevice(['on', 'device'], on?.device);
    checkDevice(['on', 'frames', 'device'], on?.frames?.device);
    const at = when?.at;
    if (at !== undefined && 'state' in at) checkDevice(['when', 'at', 'state', 'device'], at.state.device);
    if (at !== undefined && 'sdo' in at) checkDevice(['when', 'at', 'sdo', 'device'], at.sdo.device);
    if (at !== undefined && 'fault' in at && !before.has(at.fault.name)) {
      const message = `is ${shown(at.fault.name)}, but no fault before this one is called that`;
      complain([...path, 'when', 'at', 'fault', 'name'], message);
    }
    if (effect.kind === 'swap') checkDevice(['effect', 'with'], effect.with);
    checkEffect(effect, (keys, message) => complain([...path, ...keys], message));
    if (name !== undefined) before.add(name);
  }
}

/**
 * Checks the form of a fault that is injected; whether its devices are there the segment knows.
 * @throws `ECAT_ERR_INVALID_ARGUMENT` with everything that is wrong
 */
export function checkInjected(fault: SegmentFault): void {
  const document = plainDocument(fault);
  const problems = schemaProblems('segment.schema.json#/$defs/fault', document);
  if (problems.length === 0)
    checkEffect(fault.effect, (path, message) => void problems.push(problem(document, path, message)));
  const refused = problems.map(({ message }) => new EtherCatError('ECAT_ERR_INVALID_ARGUMENT', `fault: ${message}`));
  if (refused.length > 0) throw EtherCatError.combine(refused);
}

function checkEffect(effect: FaultEffect, complain: (path: Path, message: string) => void): void {
  const [needs, may] = EFFECT_KEYS[effect.kind];
  for (const key of needs)
    if (!(key in effect)) complain(['effect'], `needs the key ${key} with the kind ${effect.kind}`);
  for (const key of Object.keys(effect))
    if (key !== 'kind' && !needs.includes(key) && !may.includes(key))
      complain(['effect', key], `means nothing with the kind ${effect.kind}`);
}

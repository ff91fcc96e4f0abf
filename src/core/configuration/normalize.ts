/** From a document that fits its schema to the frozen configuration: cross-checks, defaults, units. */

import { EtherCatError } from '../errors/ethercat-error.ts';
import { type ParsedDocument, type Path, pathText } from './document.ts';
import { normalizeInterlocks } from './interlocks.ts';
import { DEADLINE_CYCLES_MIN, normalizeLanes } from './lanes.ts';
import { inOrder, problem, shown } from './problems.ts';
import { normalizeTags } from './tags.ts';
import type {
  ConfigurationDocument,
  DeviceConfiguration,
  LinkConfiguration,
  NormalizedConfiguration,
} from './types.ts';

const CYCLE_PERIOD_DEFAULT_US = 1000;
const CYCLE_PERIOD_US_MIN = 100;
const CYCLE_PERIOD_US_MAX = 100_000;
/** The SyncManager watchdog of a SubDevice trips after 100 ms too, unless it is configured otherwise. */
const OUTPUT_DEADLINE_DEFAULT_MS = 100;
/** More than the least, so that a short pause of a garbage collection is none. */
const OUTPUT_DEADLINE_CYCLES_DEFAULT_MIN = 10;
/** Slots of the input ring; each holds a whole process image. */
const HISTORY_SLOTS_MIN = 8;
const HISTORY_SLOTS_MAX = 65_536;

const NS_PER_US = 1000;
const US_PER_UNIT: Readonly<Record<string, number>> = { us: 1, µs: 1, μs: 1, ms: 1000, s: 1_000_000 };

/**
 * Checks what a schema cannot say, fills in defaults, and freezes the result.
 * @param link where the frames go: already read, since a segment may stand in a file of its own
 * @param segmentTime whether the time of a segment that is there already is virtual: whatever the document says
 * @throws EtherCatError `ECAT_ERR_CONFIGURATION_INVALID` or `ECAT_ERR_UNSUPPORTED`; `errors` holds every problem
 */
export function normalize(
  document: ParsedDocument,
  link: LinkConfiguration,
  segmentTime?: boolean,
): NormalizedConfiguration {
  const { ethercat } = document.value as ConfigurationDocument;
  const masterPath: Path = ['ethercat', ethercat.master === undefined ? 'main_device' : 'master'];
  const master = ethercat.master ?? ethercat.main_device ?? {};
  const problems: EtherCatError[] = [];
  const complain = (path: Path, message: string): void => void problems.push(problem(document, path, message));

  if (master.redundancy === true) {
    const path = [...masterPath, 'redundancy'];
    problems.push(
      new EtherCatError(
        'ECAT_ERR_UNSUPPORTED',
        `${pathText(path)}: cable redundancy comes with a later version than 0.1`,
        {
          location: document.locate(path),
        },
      ),
    );
  }
  const virtualTime = segmentTime ?? master.time === 'virtual';
  if (virtualTime && link.kind === 'interface') {
    complain([...masterPath, 'time'], 'can be virtual only with a simulated segment: a network card keeps wall time');
  }

  const cyclePeriodUs = microseconds(master.cycle_time ?? CYCLE_PERIOD_DEFAULT_US);
  if (cyclePeriodUs < CYCLE_PERIOD_US_MIN || cyclePeriodUs > CYCLE_PERIOD_US_MAX || !Number.isInteger(cyclePeriodUs)) {
    complain(
      [...masterPath, 'cycle_time'],
      `must be a whole number of µs from ${CYCLE_PERIOD_US_MIN} to ${CYCLE_PERIOD_US_MAX}, not ${shown(master.cycle_time)}`,
    );
  }
  const cyclePeriodMs = cyclePeriodUs / 1000;
  const preSpinUs = master.pre_spin_us ?? 0;
  if (preSpinUs > cyclePeriodUs / 2) {
    complain(
      [...masterPath, 'pre_spin_us'],
      `must be at most half of the cycle time (${cyclePeriodUs / 2} µs), not ${preSpinUs}`,
    );
  }
  const outputDeadlineMs =
    master.output_deadline_ms ??
    Math.max(OUTPUT_DEADLINE_DEFAULT_MS, OUTPUT_DEADLINE_CYCLES_DEFAULT_MIN * cyclePeriodMs);
  if (outputDeadlineMs !== 0 && outputDeadlineMs < DEADLINE_CYCLES_MIN * cyclePeriodMs) {
    complain(
      [...masterPath, 'output_deadline_ms'],
      `must be 0 (never) or at least ${DEADLINE_CYCLES_MIN} cycles (${DEADLINE_CYCLES_MIN * cyclePeriodMs} ms), not ${outputDeadlineMs}`,
    );
  }
  const historySlots =
    master.history_ms === undefined
      ? undefined
      : powerOfTwoAbove(Math.max(HISTORY_SLOTS_MIN, master.history_ms / cyclePeriodMs));
  if (historySlots !== undefined && historySlots > HISTORY_SLOTS_MAX) {
    complain(
      [...masterPath, 'history_ms'],
      `must be at most ${HISTORY_SLOTS_MAX} cycles (${Math.floor(HISTORY_SLOTS_MAX * cyclePeriodMs)} ms), not ${shown(master.history_ms)}`,
    );
  }

  const devices = normalizeDevices(document, complain);
  checkPartitions(master.partitions, devices, complain);
  const tags = normalizeTags(document, devices, complain);
  const lanes = normalizeLanes(document, { devices, tags, cyclePeriodMs, deadlineMs: outputDeadlineMs, complain });
  const interlocks = normalizeInterlocks(document, tags, complain);
  if (problems.length > 0) throw EtherCatError.combine(inOrder(problems));
  return deepFreeze<NormalizedConfiguration>({
    source: document.file,
    link,
    cyclePeriodNs: cyclePeriodUs * NS_PER_US,
    preSpinNs: preSpinUs * NS_PER_US,
    priority: master.priority,
    cpu: master.cpu,
    distributedClocks: master.distributed_clocks ?? false,
    virtualTime,
    historySlots,
    outputDeadlineMs,
    partitions: typeof master.partitions === 'number' ? master.partitions : undefined,
    signals: master.signals ?? false,
    devices,
    tags,
    lanes,
    interlocks,
  });
}

function normalizeDevices(
  document: ParsedDocument,
  complain: (path: Path, message: string) => void,
): DeviceConfiguration[] {
  const { devices = [] } = (document.value as ConfigurationDocument).ethercat;
  const names = new Map<string, Path>();
  const positions = new Map<number, string>();
  return devices.map((device, index) => {
    const path: Path = ['ethercat', 'devices', index];
    const sameName = names.get(device.name);
    if (sameName === undefined) names.set(device.name, path);
    else complain([...path, 'name'], `is ${shown(device.name)}, which ${pathText(sameName)} is called already`);
    const samePosition = positions.get(device.position);
    if (samePosition === undefined) positions.set(device.position, device.name);
    else complain([...path, 'position'], `is ${device.position}, which ${shown(samePosition)} has already`);
    return {
      name: device.name,
      position: device.position,
      vendorId: device.vendor_id,
      productCode: device.product_code,
      revision: device.revision,
      serial: device.serial,
      configFile: device.config_file,
      urgent: device.urgent,
      partition: device.partition,
      location: document.locate(path),
    };
  });
}

/** Either so many partitions, or those that the devices name. */
function checkPartitions(
  partitions: 'auto' | number | undefined,
  devices: readonly DeviceConfiguration[],
  complain: (path: Path, message: string) => void,
): void {
  if (typeof partitions !== 'number') return;
  for (const [index, { partition }] of devices.entries()) {
    if (partition === undefined || partition < partitions) continue;
    complain(
      ['ethercat', 'devices', index, 'partition'],
      `must be below the number of partitions (${partitions}), not ${partition}`,
    );
  }
}

/** A duration as the schema allows it, in µs: a number of µs, or text with a unit. */
function microseconds(duration: number | string): number {
  if (typeof duration === 'number') return duration;
  const [, digits = '', unit = 'us'] = /^([\d.]+) ?(\D+)$/.exec(duration) ?? [];
  // Rounded to ns, so that 0.3 ms is 300 µs and not 299.99999999999994.
  return Math.round(Number(digits) * (US_PER_UNIT[unit] ?? Number.NaN) * NS_PER_US) / NS_PER_US;
}

function powerOfTwoAbove(count: number): number {
  return 2 ** Math.ceil(Math.log2(count));
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const part of Object.values(value)) deepFreeze(part);
  }
  return value;
}

/** What a SubDevice's registers and the cycle say of its health. */

import type { Quality } from '../core/quality.ts';
import type { RegisterReading } from '../core/registers.ts';
import type { Connection } from './connections.ts';
import type { BifrostDiagnostics, BifrostHealthCheck, BifrostQuality, EtherCatDiagnostics } from './types.ts';

const AL_STATUS = 0x0130;
const ERROR_COUNTERS = 0x0300;
const ERROR_COUNTER_BYTES = 0x14;
const SYSTEM_TIME_DIFFERENCE = 0x092c;
const PORTS = 4;
/** Clocks that are further apart than this are not synchronised, by the field's common limit. */
const DC_DIFFERENCE_NS_MAX = 1000;

const qualities: Readonly<Record<Quality, BifrostQuality>> = {
  good: 'GOOD',
  stale: 'STALE',
  uncertain: 'UNCERTAIN',
  bad: 'BAD',
};

/** Bifrost's word for a quality. */
export function bifrostQuality(quality: Quality): BifrostQuality {
  return qualities[quality];
}

/**
 * Reads everything anew.
 * @throws (rejects with) what `SubDevice.readRegister` says
 */
export async function readDiagnostics(connection: Connection): Promise<BifrostDiagnostics> {
  const { activity } = connection;
  const diagnostics = await readEtherCat(connection);
  return {
    is_healthy: summarise(checksOf(connection, diagnostics)) !== 'CRITICAL',
    last_communication: activity.lastSuccess,
    response_time: activity.responseNs,
    error_count: activity.failures,
    success_rate: activity.successRate,
    connection_uptime: activity.uptimeNs,
    recent_errors: activity.errors,
    protocol_diagnostics: diagnostics,
  };
}

/** Checks what a person would look at first. Never rejects: what cannot be read is `UNKNOWN`. */
export async function checkHealth(connection: Connection | undefined): Promise<BifrostHealthCheck> {
  if (connection === undefined) {
    return {
      status: 'UNKNOWN',
      checks: [{ name: 'connectivity', status: 'UNKNOWN', message: 'the device is not connected' }],
    };
  }
  const diagnostics = await readEtherCat(connection).catch(() => undefined);
  const checks = checksOf(connection, diagnostics);
  return { status: summarise(checks), checks };
}

async function readEtherCat({ bus, subDevice }: Connection): Promise<EtherCatDiagnostics> {
  const [status, errors, difference] = await Promise.all([
    subDevice.readRegister(AL_STATUS, 6),
    subDevice.readRegister(ERROR_COUNTERS, ERROR_COUNTER_BYTES),
    subDevice.hasDistributedClock ? subDevice.readRegister(SYSTEM_TIME_DIFFERENCE, 4) : undefined,
  ]);
  const statistics = bus.statistics();
  const counter = (register: number): number => errors.data[register - ERROR_COUNTERS]!;
  return {
    al_state: subDevice.state,
    al_status_code: view(status).getUint16(4, true),
    quality: bifrostQuality(subDevice.quality),
    ports: Array.from({ length: PORTS }, (_, port) => ({
      invalid_frames: counter(0x0300 + 2 * port),
      rx_errors: counter(0x0301 + 2 * port),
      forwarded_errors: counter(0x0308 + port),
      lost_links: counter(0x0310 + port),
    })),
    processing_unit_errors: counter(0x030c),
    pdi_errors: counter(0x030d),
    dc_time_difference_ns: difference && signedMagnitude(view(difference).getUint32(0, true)),
    bus: {
      state: bus.state,
      cycles: statistics.cycles,
      missed_cycles: statistics.missedCycles,
      overruns: statistics.overruns,
      lost_frames: statistics.lostFrames,
      working_counter_errors: statistics.workingCounterErrors,
      start_lateness_p99: statistics.lateness.p99,
      round_trip_p99: statistics.roundTrip.p99,
    },
  };
}

type Check = BifrostHealthCheck['checks'][number];

function checksOf({ bus, subDevice }: Connection, diagnostics: EtherCatDiagnostics | undefined): Check[] {
  const check = (name: string, status: Check['status'], message: string): Check => ({ name, status, message });
  const { state, quality } = subDevice;
  const checks = [
    bus.state === 'OP' && quality !== 'bad'
      ? check('connectivity', 'HEALTHY', 'it answers')
      : check('connectivity', 'CRITICAL', `the bus is in ${bus.state}, the data of ${subDevice.name} are ${quality}`),
    state === 'OP'
      ? check('state', 'HEALTHY', 'it is in OP')
      : check('state', 'CRITICAL', `it is in ${state}, not in OP`),
    quality === 'good'
      ? check('working-counter', 'HEALTHY', 'its data are exchanged')
      : check('working-counter', 'WARNING', `its data are ${quality} in the newest cycle`),
  ];
  if (diagnostics === undefined) {
    return [...checks, check('dc', 'UNKNOWN', 'its registers could not be read'), timingCheck(bus.statistics())];
  }
  const difference = diagnostics.dc_time_difference_ns;
  if (difference === undefined) checks.push(check('dc', 'HEALTHY', 'it has no distributed clock'));
  else if (Math.abs(difference) <= DC_DIFFERENCE_NS_MAX)
    checks.push(check('dc', 'HEALTHY', `its clock is off by ${difference} ns`));
  else checks.push(check('dc', 'WARNING', `its clock is off by ${difference} ns, more than ${DC_DIFFERENCE_NS_MAX}`));
  return [...checks, timingCheck(bus.statistics())];
}

/** A thousandth of all periods may be missed before it is worth a word. */
function timingCheck({
  cycles,
  missedCycles,
  overruns,
}: {
  cycles: number;
  missedCycles: number;
  overruns: number;
}): Check {
  const message = `${missedCycles} of ${cycles + missedCycles} cycles missed, ${overruns} overran`;
  return { name: 'timing', status: missedCycles * 1000 > cycles + missedCycles ? 'WARNING' : 'HEALTHY', message };
}

function summarise(checks: readonly Check[]): BifrostHealthCheck['status'] {
  for (const status of ['CRITICAL', 'WARNING', 'UNKNOWN'] as const) {
    if (checks.some((check) => check.status === status)) return status;
  }
  return 'HEALTHY';
}

function view({ data }: RegisterReading): DataView {
  return new DataView(data.buffer, data.byteOffset, data.byteLength);
}

/** Register 0x092C: bit 31 set where the local time is the smaller one (ETG.1000.4, table of the DC registers). */
function signedMagnitude(word: number): number {
  const magnitude = word & 0x7fff_ffff;
  return word >>> 31 === 0 ? magnitude : -magnitude;
}

/** What a SubDevice's registers and the cycle say of its health. */

import { readRegisters } from '../core/health.ts';
import type { Quality } from '../core/quality.ts';
import { CLOCK_DIFFERENCE_NS_MAX } from './clock-watch.ts';
import type { Connection } from './connections.ts';
import type { BifrostDiagnostics, BifrostHealthCheck, BifrostQuality, EtherCatDiagnostics } from './types.ts';

const qualities: Readonly<Record<Quality, BifrostQuality>> = {
  good: 'GOOD',
  stale: 'STALE',
  uncertain: 'UNCERTAIN',
  bad: 'BAD',
};

/** Bifrost's word for a quality of a connection's data: who is out of step with the clock of the segment is `UNCERTAIN`. */
export function qualityIn({ clock }: Pick<Connection, 'clock'>, quality: Quality): BifrostQuality {
  return quality === 'good' && !clock.isSynchronised ? 'UNCERTAIN' : qualities[quality];
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

async function readEtherCat(connection: Connection): Promise<EtherCatDiagnostics> {
  const { bus, subDevice } = connection;
  const registers = await readRegisters(subDevice, bus.configuration.distributedClocks);
  const statistics = bus.statistics();
  return {
    al_state: subDevice.state,
    al_status_code: registers.alStatusCode,
    quality: qualityIn(connection, subDevice.quality),
    ports: registers.ports.map(({ invalidFrames, rxErrors, forwardedErrors, lostLinks }) => ({
      invalid_frames: invalidFrames,
      rx_errors: rxErrors,
      forwarded_errors: forwardedErrors,
      lost_links: lostLinks,
    })),
    processing_unit_errors: registers.processingUnitErrors,
    pdi_errors: registers.pdiErrors,
    dc_time_difference_ns: registers.clockDifferenceNs,
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
  if (difference === undefined)
    checks.push(check('dc', 'HEALTHY', 'it has no distributed clock, or its segment uses none'));
  else if (Math.abs(difference) <= CLOCK_DIFFERENCE_NS_MAX)
    checks.push(check('dc', 'HEALTHY', `its clock is off by ${difference} ns`));
  else
    checks.push(check('dc', 'WARNING', `its clock is off by ${difference} ns, more than ${CLOCK_DIFFERENCE_NS_MAX}`));
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

//! The statusword, and everything else that an axis shows.

use super::axis::{Axis, Motion};
use super::controller::Loop;
use super::modes::Mode;
use super::state_machine::State;
use crate::program::{Cell, ProgramIo};

const VOLTAGE: u16 = 1 << 4;
/// The controlword counts.
const REMOTE: u16 = 1 << 9;
const TARGET_REACHED: u16 = 1 << 10;
const INTERNAL_LIMIT: u16 = 1 << 11;
const MODE_12: u16 = 1 << 12;
const MODE_13: u16 = 1 << 13;

/// Objects that an axis shows, in the order of [`Display::show`].
const OBJECTS: [u16; 21] = [
    0x603F, 0x6041, 0x6061, 0x6062, 0x6063, 0x6064, 0x606B, 0x606C, 0x6074, 0x6077, 0x6078, 0x6079,
    0x60B9, 0x60BA, 0x60BB, 0x60BC, 0x60BD, 0x60F4, 0x60FA, 0x60FC, 0x60FD,
];

/// Where it shows it, and what it showed last.
#[derive(Clone, Debug, Default)]
pub(super) struct Display {
    places: [(Option<Cell>, Option<i64>); OBJECTS.len()],
    bus_voltage_mv: i64,
}

impl Display {
    pub(super) fn new(offset: u16, device: &ProgramIo<'_>, bus_voltage_v: f64) -> Self {
        Self {
            places: OBJECTS.map(|index| (device.cell(index + offset, 0), None)),
            bus_voltage_mv: (bus_voltage_v * 1e3) as i64,
        }
    }

    /// Writes what has changed.
    pub(super) fn show(&mut self, axis: &Axis, device: &mut ProgramIo<'_>) {
        let core = &axis.core;
        let (position, velocity) = core.actual();
        let demand = core.demand;
        let controlled = demand.control == Loop::Position;
        let demanded = if controlled { demand.position } else { position };
        let wrapped = |position| i64::from(core.axis_position(position) as i32);
        let torque = core.per_mille(core.plant.torque_nm());
        let probe_status = core.probes[0].status() | core.probes[1].status() << 8;
        let values: [i64; OBJECTS.len()] = [
            axis.error_code.into(),
            statusword(axis).into(),
            axis.mode.map_or(0, |mode| mode as i64),
            wrapped(demanded),
            i64::from(core.encoder.counts() as i32),
            wrapped(position),
            demand.velocity.round() as i64,
            velocity.round() as i64,
            core.per_mille(core.controller.torque_nm),
            torque,
            torque,
            self.bus_voltage_mv,
            probe_status.into(),
            core.probes[0].rising.into(),
            core.probes[0].falling.into(),
            core.probes[1].rising.into(),
            core.probes[1].falling.into(),
            if controlled { (demand.position - position).round() as i64 } else { 0 },
            demand.velocity.round() as i64,
            i64::from(core.counts(demanded) as i32),
            core.signals.digital_inputs().into(),
        ];
        for ((cell, last), value) in self.places.iter_mut().zip(values) {
            if let Some(cell) = cell
                && *last != Some(value)
            {
                *last = Some(value);
                device.set(*cell, value);
            }
        }
    }
}

fn statusword(axis: &Axis) -> u16 {
    let bit = |is: bool, bit: u16| if is { bit } else { 0 };
    let (state, core, modes) = (axis.state, &axis.core, &axis.modes);
    let enabled = state == State::OperationEnabled;
    let follows = enabled && matches!(axis.motion, Motion::Mode);
    let stands = match (&axis.motion, &axis.halt) {
        (Motion::Stop(stop), _) | (Motion::Mode, Some(stop)) => stop.done,
        _ => false,
    };
    let monitoring = &core.monitoring;
    let (reached, mode_12, mode_13) = match axis.mode {
        _ if !follows => (stands, false, false),
        Some(Mode::Csp) => (false, !modes.limited, monitoring.lost),
        Some(Mode::Csv | Mode::Cst) => (false, !modes.limited, false),
        Some(Mode::Pp) => {
            let reached = modes.pp.arrived && monitoring.position_reached;
            let reached = if axis.halt.is_some() { stands } else { reached };
            (reached, modes.pp.acknowledges, monitoring.lost)
        }
        Some(Mode::Pv) => {
            let reached = if axis.halt.is_some() { stands } else { monitoring.velocity_reached };
            (reached, !monitoring.moves, false)
        }
        Some(Mode::Hm) => {
            let rests = modes.hm.is_idle() || stands;
            (rests, modes.hm.attained, modes.hm.error)
        }
        None => (false, false, false),
    };
    state.status_bits()
        | bit(state.has_power(), VOLTAGE)
        | bit(axis.connected, REMOTE)
        | bit(reached, TARGET_REACHED)
        | bit(follows && (modes.limited || core.controller.saturated), INTERNAL_LIMIT)
        | bit(mode_12, MODE_12)
        | bit(mode_13, MODE_13)
}

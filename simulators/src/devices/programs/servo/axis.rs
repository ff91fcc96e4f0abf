//! One axis: its state, and what moves it.

use ecat_wire::mailbox::coe::emergency::Emergency;

use super::controller::{Demand, Loop};
use super::core::Core;
use super::description::ServoDescription;
use super::modes::csp::Csp;
use super::modes::hm::Hm;
use super::modes::pp::Pp;
use super::modes::pv::Pv;
use super::modes::{Mode, cst, csv};
use super::objects::{CommandCells, Parameter};
use super::options::{ConnectionLoss, Reaction, Stop};
use super::plant::{Plant, TICK_S};
use super::state_machine::{Command, Conditions, State, Transition, next};
use super::status::Display;
use crate::program::ProgramIo;

/// Error codes (0x603F): IEC 61800-7-201, "Error code".
const COMMUNICATION: u16 = 0x7500;
const FOLLOWING_ERROR: u16 = 0x8611;
const SYNC_CONTROLLER: u16 = 0x8700;

const FAULT_RESET: u16 = 1 << 7;
const HALT: u16 = 1 << 8;

/// How far behind the demand a stop still begins at the demand.
const REACH_REVOLUTIONS: f64 = 0.05;

/// What moves the axis.
#[derive(Clone, Copy, Debug)]
pub(super) enum Motion {
    /// Nothing: the power stage is off.
    Off,
    /// The mode of operation.
    Mode,
    /// It comes to rest, or holds where it has.
    Stop(Stop),
}

/// What the modes know.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Modes {
    csp: Csp,
    pub(super) pp: Pp,
    pv: Pv,
    pub(super) hm: Hm,
    /// A limit holds the mode back.
    pub(super) limited: bool,
}

/// One axis.
pub(super) struct Axis {
    supported: [bool; Mode::ALL.len()],
    release_s: f64,
    missed_most: u16,
    cells: CommandCells,
    display: Display,
    pub(super) core: Core,
    pub(super) state: State,
    /// Where a transition ends whose motion is under way.
    pending: Option<State>,
    pub(super) mode: Option<Mode>,
    pub(super) motion: Motion,
    pub(super) halt: Option<Stop>,
    pub(super) modes: Modes,
    /// For how long the brake has been opening.
    opened_s: f64,
    pub(super) connected: bool,
    /// In place of the controlword while nobody is connected.
    forced: Option<Command>,
    fault_reset: bool,
    fault: bool,
    pub(super) error_code: u16,
    pub(super) emergencies: [Option<u16>; 2],
    missed: u16,
}

impl Axis {
    pub(super) fn new(
        settings: &ServoDescription,
        offset: u16,
        seed: u64,
        plant: Plant,
        device: &ProgramIo<'_>,
    ) -> Self {
        Self {
            supported: Mode::ALL.map(|mode| settings.modes.contains(&mode)),
            release_s: settings.brake.as_ref().map_or(0.0, |brake| brake.release_ms * 1e-3),
            missed_most: settings.missed_set_points,
            cells: CommandCells::new(offset, device),
            display: Display::new(offset, device, settings.motor.bus_voltage_v),
            core: Core::new(settings, offset, seed, plant, device),
            state: State::NotReadyToSwitchOn,
            pending: None,
            mode: None,
            motion: Motion::Off,
            halt: None,
            modes: Modes::default(),
            opened_s: 0.0,
            connected: false,
            forced: Some(Command::DisableVoltage),
            fault_reset: false,
            fault: false,
            error_code: 0,
            emergencies: [None; 2],
            missed: 0,
        }
    }

    /// Reads what the MainDevice wants. `missing`: it should have sent set points since the last time, and has not.
    pub(super) fn read(&mut self, device: &ProgramIo<'_>, missing: bool) {
        let connected = device.drives_outputs();
        let enters = connected && !self.connected;
        self.core.parameters.refresh(device, enters);
        self.core.renew_limits();
        let commands = self.cells.read(device);
        if connected {
            let before = if enters { 0 } else { self.core.commands.controlword };
            self.fault_reset |= commands.controlword & !before & FAULT_RESET != 0;
            self.core.commands = commands;
            self.forced = None;
        } else {
            // Modes can be set before there is process data; one that is at work stays.
            if self.state != State::OperationEnabled {
                self.core.commands.mode = commands.mode;
            }
            if self.connected {
                self.lose_connection();
            }
        }
        self.connected = connected;
        self.take_mode();
        let runs = matches!(self.motion, Motion::Mode) && connected;
        self.missed = if missing && runs { self.missed.saturating_add(1) } else { 0 };
        let cyclic = matches!(self.mode, Some(Mode::Csp | Mode::Csv | Mode::Cst));
        if cyclic && self.missed_most > 0 && self.missed >= self.missed_most {
            self.raise(SYNC_CONTROLLER);
        }
        if self.missed > 0 {
            self.modes.csp.miss(&self.core.view());
        } else {
            self.modes.csp.take(&self.core.view());
        }
    }

    /// OP was left, or outputs are no longer valid.
    fn lose_connection(&mut self) {
        let moves = matches!(self.state, State::OperationEnabled | State::QuickStopActive);
        let code = self.core.parameters.get(Parameter::AbortConnection);
        match ConnectionLoss::of(code) {
            _ if !moves => self.forced = Some(Command::DisableVoltage),
            // It goes on with what came last.
            ConnectionLoss::Ignore => {}
            ConnectionLoss::Fault => self.raise(COMMUNICATION),
            ConnectionLoss::DisableVoltage => self.forced = Some(Command::DisableVoltage),
            ConnectionLoss::QuickStop => self.forced = Some(Command::QuickStop),
        }
    }

    fn raise(&mut self, code: u16) {
        if !matches!(self.state, State::Fault | State::FaultReactionActive) && !self.fault {
            (self.fault, self.error_code) = (true, code);
        }
    }

    /// Another mode takes over where it is one that the drive has; 0 is none.
    fn take_mode(&mut self) {
        let number = self.core.commands.mode;
        let wanted = Mode::of(number);
        let supported = Mode::ALL.into_iter().zip(self.supported);
        let has = supported.into_iter().any(|(mode, has)| has && Some(mode) == wanted);
        if wanted != self.mode && (has || number == 0) {
            self.mode = wanted;
            self.enter_mode();
        }
    }

    /// The mode begins where the axis is.
    fn enter_mode(&mut self) {
        self.halt = None;
        let core = &mut self.core;
        if core.demand.control != Loop::Position {
            core.demand = Demand::position(core.encoder.position, core.encoder.velocity);
        }
        core.monitoring.reset();
        let view = core.view();
        self.modes.limited = false;
        match self.mode {
            Some(Mode::Csp) => {
                self.modes.csp.enter(&view);
                self.modes.csp.take(&view);
            }
            Some(Mode::Pp) => self.modes.pp.enter(&view),
            Some(Mode::Pv) => self.modes.pv.enter(&view),
            Some(Mode::Hm) => self.modes.hm.enter(&view),
            Some(Mode::Csv | Mode::Cst) | None => {}
        }
    }

    /// One tick.
    pub(super) fn tick(&mut self, tick: u64) {
        self.change_state();
        let braked = self.brake();
        let demand = self.demand();
        let runs = matches!(self.motion, Motion::Mode) && self.mode == Some(Mode::Hm);
        let all = match (&self.motion, &self.halt) {
            (Motion::Stop(stop), _) | (Motion::Mode, Some(stop)) => stop.takes_all(),
            _ => false,
        };
        let cap = if runs { self.modes.hm.torque_cap(&self.core.view()) } else { None };
        self.core.turn(tick, demand, braked, cap, all);
        if let Some(home) = self.modes.hm.found.take() {
            let offset = self.core.parameters.real(Parameter::HomeOffset);
            self.core.set_home(home, offset);
        }
        self.watch();
    }

    /// Whether the brake is closed. It opens where the drive is about to take set points over.
    fn brake(&mut self) -> bool {
        let opens = match self.state {
            State::OperationEnabled | State::QuickStopActive | State::FaultReactionActive => {
                !matches!(self.motion, Motion::Off)
            }
            State::SwitchedOn => self.command() == Command::EnableOperation,
            _ => false,
        };
        self.opened_s = if opens { self.opened_s + TICK_S } else { 0.0 };
        self.opened_s < self.release_s || !opens
    }

    fn command(&self) -> Command {
        self.forced.unwrap_or_else(|| Command::of(self.core.commands.controlword))
    }

    fn change_state(&mut self) {
        let stop_code = self.core.parameters.get(Parameter::QuickStop);
        let stopped = match &self.motion {
            Motion::Stop(stop) => stop.done,
            Motion::Off => true,
            Motion::Mode => false,
        };
        let conditions = Conditions {
            ready: true,
            fault: std::mem::take(&mut self.fault),
            fault_reset: std::mem::take(&mut self.fault_reset),
            powered: self.opened_s >= self.release_s,
            stopped,
            quick_stop_stays: Reaction::of_quick_stop(stop_code).1,
        };
        let command = self.command();
        if let Some(to) = self.pending {
            // Only what is more urgent breaks a ramp off.
            let urgent =
                conditions.fault || matches!(command, Command::DisableVoltage | Command::QuickStop);
            if !urgent {
                if stopped {
                    (self.state, self.pending, self.motion) = (to, None, Motion::Off);
                }
                return;
            }
            self.pending = None;
        }
        if let Some(transition) = next(self.state, command, conditions) {
            self.pass(transition);
        }
    }

    /// What a transition does.
    fn pass(&mut self, Transition { number, to }: Transition) {
        let option = |parameter| self.core.parameters.get(parameter);
        match number {
            4 | 16 => {
                if number == 4 {
                    self.core.controller.reset();
                }
                self.motion = Motion::Mode;
                self.enter_mode();
            }
            5 | 8 => {
                let parameter =
                    if number == 5 { Parameter::DisableOperation } else { Parameter::Shutdown };
                let reaction = Reaction::of_disabling(option(parameter));
                if reaction != Reaction::Coast {
                    (self.motion, self.pending) = (Motion::Stop(self.stop(reaction)), Some(to));
                    return;
                }
                self.motion = Motion::Off;
            }
            11 => self.begin_stop(Reaction::of_quick_stop(option(Parameter::QuickStop)).0),
            13 => {
                let powered =
                    matches!(self.state, State::OperationEnabled | State::QuickStopActive)
                        && !matches!(self.motion, Motion::Off);
                let reaction = Reaction::of_halt_or_fault(option(Parameter::FaultReaction));
                self.emergencies[0] = Some(self.error_code);
                if powered {
                    self.begin_stop(reaction);
                } else {
                    self.motion = Motion::Off;
                }
            }
            15 => {
                self.error_code = 0;
                self.emergencies[1] = Some(0);
            }
            _ => self.motion = Motion::Off,
        }
        self.state = to;
    }

    fn begin_stop(&mut self, reaction: Reaction) {
        let stop = self.stop(reaction);
        self.motion = if stop.coasts() { Motion::Off } else { Motion::Stop(stop) };
    }

    /// The way to rest from here.
    fn stop(&self, reaction: Reaction) -> Stop {
        let core = &self.core;
        let slow = if self.mode == Some(Mode::Hm) {
            Parameter::HomingAcceleration
        } else {
            Parameter::ProfileDeceleration
        };
        let parameter =
            if reaction == Reaction::SlowDown { slow } else { Parameter::QuickStopDeceleration };
        let deceleration = core.parameters.real(parameter).min(core.limits.deceleration);
        let (demand, actual) = (&core.demand, core.actual());
        // From where it should be, unless that is out of reach: a set point that has jumped, or a fault for that.
        let far = (demand.position - actual.0).abs()
            > core.units_per_revolution * REACH_REVOLUTIONS
            || demand.velocity.abs() > core.limits.velocity;
        let from = if demand.control == Loop::Position && !far {
            (demand.position, demand.velocity)
        } else {
            actual
        };
        let peak = core.peak_nm();
        Stop::new(reaction, from, deceleration, peak, core.units_per_revolution)
    }

    /// What the controllers get; none: the power stage is off.
    fn demand(&mut self) -> Option<Demand> {
        let actual = self.core.actual();
        match &mut self.motion {
            Motion::Off => None,
            Motion::Stop(stop) => Some(stop.step(actual)),
            Motion::Mode => Some(self.mode_demand(actual)),
        }
    }

    fn mode_demand(&mut self, actual: (f64, f64)) -> Demand {
        let word = self.core.commands.controlword;
        if self.mode == Some(Mode::Pp) {
            self.modes.pp.take(&self.core.view());
        }
        if self.halts(word) {
            let code = self.core.parameters.get(Parameter::Halt);
            let mut halt = match self.halt {
                Some(halt) => halt,
                None => self.stop(Reaction::of_halt_or_fault(code)),
            };
            let demand = halt.step(actual);
            self.halt = Some(halt);
            return demand;
        }
        let resumes = self.halt.take().is_some();
        let view = self.core.view();
        let modes = &mut self.modes;
        let (demand, limited) = match self.mode {
            None => (Demand::position(view.demand.0, 0.0), false),
            Some(Mode::Csp) => (modes.csp.tick(&view), modes.csp.limited),
            Some(Mode::Csv) => csv::tick(&view),
            Some(Mode::Cst) => cst::tick(&view),
            Some(Mode::Pp) => {
                if resumes {
                    modes.pp.resume(&view);
                }
                (modes.pp.tick(&view), modes.pp.limited)
            }
            Some(Mode::Pv) => {
                if resumes {
                    modes.pv.enter(&view);
                }
                (modes.pv.tick(&view), modes.pv.limited)
            }
            Some(Mode::Hm) => {
                if resumes {
                    modes.hm.resume(&view);
                }
                (modes.hm.tick(&view), false)
            }
        };
        modes.limited = limited;
        demand
    }

    /// Controlword bit 8: in the modes with profiles of their own.
    fn halts(&self, word: u16) -> bool {
        word & HALT != 0 && matches!(self.mode, Some(Mode::Pp | Mode::Pv | Mode::Hm))
    }

    /// After the tick: is it where it should be?
    fn watch(&mut self) {
        let core = &mut self.core;
        let (position, velocity) = core.actual();
        let controlled =
            core.demand.control == Loop::Position && !matches!(self.motion, Motion::Off);
        let error = controlled.then_some(core.demand.position - position);
        let rest = self.modes.pp.target() - position;
        let difference = core.commands.target_velocity - velocity;
        if self.modes.pp.began {
            core.monitoring.restart_position();
        }
        core.monitoring.tick(&core.parameters, error, rest, difference, velocity);
        if core.monitoring.lost && matches!(self.motion, Motion::Mode) {
            self.raise(FOLLOWING_ERROR);
        }
    }

    /// Shows what it has to show.
    pub(super) fn show(&mut self, device: &mut ProgramIo<'_>) {
        let mut display = std::mem::take(&mut self.display);
        display.show(self, device);
        self.display = display;
    }

    /// Takes the emergencies that have come.
    pub(super) fn take_emergencies(&mut self) -> impl Iterator<Item = Emergency> + use<> {
        let data = [0; 5];
        std::mem::take(&mut self.emergencies).into_iter().flatten().map(move |code| Emergency {
            code,
            register: error_register(code),
            data,
        })
    }
}

/// Error register 0x1001: a fault, and whether it is one of communication or of the drive.
pub(super) const fn error_register(code: u16) -> u8 {
    match code {
        0 => 0,
        COMMUNICATION => 0x11,
        _ => 0x21,
    }
}

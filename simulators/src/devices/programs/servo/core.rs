//! What an axis knows of itself and of its machine in a tick; the modes look at it through a [`View`].

use super::controller::{Controller, Demand, Encoder};
use super::description::ServoDescription;
use super::limits::Limits;
use super::modes::View;
use super::monitoring::Monitoring;
use super::objects::{Commands, Parameters};
use super::plant::Plant;
use super::probe::Probe;
use super::switches::{Signals, Switches};
use crate::program::ProgramIo;

/// Machine, controllers, parameters and commands of an axis.
pub(super) struct Core {
    rated_nm: f64,
    peak_nm: f64,
    counts_per_unit: f64,
    pub(super) units_per_revolution: f64,
    pub(super) parameters: Parameters,
    pub(super) commands: Commands,
    pub(super) limits: Limits,
    /// What turns; it outlives a loss of power.
    pub(super) plant: Plant,
    pub(super) encoder: Encoder,
    pub(super) controller: Controller,
    switches: Switches,
    pub(super) signals: Signals,
    index: Option<f64>,
    /// Where position 0 of the axis is.
    zero: f64,
    pub(super) probes: [Probe; 2],
    pub(super) monitoring: Monitoring,
    /// What the controllers got last.
    pub(super) demand: Demand,
}

impl Core {
    pub(super) fn new(
        settings: &ServoDescription,
        offset: u16,
        seed: u64,
        plant: Plant,
        device: &ProgramIo<'_>,
    ) -> Self {
        let parameters = Parameters::new(offset, device);
        let units_per_revolution = f64::from(settings.encoder.units_per_revolution);
        let (rated_nm, peak_nm) = (settings.motor.rated_torque_nm, settings.motor.peak_torque_nm);
        let limits = Limits::new(&parameters, 0.0, units_per_revolution, [rated_nm, peak_nm]);
        let encoder = Encoder::new(settings, seed, &plant);
        let counts = f64::from(settings.encoder.counts_per_revolution);
        Self {
            rated_nm,
            peak_nm,
            counts_per_unit: counts / units_per_revolution,
            units_per_revolution,
            parameters,
            commands: Commands::default(),
            limits,
            demand: Demand::position(encoder.position, 0.0),
            plant,
            encoder,
            controller: Controller::new(settings),
            switches: Switches::new(settings),
            signals: Signals::default(),
            index: None,
            zero: 0.0,
            probes: [Probe::default(); 2],
            monitoring: Monitoring::default(),
        }
    }

    pub(super) fn view(&self) -> View<'_> {
        View {
            commands: &self.commands,
            parameters: &self.parameters,
            limits: &self.limits,
            signals: self.signals,
            demand: (self.demand.position, self.demand.velocity),
            actual: self.actual(),
            torque: self.controller.torque_nm / self.rated_nm,
            index: self.index,
            zero: self.zero,
            position: self.axis_position(self.encoder.position),
            rated_nm: self.rated_nm,
            units_per_revolution: self.units_per_revolution,
        }
    }

    /// Where it is, and how fast.
    pub(super) const fn actual(&self) -> (f64, f64) {
        (self.encoder.position, self.encoder.velocity)
    }

    /// A position of the machine as the axis counts it.
    pub(super) fn axis_position(&self, position: f64) -> i64 {
        (position - self.zero).round() as i64
    }

    pub(super) fn counts(&self, position: f64) -> i64 {
        (position * self.counts_per_unit).round() as i64
    }

    /// A torque in ‰ of the rated one.
    pub(super) fn per_mille(&self, torque_nm: f64) -> i64 {
        (torque_nm / self.rated_nm * 1e3).round() as i64
    }

    pub(super) const fn peak_nm(&self) -> f64 {
        self.peak_nm
    }

    pub(super) fn renew_limits(&mut self) {
        let torques = [self.rated_nm, self.peak_nm];
        let limits = Limits::new(&self.parameters, self.zero, self.units_per_revolution, torques);
        self.limits = limits.with_signals(self.signals);
    }

    /// Home is there: from now on the axis counts so that 0x607C is its position.
    ///
    /// As SV660N has it with 0x60E6 = 0, and AKD; the words of CiA 402 can be read the other way round.
    pub(super) fn set_home(&mut self, home: f64, offset: f64) {
        self.zero = home - offset;
        self.renew_limits();
    }

    /// One tick of controllers, machine and encoder. Without a demand the power stage is off. `torque_cap` in ‰; `all`
    /// gives all the torque that the motor has.
    pub(super) fn turn(
        &mut self,
        tick: u64,
        demand: Option<Demand>,
        braked: bool,
        torque_cap: Option<f64>,
        all: bool,
    ) {
        let voltage = demand.map(|demand| {
            self.demand = demand;
            let cap = torque_cap.map_or(f64::INFINITY, |cap| cap * self.rated_nm * 1e-3);
            let limits = if all { [self.peak_nm; 2] } else { self.limits.torque_nm };
            let limits = limits.map(|limit| limit.min(cap));
            let most = self.limits.velocity;
            let current = self.plant.current_a;
            self.controller.step(&demand, &self.encoder, current, limits, most)
        });
        if voltage.is_none() {
            self.controller.reset();
        }
        self.plant.step(voltage, braked);
        let before = self.encoder.position;
        self.encoder.sample(&self.plant, tick);
        if voltage.is_none() {
            self.demand = Demand::position(self.encoder.position, 0.0);
        }
        self.signals = self.switches.at(self.encoder.position);
        self.limits = self.limits.with_signals(self.signals);
        self.index = self.switches.index_between(before, self.encoder.position);
        self.probe();
    }

    fn probe(&mut self) {
        let position = self.axis_position(self.encoder.position) as i32;
        let index = self.index.map(|index| self.axis_position(index) as i32);
        let functions = [self.commands.probe_function, self.commands.probe_function >> 8];
        for ((probe, function), input) in
            self.probes.iter_mut().zip(functions).zip(self.signals.probes)
        {
            probe.tick(function, input, index, position);
        }
    }
}

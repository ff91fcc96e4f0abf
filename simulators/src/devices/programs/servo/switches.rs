//! Limit and home switches, the index of the encoder, and inputs of touch probes: functions of where the axis is.

use super::description::{RangeDescription, ServoDescription, SwitchesDescription};

/// What is on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Signals {
    pub(super) negative_limit: bool,
    pub(super) positive_limit: bool,
    pub(super) home: bool,
    pub(super) probes: [bool; 2],
}

impl Signals {
    /// 0x60FD: bits 0 to 2 as CiA 402 has them, inputs of touch probes from bit 16 on, which are a vendor's.
    pub(super) fn digital_inputs(self) -> u32 {
        let Self { negative_limit, positive_limit, home, probes } = self;
        let bits = [(negative_limit, 0), (positive_limit, 1), (home, 2)];
        let probes = [(probes[0], 16), (probes[1], 17)];
        bits.into_iter().chain(probes).fold(0, |all, (on, bit)| all | u32::from(on) << bit)
    }
}

/// The switches of an axis, in position units of the machine.
#[derive(Clone, Debug)]
pub(super) struct Switches {
    description: SwitchesDescription,
    units_per_revolution: f64,
    index_position: f64,
}

impl Switches {
    pub(super) fn new(settings: &ServoDescription) -> Self {
        Self {
            description: settings.switches.clone(),
            units_per_revolution: f64::from(settings.encoder.units_per_revolution),
            index_position: settings.encoder.index_position,
        }
    }

    pub(super) fn at(&self, position: f64) -> Signals {
        let within = |range: &RangeDescription| (range.from..=range.to).contains(&position);
        let SwitchesDescription { negative_limit, positive_limit, home, probes } =
            &self.description;
        Signals {
            negative_limit: negative_limit.is_some_and(|at| position <= at),
            positive_limit: positive_limit.is_some_and(|at| position >= at),
            home: home.as_ref().is_some_and(within),
            probes: [0, 1].map(|n| probes.get(n).is_some_and(within)),
        }
    }

    /// The index that lies between two positions, the first of which does not count.
    pub(super) fn index_between(&self, from: f64, to: f64) -> Option<f64> {
        let turn = |position: f64| (position - self.index_position) / self.units_per_revolution;
        let index = if to > from {
            let last = turn(to).floor();
            (last > turn(from)).then_some(last)
        } else {
            let first = turn(to).ceil();
            (first < turn(from)).then_some(first)
        };
        index.map(|turns| self.index_position + turns * self.units_per_revolution)
    }
}

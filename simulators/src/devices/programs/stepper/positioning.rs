//! The positioning interface (0x7020, 0x6020): travel commands by start types, on trapezoids.
//!
//! Start types by the vendor's documentation of EL70x7, "Start types". Times of ramps are those from standstill to
//! velocity max (assumed).

use super::super::servo::plant::TICK_S;
use super::objects::{Item, Read};

/// What a command does.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Command {
    To(f64),
    Endless(f64),
    /// To the cam, then off it.
    Calibrate {
        off: bool,
    },
}

/// The interface.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Positioning {
    command: Option<Command>,
    executed: bool,
    stops: Option<f64>,
    velocity: f64,
    velocity_max: f64,
    acceleration: f64,
    deceleration: f64,
    target: f64,
    pub(super) error: bool,
    pub(super) calibrated: bool,
    pub(super) in_target: bool,
    pub(super) accelerates: bool,
    pub(super) decelerates: bool,
    pub(super) drive_time_s: f64,
    /// The position begins anew with this value.
    pub(super) set_position: Option<f64>,
}

impl Positioning {
    pub(super) fn is_busy(&self) -> bool {
        self.command.is_some() || self.stops.is_some()
    }

    pub(super) fn velocity(&self) -> f64 {
        self.velocity
    }

    /// The stage is off: whatever was under way ends.
    pub(super) fn abandon(&mut self) {
        (self.command, self.stops, self.velocity) = (None, None, 0.0);
        (self.accelerates, self.decelerates) = (false, false);
    }

    /// Reads the outputs. `range` are full steps a second at 100 %, `scale` position units of a full step.
    pub(super) fn read(
        &mut self,
        read: &Read,
        position: f64,
        range: f64,
        scale: f64,
        carried: bool,
    ) {
        let execute = read.on(Item::Execute);
        let rises = !std::mem::replace(&mut self.executed, execute) && execute;
        let percent = |value: f64| value / 10_000.0 * range * scale;
        let most = percent(read.real(Item::VelocityMax));
        let ramp = |time_ms: f64| most / (time_ms.max(1.0) * 1e-3);
        if read.on(Item::EmergencyStop) && self.command.is_some() {
            self.command = None;
            self.stops = Some(ramp(read.real(Item::EmergencyDeceleration)));
        }
        if !execute && self.command.take().is_some() {
            self.stops = Some(self.deceleration);
        }
        if !rises || read.on(Item::EmergencyStop) {
            return;
        }
        let given = |cyclic, setting| {
            let value = read.get(cyclic);
            if carried && value != 0 { value as f64 } else { read.real(setting) }
        };
        self.velocity_max = percent(given(Item::PosVelocity, Item::VelocityMax)).abs().min(most);
        self.acceleration = ramp(given(Item::Acceleration, Item::SettingAcceleration));
        self.deceleration = ramp(given(Item::Deceleration, Item::SettingDeceleration));
        let kind = given(Item::StartType, Item::SettingStartType) as i64;
        let value = f64::from(read.get(Item::TargetPosition) as i32);
        let modulo = read.real(Item::ModuloFactor);
        (self.stops, self.error, self.in_target, self.drive_time_s) = (None, false, false, 0.0);
        let turned = |up: bool| {
            let away = (value - position).rem_euclid(modulo);
            if up || away == 0.0 { away } else { away - modulo }
        };
        self.command = match kind {
            0x0001 | 0x1001 => Some(Command::To(value)),
            0x0002 | 0x1002 => Some(Command::To(position + value)),
            0x0006 | 0x1006 => Some(Command::To(self.target + value)),
            0x0003 => Some(Command::Endless(1.0)),
            0x0004 => Some(Command::Endless(-1.0)),
            0x0105 | 0x0205 | 0x0305 if modulo > 0.0 => {
                let away = match kind {
                    0x0205 => turned(true),
                    0x0305 => turned(false),
                    _ if turned(true) <= modulo / 2.0 => turned(true),
                    _ => turned(false),
                };
                Some(Command::To(position + away))
            }
            0x6000 => {
                self.calibrated = false;
                Some(Command::Calibrate { off: false })
            }
            0x6E00 | 0x6F00 => {
                self.calibrated = kind == 0x6E00;
                None
            }
            _ => {
                self.error = true;
                None
            }
        };
        if let Some(Command::To(target)) = self.command {
            self.target = target;
        }
    }

    /// One tick from a set position on, with the cam; the velocity of the field in position units a second.
    pub(super) fn tick(
        &mut self,
        read: &Read,
        position: f64,
        cam: bool,
        range: f64,
        scale: f64,
    ) -> f64 {
        let before = self.velocity;
        let percent = |item| read.real(item) / 10_000.0 * range * scale;
        if let Some(deceleration) = self.stops {
            let step = deceleration * TICK_S;
            self.velocity -= self.velocity.clamp(-step, step);
            if self.velocity == 0.0 {
                self.stops = None;
            }
        }
        match self.command {
            None => {}
            Some(Command::Endless(direction)) => self.ramp(direction * self.velocity_max),
            Some(Command::To(target)) => {
                let rest = target - position;
                let quantum = (self.deceleration * TICK_S * TICK_S).max(1e-6);
                if rest.abs() <= quantum && self.velocity.abs() <= 2.0 * self.deceleration * TICK_S
                {
                    (self.velocity, self.command) = (rest / TICK_S, None);
                    self.in_target = true;
                    // What is left is less than a microstep.
                    let last = std::mem::take(&mut self.velocity);
                    (self.accelerates, self.decelerates) = (false, false);
                    return last;
                }
                let half = self.deceleration * TICK_S / 2.0;
                let stoppable = (half * half + 2.0 * self.deceleration * rest.abs()).sqrt() - half;
                self.ramp(self.velocity_max.min(stoppable).copysign(rest));
            }
            Some(Command::Calibrate { off: false }) => {
                // Towards the cam in negative direction, as long as 0x8021:12 says nothing else (assumed).
                self.ramp(-percent(Item::CalibrationToCam));
                if cam {
                    self.command = Some(Command::Calibrate { off: true });
                }
            }
            Some(Command::Calibrate { off: true }) => {
                self.ramp(percent(Item::CalibrationOffCam));
                if !cam && self.velocity > 0.0 {
                    self.set_position = Some(read.real(Item::CalibrationPosition));
                    (self.calibrated, self.command) = (true, None);
                    self.stops = Some(self.deceleration);
                }
            }
        }
        if self.is_busy() {
            self.drive_time_s += TICK_S;
        }
        self.accelerates = self.velocity.abs() > before.abs();
        self.decelerates = self.velocity.abs() < before.abs();
        self.velocity
    }

    fn ramp(&mut self, target: f64) {
        let slows = self.velocity * target < 0.0 || target.abs() < self.velocity.abs();
        let step = TICK_S * if slows { self.deceleration } else { self.acceleration };
        self.velocity += (target - self.velocity).clamp(-step, step);
    }
}

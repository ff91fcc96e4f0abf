//! Homing: methods 1 to 14, 17 to 30, 33 to 35, 37, and −1 to −4.
//!
//! IEC 61800-7-201, "Homing mode"; the table of edges as in Bonfiglioli's positioning manual (ACU 407), chapter 5.2, the ways
//! to them as in Brooks' "Homing methods 7 to 14"; methods −1 to −4 are those of maxon's EPOS4: to a stop in positive (−1,
//! −3) or negative direction (−2, −4), found by its torque, with the index behind it (−1, −2) or without. All methods by
//! switches are one mechanism: look for the switch, get to the side from which its edge is crossed slowly, cross it.

use super::super::controller::Demand;
use super::super::objects::Parameter;
use super::super::plant::TICK_S;
use super::super::profile::ramp;
use super::super::switches::Signals;
use super::View;

/// Controlword bit 4: start.
const START: u16 = 1 << 4;
/// A stop is one after so much time of pushing at rest.
const PUSH_S: f64 = 0.05;
/// What has been slow for so long stands.
const REST_S: f64 = 0.02;
/// An index comes within a revolution.
const INDEX_REVOLUTIONS: f64 = 1.5;
/// Slower than this share of a revolution a second it stands.
const REST_REVOLUTIONS_PER_S: f64 = 0.02;

/// What is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    NegativeLimit,
    PositiveLimit,
    Home,
    Stop,
    Index,
    Here,
}

/// A method.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Method {
    source: Source,
    /// Whether its edge is where the switch comes on.
    becomes_active: bool,
    /// Direction in which the edge is crossed, and the index looked for.
    approach: f64,
    /// Direction in which the switch is looked for.
    seek: f64,
    /// Whether the limit switch in that direction turns it round.
    turns: bool,
    /// Whether the index behind the edge is home.
    index: bool,
}

impl Method {
    fn of(number: i64) -> Option<Self> {
        const UP: f64 = 1.0;
        const DOWN: f64 = -1.0;
        let of = |source, becomes_active, approach, seek, turns| Self {
            source,
            becomes_active,
            approach,
            seek,
            turns,
            index: number <= 14,
        };
        Some(match number {
            // 17 to 30 are 1 to 14 without the index.
            1 | 17 => of(Source::NegativeLimit, false, UP, DOWN, false),
            2 | 18 => of(Source::PositiveLimit, false, DOWN, UP, false),
            3 | 19 => of(Source::Home, false, DOWN, UP, false),
            4 | 20 => of(Source::Home, true, UP, UP, false),
            5 | 21 => of(Source::Home, false, UP, DOWN, false),
            6 | 22 => of(Source::Home, true, DOWN, DOWN, false),
            7 | 23 => of(Source::Home, false, DOWN, UP, true),
            8 | 24 => of(Source::Home, true, UP, UP, true),
            9 | 25 => of(Source::Home, true, DOWN, UP, true),
            10 | 26 => of(Source::Home, false, UP, UP, true),
            11 | 27 => of(Source::Home, false, UP, DOWN, true),
            12 | 28 => of(Source::Home, true, DOWN, DOWN, true),
            13 | 29 => of(Source::Home, true, UP, DOWN, true),
            14 | 30 => of(Source::Home, false, DOWN, DOWN, true),
            33 => of(Source::Index, false, DOWN, DOWN, false),
            34 => of(Source::Index, false, UP, UP, false),
            35 | 37 => of(Source::Here, false, UP, UP, false),
            -1 | -3 => Self { index: number == -1, ..of(Source::Stop, false, DOWN, UP, false) },
            -2 | -4 => Self { index: number == -2, ..of(Source::Stop, false, UP, DOWN, false) },
            _ => return None,
        })
    }

    fn signal(&self, signals: Signals) -> bool {
        match self.source {
            Source::NegativeLimit => signals.negative_limit,
            Source::PositiveLimit => signals.positive_limit,
            Source::Home => signals.home,
            Source::Stop | Source::Index | Source::Here => false,
        }
    }

    /// Whether a limit switch other than the one that is looked for is on in a direction.
    fn is_at_end(&self, direction: f64, signals: Signals) -> bool {
        if direction < 0.0 {
            signals.negative_limit && self.source != Source::NegativeLimit
        } else {
            signals.positive_limit && self.source != Source::PositiveLimit
        }
    }
}

/// Where it is on its way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Step {
    #[default]
    Idle,
    /// To the switch.
    Seek,
    /// To the side of the edge from which it is crossed.
    Back,
    /// Over the edge.
    Approach,
    /// To the index.
    Index,
    /// Against a stop.
    Push,
    /// Home is found, or an error: it comes to rest.
    Settle,
}

/// Homing.
#[derive(Clone, Copy, Debug, Default)]
pub(in super::super) struct Hm {
    step: Step,
    method: Option<Method>,
    direction: f64,
    turned: bool,
    /// The level from which an edge counts has been there, in the right direction.
    armed: bool,
    travelled: f64,
    pushed_s: f64,
    rested_s: f64,
    position: f64,
    velocity: f64,
    last_bit: bool,
    /// Statusword bit 12.
    pub(in super::super) attained: bool,
    /// Statusword bit 13.
    pub(in super::super) error: bool,
    /// Home has been found here; whoever takes it moves the axis' zero.
    pub(in super::super) found: Option<f64>,
}

impl Hm {
    pub(in super::super) fn enter(&mut self, view: &View<'_>) {
        // What was attained stays; a start that is there already counts.
        (self.step, self.last_bit) = (Step::Idle, false);
        self.resume(view);
        self.velocity = view.actual.1;
    }

    /// The demand stands where somebody else has left it.
    pub(in super::super) fn resume(&mut self, view: &View<'_>) {
        (self.position, self.velocity) = view.demand;
    }

    pub(in super::super) fn is_idle(&self) -> bool {
        self.step == Step::Idle
    }

    /// The most torque while it pushes against a stop, in ‰.
    pub(in super::super) fn torque_cap(&self, view: &View<'_>) -> Option<f64> {
        (self.step == Step::Push).then(|| view.parameters.real(Parameter::HardStopTorque))
    }

    pub(in super::super) fn tick(&mut self, view: &View<'_>) -> Demand {
        let bit = view.commands.controlword & START != 0;
        let before = std::mem::replace(&mut self.last_bit, bit);
        if bit && !before {
            self.start(view);
        } else if !bit && !matches!(self.step, Step::Idle | Step::Settle) {
            // Interrupted.
            self.step = Step::Settle;
        }
        let (fast, slow) = (
            view.parameters.real(Parameter::HomingFast),
            view.parameters.real(Parameter::HomingSlow),
        );
        let target = match (self.step, self.method) {
            (Step::Seek, Some(method)) => self.seek(method, view) * fast,
            (Step::Back, Some(method)) => self.back(method, view) * fast,
            (Step::Approach, Some(method)) => self.approach(method, view) * slow,
            (Step::Index, Some(method)) => self.index(method, view) * slow,
            (Step::Push, Some(method)) => self.push(method, view) * fast,
            _ => 0.0,
        };
        let step = view.parameters.real(Parameter::HomingAcceleration).max(1.0);
        self.velocity = ramp(
            self.velocity,
            target.clamp(-view.limits.velocity, view.limits.velocity),
            step,
            step,
        );
        if self.step == Step::Push {
            // By velocity: a position would run away behind the stop.
            self.position = view.actual.0;
            return Demand::velocity(self.velocity);
        }
        self.position += self.velocity * TICK_S;
        let rest = REST_REVOLUTIONS_PER_S * view.units_per_revolution;
        let rests = self.velocity == 0.0 && view.actual.1.abs() < rest;
        self.rested_s = if rests { self.rested_s + TICK_S } else { 0.0 };
        if self.step == Step::Settle && self.rested_s >= REST_S {
            self.step = Step::Idle;
        }
        Demand::position(self.position, self.velocity)
    }

    fn start(&mut self, view: &View<'_>) {
        let method = Method::of(view.parameters.get(Parameter::HomingMethod));
        *self = Self {
            method,
            position: view.demand.0,
            velocity: self.velocity,
            last_bit: true,
            ..Self::default()
        };
        let Some(method) = method else { return self.fail() };
        self.direction = method.seek;
        match method.source {
            Source::Here => self.finish(view.actual.0),
            Source::Index => self.step = Step::Index,
            Source::Stop => self.step = Step::Push,
            _ if !method.signal(view.signals) => self.step = Step::Seek,
            _ if method.becomes_active => self.step = Step::Back,
            _ => self.step = Step::Approach,
        }
    }

    fn fail(&mut self) {
        (self.error, self.attained, self.step) = (true, false, Step::Settle);
    }

    fn finish(&mut self, home: f64) {
        (self.found, self.attained, self.step) = (Some(home), true, Step::Settle);
    }

    fn begin(&mut self, step: Step) {
        (self.step, self.armed, self.travelled) = (step, false, 0.0);
    }

    fn seek(&mut self, method: Method, view: &View<'_>) -> f64 {
        if method.signal(view.signals) {
            self.begin(if method.becomes_active { Step::Back } else { Step::Approach });
        } else if method.is_at_end(self.direction, view.signals) {
            if !method.turns || self.turned {
                self.fail();
                return 0.0;
            }
            (self.direction, self.turned) = (-self.direction, true);
        }
        self.direction
    }

    fn back(&mut self, method: Method, view: &View<'_>) -> f64 {
        let direction = -method.approach;
        let signal = method.signal(view.signals);
        let moves = view.actual.1 * direction > 0.0;
        if self.armed && !signal && moves {
            self.begin(Step::Approach);
            return method.approach;
        }
        self.armed |= signal && moves;
        if !signal && moves && method.is_at_end(direction, view.signals) {
            self.fail();
            return 0.0;
        }
        direction
    }

    fn approach(&mut self, method: Method, view: &View<'_>) -> f64 {
        let direction = method.approach;
        let signal = method.signal(view.signals);
        let moves = view.actual.1 * direction > 0.0;
        if self.armed && signal == method.becomes_active && moves {
            if method.index {
                self.begin(Step::Index);
            } else {
                self.finish(view.actual.0);
                return 0.0;
            }
        }
        self.armed |= signal != method.becomes_active && moves;
        if moves && method.is_at_end(direction, view.signals) && self.step == Step::Approach {
            self.fail();
            return 0.0;
        }
        direction
    }

    fn index(&mut self, method: Method, view: &View<'_>) -> f64 {
        let direction = method.approach;
        let moves = view.actual.1 * direction > 0.0;
        if let Some(index) = view.index.filter(|_| moves) {
            self.finish(index);
            return 0.0;
        }
        self.travelled += view.actual.1.abs() * TICK_S;
        let lost = self.travelled > INDEX_REVOLUTIONS * view.units_per_revolution;
        if lost || moves && method.is_at_end(direction, view.signals) {
            self.fail();
            return 0.0;
        }
        direction
    }

    fn push(&mut self, method: Method, view: &View<'_>) -> f64 {
        let enough = view.parameters.real(Parameter::HardStopTorque) * 0.99;
        let rests = view.actual.1.abs() < REST_REVOLUTIONS_PER_S * view.units_per_revolution;
        let pushes = view.torque * 1e3 * method.seek >= enough && rests;
        self.pushed_s = if pushes { self.pushed_s + TICK_S } else { 0.0 };
        if self.pushed_s >= PUSH_S {
            self.velocity = 0.0;
            self.position = view.actual.0;
            if method.index {
                self.begin(Step::Index);
                return method.approach;
            }
            self.finish(view.actual.0);
            return 0.0;
        }
        if method.is_at_end(method.seek, view.signals) {
            self.fail();
            return 0.0;
        }
        method.seek
    }
}

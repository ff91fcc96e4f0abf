//! The objects of a drive (IEC 61800-7-201): what a drive of the built-in type has, and what the program works with where
//! another device has fewer.

use super::description::ServoDescription;
use super::modes::Mode;
use crate::program::{Cell, ProgramIo};

/// By how much the objects of the next axis are higher.
pub const AXIS_DISTANCE: u16 = 0x800;

/// A parameter of an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parameter {
    AbortConnection,
    QuickStop,
    Shutdown,
    DisableOperation,
    Halt,
    FaultReaction,
    FollowingErrorWindow,
    FollowingErrorTimeout,
    PositionWindow,
    PositionWindowTime,
    VelocityWindow,
    VelocityWindowTime,
    VelocityThreshold,
    VelocityThresholdTime,
    MaxTorque,
    PositiveTorqueLimit,
    NegativeTorqueLimit,
    LeastPosition,
    GreatestPosition,
    HomeOffset,
    MaxProfileVelocity,
    MaxMotorSpeed,
    ProfileVelocity,
    ProfileAcceleration,
    ProfileDeceleration,
    QuickStopDeceleration,
    MaxAcceleration,
    MaxDeceleration,
    HomingMethod,
    HomingFast,
    HomingSlow,
    HomingAcceleration,
    HardStopTorque,
    InterpolationPeriod,
    InterpolationExponent,
}

/// Object, and what counts where a device does not have it.
const PARAMETERS: [(u16, u8, i64); 35] = [
    (0x6007, 0, 1),
    (0x605A, 0, 2),
    (0x605B, 0, 0),
    (0x605C, 0, 1),
    (0x605D, 0, 1),
    (0x605E, 0, 2),
    (0x6065, 0, 0xFFFF_FFFF),
    (0x6066, 0, 0),
    (0x6067, 0, 0xFFFF_FFFF),
    (0x6068, 0, 0),
    (0x606D, 0, 0xFFFF),
    (0x606E, 0, 0),
    (0x606F, 0, 0),
    (0x6070, 0, 0),
    (0x6072, 0, 0xFFFF),
    (0x60E0, 0, 0xFFFF),
    (0x60E1, 0, 0xFFFF),
    (0x607D, 1, i32::MIN as i64),
    (0x607D, 2, i32::MAX as i64),
    (0x607C, 0, 0),
    (0x607F, 0, 0xFFFF_FFFF),
    (0x6080, 0, 0xFFFF_FFFF),
    (0x6081, 0, 0),
    (0x6083, 0, 0xFFFF_FFFF),
    (0x6084, 0, 0xFFFF_FFFF),
    (0x6085, 0, 0xFFFF_FFFF),
    (0x60C5, 0, 0xFFFF_FFFF),
    (0x60C6, 0, 0xFFFF_FFFF),
    (0x6098, 0, 0),
    (0x6099, 1, 0),
    (0x6099, 2, 0),
    (0x609A, 0, 0xFFFF_FFFF),
    (0x2010, 0, 500),
    (0x60C2, 1, 1),
    (0x60C2, 2, -3),
];

/// The parameters of an axis as they are.
#[derive(Clone, Debug)]
pub(super) struct Parameters {
    cells: [Option<Cell>; PARAMETERS.len()],
    values: [i64; PARAMETERS.len()],
    writes: Option<u64>,
    /// PDOs carry one of them.
    cyclic: bool,
}

impl Parameters {
    pub(super) fn new(offset: u16, device: &ProgramIo<'_>) -> Self {
        Self {
            cells: PARAMETERS.map(|(index, subindex, _)| device.cell(index + offset, subindex)),
            values: PARAMETERS.map(|(.., value)| value),
            writes: None,
            cyclic: false,
        }
    }

    /// Reads them anew where they may have changed.
    pub(super) fn refresh(&mut self, device: &ProgramIo<'_>, enters_op: bool) {
        let writes = Some(device.object_writes());
        if enters_op {
            self.cyclic = self.cells.iter().flatten().any(|&cell| device.carries(cell));
        }
        if self.writes == writes && !self.cyclic && !enters_op {
            return;
        }
        self.writes = writes;
        for (value, cell) in self.values.iter_mut().zip(&self.cells) {
            if let Some(cell) = cell {
                *value = device.get(*cell);
            }
        }
    }

    pub(super) fn get(&self, parameter: Parameter) -> i64 {
        self.values[parameter as usize]
    }

    pub(super) fn real(&self, parameter: Parameter) -> f64 {
        self.get(parameter) as f64
    }

    /// Of an unsigned one that is nothing where it is 0 or has all bits set.
    pub(super) fn window(&self, parameter: Parameter) -> Option<f64> {
        let value = self.get(parameter) & 0xFFFF_FFFF;
        (value != 0 && value != 0xFFFF_FFFF).then_some(value as f64)
    }

    /// 0x60C2 in s, at least a tick.
    pub(super) fn interpolation_s(&self) -> f64 {
        let exponent = self.get(Parameter::InterpolationExponent).clamp(-6, 0) as i32;
        let period = self.real(Parameter::InterpolationPeriod) * 10f64.powi(exponent);
        period.max(super::plant::TICK_S)
    }
}

/// What a MainDevice wants of an axis.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Commands {
    pub(super) controlword: u16,
    pub(super) mode: i64,
    pub(super) target_position: i32,
    pub(super) target_velocity: f64,
    pub(super) target_torque: f64,
    pub(super) position_offset: f64,
    pub(super) velocity_offset: f64,
    pub(super) torque_offset: f64,
    pub(super) probe_function: u16,
}

/// Where [`Commands`] stand.
#[derive(Clone, Debug)]
pub(super) struct CommandCells([Option<Cell>; 9]);

impl CommandCells {
    pub(super) fn new(offset: u16, device: &ProgramIo<'_>) -> Self {
        const OBJECTS: [u16; 9] =
            [0x6040, 0x6060, 0x607A, 0x60FF, 0x6071, 0x60B0, 0x60B1, 0x60B2, 0x60B8];
        Self(OBJECTS.map(|index| device.cell(index + offset, 0)))
    }

    pub(super) fn read(&self, device: &ProgramIo<'_>) -> Commands {
        let value = |n: usize| self.0[n].map_or(0, |cell| device.get(cell));
        // A byte that no signed object describes is still a signed one.
        let mode = value(1) as i8;
        Commands {
            controlword: value(0) as u16,
            mode: mode.into(),
            target_position: value(2) as i32,
            target_velocity: f64::from(value(3) as i32),
            target_torque: f64::from(value(4) as i16),
            position_offset: f64::from(value(5) as i32),
            velocity_offset: f64::from(value(6) as i32),
            torque_offset: f64::from(value(7) as i16),
            probe_function: value(8) as u16,
        }
    }
}

/// Who can write an object, and which PDOs carry it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// A value that the drive shows.
    Constant,
    /// A value that the drive shows, also in PDOs.
    Actual,
    /// A parameter.
    Parameter,
    /// A set point: a parameter that PDOs can carry.
    SetPoint,
}

/// One value of a drive's dictionary.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) index: u16,
    pub(crate) subindex: u8,
    pub(crate) name: &'static str,
    /// Data type (ETG1000.6): 2 to 4 INTEGER8 to 32, 5 to 7 UNSIGNED8 to 32.
    pub(crate) data_type: u16,
    pub(crate) r#use: Use,
    pub(crate) range: Option<(i64, i64)>,
    pub(crate) value: i64,
}

/// Names of objects with several values, by index.
pub(crate) const RECORDS: [(u16, &str); 5] = [
    (0x607D, "Software position limit"),
    (0x608F, "Position encoder resolution"),
    (0x6092, "Feed constant"),
    (0x6099, "Homing speeds"),
    (0x60C2, "Interpolation time period"),
];

/// The values of an axis of the built-in type, without its PDOs. Defaults are turned into units by its settings.
pub(crate) fn rows(settings: &ServoDescription) -> Vec<Row> {
    const I8: u16 = 0x02;
    const I16: u16 = 0x03;
    const I32: u16 = 0x04;
    const U8: u16 = 0x05;
    const U16: u16 = 0x06;
    const U32: u16 = 0x07;
    let units = i64::from(settings.encoder.units_per_revolution);
    // In units of a revolution, as far as an object can hold it.
    let turns = |revolutions: f64| ((units as f64 * revolutions) as i64).clamp(1, 0xFFFF_FFFF);
    let short = |revolutions: f64| turns(revolutions).min(0xFFFF);
    let motor = &settings.motor;
    let peak = (motor.peak_torque_nm / motor.rated_torque_nm * 1e3) as i64;
    let rated_ma = (motor.rated_torque_nm / motor.torque_constant_nm_per_a * 1e3) as i64;
    let no_load_rpm =
        motor.bus_voltage_v / motor.torque_constant_nm_per_a * 60.0 / std::f64::consts::TAU;
    let modes = settings.modes.iter().fold(0, |bits, mode| bits | mode.supported_bit());
    let first = settings.modes.first().copied().unwrap_or(Mode::Csp) as i64;
    let row = |index, name, data_type, r#use, value| Row {
        index,
        subindex: 0,
        name,
        data_type,
        r#use,
        range: None,
        value,
    };
    let sub = |index, subindex, name, data_type, r#use, value| Row {
        subindex,
        ..row(index, name, data_type, r#use, value)
    };
    let code = |index, name, range, value| Row {
        range: Some(range),
        ..row(index, name, I16, Use::Parameter, value)
    };
    vec![
        row(0x2010, "Homing torque against a stop", U16, Use::Parameter, 500),
        code(0x6007, "Abort connection option code", (0, 3), 1),
        row(0x603F, "Error code", U16, Use::Actual, 0),
        row(0x6040, "Controlword", U16, Use::SetPoint, 0),
        row(0x6041, "Statusword", U16, Use::Actual, 0),
        code(0x605A, "Quick stop option code", (0, 8), 2),
        code(0x605B, "Shutdown option code", (0, 1), 0),
        code(0x605C, "Disable operation option code", (0, 1), 1),
        code(0x605D, "Halt option code", (1, 4), 1),
        code(0x605E, "Fault reaction option code", (0, 4), 2),
        row(0x6060, "Modes of operation", I8, Use::SetPoint, first),
        row(0x6061, "Modes of operation display", I8, Use::Actual, 0),
        row(0x6062, "Position demand value", I32, Use::Actual, 0),
        row(0x6063, "Position actual internal value", I32, Use::Actual, 0),
        row(0x6064, "Position actual value", I32, Use::Actual, 0),
        row(0x6065, "Following error window", U32, Use::Parameter, turns(1.0)),
        row(0x6066, "Following error time out", U16, Use::Parameter, 10),
        row(0x6067, "Position window", U32, Use::Parameter, turns(0.002)),
        row(0x6068, "Position window time", U16, Use::Parameter, 10),
        row(0x606B, "Velocity demand value", I32, Use::Actual, 0),
        row(0x606C, "Velocity actual value", I32, Use::Actual, 0),
        row(0x606D, "Velocity window", U16, Use::Parameter, short(0.1)),
        row(0x606E, "Velocity window time", U16, Use::Parameter, 10),
        row(0x606F, "Velocity threshold", U16, Use::Parameter, short(0.1)),
        row(0x6070, "Velocity threshold time", U16, Use::Parameter, 10),
        row(0x6071, "Target torque", I16, Use::SetPoint, 0),
        row(0x6072, "Max torque", U16, Use::SetPoint, peak),
        row(0x6074, "Torque demand", I16, Use::Actual, 0),
        row(0x6075, "Motor rated current", U32, Use::Constant, rated_ma),
        row(0x6076, "Motor rated torque", U32, Use::Constant, (motor.rated_torque_nm * 1e3) as i64),
        row(0x6077, "Torque actual value", I16, Use::Actual, 0),
        row(0x6078, "Current actual value", I16, Use::Actual, 0),
        row(0x6079, "DC link circuit voltage", U32, Use::Actual, 0),
        row(0x607A, "Target position", I32, Use::SetPoint, 0),
        row(0x607C, "Home offset", I32, Use::Parameter, 0),
        sub(0x607D, 1, "Min position limit", I32, Use::Parameter, i32::MIN.into()),
        sub(0x607D, 2, "Max position limit", I32, Use::Parameter, i32::MAX.into()),
        row(0x607F, "Max profile velocity", U32, Use::Parameter, turns(80.0)),
        row(0x6080, "Max motor speed", U32, Use::Parameter, no_load_rpm as i64),
        row(0x6081, "Profile velocity", U32, Use::SetPoint, turns(10.0)),
        row(0x6083, "Profile acceleration", U32, Use::SetPoint, turns(200.0)),
        row(0x6084, "Profile deceleration", U32, Use::SetPoint, turns(200.0)),
        row(0x6085, "Quick stop deceleration", U32, Use::Parameter, turns(800.0)),
        Row { range: Some((0, 0)), ..row(0x6086, "Motion profile type", I16, Use::Parameter, 0) },
        sub(
            0x608F,
            1,
            "Encoder increments",
            U32,
            Use::Constant,
            settings.encoder.counts_per_revolution.into(),
        ),
        sub(0x608F, 2, "Motor revolutions", U32, Use::Constant, 1),
        sub(0x6092, 1, "Feed", U32, Use::Constant, units),
        sub(0x6092, 2, "Shaft revolutions", U32, Use::Constant, 1),
        row(0x6098, "Homing method", I8, Use::SetPoint, 35),
        sub(0x6099, 1, "Speed during search for switch", U32, Use::Parameter, turns(2.0)),
        sub(0x6099, 2, "Speed during search for zero", U32, Use::Parameter, turns(0.2)),
        row(0x609A, "Homing acceleration", U32, Use::Parameter, turns(50.0)),
        row(0x60B0, "Position offset", I32, Use::SetPoint, 0),
        row(0x60B1, "Velocity offset", I32, Use::SetPoint, 0),
        row(0x60B2, "Torque offset", I16, Use::SetPoint, 0),
        row(0x60B8, "Touch probe function", U16, Use::SetPoint, 0),
        row(0x60B9, "Touch probe status", U16, Use::Actual, 0),
        row(0x60BA, "Touch probe 1 positive edge", I32, Use::Actual, 0),
        row(0x60BB, "Touch probe 1 negative edge", I32, Use::Actual, 0),
        row(0x60BC, "Touch probe 2 positive edge", I32, Use::Actual, 0),
        row(0x60BD, "Touch probe 2 negative edge", I32, Use::Actual, 0),
        sub(0x60C2, 1, "Interpolation time period value", U8, Use::Parameter, 1),
        sub(0x60C2, 2, "Interpolation time index", I8, Use::Parameter, -3),
        row(0x60C5, "Max acceleration", U32, Use::Parameter, 0xFFFF_FFFF),
        row(0x60C6, "Max deceleration", U32, Use::Parameter, 0xFFFF_FFFF),
        row(0x60E0, "Positive torque limit value", U16, Use::SetPoint, peak),
        row(0x60E1, "Negative torque limit value", U16, Use::SetPoint, peak),
        row(0x60F4, "Following error actual value", I32, Use::Actual, 0),
        row(0x60FA, "Control effort", I32, Use::Actual, 0),
        row(0x60FC, "Position demand internal value", I32, Use::Actual, 0),
        row(0x60FD, "Digital inputs", U32, Use::Actual, 0),
        row(0x60FF, "Target velocity", I32, Use::SetPoint, 0),
        row(0x6502, "Supported drive modes", U32, Use::Constant, modes),
    ]
}

//! The objects of the terminal, by the vendor's documentation of EL70x1: 0x70n0 outputs, 0x60n0 inputs, 0x80n0 settings.

use crate::program::{Cell, ProgramIo};

/// A value of the terminal that the program uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Item {
    LatchC,
    LatchRising,
    SetCounter,
    LatchFalling,
    SetCounterValue,
    Enable,
    Reset,
    ReduceTorque,
    Position,
    Velocity,
    Execute,
    EmergencyStop,
    TargetPosition,
    PosVelocity,
    StartType,
    Acceleration,
    Deceleration,
    Reversion,
    MaximalCurrent,
    ReducedCurrent,
    NominalVoltage,
    FullSteps,
    EncoderIncrements,
    StartVelocity,
    DriveOnDelay,
    OperationMode,
    SpeedRange,
    FeedbackType,
    InvertPolarity,
    InvertInput1,
    InvertInput2,
    VelocityMax,
    SettingAcceleration,
    SettingDeceleration,
    EmergencyDeceleration,
    CalibrationPosition,
    CalibrationToCam,
    CalibrationOffCam,
    TargetWindow,
    ModuloFactor,
    LagMaximum,
    SettingStartType,
    StopOnLag,
}

/// Object, and what counts where a device does not have it.
pub(super) const ITEMS: [(u16, u8, i64); 43] = [
    (0x7000, 0x01, 0),
    (0x7000, 0x02, 0),
    (0x7000, 0x03, 0),
    (0x7000, 0x04, 0),
    (0x7000, 0x11, 0),
    (0x7010, 0x01, 0),
    (0x7010, 0x02, 0),
    (0x7010, 0x03, 0),
    (0x7010, 0x11, 0),
    (0x7010, 0x21, 0),
    (0x7020, 0x01, 0),
    (0x7020, 0x02, 0),
    (0x7020, 0x11, 0),
    (0x7020, 0x21, 0),
    (0x7020, 0x22, 0),
    (0x7020, 0x23, 0),
    (0x7020, 0x24, 0),
    (0x8000, 0x0E, 0),
    (0x8010, 0x01, 5_000),
    (0x8010, 0x02, 2_500),
    (0x8010, 0x03, 50_000),
    (0x8010, 0x06, 200),
    (0x8010, 0x07, 4_096),
    (0x8010, 0x09, 0),
    (0x8010, 0x10, 100),
    (0x8012, 0x01, 0),
    (0x8012, 0x05, 1),
    (0x8012, 0x08, 0),
    (0x8012, 0x09, 0),
    (0x8012, 0x30, 0),
    (0x8012, 0x31, 0),
    (0x8020, 0x02, 10_000),
    (0x8020, 0x03, 1_000),
    (0x8020, 0x05, 1_000),
    (0x8020, 0x07, 100),
    (0x8020, 0x08, 0),
    (0x8020, 0x09, 100),
    (0x8020, 0x0A, 10),
    (0x8020, 0x0B, 10),
    (0x8020, 0x0E, 0),
    (0x8020, 0x10, 0),
    (0x8021, 0x01, 1),
    (0x8021, 0x14, 0),
];

/// What the program reads, as it is now.
#[derive(Clone, Debug)]
pub(super) struct Read {
    cells: [Option<Cell>; ITEMS.len()],
    values: [i64; ITEMS.len()],
}

impl Read {
    pub(super) fn new(device: &ProgramIo<'_>) -> Self {
        Self {
            cells: ITEMS.map(|(index, subindex, _)| device.cell(index, subindex)),
            values: ITEMS.map(|(.., value)| value),
        }
    }

    /// Outputs count only while they are driven; settings always.
    pub(super) fn refresh(&mut self, device: &ProgramIo<'_>, settings: bool) {
        let drives = device.drives_outputs();
        for ((value, cell), (index, ..)) in self.values.iter_mut().zip(&self.cells).zip(ITEMS) {
            let Some(cell) = cell else { continue };
            if index < 0x8000 {
                *value = if drives && device.carries(*cell) { device.get(*cell) } else { 0 };
            } else if settings {
                *value = device.get(*cell);
            }
        }
    }

    pub(super) fn carries(&self, device: &ProgramIo<'_>, item: Item) -> bool {
        self.cells[item as usize].is_some_and(|cell| device.carries(cell))
    }

    pub(super) fn get(&self, item: Item) -> i64 {
        self.values[item as usize]
    }

    pub(super) fn on(&self, item: Item) -> bool {
        self.get(item) != 0
    }

    pub(super) fn real(&self, item: Item) -> f64 {
        self.get(item) as f64
    }
}

/// What the program shows, in the order of [`super::Stepper::shown`].
pub(super) const SHOWN: [(u16, u8); 37] = [
    (0x6000, 0x01),
    (0x6000, 0x02),
    (0x6000, 0x03),
    (0x6000, 0x09),
    (0x6000, 0x0A),
    (0x6000, 0x0B),
    (0x6000, 0x0D),
    (0x6000, 0x10),
    (0x6000, 0x11),
    (0x6000, 0x12),
    (0x6010, 0x01),
    (0x6010, 0x02),
    (0x6010, 0x03),
    (0x6010, 0x04),
    (0x6010, 0x05),
    (0x6010, 0x06),
    (0x6010, 0x07),
    (0x6010, 0x0C),
    (0x6010, 0x0D),
    (0x6010, 0x10),
    (0x6010, 0x14),
    (0x6010, 0x15),
    (0x6020, 0x01),
    (0x6020, 0x02),
    (0x6020, 0x03),
    (0x6020, 0x04),
    (0x6020, 0x05),
    (0x6020, 0x06),
    (0x6020, 0x07),
    (0x6020, 0x11),
    (0x6020, 0x21),
    (0x6020, 0x22),
    (0xA010, 0x04),
    (0xA010, 0x05),
    (0xA010, 0x09),
    (0x9020, 0x04),
    (0x9010, 0x08),
];

//! What the tests of servos have in common: a drive in OP, and the usual words to it.

use crate::machine::Machine;

/// Position units of a revolution.
pub const TURN: i64 = 1 << 16;

pub const CONTROLWORD: u16 = 0x6040;
pub const STATUSWORD: u16 = 0x6041;
pub const ERROR_CODE: u16 = 0x603F;
pub const MODE: u16 = 0x6060;
pub const MODE_DISPLAY: u16 = 0x6061;
pub const POSITION: u16 = 0x6064;
pub const VELOCITY: u16 = 0x606C;
pub const TORQUE: u16 = 0x6077;
pub const TARGET_POSITION: u16 = 0x607A;
pub const TARGET_VELOCITY: u16 = 0x60FF;
pub const TARGET_TORQUE: u16 = 0x6071;
pub const FOLLOWING_ERROR: u16 = 0x60F4;
pub const DIGITAL_INPUTS: u16 = 0x60FD;

pub const PP: i64 = 1;
pub const PV: i64 = 3;
pub const HM: i64 = 6;
pub const CSP: i64 = 8;
pub const CSV: i64 = 9;
pub const CST: i64 = 10;

/// States by the bits 0 to 3, 5 and 6 of the statusword.
pub const SWITCH_ON_DISABLED: i64 = 0x40;
pub const READY_TO_SWITCH_ON: i64 = 0x21;
pub const SWITCHED_ON: i64 = 0x23;
pub const OPERATION_ENABLED: i64 = 0x27;
pub const QUICK_STOP_ACTIVE: i64 = 0x07;
pub const FAULT_REACTION_ACTIVE: i64 = 0x0F;
pub const FAULT: i64 = 0x08;

/// A drive with these settings beside its kind (JSON, with a comma in front), in PRE-OP.
pub fn prepared(settings: &str) -> Machine {
    Machine::new(&format!(r#"{{ "type": "servo", "program": {{ "kind": "servo"{settings} }} }}"#))
}

/// The same in OP.
pub fn drive(settings: &str) -> Machine {
    let mut machine = prepared(settings);
    machine.operate();
    machine
}

pub trait Drive {
    fn statusword(&self) -> i64;
    fn state(&self) -> i64;
    /// Sends a controlword and waits for what it does.
    fn command(&mut self, controlword: i64);
    /// To operation enabled in a mode, where the axis stands.
    fn enable(&mut self, mode: i64);
    fn position(&self) -> i64;
    fn velocity(&self) -> i64;
    fn torque(&self) -> i64;
    /// Bit of the statusword.
    fn has(&self, bit: u8) -> bool;
    fn write(&mut self, index: u16, subindex: u8, bytes: u8, value: i64);
    /// Cycles until the state is this one.
    fn reaches(&mut self, cycles: usize, state: i64);
}

impl Drive for Machine {
    fn statusword(&self) -> i64 {
        self.input(STATUSWORD, 0)
    }

    fn state(&self) -> i64 {
        let word = self.statusword();
        // Not all states mind bit 5.
        if word & 0x4F == 0x40 || word & 0x4F == 0x0F || word & 0x4F == 0x08 {
            word & 0x4F
        } else {
            word & 0x6F
        }
    }

    fn command(&mut self, controlword: i64) {
        self.set(CONTROLWORD, 0, controlword);
        self.cycles(3);
    }

    fn enable(&mut self, mode: i64) {
        self.set(MODE, 0, mode);
        self.set(TARGET_POSITION, 0, self.position());
        for word in [0x06, 0x07, 0x0F] {
            self.command(word);
        }
        self.reaches(100, OPERATION_ENABLED);
        assert_eq!(self.signed(MODE_DISPLAY, 0), mode);
    }

    fn position(&self) -> i64 {
        self.signed(POSITION, 0)
    }

    fn velocity(&self) -> i64 {
        self.signed(VELOCITY, 0)
    }

    fn torque(&self) -> i64 {
        self.signed(TORQUE, 0)
    }

    fn has(&self, bit: u8) -> bool {
        self.statusword() >> bit & 1 != 0
    }

    fn write(&mut self, index: u16, subindex: u8, bytes: u8, value: i64) {
        assert_eq!(self.download(index, subindex, bytes, value), Ok(()), "{index:#06x}");
    }

    fn reaches(&mut self, cycles: usize, state: i64) {
        let came = self.until(cycles, |machine| machine.state() == state);
        assert!(came, "{state:#04x} is not reached; statusword {:#06x}", self.statusword());
    }
}

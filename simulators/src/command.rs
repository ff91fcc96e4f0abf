//! What may be done to a running segment from outside: faults and inputs.

use ecat_wire::mailbox::soe::{Emergency as DriveEmergency, Idn};
use serde::Deserialize;

use crate::faults::{Effect, Fault, On, Way, When};
use crate::mailbox::MailFault;
use crate::segment::Segment;

/// A command to a running segment. Devices are numbered by their place in the description, from 0,
/// whether or not they answer at the moment. Those that are faults are short names for one ([`crate::faults`]): of
/// its kind it replaces the one at the same place.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum SegmentCommand {
    /// The device is taken out of the line and its cables are joined, so the others answer.
    Unplug {
        /** Which device. */
        device: u16,
    },
    /// The device is put in again: station address 0, INIT, no FMMU, no SyncManager, the local clock from 0.
    Plug {
        /** Which device. */
        device: u16,
    },
    /// The next frames do not come back. The devices have processed them.
    LoseFrames {
        /** How many frames. */
        count: u32,
    },
    /// The next frames get a bad checksum on their way into a port, as by a bad cable or plug. They do not
    /// come back; the devices count them from there on and take nothing but process data from them.
    CorruptFrames {
        /** Which device receives them so. */
        device: u16,
        /** At which port, 0 to 3; port 0 leads to the MainDevice. */
        port: u8,
        /** How many frames. */
        count: u32,
    },
    /// The answers to the next frames arrive late.
    DelayFrames {
        /** How many frames. */
        count: u32,
        /** After how many further frames were sent. */
        by_frames: u32,
    },
    /// The cable behind a device is cut, where it has branches the first one that frames take: the devices
    /// behind it keep their power, but see no frames.
    CutCable {
        /** The last device that still sees frames. */
        after: u16,
    },
    /// All cables are whole again.
    MendCable,
    /// The program of a device stops: it handles no request and no mail, and its watchdog expires. Or it goes on.
    HaltProgram {
        /** Which device. */
        device: u16,
        /** Whether it stops. */
        halted: bool,
    },
    /// The cable in one port of a device is cut.
    CutCableAt {
        /** Which device. */
        device: u16,
        /** Which port, 0 to 3; port 0 leads to the MainDevice. */
        port: u8,
    },
    /// The cable in one port of a device is whole again.
    MendCableAt {
        /** Which device. */
        device: u16,
        /** Which port, 0 to 3. */
        port: u8,
    },
    /// A port is closed: frames loop inside the device, whatever is plugged in (loop control 0x0101).
    ClosePort {
        /** Which device. */
        device: u16,
        /** Which port, 0 to 3. */
        port: u8,
    },
    /// A port opens and closes by itself again.
    OpenPort {
        /** Which device. */
        device: u16,
        /** Which port, 0 to 3. */
        port: u8,
    },
    /// Sets bits of a device's input process data. A signal on the same bits overwrites them.
    SetInput {
        /** Which device. */
        device: u16,
        /** First bit, counted from the start of the device's inputs. */
        bit_offset: u32,
        /** Number of bits, 1 to 64. */
        bit_length: u8,
        /** The value, in its lowest bits. */
        value: u64,
    },
    /// A latch input of a device's ESC has a level from now on; its change gets a time stamp.
    SetLatchInput {
        /** Which device. */
        device: u16,
        /** 0 or 1. */
        input: u8,
        /** Its level. */
        level: bool,
    },
    /// A device's program takes another state by itself.
    LeaveState {
        /** Which device. */
        device: u16,
        /** The state, as in register 0x0130: 1 INIT, 2 PRE-OP, 4 SAFE-OP. */
        state: u8,
        /** AL status code. */
        code: u16,
    },
    /// The selector of a device's explicit identification is turned.
    SetIdentification {
        /** Which device. */
        device: u16,
        /** What it says from now on. */
        identification: u16,
    },
    /// A module is plugged into a slot of a device, in place of what was there.
    PlugModule {
        /** Which device. */
        device: u16,
        /** Which slot, from 1. */
        slot: u8,
        /** Its number. */
        module: u32,
    },
    /// The module in a slot of a device is pulled.
    PullModule {
        /** Which device. */
        device: u16,
        /** Which slot, from 1. */
        slot: u8,
    },
    /// A device's program sends an emergency.
    RaiseEmergency {
        /** Which device. */
        device: u16,
        /** Error code. */
        code: u16,
        /** Error register. */
        register: u8,
        /** Five bytes. */
        data: [u8; 5],
    },
    /// A drive of a device sends an emergency (SoE).
    RaiseDriveEmergency {
        /** Which device. */
        device: u16,
        /** Which of its drives, from 0. */
        drive: u8,
        /** Error code; 0 ends one. */
        code: u16,
        /** Error register. */
        register: u8,
        /** Five bytes. */
        data: [u8; 5],
    },
    /// A drive of a device tells the value of an IDN without being asked (SoE).
    NotifyIdn {
        /** Which device. */
        device: u16,
        /** Which of its drives, from 0. */
        drive: u8,
        /** The IDN as a number: S-0-0047 is 47. */
        idn: u16,
    },
    /// Something goes wrong with a device's mail.
    DisturbMail {
        /** Which device. */
        device: u16,
        /** What, and when. */
        fault: MailFault,
    },
    /// The next pulses of a device's SYNC0 do not come.
    LosePulses {
        /** Which device. */
        device: u16,
        /** How many pulses. */
        count: u32,
    },
    /// A device's local clock runs fast by this from now on.
    SetClockDrift {
        /** Which device. */
        device: u16,
        /** In 10⁻⁹. */
        drift_ppb: i32,
    },
    /// A device's local clock jumps.
    StepClock {
        /** Which device. */
        device: u16,
        /** By how much, in ns. */
        by_ns: i64,
    },
    /// The carrier is gone: sending fails, and what was on its way is lost.
    LinkDown,
    /// The carrier is back.
    LinkUp,
    /// The link panics in its next `send`: the engine must survive that.
    Panic,
    /// A fault begins to wait or to act.
    #[serde(skip)]
    Inject {
        /** Its number. */
        number: u32,
        /** The fault. */
        fault: Fault,
    },
    /// A fault ends.
    #[serde(skip)]
    ClearFault {
        /** Its number. */
        number: u32,
    },
    /// All faults end.
    ClearFaults,
}

impl Segment {
    /// Carries a command out. Of those that concern frames on the link, links take the effect; `Panic` is the link's.
    pub fn apply(&mut self, command: SegmentCommand, now_ns: u64) {
        match command {
            SegmentCommand::Inject { number, fault } => self.arm(number, fault, now_ns),
            SegmentCommand::ClearFault { number } => self.clear_fault(number, now_ns),
            SegmentCommand::ClearFaults => self.clear_faults(now_ns),
            SegmentCommand::MendCable => self.mend_cable(None, now_ns),
            SegmentCommand::MendCableAt { device, port } => {
                self.mend_cable(Some((device, port)), now_ns);
            }
            SegmentCommand::SetInput { device, bit_offset, bit_length, value } => {
                self.set_input(device, bit_offset, bit_length, value);
            }
            SegmentCommand::SetLatchInput { device, input, level } => {
                self.set_latch_input(device, input, level, now_ns);
            }
            SegmentCommand::SetIdentification { device, identification } => {
                self.set_identification(device, identification);
            }
            SegmentCommand::PlugModule { device, slot, module } => {
                self.plug_module(device, slot, module, now_ns);
            }
            SegmentCommand::PullModule { device, slot } => {
                self.plug_module(device, slot, 0, now_ns)
            }
            SegmentCommand::RaiseDriveEmergency { device, drive, code, register, data } => {
                let emergency = DriveEmergency { drive, code, register, data };
                self.raise_emergency_of_drive(device, emergency, now_ns);
            }
            SegmentCommand::NotifyIdn { device, drive, idn } => {
                self.notify(device, drive, Idn(idn), now_ns);
            }
            SegmentCommand::Panic => {}
            other => {
                if let Some(meant) = self.meant(other) {
                    match meant {
                        Meant::Begins(fault) => self.set_fault(fault, now_ns),
                        Meant::Adds(fault) => self.add_fault(fault, now_ns),
                        Meant::Ends(on, kind) => self.lift_faults(on, kind, now_ns),
                    }
                }
            }
        }
    }

    /// The fault that a command is a short name for.
    fn meant(&self, command: SegmentCommand) -> Option<Meant> {
        let of = |device: u16| On { device: Some(device), ..On::default() };
        let at = |device: u16, port: u8| On { port: Some(port), ..of(device) };
        let link = On { link: Some(Way::In), ..On::default() };
        let begins = |on, effect| Meant::Begins(Fault { on, when: When::default(), effect });
        let next = |count| When { count: Some(count), ..When::default() };
        let adds = |on, effect, when| Meant::Adds(Fault { on, when, effect });
        Some(match command {
            SegmentCommand::Unplug { device } => begins(of(device), Effect::Bypass {}),
            SegmentCommand::Plug { device } => Meant::Ends(of(device), "bypass"),
            SegmentCommand::LoseFrames { count } => adds(link, Effect::Drop {}, next(count)),
            SegmentCommand::DelayFrames { count, by_frames } => {
                adds(link, Effect::Delay { by_frames, by_ns: None }, next(count))
            }
            SegmentCommand::CorruptFrames { device, port, count } => {
                adds(at(device, port), Effect::Corrupt {}, next(count))
            }
            SegmentCommand::CutCable { after } => {
                begins(at(after, self.port_behind(after)?), Effect::Cut {})
            }
            SegmentCommand::CutCableAt { device, port } => begins(at(device, port), Effect::Cut {}),
            SegmentCommand::ClosePort { device, port } => {
                begins(at(device, port), Effect::PortClosed {})
            }
            SegmentCommand::OpenPort { device, port } => {
                Meant::Ends(at(device, port), "port-closed")
            }
            SegmentCommand::HaltProgram { device, halted: true } => {
                begins(of(device), Effect::PdiHang {})
            }
            SegmentCommand::HaltProgram { device, halted: false } => {
                Meant::Ends(of(device), "pdi-hang")
            }
            SegmentCommand::LinkDown => begins(link, Effect::CarrierLoss {}),
            SegmentCommand::LinkUp => Meant::Ends(On::default(), "carrier-loss"),
            SegmentCommand::LosePulses { device, count } => {
                adds(of(device), Effect::Sync0Loss {}, next(count))
            }
            SegmentCommand::SetClockDrift { device, drift_ppb } => {
                let own_ppb = self.clock_drift_ppb(device)?;
                let ppb = drift_ppb.saturating_sub(own_ppb);
                begins(of(device), Effect::ClockDrift { ppb })
            }
            SegmentCommand::StepClock { device, by_ns } => {
                adds(of(device), Effect::ClockStep { by_ns }, When::default())
            }
            SegmentCommand::LeaveState { device, state, code } => {
                adds(of(device), Effect::LeaveState { state, code }, When::default())
            }
            SegmentCommand::RaiseEmergency { device, code, register, data } => {
                let effect = Effect::Emergency { code, register, data, times: 1 };
                adds(of(device), effect, When::default())
            }
            SegmentCommand::DisturbMail { device, fault } => {
                let when = When { after: fault.after, count: Some(fault.count), ..When::default() };
                adds(
                    of(device),
                    Effect::Mail { does: fault.effect, protocol: fault.protocol },
                    when,
                )
            }
            _ => return None,
        })
    }
}

/// What a command means: a fault in place of another, one more, or an end.
enum Meant {
    Begins(Fault),
    Adds(Fault),
    Ends(On, &'static str),
}

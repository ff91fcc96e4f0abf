//! What goes wrong with mail: of requests of a protocol, some pass, and the next ones meet the fault, so that any
//! stage of a transfer can be hit. Which ones do is decided with all other faults ([`crate::faults`]).

use ecat_wire::mailbox::Kind;
use serde::Deserialize;

/// Counters go from 1 to 7.
const COUNTER: u8 = 0x70;
const TYPE: u8 = 0x0F;
const COE: u8 = 3;
const FOE: u8 = 4;
/// In a mail: type and counter; the CoE service; the SDO command.
const TYPE_AT: usize = 5;
const SDO_COMMAND_AT: usize = 8;
/// Toggle bit of a segment's command, and the commands of answers that have it: 0x00 and 0x20.
const TOGGLE: u8 = 0x10;
const SEGMENT_COMMANDS: [u8; 2] = [0x00, 0x20];

/// A fault, and which requests meet it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MailFault {
    /// How many requests that it concerns pass before.
    #[serde(default)]
    pub after: u32,
    /// How many then meet it; 1 by default.
    #[serde(default = "once")]
    pub count: u32,
    /// Which protocol's requests it concerns; all that the effect can happen to by default.
    pub protocol: Option<MailProtocol>,
    /// What happens to them.
    pub effect: MailEffect,
}

const fn once() -> u32 {
    1
}

/// A protocol that mail carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum MailProtocol {
    /// ADS.
    #[serde(rename = "AoE")]
    Aoe,
    /// Ethernet.
    #[serde(rename = "EoE")]
    Eoe,
    /// CANopen.
    #[serde(rename = "CoE")]
    Coe,
    /// Files.
    #[serde(rename = "FoE")]
    Foe,
    /// Servo drive profile.
    #[serde(rename = "SoE")]
    Soe,
    /// The vendor's own.
    #[serde(rename = "VoE")]
    Voe,
}

impl MailProtocol {
    const fn kind(self) -> Kind {
        match self {
            Self::Aoe => Kind::Aoe,
            Self::Eoe => Kind::Eoe,
            Self::Coe => Kind::Coe,
            Self::Foe => Kind::Foe,
            Self::Soe => Kind::Soe,
            Self::Voe => Kind::Voe,
        }
    }
}

/// What happens to a request, or to its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum MailEffect {
    /// It is read, and nothing follows.
    Silence,
    /// It takes effect, and the answer is lost.
    LoseReply,
    /// The answer comes so much later.
    Late {
        /** In ms. */
        delay_ms: u32,
    },
    /// The answer comes after that of the next request.
    BehindNext,
    /// The answer has the counter of the one before.
    WrongCounter,
    /// The answer is of another protocol.
    WrongType,
    /// A segment is answered with the wrong toggle bit.
    WrongToggle,
    /// The answer is a mailbox error.
    ErrorReply {
        /** Its detail, for example 1 for a wrong syntax. */
        detail: u16,
    },
    /// An SDO is aborted.
    Abort {
        /** SDO abort code. */
        code: u32,
    },
    /// A file transfer gets busy instead of an answer, and nothing of the packet is taken.
    FileBusy,
    /// A file transfer ends with an error.
    FileError {
        /** Error code, for example 0x8002. */
        code: u32,
    },
    /// A drive refuses a request.
    DriveError {
        /** SoE error code, for example 0x7005. */
        code: u16,
    },
    /// ADS refuses a request.
    AdsError {
        /** ADS error, for example 0x708. */
        code: u32,
    },
    /// Addresses or the filter of Ethernet are refused.
    EthernetResult {
        /** EoE result, for example 0x0201. */
        code: u16,
    },
    /// A fragment of a frame that the device sends does not come. Those that it receives are lost by silence, with EoE
    /// for the protocol.
    LoseFragment,
}

impl MailEffect {
    /// Whether it can happen to a request of this kind, where it is one of that protocol.
    pub(crate) fn concerns(self, kind: Kind, protocol: Option<MailProtocol>) -> bool {
        let possible = match self {
            Self::Abort { .. } | Self::WrongToggle => kind == Kind::Coe,
            Self::FileBusy | Self::FileError { .. } => kind == Kind::Foe,
            Self::DriveError { .. } => kind == Kind::Soe,
            Self::AdsError { .. } => kind == Kind::Aoe,
            Self::EthernetResult { .. } => kind == Kind::Eoe,
            Self::LoseFragment => false,
            _ => true,
        };
        possible && protocol.is_none_or(|protocol| protocol.kind() == kind)
    }
}

/// Spoils an answer.
pub(super) fn spoil(effect: MailEffect, mail: &mut [u8]) {
    match effect {
        MailEffect::WrongCounter => {
            if let Some(byte) = mail.get_mut(TYPE_AT) {
                let counter = (*byte & COUNTER) >> 4;
                let before = if counter <= 1 { 7 } else { counter - 1 };
                *byte = *byte & !COUNTER | before << 4;
            }
        }
        MailEffect::WrongType => {
            if let Some(byte) = mail.get_mut(TYPE_AT) {
                let other = if *byte & TYPE == COE { FOE } else { COE };
                *byte = *byte & !TYPE | other;
            }
        }
        MailEffect::WrongToggle => {
            if let Some(command) = mail.get_mut(SDO_COMMAND_AT)
                && SEGMENT_COMMANDS.contains(&(*command & 0xE0))
            {
                *command ^= TOGGLE;
            }
        }
        _ => {}
    }
}

//! Mailbox protocols and what is to be sent by them (`Mailbox`).

use crate::error::EsiError;
use crate::pdo::SlotIndex;
use crate::reader::Element;

/// The mailbox protocols of a device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mailbox {
    /// It repeats a lost mail (`DataLinkLayer`).
    pub data_link_layer: bool,
    /// ADS.
    pub aoe: Option<Aoe>,
    /// Ethernet.
    pub eoe: Option<Eoe>,
    /// CANopen.
    pub coe: Option<Coe>,
    /// Files.
    pub foe: bool,
    /// Servo drive profile.
    pub soe: Option<Soe>,
    /// The vendor's own.
    pub voe: bool,
    /// What is to be sent on the way between states, in the order of the file, protocol by protocol.
    pub init_commands: Vec<InitCommand>,
}

/// ADS over EtherCAT.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Aoe {
    /// `AdsRouter`.
    pub router: bool,
    /// `GenerateOwnNetId`.
    pub generates_net_id: bool,
    /// `InitializeOwnNetId`.
    pub initializes_net_id: bool,
}

/// Ethernet over EtherCAT.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Eoe {
    /// It has an IP address.
    pub ip: bool,
    /// It has a MAC address.
    pub mac: bool,
    /// It stamps frames.
    pub time_stamp: bool,
}

/// CANopen over EtherCAT.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coe {
    /// SDO information.
    pub sdo_information: bool,
    /// The assignment of PDOs can be written.
    pub pdo_assignment: bool,
    /// The content of PDOs can be written.
    pub pdo_configuration: bool,
    /// PDOs are to be read from the device.
    pub pdo_upload: bool,
    /// Whole objects at once.
    pub complete_access: bool,
    /// Values of more than one mail; none: not said.
    pub segmented_sdo: Option<bool>,
    /// Object 0x10F3.
    pub diagnosis_history: bool,
    /// `SdoUploadWithMaxLength`.
    pub upload_with_maximum_length: bool,
    /// `TimeDistribution`.
    pub time_distribution: bool,
    /// Number of axes of CiA 402 (`DS402Channels`, obsolete).
    pub ds402_channels: Option<u8>,
    /// File that describes the dictionary (`EdsFile`).
    pub eds_file: Option<String>,
}

/// Servo drive profile over EtherCAT.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Soe {
    /// Drives.
    pub channels: Option<u8>,
    /// Status bit 3 follows the set points (`DriveFollowsBit3Support`).
    pub drive_follows_bit_3: bool,
}

/// What an init command writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// An object, by SDO.
    Object {
        /** Index. */
        index: SlotIndex,
        /** Subindex. */
        subindex: u8,
        /** The whole object at once. */
        complete: bool,
    },
    /// A parameter of a drive, by SoE.
    Parameter {
        /** Number. */
        idn: u16,
        /** Drive. */
        channel: u8,
    },
    /// The data of an EoE mail of this type.
    Eoe(u8),
    /// The data of an AoE mail.
    Aoe,
}

/// Something to be sent on the way between two states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InitCommand {
    /// Transitions by their letters: `IP`, `PS`, `SO` …
    pub transitions: Vec<String>,
    /// What it writes.
    pub target: Target,
    /// The bytes.
    pub data: Vec<u8>,
    /// Why.
    pub comment: String,
    /// A module's command takes its place (`OverwrittenByModule`).
    pub overwritten_by_module: bool,
}

const AOE: u16 = 0x01;
const EOE: u16 = 0x02;
const COE: u16 = 0x04;
const FOE: u16 = 0x08;
const SOE: u16 = 0x10;
const VOE: u16 = 0x20;

impl Mailbox {
    /// The protocols as word 0x1C of an SII has them.
    #[must_use]
    pub fn protocols(&self) -> u16 {
        let protocols = [
            (AOE, self.aoe.is_some()),
            (EOE, self.eoe.is_some()),
            (COE, self.coe.is_some()),
            (FOE, self.foe),
            (SOE, self.soe.is_some()),
            (VOE, self.voe),
        ];
        protocols.into_iter().filter(|(_, there)| *there).fold(0, |all, (bit, _)| all | bit)
    }

    pub(crate) fn read(element: &Element<'_>) -> Result<Self, EsiError> {
        element.ignores_all_but(&["AoE", "EoE", "CoE", "FoE", "SoE", "VoE", "VendorSpecific"]);
        let (aoe, eoe) = (element.child("AoE"), element.child("EoE"));
        let (coe, soe) = (element.child("CoE"), element.child("SoE"));
        let mut init_commands = Vec::new();
        for protocol in [coe, soe, eoe, aoe].into_iter().flatten() {
            for command in protocol.children("InitCmd") {
                init_commands.extend(InitCommand::read(&command, protocol.name())?);
            }
        }
        Ok(Self {
            data_link_layer: element.flag("DataLinkLayer"),
            aoe: aoe.map(|aoe| Aoe {
                router: aoe.flag("AdsRouter"),
                generates_net_id: aoe.flag("GenerateOwnNetId"),
                initializes_net_id: aoe.flag("InitializeOwnNetId"),
            }),
            eoe: eoe.map(|eoe| Eoe {
                ip: eoe.flag("IP"),
                mac: eoe.flag("MAC"),
                time_stamp: eoe.flag("TimeStamp"),
            }),
            coe: coe.map(|coe| Coe::read(&coe)),
            foe: element.child("FoE").is_some(),
            soe: soe.map(|soe| Soe {
                channels: soe.attribute("ChannelCount").and_then(|one| one.number()),
                drive_follows_bit_3: soe.flag("DriveFollowsBit3Support"),
            }),
            voe: element.child("VoE").is_some(),
            init_commands,
        })
    }
}

impl Coe {
    fn read(element: &Element<'_>) -> Self {
        element.ignores_all_but(&["Object", "InitCmd"]);
        // The schema before version 1.4, and files after it, write SDOInfo.
        let sdo_information = element.flag("SdoInfo") || element.flag("SDOInfo");
        Self {
            sdo_information,
            pdo_assignment: element.flag("PdoAssign"),
            pdo_configuration: element.flag("PdoConfig"),
            pdo_upload: element.flag("PdoUpload"),
            complete_access: element.flag("CompleteAccess"),
            segmented_sdo: element.attribute("SegmentedSdo").map(|one| one.flag()),
            diagnosis_history: element.flag("DiagHistory"),
            upload_with_maximum_length: element.flag("SdoUploadWithMaxLength"),
            time_distribution: element.flag("TimeDistribution"),
            ds402_channels: element.attribute("DS402Channels").and_then(|one| one.number()),
            eds_file: element.attribute("EdsFile").map(|one| one.text().to_owned()),
        }
    }
}

impl InitCommand {
    /// A command; one without a transition does nothing and is left out.
    fn read(element: &Element<'_>, protocol: &str) -> Result<Option<Self>, EsiError> {
        element.ignores_all_but(&[
            "Transition",
            "Index",
            "SubIndex",
            "IDN",
            "Type",
            "Data",
            "Comment",
        ]);
        let transitions: Vec<String> =
            element.children("Transition").map(|one| one.text().to_ascii_uppercase()).collect();
        if transitions.is_empty() {
            element.warn("has no Transition; it is left out");
            return Ok(None);
        }
        let target = match protocol {
            "CoE" => Target::Object {
                index: SlotIndex::read(&element.required("Index")?)?,
                subindex: element.optional_number("SubIndex").unwrap_or(0),
                complete: element.flag("CompleteAccess"),
            },
            "SoE" => Target::Parameter {
                idn: element.child_number("IDN")?,
                channel: element.attribute("Chn").and_then(|one| one.number()).unwrap_or(0),
            },
            "EoE" => Target::Eoe(element.optional_number("Type").unwrap_or(0)),
            _ => Target::Aoe,
        };
        Ok(Some(Self {
            transitions,
            target,
            data: element.child_bytes("Data").unwrap_or_default(),
            comment: element.child_text("Comment").unwrap_or_default(),
            overwritten_by_module: element.flag("OverwrittenByModule"),
        }))
    }
}

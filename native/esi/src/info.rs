//! What a device is electrically, how long it takes, and how it is told from its like (`Info`).

use crate::reader::Element;

/// Further information on a device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Info {
    /// Current drawn from the E-bus in mA; negative: fed in.
    pub ebus_current_ma: i16,
    /// Time-outs of state changes and mail, for the MainDevice.
    pub timeouts: Timeouts,
    /// What the MainDevice takes the device to at start.
    pub behavior: Behavior,
    /// The ESC.
    pub controller: Controller,
    /// Its ports, port 0 first.
    pub ports: Vec<Port>,
    /// How a device is told from others of its identity.
    pub identification: Identification,
}

/// Time-outs in ms, for the MainDevice; none: those of ETG1020 (3000, 10000, 5000, 200, and 100 and 2000 of mail).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timeouts {
    /// INIT to PRE-OP or BOOT.
    pub pre_op_ms: Option<u32>,
    /// PRE-OP to SAFE-OP, and SAFE-OP to OP.
    pub safe_op_op_ms: Option<u32>,
    /// Back to INIT, and SAFE-OP to PRE-OP.
    pub back_to_init_ms: Option<u32>,
    /// OP to SAFE-OP.
    pub back_to_safe_op_ms: Option<u32>,
    /// Until a mail is taken.
    pub mailbox_request_ms: Option<u32>,
    /// Until it is answered.
    pub mailbox_response_ms: Option<u32>,
}

/// What the MainDevice takes a device to at start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Behavior {
    /// To INIT.
    pub start_to_init: bool,
    /// To PRE-OP.
    pub start_to_pre_op: bool,
    /// To SAFE-OP.
    pub start_to_safe_op: bool,
    /// To SAFE-OP without waiting for synchronous pulses.
    pub start_to_safe_op_no_sync: bool,
}

/// The ESC, as far as a file tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Controller {
    /// Bytes of its memory.
    pub ram_bytes: Option<u32>,
    /// SyncManagers.
    pub sync_managers: Option<u8>,
    /// FMMUs.
    pub fmmus: Option<u8>,
    /// SYNC signals.
    pub sync_signals: Option<u8>,
    /// Latch signals.
    pub latch_signals: Option<u8>,
}

/// One port.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Port {
    /// What it is.
    pub kind: PortKind,
    /// What is written at its socket.
    pub label: String,
}

/// What a port is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PortKind {
    /// Not there.
    #[default]
    None,
    /// Ethernet (`Y`, `MII`).
    Mii,
    /// E-bus (`K`, `EBUS`).
    Ebus,
    /// Ethernet with fast hot connect (`H`).
    FastHotConnect,
}

/// How a device is told from others of its identity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Identification {
    /// By AL control bit 5 and register 0x0134.
    pub by_al_status: bool,
    /// By what stands at this address of its memory.
    pub address: Option<u16>,
    /// By its station alias (obsolete).
    pub by_alias: bool,
}

impl Info {
    pub(crate) fn read(element: &Element<'_>) -> Self {
        element.ignores_all_but(&[
            "Electrical",
            "StateMachine",
            "Mailbox",
            "EtherCATController",
            "Port",
            "ExecutionUnit",
            "VendorSpecific",
            "StationAliasSupported",
            "IdentificationAdo",
            "IdentificationReg134",
            "DeviceFeature",
            "DeviceFunction",
        ]);
        let machine = element.child("StateMachine");
        let within = |parent: Option<Element<'_>>, name: &'static str| {
            parent.and_then(|parent| parent.optional_number(name))
        };
        let states = machine.and_then(|machine| machine.child("Timeout"));
        let mail = element.child("Mailbox").and_then(|mailbox| mailbox.child("Timeout"));
        let controller = element.child("EtherCATController");
        let counted = |name: &'static str| controller.and_then(|one| one.optional_number(name));
        let behavior = machine.and_then(|machine| machine.child("Behavior"));
        let starts = |name| behavior.is_some_and(|behavior| behavior.flag(name));
        let current =
            element.child("Electrical").and_then(|one| one.optional_number("EBusCurrent"));
        Self {
            ebus_current_ma: current.unwrap_or(0),
            timeouts: Timeouts {
                pre_op_ms: within(states, "PreopTimeout"),
                safe_op_op_ms: within(states, "SafeopOpTimeout"),
                back_to_init_ms: within(states, "BackToInitTimeout"),
                back_to_safe_op_ms: within(states, "BackToSafeopTimeout"),
                mailbox_request_ms: within(mail, "RequestTimeout"),
                mailbox_response_ms: within(mail, "ResponseTimeout"),
            },
            behavior: Behavior {
                start_to_init: starts("StartToInit"),
                start_to_pre_op: starts("StartToPreop"),
                start_to_safe_op: starts("StartToSafeop"),
                start_to_safe_op_no_sync: starts("StartToSafeopNoSync"),
            },
            controller: Controller {
                ram_bytes: controller.and_then(|one| one.optional_number("DpramSize")),
                sync_managers: counted("SmCount"),
                fmmus: counted("FmmuCount"),
                sync_signals: counted("DcSyncCount"),
                latch_signals: counted("DcLatchCount"),
            },
            ports: element.children("Port").map(|port| Port::read(&port)).collect(),
            identification: Identification {
                by_al_status: element.child_flag("IdentificationReg134").unwrap_or(false),
                address: element.optional_number("IdentificationAdo"),
                by_alias: element.child("StationAliasSupported").is_some(),
            },
        }
    }
}

impl Port {
    fn read(element: &Element<'_>) -> Self {
        element.ignores_all_but(&[
            "Type",
            "Connector",
            "Label",
            "RxDelay",
            "TxDelay",
            "PhysicalPhyAddr",
            "EtherCATp",
        ]);
        let kind = match element.child_text("Type").unwrap_or_default().as_str() {
            "MII" => PortKind::Mii,
            "EBUS" => PortKind::Ebus,
            _ => PortKind::None,
        };
        Self { kind, label: element.child_text("Label").unwrap_or_default() }
    }
}

impl PortKind {
    /// The ports that `Physics` tells, a letter each, port 0 first.
    pub(crate) fn of_physics(physics: &str) -> Vec<Self> {
        physics
            .chars()
            .take(4)
            .map(|letter| match letter.to_ascii_uppercase() {
                // L: 1 Gbit/s of EtherCAT G, which no ESC of 100 Mbit/s tells from MII.
                'Y' | 'L' => Self::Mii,
                'K' => Self::Ebus,
                'H' => Self::FastHotConnect,
                _ => Self::None,
            })
            .collect()
    }
}

//! The names of the built-in types of devices.

use serde::Deserialize;

/// The built-in types of devices. One that is called after a real device says what a dump, a recording or
/// the device description of its vendor says; one that is `-like` another has the channels and objects
/// that its public documents tell, and the rest is assumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum DeviceType {
    /// A coupler: no process data.
    #[serde(rename = "EK1100")]
    Ek1100,
    /// A junction with two sockets, on an E-bus.
    #[serde(rename = "EK1122")]
    Ek1122,
    /// A coupler with digital channels and a safe logic.
    #[serde(rename = "EK1914")]
    Ek1914,
    /// A junction with eight sockets: three ESCs in one box.
    #[serde(rename = "CU1128-like")]
    Cu1128Like,
    /// Four digital inputs.
    #[serde(rename = "EL1004")]
    El1004,
    /// Eight digital inputs.
    #[serde(rename = "EL1008-like")]
    El1008Like,
    /// Eight digital inputs.
    #[serde(rename = "EL1018-like")]
    El1018Like,
    /// Four digital outputs.
    #[serde(rename = "EL2004")]
    El2004,
    /// Eight digital outputs.
    #[serde(rename = "EL2008-like")]
    El2008Like,
    /// Sixteen digital outputs.
    #[serde(rename = "EL2809-like")]
    El2809Like,
    /// Eight digital outputs.
    #[serde(rename = "EL2828")]
    El2828,
    /// Sixteen digital outputs.
    #[serde(rename = "EL2889")]
    El2889,
    /// Four analogue inputs with status and CoE.
    #[serde(rename = "EL3004")]
    El3004,
    /// Two analogue inputs with status and CoE.
    #[serde(rename = "EL3102-like")]
    El3102Like,
    /// Four inputs of resistance thermometers, with status and CoE.
    #[serde(rename = "EL3204-like")]
    El3204Like,
    /// Two analogue inputs of 24 bits, with status and CoE.
    #[serde(rename = "EL3602-like")]
    El3602Like,
    /// Two inputs for vibration, with up to 50 samples a cycle.
    #[serde(rename = "EL3632-like")]
    El3632Like,
    /// Analogue inputs with status and CoE.
    #[serde(rename = "EL3xxx-like")]
    El3xxxLike,
    /// An up/down counter with an output.
    #[serde(rename = "EL1502-like")]
    El1502Like,
    /// An SSI encoder.
    #[serde(rename = "EL5001-like")]
    El5001Like,
    /// An incremental encoder.
    #[serde(rename = "EL5101-like")]
    El5101Like,
    /// Four inputs behind FSoE; not safe.
    #[serde(rename = "EL1904-like")]
    El1904Like,
    /// Four outputs behind FSoE; not safe.
    #[serde(rename = "EL2904-like")]
    El2904Like,
    /// Four analogue outputs with CoE.
    #[serde(rename = "EL4004-like")]
    El4004Like,
    /// Two analogue outputs with CoE.
    #[serde(rename = "EL4132-like")]
    El4132Like,
    /// Analogue outputs with CoE.
    #[serde(rename = "EL4xxx-like")]
    El4xxxLike,
    /// Digital inputs, one bit a channel, in the manner of EL1xxx.
    #[serde(rename = "digital-inputs")]
    DigitalInputs,
    /// Digital outputs, one bit a channel, in the manner of EL2xxx.
    #[serde(rename = "digital-outputs")]
    DigitalOutputs,
    /// Analogue inputs, 16 bits a channel, without status and mailbox.
    #[serde(rename = "analogue-inputs")]
    AnalogueInputs,
    /// Analogue outputs, 16 bits a channel, without a mailbox.
    #[serde(rename = "analogue-outputs")]
    AnalogueOutputs,
    /// A switch with one Ethernet socket.
    #[serde(rename = "EL6601-like")]
    El6601Like,
    /// A switch with four Ethernet sockets.
    #[serde(rename = "EL6614-like")]
    El6614Like,
    /// A servo drive with two axes and SoE.
    #[serde(rename = "AX5206-like")]
    Ax5206Like,
    /// A stepper terminal with CoE.
    #[serde(rename = "EL7041-like")]
    El7041Like,
    /// The evaluation board of a LAN9252.
    #[serde(rename = "LAN9252")]
    Lan9252,
    /// A servo drive.
    #[serde(rename = "AKD")]
    Akd,
    /// A CiA 402 servo drive.
    #[serde(rename = "servo")]
    Servo,
    /// A coupler with slots for modules.
    #[serde(rename = "modular-coupler")]
    ModularCoupler,
    /// A device that misbehaves on command.
    #[serde(rename = "stress")]
    Stress,
    /// A device with the PDOs of its description.
    #[serde(rename = "generic")]
    Generic,
    /// The second ESC in the box of a CU1128, between the other two.
    #[serde(skip)]
    Cu1128Second,
    /// The third ESC in the box of a CU1128.
    #[serde(skip)]
    Cu1128Third,
}

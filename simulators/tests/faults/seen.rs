//! What several faults show alike, in lines of [`crate::observation`].

/// These lines together, in their order.
pub fn all<'a>(parts: &[&[&'a str]]) -> Vec<&'a str> {
    let mut all = parts.concat();
    all.sort_unstable();
    all
}

/// What the MainDevice sees when axis and sensor are out of reach, and the event of the lamp in front of them.
pub const WITHOUT_AXIS_AND_SENSOR: [&str; 14] = [
    "IRQ: 0x0 to 0x4",
    "WKC APRD 2: 1 to 0",
    "WKC APRD 3: 1 to 0",
    "WKC BRD: 4 to 2",
    "WKC FPRD axis: 1 to 0",
    "WKC FPRD sensor: 1 to 0",
    "WKC LRD: 2 to 0",
    "WKC LRW: 6 to 2",
    "WKC LWR: 2 to 1",
    "inputs of axis: [00, 00, 00, 00] to [5a, 5a, 5a, 5a]",
    "inputs of sensor: [34, 12] to [5a, 5a]",
    "mail to axis: answered to not taken",
    "station at position 2: 0x1003 to nothing",
    "station at position 3: 0x1004 to nothing",
];

/// What a frame counts that the first device finds malformed: 0x030C there, which makes its checksum bad; 0x0308 + p at each
/// port that it then comes to, and 0x030C where that is port 0.
pub const MALFORMED_AT_FIRST: [&str; 10] = [
    "axis 0x0308 forwarded errors at port 0: 0 to 1",
    "axis 0x0309 forwarded errors at port 1: 0 to 1",
    "axis 0x030c processing unit errors: 0 to 1",
    "coupler 0x0309 forwarded errors at port 1: 0 to 1",
    "coupler 0x030c processing unit errors: 0 to 1",
    "lamp 0x0308 forwarded errors at port 0: 0 to 1",
    "lamp 0x0309 forwarded errors at port 1: 0 to 1",
    "lamp 0x030c processing unit errors: 0 to 1",
    "sensor 0x0308 forwarded errors at port 0: 0 to 1",
    "sensor 0x030c processing unit errors: 0 to 1",
];

/// What a SyncManager watchdog does that expires on both devices with outputs: 0x0440 bit 0, 0x0442; AL status code 0x001B and
/// locked outputs of a program (ETG.1000.6), while with device emulation the AL status stays.
pub const WATCHDOGS_EXPIRED: [&str; 8] = [
    "axis 0x0130 AL status: 0x8 to 0x14",
    "axis 0x0134 AL status code: 0x0 to 0x1b",
    "axis 0x0210 events: 0x0 to 0x8",
    "axis 0x0440 watchdog status: 0x1 to 0x0",
    "axis 0x0442 expired SM watchdogs: 0 to 1",
    "axis 0x0817 SM2 PDI control: 0x0 to 0x1",
    "axis drives: 0x5a5a5a5a to 0x0",
    "lamp 0x0442 expired SM watchdogs: 0 to 1",
];

/// What frames tell of them.
pub const WATCHDOGS_IN_FRAMES: [&str; 3] =
    ["IRQ: 0x0 to 0x8", "WKC LRW: 6 to 4", "WKC LWR: 2 to 1"];

//! What a structural difference may mean for whoever writes the segment's description: the key that tells
//! the simulator what the recorded device is or was.

use ecat_wire::Command;
use ecat_wire::mailbox::{HEADER_BYTES, Header, Kind};
use ecat_wire::register as reg;

/// What is known of a difference.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context<'a> {
    pub(super) field: &'a str,
    pub(super) command: Option<Command>,
    pub(super) register: Option<u16>,
    pub(super) expected: &'a [u8],
    pub(super) got: &'a [u8],
    /// The mail that was recorded, where the datagram reads one from its beginning.
    pub(super) mail: Option<&'a [u8]>,
    /// The word of the EEPROM in register 0x0504 of the device.
    pub(super) sii_word: Option<u32>,
    /// The datagram reads a mailbox that the device sends by, as it is set up here.
    pub(super) reads_mailbox: bool,
}

/// Which key of the segment's description to look at, in one sentence; empty where none is likely.
pub(super) fn hint(context: &Context<'_>) -> String {
    match context.field {
        "address" => devices(context),
        "event field" => {
            "start.ecat_event_mask and start.ecat_events tell what a MainDevice before left \
                          behind; a device with a mask shows its events in every datagram"
                .to_owned()
        }
        "working counter" => counter(context),
        "data" | "mail counter" => data(context),
        "clock value" => "esc.clock (none, receive-times, full), esc.clock_drift_ppb".to_owned(),
        "datagram" => {
            "the frame is lost here: parent, port and outside_ports tell where cables are, \
                       start.registers at 0x0101 which ports are closed"
                .to_owned()
        }
        _ => String::new(),
    }
}

fn word(bytes: &[u8]) -> u16 {
    bytes.first_chunk().map_or(0, |bytes| u16::from_le_bytes(*bytes))
}

fn devices(context: &Context<'_>) -> String {
    let (expected, got) = (word(context.expected), word(context.got));
    let more = expected.wrapping_sub(got).cast_signed();
    match more {
        0 => String::new(),
        1.. => format!(
            "{more} more devices were passed: devices; one of which nothing is known is {{ sii_words: [] }}"
        ),
        _ => format!(
            "{} devices fewer were passed: devices, or start.registers at 0x0101 (closed ports)",
            more.unsigned_abs()
        ),
    }
}

fn counter(context: &Context<'_>) -> String {
    let more = word(context.expected) > word(context.got);
    let reached = if more {
        "the recorded device takes this"
    } else {
        "the recorded device does not take this"
    };
    let Some(register) = context.register else {
        return "the FMMUs map other memory, or a SyncManager is locked, full or empty: start.registers at \
                0x0600 and 0x0800 where the capture begins later, start.al_state, refuse"
            .to_owned();
    };
    if context.reads_mailbox {
        return if more {
            "the device had mail here: mailbox (objects, files, emergencies), or mailbox.foreign for \
             protocols that are not simulated"
        } else {
            "the device had no mail here: mailbox"
        }
        .to_owned();
    }
    let key = match register {
        0x0010..=0x0013 => "start.station_address, alias",
        0x0120..=0x0121 => "device_emulation, start.al_control (a request that is not handled yet)",
        0x0500..=0x050F => "start.eeprom_owner, start.eeprom_busy",
        0x0600..=0x06FF => "esc.fmmus",
        0x0800..=0x08FF => {
            "esc.sync_managers; an active SyncManager cannot be resized (start.registers)"
        }
        0x0900..=0x09FF => "esc.clock (none, receive-times, full), esc.features bit 3 (64 bits)",
        0x0F00..=0x0F03 => "esc.pdi_control (digital outputs are there with a low byte of 0x04)",
        reg::PROCESS_RAM.. => {
            "esc.ram_kb, or a SyncManager that is locked, full or empty (start.al_state, \
                              start.registers at 0x0800)"
        }
        _ => "esc.profile: which registers there are",
    };
    let station = matches!(
        context.command,
        Some(
            Command::Fprd { .. }
                | Command::Fpwr { .. }
                | Command::Fprw { .. }
                | Command::Frmw { .. }
        )
    );
    let station =
        if station { "; start.station_address, where the capture begins later" } else { "" };
    format!("{reached}: {key}{station}")
}

fn data(context: &Context<'_>) -> String {
    if let Some(mail) = context.mail {
        return mailed(mail);
    }
    let Some(register) = context.register else { return String::new() };
    let key = match register {
        0x0000 => "esc.type",
        0x0001 => "esc.revision",
        0x0002..=0x0003 => "esc.build",
        0x0004 => "esc.fmmus",
        0x0005 => "esc.sync_managers",
        0x0006 => "esc.ram_kb",
        0x0007 => "esc.port_descriptor",
        0x0008..=0x0009 => "esc.features",
        0x0010..=0x0011 => "start.station_address",
        0x0012..=0x0013 => "alias",
        0x0100..=0x0103 => "start.registers at 0x0100",
        0x0110 => {
            "esc.pdi_watchdog (bit 1), esc.pdi_control (bit 2), and from bit 4 on the links: parent, port, \
                   outside_ports"
        }
        0x0111 => "which ports are open: parent, port, outside_ports, start.registers at 0x0101",
        0x0120..=0x0121 => "start.al_state, start.al_control",
        0x0130..=0x0135 => {
            "device_emulation (a request is then taken as it is), refuse, start.al_state, \
                            start.al_status_code"
        }
        0x0140..=0x0141 => "esc.pdi_control",
        0x0150..=0x0153 => "sii_words 0x01 and 0x03",
        0x0200..=0x0201 => "start.ecat_event_mask",
        0x0210..=0x0211 => "start.ecat_events",
        0x0300..=0x0313 | 0x0442..=0x0443 => {
            "counters of errors before the capture: start.registers; those \
                                              that went on counting: compare with a mask of 0"
        }
        0x0400..=0x0441 => "start.registers",
        0x0500..=0x0501 => "start.eeprom_owner",
        0x0502..=0x0503 => "esc.eeprom_status, start.eeprom_busy",
        0x0504..=0x0507 => "start.registers at 0x0504",
        0x0508..=0x050F => return sii(context),
        0x0600..=0x06FF => "start.registers: what a MainDevice before left in the FMMUs",
        0x0800..=0x08FF if register & 7 == 5 => {
            "esc.buffers_in_use (bits 6 and 7), mailbox; start.registers"
        }
        0x0800..=0x08FF => "start.registers: what a MainDevice before left in the SyncManagers",
        0x0900..=0x090F => "esc.stale_port_times, esc.clock",
        0x0910..=0x09FF => "esc.clock, start.registers",
        0x0F80..=0x0FFF => "start.registers: user RAM",
        reg::PROCESS_RAM.. => {
            "start.registers: old content of RAM; inputs are compared as such once their \
                              SyncManager is on, by the SII or the mailbox's objects"
        }
        _ => "start.registers",
    };
    key.to_owned()
}

fn sii(context: &Context<'_>) -> String {
    let Some(first) = context.sii_word else { return "sii or sii_words".to_owned() };
    let at = context.register.map_or(0, |register| u32::from(register - reg::EEPROM_DATA) / 2);
    format!("sii or sii_words: word {:#06x} of the EEPROM", first.saturating_add(at))
}

fn mailed(mail: &[u8]) -> String {
    let Ok((header, _)) = Header::parse(mail) else { return "mailbox".to_owned() };
    let body = mail.get(HEADER_BYTES..).unwrap_or(&[]);
    match header.kind {
        Kind::Coe => {
            let service = body.get(1).map_or(0, |byte| byte >> 4);
            let object = body.get(3..6).map(|b| (u16::from_le_bytes([b[0], b[1]]), b[2]));
            match (service, object) {
                (1, _) => "an emergency: mailbox.emergencies".to_owned(),
                (2 | 3, Some((index, subindex))) => {
                    format!("mailbox.objects: {index:#06x}, subindex {subindex}")
                }
                _ => "mailbox.objects".to_owned(),
            }
        }
        Kind::Foe => "mailbox.files".to_owned(),
        Kind::Error => "an error by the mailbox's header: mailbox".to_owned(),
        other => format!(
            "{other:?} is not simulated: mailbox.foreign lets such mail be compared as live"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_names_the_key() {
        let base = Context {
            field: "data",
            command: None,
            register: Some(0x0006),
            expected: &[1],
            got: &[8],
            mail: None,
            sii_word: None,
            reads_mailbox: false,
        };
        assert_eq!(hint(&base), "esc.ram_kb");
        let sii = Context { register: Some(0x050A), sii_word: Some(0x40), ..base };
        assert!(hint(&sii).ends_with("word 0x0041 of the EEPROM"));
        let mail = [10, 0, 0, 0, 0, 0x13, 0, 0x30, 0x4F, 0x18, 0x10, 0x01, 0, 0, 0, 0];
        let mail = Context { mail: Some(&mail), ..base };
        assert_eq!(hint(&mail), "mailbox.objects: 0x1018, subindex 1");
        let eoe = Context { mail: Some(&[4, 0, 0, 0, 0, 0x12, 0, 0, 0, 0]), ..base };
        assert!(hint(&eoe).contains("mailbox.foreign"), "{}", hint(&eoe));
        let fewer = Context { field: "address", expected: &[1, 0], got: &[3, 0], ..base };
        assert!(hint(&fewer).starts_with("2 devices fewer"));
        let more = Context { field: "address", expected: &[3, 0], got: &[1, 0], ..base };
        assert!(hint(&more).starts_with("2 more devices"));
        let counter = Context { field: "working counter", register: Some(0x0920), ..base };
        assert!(hint(&counter).contains("esc.clock"));
    }
}

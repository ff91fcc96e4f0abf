//! Images of real devices, held against those of files that say the same: what a description does not tell shows.

use std::fmt::Write;

use ecat_esi::{Choice, EsiFile, compare};
use ecat_wire::sii::{FmmuUsage, PdoDirection, Sii, SyncManagerKind};

use crate::support::eeprom;

/// A file that says of a device what its image says.
fn description(sii: &Sii) -> String {
    let general = sii.general.as_ref().expect("a general category");
    let mut text = String::from("<EtherCATInfo>");
    let text = &mut text;
    let mut put = |piece: std::fmt::Arguments<'_>| text.write_fmt(piece).unwrap();
    put(format_args!("<Vendor><Id>{}</Id></Vendor><Descriptions>", sii.identity.vendor_id));
    put(format_args!("<Groups><Group><Type>{}</Type>", general.group));
    put(format_args!("<Name>{}</Name></Group></Groups><Devices>", general.group_name));
    let physics: String = (0..4)
        .map(|port| match general.ports >> (4 * port) & 0xF {
            0 => ' ',
            1 => 'Y',
            _ => 'K',
        })
        .collect();
    put(format_args!("<Device Physics={:?}>", physics.trim_end()));
    put(format_args!(
        "<Type ProductCode=\"{}\" RevisionNo=\"{}\" SerialNo=\"{}\">{}</Type><Name>{}</Name>",
        sii.identity.product_code,
        sii.identity.revision,
        sii.identity.serial,
        general.order,
        general.name
    ));
    let no_sync = general.flags & 1 != 0;
    put(format_args!(
        "<Info><Electrical><EBusCurrent>{}</EBusCurrent></Electrical><StateMachine>\
         <Behavior StartToSafeopNoSync=\"{no_sync}\"/></StateMachine></Info>",
        general.ebus_current_ma
    ));
    put(format_args!("<GroupType>{}</GroupType>", general.group));
    for _ in 0..general.ds402_channels {
        put(format_args!("<Profile><ProfileNo>402</ProfileNo></Profile>"));
    }
    for usage in &sii.fmmu_usage {
        let name = match usage {
            FmmuUsage::Outputs => "Outputs",
            FmmuUsage::Inputs => "Inputs",
            FmmuUsage::SyncManagerStatus => "MBoxState",
            _ => "",
        };
        put(format_args!("<Fmmu>{name}</Fmmu>"));
    }
    for one in &sii.sync_managers {
        let kind = match one.kind {
            SyncManagerKind::MailboxOut => "MBoxOut",
            SyncManagerKind::MailboxIn => "MBoxIn",
            SyncManagerKind::ProcessDataOut => "Outputs",
            SyncManagerKind::ProcessDataIn => "Inputs",
            SyncManagerKind::Unused => "",
        };
        put(format_args!(
            "<Sm DefaultSize=\"{}\" StartAddress=\"{}\" ControlByte=\"{}\" Enable=\"{}\">{kind}</Sm>",
            one.length, one.start, one.control, one.enable
        ));
    }
    for pdo in &sii.pdos {
        let element = if pdo.direction == PdoDirection::Rx { "RxPdo" } else { "TxPdo" };
        let carried = pdo.sync_manager.map_or(String::new(), |number| format!(" Sm=\"{number}\""));
        let (mandatory, fixed) = (pdo.flags & 1, pdo.flags >> 4 & 1);
        put(format_args!(
            "<{element}{carried} Mandatory=\"{mandatory}\" Fixed=\"{fixed}\"><Index>{}</Index><Name>{}</Name>",
            pdo.index, pdo.name
        ));
        for entry in &pdo.entries {
            let names = ["", "BOOL", "SINT", "INT", "DINT", "USINT", "UINT", "UDINT"];
            let name = names.get(usize::from(entry.data_type)).copied().unwrap_or("BYTE");
            put(format_args!(
                "<Entry><Index>{}</Index><SubIndex>{}</SubIndex><BitLen>{}</BitLen><Name>{}</Name>\
                 <DataType>{name}</DataType></Entry>",
                entry.index, entry.subindex, entry.bit_length, entry.name
            ));
        }
        put(format_args!("</{element}>"));
    }
    if sii.protocols != 0 {
        put(format_args!("<Mailbox DataLinkLayer=\"{}\">", general.flags >> 2 & 1));
        if general.eoe_details & 1 != 0 {
            put(format_args!("<EoE IP=\"0\" MAC=\"{}\"/>", general.eoe_details >> 1 & 1));
        }
        let coe = general.coe_details;
        put(format_args!(
            "<CoE SdoInfo=\"{}\" PdoAssign=\"{}\" PdoConfig=\"{}\" PdoUpload=\"{}\" CompleteAccess=\"{}\"/>",
            coe >> 1 & 1,
            coe >> 2 & 1,
            coe >> 3 & 1,
            coe >> 4 & 1,
            coe >> 5 & 1
        ));
        if general.foe_details & 1 != 0 {
            put(format_args!("<FoE/>"));
        }
        put(format_args!("</Mailbox>"));
    }
    if !sii.dc.is_empty() {
        put(format_args!("<Dc>"));
        for mode in &sii.dc {
            // Files describe every mode; images do not.
            put(format_args!(
                "<OpMode><Name>{}</Name><Desc>{} described</Desc><AssignActivate>{}</AssignActivate></OpMode>",
                mode.name, mode.name, mode.assign_activate
            ));
        }
        put(format_args!("</Dc>"));
    }
    if !general.image.is_empty() {
        put(format_args!("<Image16x14>{}</Image16x14>", general.image));
    }
    let word = |word: u16| {
        let [low, high] = word.to_le_bytes();
        format!("{low:02X}{high:02X}")
    };
    let words = |words: &[u16]| words.iter().map(|one| word(*one)).collect::<String>();
    let one = &sii.configuration;
    put(format_args!(
        "<Eeprom><ByteSize>{}</ByteSize><ConfigData>{}</ConfigData>",
        sii.size_bytes,
        words(&[
            one.pdi_control,
            one.pdi_configuration,
            one.sync_pulse_length,
            one.pdi_configuration_2,
            one.station_alias,
            one.reserved[0],
            one.reserved[1]
        ])
    ));
    let boot = sii.boot_mailbox;
    if boot.receive_size > 0 {
        let areas = [boot.receive_offset, boot.receive_size, boot.send_offset, boot.send_size];
        put(format_args!("<BootStrap>{}</BootStrap>", words(&areas)));
    }
    // Those of vendors; 43 follows from `Su`, which none of these devices has.
    for other in sii.others.iter().filter(|other| other.code >= 0x0800) {
        let digits: String = other.content.iter().map(|byte| format!("{byte:02X}")).collect();
        put(format_args!(
            "<Category><CatNo>{}</CatNo><Data>{digits}</Data></Category>",
            other.code
        ));
    }
    put(format_args!("</Eeprom></Device></Devices></Descriptions></EtherCATInfo>"));
    std::mem::take(text)
}

#[test]
fn an_image_has_the_bytes_of_a_real_one_but_for_what_no_file_tells() {
    let undocumented = "general: byte 0x04 (reserved)";
    // Who made it and when; one of the terminals has that in a category of its own as well.
    let produced = ["word 0x21 (reserved)", "word 0x22 (reserved)", undocumented];
    let kept = [produced[0], produced[1], "category 3", undocumented, "order of categories"];
    for (name, expected) in [
        ("akd.bin", &[undocumented][..]),
        ("el2004.bin", &[undocumented]),
        ("el2828.bin", &kept),
        ("el2889.bin", &produced),
    ] {
        let real = eeprom(name);
        let text = description(&Sii::parse(&real).unwrap());
        let file = EsiFile::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{name}:{error}"));
        let image = Choice::default().configure(&[&file]).unwrap().sii().unwrap();
        let found = compare(&image.bytes, &real).unwrap();
        let places: Vec<&str> = found.iter().map(|one| one.place.as_str()).collect();
        assert_eq!(places, expected, "{name}: {found:#?}");
        assert_eq!(image.bytes.len(), real.len());
        if expected == [undocumented] {
            let differing = (0..real.len()).filter(|at| image.bytes[*at] != real[*at]).count();
            assert_eq!(differing, 1, "{name}");
        }
    }
}

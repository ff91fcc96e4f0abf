//! What vendors write although the schema does not have it, or has had it once.

use ecat_esi::{EsiFile, SlotModule};
use ecat_wire::sii::{FmmuUsage, SyncManagerKind};

use crate::support::{only, with_device};

#[test]
fn files_are_read_in_the_encodings_that_vendors_use() {
    let text = with_device("<Name>Größe</Name>");
    let declared = format!("<?xml version='1.0' encoding='ISO-8859-1'?>\r\n{text}");
    let latin: Vec<u8> = declared.chars().map(|c| u32::from(c) as u8).collect();
    let utf_16 = |to: fn(u16) -> [u8; 2], mark: bool| -> Vec<u8> {
        let declared = format!("<?xml version=\"1.0\" encoding=\"utf-16\"?>{text}");
        let mark = if mark { "\u{FEFF}" } else { "" };
        format!("{mark}{declared}").encode_utf16().flat_map(to).collect()
    };
    // A file that says UTF-8 and is Windows-1252; one with a mark of UTF-8; one that says UTF-16 and is not.
    let wrong = latin.iter().skip(declared.find("<EtherCAT").unwrap()).copied().collect();
    let marked = [&b"\xEF\xBB\xBF"[..], text.as_bytes()].concat();
    let not_16 = format!("<?xml version=\"1.0\" encoding=\"utf-16\"?>{text}").into_bytes();
    for (n, bytes) in [
        latin,
        utf_16(u16::to_le_bytes, true),
        utf_16(u16::to_be_bytes, true),
        utf_16(u16::to_le_bytes, false),
        wrong,
        marked,
        not_16,
    ]
    .into_iter()
    .enumerate()
    {
        let file = EsiFile::parse(&bytes).unwrap_or_else(|error| panic!("{n}: {error}"));
        assert_eq!(file.devices[0].name.get(1033), "Größe", "{n}");
    }
}

#[test]
fn numbers_flags_and_texts_are_taken_as_they_come() {
    let (file, device) = only(
        "<Sm StartAddress=\"0x1100\" ControlByte=\"#X64\" Enable=\"true\"> Outputs </Sm>
         <Sm/><Sm StartAddress=\"4608\" ControlByte=\"32\" Enable=\"#x1\" OpOnly=\"True\">inputs</Sm>
         <Fmmu>Outputs</Fmmu><Fmmu/><Fmmu>Inputs</Fmmu><Fmmu>Dynamic</Fmmu>
         <RxPdo Sm=\"0\" Fixed=\"TRUE\"><Index> #x1600 </Index><Name><![CDATA[a & b]]><!-- no --> c</Name>
           <Entry><Index>0</Index><SubIndex></SubIndex><BitLen>8</BitLen></Entry></RxPdo>
         <TxPdo Ref=\"somewhere\"/>
         <Eeprom><ByteSize>1024</ByteSize><ConfigData>
            0500 0000
         </ConfigData></Eeprom><Unheard><Of/></Unheard><Unheard/>",
    );
    let sync_managers = &device.device.sync_managers;
    assert_eq!(sync_managers[0].kind, SyncManagerKind::ProcessDataOut);
    assert_eq!((sync_managers[0].start, sync_managers[0].control), (0x1100, 0x64));
    assert_eq!(sync_managers[1].kind, SyncManagerKind::Unused);
    assert_eq!((sync_managers[2].start, sync_managers[2].enable_byte()), (0x1200, 0x09));
    let usage: Vec<_> = device.device.fmmus.iter().map(|fmmu| fmmu.usage).collect();
    use FmmuUsage::{Inputs, Outputs, Unused};
    assert_eq!(usage, [Outputs, Unused, Inputs, Unused]);
    let pdo = &device.pdos[0];
    assert_eq!((pdo.name.get(1033), pdo.fixed, pdo.index.base), ("a & b c", true, 0x1600));
    assert_eq!(device.sii().unwrap().bytes.len(), 1024);
    let warnings: Vec<_> = file.warnings.iter().map(|one| one.message.as_str()).collect();
    assert_eq!(
        warnings,
        [
            "\"Dynamic\" is none of Outputs, Inputs and MBoxState; it is left unused",
            "refers to a PDO that is described elsewhere; it is left out",
        ]
    );
    assert_eq!(file.ignored.into_iter().collect::<Vec<_>>(), [("Device/Unheard".to_owned(), 2)]);
}

#[test]
fn numbers_that_are_none_are_warned_of_where_nothing_hangs_on_them() {
    let text = with_device(
        "<Info><Electrical><EBusCurrent>lots</EBusCurrent></Electrical></Info>\n\
         <RxPdo Sm=\"two\" Mandatory=\"perhaps\"><Index>#x1600</Index></RxPdo>",
    );
    let file = EsiFile::parse(text.as_bytes()).unwrap();
    let warnings: Vec<String> = file.warnings.iter().map(ToString::to_string).collect();
    let path = "EtherCATInfo/Descriptions/Devices/Device";
    assert_eq!(
        warnings,
        [
            format!(
                "3:19: {path}/Info/Electrical/EBusCurrent: \"lots\" is no number; it is left out"
            ),
            format!("4:8: {path}/RxPdo: Sm=\"two\" is no number from 0 to 255; it is left out"),
            format!(
                "4:17: {path}/RxPdo: Mandatory=\"perhaps\" is neither true nor false; it is taken for false"
            ),
        ]
    );
}

#[test]
fn modules_of_the_first_versions_of_the_schema_are_read() {
    let text = r##"<EtherCATModule xmlns="urn:any"><Vendor><Id>1</Id></Vendor><Modules>
      <Module><Type>OLD</Type><ModuleIdent>7</ModuleIdent></Module></Modules></EtherCATModule>"##;
    let file = EsiFile::parse(text.as_bytes()).unwrap();
    assert_eq!((file.modules[0].ident, file.modules[0].r#type.as_str()), (7, "OLD"));
    let (_, device) =
        only("<Slots><Slot MaxInstances=\"2\"><ModuleClass>Di</ModuleClass></Slot></Slots>");
    let slots = device.device.slots.unwrap().slots;
    assert_eq!(slots.len(), 2);
    assert_eq!(slots[1].modules, [SlotModule::Class("Di".to_owned())]);
}

#[test]
fn a_pdo_that_is_mandatory_is_assigned_and_of_two_that_exclude_each_other_one() {
    let (_, device) = only(
        "<Sm StartAddress=\"#x1000\" ControlByte=\"#x64\">Outputs</Sm><Sm StartAddress=\"#x1100\" ControlByte=\"#x64\">Outputs</Sm>
         <RxPdo Mandatory=\"1\"><Index>#x1600</Index><ExcludedSm>0</ExcludedSm></RxPdo>
         <RxPdo Sm=\"0\"><Index>#x1601</Index></RxPdo>
         <RxPdo Sm=\"0\"><Index>#x1602</Index><Exclude>#x1601</Exclude></RxPdo>
         <RxPdo><Index>#x1603</Index></RxPdo>",
    );
    let carried: Vec<_> = device.pdos.iter().map(|pdo| pdo.sync_manager).collect();
    assert_eq!(carried, [Some(1), Some(0), None, None]);
    assert_eq!(
        device.notes,
        ["PDOs 0x1601 and 0x1602 exclude each other and are both assigned; 0x1601 stays"]
    );
    assert!(device.excludes(0x1601, 0x1602) && device.excludes(0x1602, 0x1601));
    assert!(!device.excludes(0x1600, 0x1601) && !device.excludes(0x1602, 0x1602));
}

#[test]
fn an_xml_declaration_behind_a_comment_and_zeros_behind_the_end_are_no_trouble() {
    let text = with_device("<RxPdo><Index>oops</Index></RxPdo>");
    let error = |text: String| EsiFile::parse(text.as_bytes()).unwrap_err().to_string();
    let plain = error(text.clone());
    assert!(plain.starts_with("3:8: "), "{plain}");
    // Places are those of the file as it is.
    let behind = format!("\n<!-- by a tool -->\n  <?xml version=\"1.0\"?>\n{text}\0\0\0");
    assert_eq!(error(behind), plain.replacen("3:8", "6:8", 1));
    let marks = format!("\u{FEFF}\u{FEFF}<?xml version=\"1.0\"?>{text}");
    assert_eq!(error(marks), plain);
}

#[test]
fn files_that_the_igh_maindevice_writes_for_a_bus_are_read() {
    // `ethercat xml`: no Physics, no Fmmu, no Mailbox; the control byte says what a SyncManager is for.
    let device = |vendor: u32, name: &str, enable: u8| {
        format!(
            "<EtherCATInfo><Vendor><Id>{vendor}</Id></Vendor><Descriptions><Devices><Device>
             <Type ProductCode=\"#x1\" RevisionNo=\"#x2\">{name}</Type><Name><![CDATA[{name} of a bus]]></Name>
             <Sm Enable=\"1\" StartAddress=\"#x1000\" ControlByte=\"#x26\" DefaultSize=\"512\" />
             <Sm Enable=\"1\" StartAddress=\"#x1400\" ControlByte=\"#x22\" DefaultSize=\"512\" />
             <Sm Enable=\"{enable}\" StartAddress=\"#x1800\" ControlByte=\"#x64\" DefaultSize=\"0\" />
             <Sm Enable=\"{enable}\" StartAddress=\"#x2400\" ControlByte=\"#x20\" DefaultSize=\"0\" />
             <RxPdo Sm=\"2\" Fixed=\"1\" Mandatory=\"1\"><Index>#x16ff</Index><Name></Name>
             <Entry><Index>#xf200</Index><SubIndex>1</SubIndex><BitLen>8</BitLen><Name></Name>
             <DataType>UINT8</DataType></Entry></RxPdo>
             </Device></Devices></Descriptions></EtherCATInfo>"
        )
    };
    let list = format!(
        "<?xml version=\"1.0\" ?>\n<EtherCATInfoList>\n{}{}</EtherCATInfoList>",
        device(2, "FIRST", 1),
        device(560, "SECOND", 0)
    );
    let file = EsiFile::parse(list.as_bytes()).unwrap();
    for (name, vendor) in [("FIRST", 2), ("SECOND", 560)] {
        let device = crate::support::device(&file, name);
        let sii = device.sii().unwrap().sii;
        assert_eq!((device.vendor.id, sii.identity.vendor_id), (vendor, vendor));
        let kinds = sii.sync_managers.iter().map(|one| one.kind);
        use SyncManagerKind::{MailboxIn, MailboxOut, ProcessDataIn, ProcessDataOut};
        assert!(kinds.eq([MailboxOut, MailboxIn, ProcessDataOut, ProcessDataIn]), "{name}");
        assert_eq!((sii.mailbox.receive_size, sii.mailbox.send_offset), (512, 0x1400));
        assert_eq!((device.pdos[0].sync_manager, &device.notes[..]), (Some(2), &[][..]), "{name}");
    }
}

#[test]
fn limits_are_those_of_the_type_and_of_either_order_of_bytes() {
    let object = |index: &str, r#type: &str, info: &str| {
        format!(
            "<Object><Index>{index}</Index><Name>x</Name><Type>{type}</Type><BitSize>16</BitSize>
             <Info>{info}</Info></Object>"
        )
    };
    let (_, device) = only(&format!(
        "<Profile><Dictionary><Objects>{}{}{}{}</Objects></Dictionary></Profile>",
        // As the schema has it.
        object(
            "#x2000",
            "UINT",
            "<MinData>0500</MinData><MaxData>3075</MaxData><DefaultData>F401</DefaultData>"
        ),
        // Limits with the highest byte first, beside a default with the lowest first.
        object(
            "#x2001",
            "UINT",
            "<MinData>0005</MinData><MaxData>7530</MaxData><DefaultData>F401</DefaultData>"
        ),
        object(
            "#x2002",
            "INT",
            "<MinData>F6FF</MinData><MaxData>0A00</MaxData><DefaultData>0000</DefaultData>"
        ),
        // Limits that the default breaks either way stay what they are.
        object(
            "#x2003",
            "INT",
            "<MinValue>1</MinValue><MaxValue>3</MaxValue><DefaultValue>0</DefaultValue>"
        ),
    ));
    let limits: Vec<_> = device
        .objects()
        .into_iter()
        .map(|one| (one.entries[0].minimum.unwrap(), one.entries[0].maximum.unwrap()))
        .collect();
    assert_eq!(limits, [(5, 30_000), (5, 30_000), (-10, 10), (1, 3)]);
}

#[test]
fn a_sync_manager_with_a_name_of_its_own_is_what_its_control_byte_and_its_pdos_make_it() {
    let (file, device) = only(
        "<Sm StartAddress=\"#x1000\" ControlByte=\"#x64\">Command</Sm>
         <Sm StartAddress=\"#x1200\" ControlByte=\"#x22\">State</Sm>
         <Sm StartAddress=\"#x1400\" ControlByte=\"#x22\" DefaultSize=\"64\">Letters</Sm>
         <RxPdo Sm=\"0\"><Index>#x1600</Index></RxPdo>
         <TxPdo Sm=\"1\"><Index>#x1700</Index></TxPdo>",
    );
    let kinds: Vec<_> = device.device.sync_managers.iter().map(|one| one.kind).collect();
    use SyncManagerKind::{MailboxIn, ProcessDataIn, ProcessDataOut};
    // The second one is in mailbox mode, and carries a PDO.
    assert_eq!(kinds, [ProcessDataOut, ProcessDataIn, MailboxIn]);
    assert_eq!(device.pdos[1].sync_manager, Some(1));
    assert_eq!((device.notes.len(), file.warnings.len()), (0, 3));
    assert!(file.warnings[1].message.starts_with("\"State\" is none of"), "{}", file.warnings[1]);
}

#[test]
fn an_entry_that_says_nothing_is_left_out_and_one_without_bits_has_those_of_its_type() {
    let (file, device) = only(
        "<TxPdo><Index>#x1A00</Index>
         <Entry/><Entry><Index>0</Index></Entry>
         <Entry><Index>#x6000</Index><SubIndex>1</SubIndex><DataType>UDINT</DataType></Entry></TxPdo>",
    );
    assert_eq!(device.pdos[0].entries.len(), 1);
    assert_eq!(device.pdos[0].bits(), 32);
    let places: Vec<_> =
        file.warnings.iter().map(|one| (one.place.line, one.place.column)).collect();
    assert_eq!(places, [(4, 10), (4, 18)]);
}

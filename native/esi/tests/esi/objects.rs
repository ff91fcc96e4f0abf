//! What dictionaries come to.

use ecat_esi::{Flags, ObjectCode, ResolvedEntry, ResolvedObject};

use crate::support::{device, fixture, only};

fn object(objects: &[ResolvedObject], index: u16) -> &ResolvedObject {
    objects.iter().find(|object| object.index == index).unwrap_or_else(|| panic!("{index:#x}"))
}

fn values(object: &ResolvedObject) -> Vec<(u8, u16, u32, Vec<u8>)> {
    let entries = object.entries.iter();
    entries.map(|one| (one.subindex, one.data_type, one.bits, one.value.clone())).collect()
}

#[test]
fn types_values_limits_and_names_of_values_are_looked_up() {
    let file = fixture("Simulated.xml");
    let objects = device(&file, "SIM-COUPLER").objects();
    assert_eq!(values(object(&objects, 0x1000)), [(0, 7, 32, vec![0x89, 0x13, 0, 0])]);
    assert_eq!(values(object(&objects, 0x1008)), [(0, 9, 88, b"SIM-COUPLER".to_vec())]);
    // An enumeration is a value of the type that it is made of.
    let loss: &ResolvedEntry = &object(&objects, 0xF100).entries[0];
    assert_eq!((loss.data_type, loss.bits, loss.value.as_slice()), (6, 16, &[1, 0][..]));
    assert_eq!((loss.minimum, loss.maximum), (Some(0), Some(1)));
    assert_eq!(loss.values, [(0, "Hold".to_owned()), (1, "Zero".to_owned())]);
    let profile = object(&objects, 0xF000);
    assert_eq!((profile.code, profile.data_type), (ObjectCode::Record, 0));
    assert_eq!(
        values(profile),
        [(0, 5, 8, vec![2]), (1, 6, 16, vec![16, 0]), (2, 6, 16, vec![64, 0])]
    );
    // An array: one value an element, and flags of all in one place.
    let filters = object(&objects, 0xF200);
    assert_eq!((filters.code, filters.data_type), (ObjectCode::Array, 6));
    assert_eq!(values(filters)[3..], [(3, 6, 16, vec![0xFF, 0]), (4, 6, 16, vec![0, 4])]);
    let flags = filters.entries[1].flags;
    assert_eq!((flags.access.read.bits(), flags.access.write.bits()), (7, 1));
    assert!(flags.backup && flags.setting && !filters.entries[0].flags.backup);

    let drive = device(&file, "SIM-DRIVE").objects();
    assert_eq!(object(&drive, 0x607A).entries[0].value, (-5_i32).to_le_bytes());
    assert_eq!(object(&drive, 0x2000).entries[0].value, 2.5_f32.to_le_bytes());
    assert_eq!(object(&drive, 0x6060).entries[0].minimum, Some(-3));
    let position = object(&drive, 0x6064).entries[0].flags;
    assert!(position.rx_pdo && position.tx_pdo);
    let key = &object(&drive, 0x2001).entries[0];
    assert_eq!((key.data_type, key.bits, key.value.len()), (10, 64, 8));
    assert_eq!((key.flags.access.read.bits(), key.flags.access.write.bits()), (0, 3));
}

#[test]
fn a_servos_records_have_the_values_that_stand_beside_the_names_of_their_parts() {
    let servo = device(&fixture("BogusServo.xml"), "B090.SO.3.0").objects();
    let limits = object(&servo, 0x607D);
    assert_eq!(limits.entries[0].value, [2]);
    assert_eq!(limits.entries[1].value, i32::MIN.to_le_bytes());
    assert_eq!(limits.entries[2].value, i32::MAX.to_le_bytes());
    assert_eq!(limits.entries[2].maximum, Some(0x7FFF_FFFF));
    let mapping = object(&servo, 0x1600);
    assert_eq!((mapping.entries.len(), mapping.entries[0].value[0]), (16, 4));
    assert_eq!(mapping.entries[2].value, 0x607A_0020_u32.to_le_bytes());
    assert_eq!(mapping.entries[1].flags.access.write.bits(), 1);
}

#[test]
fn what_a_dictionary_leaves_out_has_a_sensible_value() {
    let (_, device) = only(
        "<Profile><Dictionary><DataTypes>
           <DataType><Name>DT2000</Name><BitSize>32</BitSize>
             <SubItem><SubIdx>1</SubIdx><Name>A</Name><Type>UINT</Type><BitSize>16</BitSize></SubItem>
             <SubItem><SubIdx>3</SubIdx><Name>B</Name><Type>BOOL</Type><BitSize>1</BitSize></SubItem></DataType>
           <DataType><Name>LOOP</Name><BaseType>LOOP2</BaseType><BitSize>8</BitSize></DataType>
           <DataType><Name>LOOP2</Name><BaseType>LOOP</BaseType><BitSize>8</BitSize></DataType>
           <DataType><Name>HUGEARR</Name><BaseType>USINT</BaseType><BitSize>8</BitSize>
             <ArrayInfo><LBound>1</LBound><Elements>4000000000</Elements></ArrayInfo></DataType>
           <DataType><Name>HUGE</Name><BitSize>8</BitSize>
             <SubItem><SubIdx>0</SubIdx><Name>n</Name><Type>USINT</Type><BitSize>8</BitSize></SubItem>
             <SubItem><Name>e</Name><Type>HUGEARR</Type><BitSize>8</BitSize></SubItem></DataType>
         </DataTypes><Objects>
           <Object><Index>#x2000</Index><Name>Record</Name><Type>DT2000</Type><BitSize>32</BitSize>
             <Info><SubItem><Name>B</Name><Info><DefaultValue>1</DefaultValue></Info></SubItem>
                   <SubItem><Name>A</Name><Info><DefaultValue>#x1234</DefaultValue></Info></SubItem></Info></Object>
           <Object><Index>#x2001</Index><Name>Text</Name><Type>STRING(4)</Type><BitSize>32</BitSize>
             <Info><DefaultString>longer</DefaultString></Info></Object>
           <Object><Index>#x2002</Index><Name>Unknown</Name><Type>MYSTERY</Type><BitSize>24</BitSize>
             <Info><DefaultValue>nonsense</DefaultValue></Info></Object>
           <Object><Index>#x2003</Index><Name>Loop</Name><Type>LOOP</Type><BitSize>8</BitSize></Object>
           <Object><Index>#x2004</Index><Name>Huge</Name><Type>HUGE</Type><BitSize>8</BitSize></Object>
           <Object><Index>#x2005</Index><Name>Limits</Name><Type>UINT</Type><BitSize>16</BitSize>
             <Info><MinValue>9</MinValue><MaxValue>1</MaxValue></Info></Object>
         </Objects></Dictionary></Profile>",
    );
    let objects = device.objects();
    // Values are found by name where they stand in another order, and subindex 0 is made up.
    assert_eq!(
        values(object(&objects, 0x2000)),
        [(0, 5, 8, vec![3]), (1, 6, 16, vec![0x34, 0x12]), (3, 1, 1, vec![1])]
    );
    assert_eq!(object(&objects, 0x2000).entries[1].flags, Flags::default());
    assert_eq!(values(object(&objects, 0x2001)), [(0, 9, 32, b"long".to_vec())]);
    assert_eq!(values(object(&objects, 0x2002)), [(0, 0, 24, vec![0, 0, 0])]);
    assert_eq!(values(object(&objects, 0x2003)), [(0, 0, 8, vec![0])]);
    assert_eq!(object(&objects, 0x2004).entries.len(), 256);
    let limited = &object(&objects, 0x2005).entries[0];
    assert_eq!((limited.minimum, limited.maximum), (None, None));
}

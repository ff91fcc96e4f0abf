//! The mailbox of a described device: its objects and files, and what PDOs can carry of them.

use std::collections::BTreeMap;

use ecat_wire::al::AlState;
use ecat_wire::mailbox::Kind;
use ecat_wire::mailbox::coe::emergency::Emergency;
use ecat_wire::mailbox::eoe::Cutter;
use ecat_wire::mailbox::soe::DataType;
use ecat_wire::sii::Sii;

use super::esi::Behind;
use super::modular_coupler;
use super::process_data::{Channel, ChannelType, ProcessData};
use super::protocols::{self, COE, FOE};
use crate::description::DescriptionError;
use crate::description::mailbox::{
    AccessDescription, FileDescription, ForeignProtocol, MailboxDescription, MappingDescription,
    ObjectDescription, ObjectEntryDescription, ValueDescription,
};
use crate::esc::{Application, Direction, OTHER_MODULES, Point, Refusal, RefusalCondition};
use crate::mailbox::modules::Slots;
use crate::mailbox::object_dictionary::{
    BACKUP, Entry, OCTET_STRING, Object, ObjectCode, READ, RX_MAPPABLE, SETTINGS, TX_MAPPABLE,
    UNSIGNED32, VALUE_BYTES_MAX, VISIBLE_STRING, WRITE, WRITE_PRE_OP,
};
use crate::mailbox::{File, MailboxSettings, standard_objects, sync_objects};

/// Data type `UNICODE_STRING`.
const UNICODE_STRING: u16 = 0x000B;
const DELAY_MS: f64 = 1.0;
const DELAY_MS_MAX: f64 = 60_000.0;
/// Objects that are process data stand from here on.
const FIRST_PROCESS_OBJECT: u16 = 0x2000;

/// The mailbox of a built-in type with what a description says of it; objects of the description replace those
/// of the type.
pub(super) fn merge(
    of_type: Option<&MailboxDescription>,
    described: Option<MailboxDescription>,
) -> Option<MailboxDescription> {
    let (Some(of_type), Some(described)) = (of_type, &described) else {
        return described.or_else(|| of_type.cloned());
    };
    let mut objects = of_type.objects.clone();
    let replaced = |index| described.objects.iter().any(|one| one.index == index);
    objects.retain(|one| !replaced(one.index));
    // The places of described ones in errors are those of the description.
    let mut merged = described.clone();
    merged.objects.append(&mut objects);
    merged.soe = match (&of_type.soe, merged.soe.take()) {
        (Some(known), Some(described)) => Some(protocols::merge_drives(known, described)),
        (known, described) => described.or_else(|| known.clone()),
    };
    merged.eoe = merged.eoe.or_else(|| of_type.eoe.clone());
    merged.aoe = merged.aoe.or_else(|| of_type.aoe.clone());
    merged.voe = merged.voe.or_else(|| of_type.voe.clone());
    if merged.files.is_empty() {
        merged.files.clone_from(&of_type.files);
    }
    Some(merged)
}

/// What there is of a device beside its description.
pub(super) struct Has<'a> {
    /// What its ESI file says.
    pub(super) esi: Option<&'a Behind>,
    pub(super) slots: Option<Slots>,
    pub(super) sii: &'a Sii,
    /// Its place in the segment.
    pub(super) index: usize,
}

/// Gives the program a mailbox as described, and adds the channels of objects that only a changed PDO
/// mapping carries.
pub(super) fn apply(
    description: Option<&MailboxDescription>,
    has: Has<'_>,
    emulated: bool,
    application: &mut Application,
    process_data: &mut ProcessData,
) -> Result<(), DescriptionError> {
    let Some(description) = description else { return Ok(()) };
    let sii = has.sii;
    if emulated {
        return Err(DescriptionError::new(
            "/mailbox",
            "needs a program to answer; add \"deviceEmulation\": false",
        ));
    }
    if sii.mailbox.receive_size == 0 || sii.mailbox.send_size == 0 {
        return Err(DescriptionError::new("/mailbox", "the device's SII has no mailboxes"));
    }
    let mut settings = settings(description, has)
        .map_err(|error| DescriptionError { path: format!("/mailbox{}", error.path), ..error })?;
    if let (Some(sync), Some(dictionary)) = (&application.sync, &mut settings.dictionary) {
        sync_objects::add(dictionary, sync.minimum_cycle_ns);
    }
    if settings.slots.is_some() {
        application.refusals.push(Refusal {
            to: AlState::SafeOp.code(),
            code: OTHER_MODULES,
            condition: RefusalCondition::OtherModules,
        });
    }
    application.boot = settings.boot.is_some();
    application.points = points(&settings, process_data);
    application.mailbox = Some(settings);
    Ok(())
}

const fn foreign(protocol: ForeignProtocol) -> Kind {
    match protocol {
        ForeignProtocol::Aoe => Kind::Aoe,
        ForeignProtocol::Eoe => Kind::Eoe,
        ForeignProtocol::Soe => Kind::Soe,
        ForeignProtocol::Voe => Kind::Voe,
    }
}

fn settings(
    description: &MailboxDescription,
    Has { esi, slots, sii, index }: Has<'_>,
) -> Result<MailboxSettings, DescriptionError> {
    let delay_ms = description.delay_ms.unwrap_or(DELAY_MS);
    if !(0.0..=DELAY_MS_MAX).contains(&delay_ms) {
        return Err(DescriptionError::new("/delayMs", "a delay is 0 to 60000 ms"));
    }
    let mut dictionary = standard_objects(sii);
    if let Some(esi) = esi {
        dictionary = esi.dictionary(dictionary);
    } else if let Some(slots) = &slots {
        slots.add_lists(&mut dictionary);
    }
    for (n, described) in description.objects.iter().enumerate() {
        let object = object(described).map_err(|error| DescriptionError {
            path: format!("/objects/{n}{}", error.path),
            ..error
        })?;
        dictionary.objects.insert(described.index, object);
    }
    let mut emergencies = Vec::new();
    for (n, described) in description.emergencies.iter().enumerate() {
        let Some(state) = AlState::from_name(&described.at) else {
            let message = format!("{:?} is none of PRE-OP, SAFE-OP, OP", described.at);
            return Err(DescriptionError::new(format!("/emergencies/{n}/at"), message));
        };
        let (code, register, data) = (described.code, described.register, described.data);
        emergencies.push((state.code(), Emergency { code, register, data }));
    }
    let at = |key: &'static str| {
        move |error: DescriptionError| DescriptionError {
            path: format!("{key}{}", error.path),
            ..error
        }
    };
    let eoe = description.eoe.as_ref().map(|eoe| protocols::eoe(eoe, index));
    let eoe = eoe.transpose().map_err(at("/eoe"))?;
    if eoe.is_some() && !Cutter::fits(usize::from(sii.mailbox.send_size.saturating_sub(6))) {
        return Err(DescriptionError::new("/eoe", "a mailbox for frames has at least 42 bytes"));
    }
    let drives = description.soe.as_ref().map_or_else(|| Ok(Vec::new()), protocols::drives);
    let has_objects = sii.protocols & COE != 0;
    let aoe = description.aoe.as_ref().map(|aoe| protocols::aoe(aoe, has_objects));
    let vendor_id = sii.identity.vendor_id;
    let areas = sii.boot_mailbox;
    let boot = (areas.receive_size > 0 && areas.send_size > 0).then_some([
        (areas.receive_offset, areas.receive_size),
        (areas.send_offset, areas.send_size),
    ]);
    Ok(MailboxSettings {
        dictionary: has_objects.then_some(dictionary),
        complete_access: description.complete_access.unwrap_or(true),
        foreign: description.foreign.iter().map(|&protocol| foreign(protocol)).collect(),
        eoe,
        drives: drives.map_err(at("/soe"))?,
        aoe: aoe.transpose().map_err(at("/aoe"))?,
        voe: description.voe.as_ref().map(|voe| protocols::voe(voe, vendor_id)),
        blocks_mapped: !description.mapped_writable.unwrap_or(true),
        without_information: esi.is_some_and(|esi| esi.without_information),
        pdo_rules: esi.map(|esi| esi.rules.clone()).unwrap_or_default(),
        slots,
        faults: description.faults.clone(),
        files: (sii.protocols & FOE != 0).then(|| description.files.iter().map(file).collect()),
        answer_delay_ns: (delay_ms * 1e6) as u64,
        boot,
        emergencies,
    })
}

fn file(described: &FileDescription) -> File {
    let access = described.access.unwrap_or(AccessDescription::ReadWrite);
    File {
        name: described.name.clone(),
        content: described.content.clone().unwrap_or_default(),
        readable: access != AccessDescription::WriteOnly,
        writable: access != AccessDescription::ReadOnly,
        boot_only: described.boot_only,
        password: described.password,
        busy_answers: described.busy_answers,
    }
}

fn object(described: &ObjectDescription) -> Result<Object, DescriptionError> {
    let Some(entries) = &described.entries else {
        return entry(&ObjectEntryDescription {
            subindex: 0,
            name: described.name.clone(),
            data_type: described.data_type,
            bits: described.bits,
            access: described.access,
            mapping: described.mapping,
            minimum: described.minimum,
            maximum: described.maximum,
            backup: described.backup,
            setting: described.setting,
            value: described.value.clone(),
        })
        .map(Object::variable);
    };
    let mut by_subindex = BTreeMap::new();
    for (n, described) in entries.iter().enumerate() {
        let path = |rest: &str| format!("/entries/{n}{rest}");
        if described.subindex == 0 {
            return Err(DescriptionError::new(
                path("/subindex"),
                "subindex 0 is the number of entries; set \"count\" of the object",
            ));
        }
        let entry = entry(described)
            .map_err(|error| DescriptionError { path: path(&error.path), ..error })?;
        if by_subindex.insert(described.subindex, entry).is_some() {
            return Err(DescriptionError::new(path("/subindex"), "is there twice"));
        }
    }
    let code = if described.array { ObjectCode::Array } else { ObjectCode::Record };
    let data_type = match (described.array, by_subindex.values().next()) {
        (true, Some(first)) => first.data_type,
        _ => described.data_type.unwrap_or(0),
    };
    let access = described.access.map_or(READ, access_bits);
    let mut object = Object::list(&described.name, code, data_type, access, by_subindex);
    if let (Some(count), Some(first)) = (described.count, object.entries.get_mut(&0)) {
        first.value = vec![count];
        first.default = vec![count];
    }
    Ok(object)
}

const fn access_bits(access: AccessDescription) -> u16 {
    match access {
        AccessDescription::ReadOnly => READ,
        AccessDescription::ReadWrite => READ | WRITE,
        AccessDescription::ReadWritePreOp => READ | WRITE_PRE_OP,
        AccessDescription::WriteOnly => WRITE,
    }
}

fn entry(described: &ObjectEntryDescription) -> Result<Entry, DescriptionError> {
    let data_type = described.data_type.unwrap_or(match described.value {
        Some(ValueDescription::Text(_)) => VISIBLE_STRING,
        Some(ValueDescription::Bytes(_)) => OCTET_STRING,
        _ => UNSIGNED32,
    });
    let of_value = match &described.value {
        Some(ValueDescription::Text(text)) => text.chars().count() * 8,
        Some(ValueDescription::Bytes(bytes)) => bytes.len() * 8,
        _ => 0,
    };
    let bits = match (described.bits, bits_of(data_type)) {
        (Some(bits), _) => bits as usize,
        (None, Some(bits)) => usize::from(bits),
        (None, None) if described.value.is_some() => of_value,
        (None, None) => {
            return Err(DescriptionError::new("/bits", "the data type does not tell its length"));
        }
    };
    if bits.div_ceil(8) > VALUE_BYTES_MAX {
        let message = format!("a value has at most {} bits", VALUE_BYTES_MAX * 8);
        return Err(DescriptionError::new("/bits", message));
    }
    let bit_length = u32::try_from(bits).unwrap_or(u32::MAX);
    let is_text = matches!(data_type, VISIBLE_STRING | OCTET_STRING | UNICODE_STRING);
    let value = value(described.value.as_ref(), data_type, bits, is_text)?;
    let mapping = match described.mapping {
        Some(MappingDescription::Input) => TX_MAPPABLE,
        Some(MappingDescription::Output) => RX_MAPPABLE,
        None => 0,
    };
    let backup = if described.backup { BACKUP } else { 0 };
    let stored = backup | if described.setting { SETTINGS } else { 0 };
    let access = access_bits(described.access.unwrap_or(AccessDescription::ReadWrite));
    let range = (described.minimum.is_some() || described.maximum.is_some())
        .then_some((described.minimum.unwrap_or(i64::MIN), described.maximum.unwrap_or(i64::MAX)));
    Ok(Entry {
        bit_length,
        range,
        ..Entry::new(&described.name, data_type, access | mapping | stored, value)
    })
}

/// Bits of the basic data types that have a length.
const fn bits_of(data_type: u16) -> Option<u16> {
    Some(match data_type {
        0x01 => 1,
        0x02 | 0x05 | 0x1E | 0x2D => 8,
        0x03 | 0x06 | 0x1F | 0x2E => 16,
        0x10 | 0x16 => 24,
        0x04 | 0x07 | 0x08 | 0x20 | 0x2F => 32,
        0x12 | 0x18 => 40,
        0x0C | 0x0D | 0x13 | 0x19 => 48,
        0x14 | 0x1A => 56,
        0x11 | 0x15 | 0x1B => 64,
        0x1D => 128,
        // BIT1 to BIT8.
        0x30..=0x37 => data_type - 0x2F,
        _ => return None,
    })
}

fn value(
    described: Option<&ValueDescription>,
    data_type: u16,
    bits: usize,
    is_text: bool,
) -> Result<Vec<u8>, DescriptionError> {
    let bytes = bits.div_ceil(8);
    let refused = |message: String| Err(DescriptionError::new("/value", message));
    let mut value = match described {
        None if is_text => Vec::new(),
        None => vec![0; bytes],
        Some(ValueDescription::Boolean(level)) => vec![u8::from(*level)],
        Some(ValueDescription::Bytes(given)) => given.clone(),
        Some(ValueDescription::Text(text)) => {
            let latin = text.chars().map(|c| u8::try_from(u32::from(c)).ok());
            match latin.collect::<Option<Vec<u8>>>() {
                Some(latin) => latin,
                None => return refused("has characters that are not in ISO 8859-1".to_owned()),
            }
        }
        Some(ValueDescription::Real(number)) if data_type == 0x08 => {
            (*number as f32).to_le_bytes().to_vec()
        }
        Some(ValueDescription::Real(number)) if data_type == 0x11 => number.to_le_bytes().to_vec(),
        Some(ValueDescription::Real(number)) => {
            return refused(format!("{number} is no integer"));
        }
        Some(ValueDescription::Integer(number)) => integer(i128::from(*number), data_type, bits)?,
        Some(ValueDescription::Natural(number)) => integer(i128::from(*number), data_type, bits)?,
    };
    if value.len() > bytes || value.len() > VALUE_BYTES_MAX {
        return refused(format!("has {} bytes, more than its {bits} bits", value.len()));
    }
    if !is_text {
        value.resize(bytes, 0);
    }
    Ok(value)
}

fn integer(number: i128, data_type: u16, bits: usize) -> Result<Vec<u8>, DescriptionError> {
    match data_type {
        0x08 => return Ok((number as f32).to_le_bytes().to_vec()),
        0x11 => return Ok((number as f64).to_le_bytes().to_vec()),
        _ => {}
    }
    let shift = bits.min(64) as u32;
    let (least, most) = (-(1_i128 << shift.saturating_sub(1)), (1_i128 << shift) - 1);
    if !(least..=most).contains(&number) {
        let message = format!("{number} does not fit into {bits} bits");
        return Err(DescriptionError::new("/value", message));
    }
    Ok(number.to_le_bytes()[..bits.div_ceil(8).min(16)].to_vec())
}

/// What PDOs can carry: the default process data in its order, then everything else that is mappable: objects, or what
/// telegrams of drives can carry.
fn points(settings: &MailboxSettings, process_data: &mut ProcessData) -> Vec<Point> {
    let mut points = Points::new(process_data);
    for (subindex, drive) in (0..).zip(&settings.drives) {
        for (idn, parameter) in &drive.parameters {
            let signed = parameter.attribute.data_type == DataType::Signed;
            let r#type = if signed { ChannelType::Signed } else { ChannelType::Unsigned };
            let bits = u32::try_from(parameter.value.content.len() * 8).unwrap_or(u32::MAX);
            if parameter.cyclic.input {
                points.add(Direction::Input, (idn.0, subindex), bits, r#type);
            }
            if parameter.cyclic.output {
                points.add(Direction::Output, (idn.0, subindex), bits, r#type);
            }
        }
    }
    let objects = settings.dictionary.iter().flat_map(|dictionary| &dictionary.objects);
    for (&index, object) in objects.filter(|(index, _)| **index >= FIRST_PROCESS_OBJECT) {
        for (&subindex, entry) in &object.entries {
            let data_type = u8::try_from(entry.data_type).unwrap_or(0);
            let r#type = ChannelType::by(data_type, u8::try_from(entry.bit_length).unwrap_or(0));
            for (direction, needed) in
                [(Direction::Input, TX_MAPPABLE), (Direction::Output, RX_MAPPABLE)]
            {
                if entry.access & needed != 0 {
                    points.add(direction, (index, subindex), entry.bit_length, r#type);
                }
            }
        }
    }
    if let Some(slots) = settings.slots.as_ref().filter(|slots| slots.own_inputs.is_some()) {
        modular_coupler::add_places(slots, &mut points);
    }
    points.points
}

/// Places for values behind the default process data.
pub(super) struct Points<'a> {
    points: Vec<Point>,
    inputs: &'a mut Vec<Channel>,
    outputs: &'a mut Vec<Channel>,
    /// The next bit, of inputs and of outputs.
    next: [u32; 2],
}

impl<'a> Points<'a> {
    fn new(process_data: &'a mut ProcessData) -> Self {
        let points = std::mem::take(&mut process_data.points);
        let end = |direction, areas: &[crate::esc::ProcessArea]| {
            let of_areas = areas.iter().map(|area| u32::from(area.bytes) * 8).sum();
            let of_direction = points.iter().filter(|point| point.direction == direction);
            let ends = of_direction.map(|point| point.bit_offset + u32::from(point.bit_length));
            ends.max().unwrap_or(0).max(of_areas)
        };
        let next = [
            end(Direction::Input, &process_data.input_areas),
            end(Direction::Output, &process_data.output_areas),
        ];
        Self { points, inputs: &mut process_data.inputs, outputs: &mut process_data.outputs, next }
    }

    /// Makes these objects the only channels, in this order.
    pub(super) fn keep_channels(&mut self, objects: &[(Direction, u16, u8)]) {
        let all = [std::mem::take(self.inputs), std::mem::take(self.outputs)];
        for &(direction, index, subindex) in objects {
            let is_it =
                |p: &&Point| p.direction == direction && (p.index, p.subindex) == (index, subindex);
            let Some(point) = self.points.iter().find(is_it) else { continue };
            let (channels, known) = match direction {
                Direction::Input => (&mut *self.inputs, &all[0]),
                Direction::Output => (&mut *self.outputs, &all[1]),
            };
            let channel = known.iter().find(|channel| channel.bit_offset == point.bit_offset);
            if let Some(channel) = channel.filter(|channel| !channels.contains(channel)) {
                channels.push(*channel);
            }
        }
    }

    pub(super) fn add(
        &mut self,
        direction: Direction,
        (index, subindex): (u16, u8),
        bits: u32,
        r#type: ChannelType,
    ) {
        let Some(bit_length) = u8::try_from(bits).ok().filter(|bits| *bits > 0) else { return };
        let (channels, next) = match direction {
            Direction::Input => (&mut *self.inputs, &mut self.next[0]),
            Direction::Output => (&mut *self.outputs, &mut self.next[1]),
        };
        let mut points = self.points.iter_mut();
        let known =
            points.find(|p| p.direction == direction && (p.index, p.subindex) == (index, subindex));
        if let Some(point) = known {
            if point.bit_length < bit_length {
                // By default a PDO carries the lower bits only; another one carries all.
                let mut channels = channels.iter_mut();
                if let Some(channel) = channels.find(|one| one.bit_offset == point.bit_offset) {
                    (channel.bit_offset, channel.bit_length) = (*next, bit_length);
                }
                (point.bit_offset, point.bit_length) = (*next, bit_length);
                *next += u32::from(bit_length);
            }
            return;
        }
        let bit_offset = *next;
        *next += u32::from(bit_length);
        self.points.push(Point { direction, index, subindex, bit_offset, bit_length });
        channels.push(Channel { bit_offset, bit_length, r#type });
    }
}

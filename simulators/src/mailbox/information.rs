//! The device's side of SDO information (ETG1000.6, "SDO information services").

use ecat_wire::mailbox::coe::AbortCode;
use ecat_wire::mailbox::coe::info::{
    EntryDescription, EntryRequest, Fragment, HEADER_BYTES, ListType, ObjectDescription, Opcode,
};
use ecat_wire::mailbox::{ErrorDetail, Kind, MailError};

use super::Outbox;
use super::object_dictionary::{
    BACKUP, Object, ObjectDictionary, RX_MAPPABLE, SETTINGS, TX_MAPPABLE,
};

/// What a value info asks for, by its bit.
const DEFAULT: u8 = 0x10;
const MINIMUM: u8 = 0x20;
const MAXIMUM: u8 = 0x40;
/// More than any body here has.
const BODY_BYTES_MAX: usize = 1 << 17;

/// Takes one request; the answers, one mail a fragment, go to the outbox.
pub(super) fn answer(
    dictionary: &ObjectDictionary,
    payload: &[u8],
    outbox: &mut Outbox,
) -> Result<(), ErrorDetail> {
    let request = match Fragment::parse(payload) {
        Ok(request) => request,
        Err(MailError::Unknown { .. }) => {
            refuse(AbortCode::COMMAND, outbox);
            return Ok(());
        }
        Err(_) => return Err(ErrorDetail::SizeTooShort),
    };
    let body = match request.opcode {
        Opcode::ListRequest => list(dictionary, request.body),
        Opcode::ObjectRequest => object(dictionary, request.body),
        Opcode::EntryRequest => entry(dictionary, request.body),
        _ => Ok(Err(AbortCode::COMMAND)),
    };
    match body.map_err(|_| ErrorDetail::SizeTooShort)? {
        Ok((opcode, body)) => send(opcode, &body, outbox),
        Err(code) => refuse(code, outbox),
    }
    Ok(())
}

type Body = Result<Result<(Opcode, Vec<u8>), AbortCode>, MailError>;

fn list(dictionary: &ObjectDictionary, body: &[u8]) -> Body {
    let code = body.first_chunk().ok_or(MailError::Short("list type"))?;
    let Some(list) = ListType::from_code(u16::from_le_bytes(*code)) else {
        return Ok(Err(AbortCode::UNSUPPORTED_ACCESS));
    };
    let mut answer = code.to_vec();
    if list == ListType::Lengths {
        for list in [
            ListType::All,
            ListType::RxMappable,
            ListType::TxMappable,
            ListType::Backup,
            ListType::Settings,
        ] {
            let count = indices(dictionary, list).count();
            answer.extend(u16::try_from(count).unwrap_or(u16::MAX).to_le_bytes());
        }
    } else {
        answer.extend(indices(dictionary, list).flat_map(u16::to_le_bytes));
    }
    Ok(Ok((Opcode::ListResponse, answer)))
}

fn indices(dictionary: &ObjectDictionary, list: ListType) -> impl Iterator<Item = u16> {
    let needed = match list {
        ListType::Lengths | ListType::All => u16::MAX,
        ListType::RxMappable => RX_MAPPABLE,
        ListType::TxMappable => TX_MAPPABLE,
        ListType::Backup => BACKUP,
        ListType::Settings => SETTINGS,
    };
    let listed = move |object: &Object| {
        needed == u16::MAX || object.entries.values().any(|entry| entry.access & needed != 0)
    };
    dictionary.objects.iter().filter(move |(_, object)| listed(object)).map(|(index, _)| *index)
}

fn object(dictionary: &ObjectDictionary, body: &[u8]) -> Body {
    let index = u16::from_le_bytes(*body.first_chunk().ok_or(MailError::Short("object index"))?);
    let Some(object) = dictionary.objects.get(&index) else { return Ok(Err(AbortCode::NO_OBJECT)) };
    let name = latin(&object.name);
    let description = ObjectDescription {
        index,
        data_type: object.data_type,
        max_subindex: object.max_subindex(),
        object_code: object.code as u8,
        name: &name,
    };
    Ok(Ok((Opcode::ObjectResponse, emitted(|buffer| description.emit(buffer)))))
}

fn entry(dictionary: &ObjectDictionary, body: &[u8]) -> Body {
    let EntryRequest { index, subindex, value_info } = EntryRequest::parse(body)?;
    let Some(object) = dictionary.objects.get(&index) else { return Ok(Err(AbortCode::NO_OBJECT)) };
    let Some(entry) = object.entries.get(&subindex) else { return Ok(Err(AbortCode::NO_SUBINDEX)) };
    let (mut given, mut data) = (0, Vec::new());
    let bytes = entry.default.len().min(8);
    let limit = |value: i64| value.to_le_bytes()[..bytes].to_vec();
    let values = [
        (DEFAULT, Some(entry.default.clone())),
        (MINIMUM, entry.range.map(|(least, _)| limit(least))),
        (MAXIMUM, entry.range.map(|(_, most)| limit(most))),
    ];
    for (bit, value) in values {
        if let (Some(value), true) = (value, value_info & bit != 0) {
            given |= bit;
            data.extend(value);
        }
    }
    data.extend(latin(&entry.name));
    let description = EntryDescription {
        index,
        subindex,
        value_info: given,
        data_type: entry.data_type,
        // It has 16 bits here, however long the value is.
        bit_length: u16::try_from(entry.bit_length).unwrap_or(u16::MAX),
        access: entry.access,
        data: &data,
    };
    Ok(Ok((Opcode::EntryResponse, emitted(|buffer| description.emit(buffer)))))
}

/// One mail for each part of the body that fits.
fn send(opcode: Opcode, body: &[u8], outbox: &mut Outbox) {
    // Whole indices only.
    let room = (outbox.body_bytes().saturating_sub(HEADER_BYTES) & !1).max(2);
    let count = body.len().div_ceil(room).max(1);
    let mut parts = body.chunks(room);
    for left in (0..count).rev() {
        let fragment = Fragment {
            opcode,
            incomplete: left > 0,
            fragments_left: u16::try_from(left).unwrap_or(u16::MAX),
            body: parts.next().unwrap_or_default(),
        };
        outbox.push(Kind::Coe, |buffer| fragment.emit(buffer));
    }
}

fn refuse(code: AbortCode, outbox: &mut Outbox) {
    send(Opcode::Error, &code.0.to_le_bytes(), outbox);
}

fn emitted(emit: impl FnOnce(&mut [u8]) -> Result<usize, MailError>) -> Vec<u8> {
    let mut buffer = vec![0; BODY_BYTES_MAX];
    let length = emit(&mut buffer).unwrap_or(0);
    buffer.truncate(length);
    buffer
}

/// Names travel in ISO 8859-1.
fn latin(name: &str) -> Vec<u8> {
    name.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect()
}

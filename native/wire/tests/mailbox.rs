//! Mail as real devices and the standard have it, and arbitrary bytes.

use ecat_wire::mailbox::coe::emergency::Emergency;
use ecat_wire::mailbox::coe::info::{
    EntryDescription, EntryRequest, Fragment, ListType, ObjectDescription, Opcode,
};
use ecat_wire::mailbox::coe::sdo::{Data, Request, Response};
use ecat_wire::mailbox::coe::{AbortCode, Address, Service};
use ecat_wire::mailbox::foe::{FoeError, Packet};
use ecat_wire::mailbox::{ErrorDetail, ErrorReply, Header, Kind, MailError, next_counter};
use proptest::prelude::*;

fn emitted(emit: impl FnOnce(&mut [u8]) -> Result<usize, MailError>) -> Vec<u8> {
    let mut buffer = vec![0xEE; 2_048];
    let length = emit(&mut buffer).expect("room");
    buffer.truncate(length);
    buffer
}

#[test]
fn an_upload_is_read_and_written_as_an_akd_and_soem_exchanged_it() {
    // Frames of a capture: SOEM reads 0x1600 subindex 1 of an AKD, which answers 0x6040 with 16 bits.
    let request = [0x0A, 0, 0, 0, 0, 0x63, 0, 0x20, 0x40, 0x00, 0x16, 1, 0, 0, 0, 0];
    let answer = [0x0A, 0, 0, 0, 0, 0x63, 0, 0x30, 0x43, 0x00, 0x16, 1, 0x10, 0, 0x40, 0x60];
    let address = Address { index: 0x1600, subindex: 1, complete: false };

    let (header, body) = Header::parse(&request).unwrap();
    assert_eq!(header, Header::new(Kind::Coe, 10, 6));
    let (service, payload) = Service::parse(body).unwrap();
    assert_eq!(service, Service::SdoRequest);
    let upload = Request::parse(payload).unwrap();
    assert_eq!(upload, Request::Upload(address));
    assert_eq!(emitted(|buffer| header.emit(buffer)), request[..6]);
    assert_eq!(emitted(|buffer| upload.emit(buffer)), request[6..]);

    let (_, body) = Header::parse(&answer).unwrap();
    let (service, payload) = Service::parse(body).unwrap();
    assert_eq!(service, Service::SdoResponse);
    let response = Response::parse(payload).unwrap();
    assert_eq!(response, Response::Upload(address, Data::Expedited(&[0x10, 0, 0x40, 0x60])));
    assert_eq!(emitted(|buffer| response.emit(buffer)), answer[6..]);
}

#[test]
fn sdos_have_the_bytes_of_the_standard() {
    let address = Address { index: 0x1C12, subindex: 0, complete: false };
    let complete = Address { complete: true, ..address };
    let requests: [(Request<'_>, &[u8]); 6] = [
        (
            Request::Download(address, Data::Expedited(&[0])),
            &[0, 0x20, 0x2F, 0x12, 0x1C, 0, 0, 0, 0, 0],
        ),
        (
            Request::Download(complete, Data::Normal { size: 6, data: &[2, 0, 0, 0x16, 1, 0x16] }),
            &[0, 0x20, 0x31, 0x12, 0x1C, 0, 6, 0, 0, 0, 2, 0, 0, 0x16, 1, 0x16],
        ),
        (Request::Upload(complete), &[0, 0x20, 0x50, 0x12, 0x1C, 0, 0, 0, 0, 0]),
        (Request::UploadSegment { toggle: true }, &[0, 0x20, 0x70, 0, 0, 0, 0, 0, 0, 0]),
        (
            // Two bytes of seven, five unused: 5 << 1 | last.
            Request::DownloadSegment { toggle: true, last: true, data: &[1, 2] },
            &[0, 0x20, 0x1B, 1, 2, 0, 0, 0, 0, 0],
        ),
        (Request::Abort(address, AbortCode::TIMEOUT), &[0, 0x20, 0x80, 0x12, 0x1C, 0, 0, 0, 4, 5]),
    ];
    for (request, bytes) in requests {
        assert_eq!(emitted(|buffer| request.emit(buffer)), bytes);
        assert_eq!(Request::parse(&bytes[2..]), Ok(request));
    }
    let responses: [(Response<'_>, &[u8]); 5] = [
        (Response::Download(address), &[0, 0x30, 0x60, 0x12, 0x1C, 0, 0, 0, 0, 0]),
        (Response::DownloadSegment { toggle: true }, &[0, 0x30, 0x30, 0, 0, 0, 0, 0, 0, 0]),
        (
            Response::UploadSegment { toggle: false, last: false, data: &[9; 8] },
            &[0, 0x30, 0x00, 9, 9, 9, 9, 9, 9, 9, 9],
        ),
        (
            Response::UploadSegment { toggle: false, last: true, data: &[] },
            &[0, 0x30, 0x0F, 0, 0, 0, 0, 0, 0, 0],
        ),
        (
            // Service 2, command 0x80: an abort is no response.
            Response::Abort(address, AbortCode::NO_OBJECT),
            &[0, 0x20, 0x80, 0x12, 0x1C, 0, 0, 0, 2, 6],
        ),
    ];
    for (response, bytes) in responses {
        assert_eq!(emitted(|buffer| response.emit(buffer)), bytes);
        assert_eq!(Response::parse(&bytes[2..]), Ok(response));
    }
}

#[test]
fn information_emergencies_and_errors_have_the_bytes_of_the_standard() {
    let list = Fragment {
        opcode: Opcode::ListResponse,
        incomplete: true,
        fragments_left: 2,
        body: &[1, 0, 0, 0x10],
    };
    let bytes = [0, 0x80, 0x82, 0, 2, 0, 1, 0, 0, 0x10];
    assert_eq!(emitted(|buffer| list.emit(buffer)), bytes);
    assert_eq!(Fragment::parse(&bytes[2..]), Ok(list));
    assert_eq!(ListType::from_code(5).map(ListType::code), Some(5));
    assert_eq!(ListType::from_code(6), None);

    let object = ObjectDescription {
        index: 0x1018,
        data_type: 0x23,
        max_subindex: 4,
        object_code: 9,
        name: b"Identity",
    };
    let bytes = b"\x18\x10\x23\0\x04\x09Identity";
    assert_eq!(emitted(|buffer| object.emit(buffer)), bytes);
    assert_eq!(ObjectDescription::parse(bytes), Ok(object));

    let entry = EntryDescription {
        index: 0x1018,
        subindex: 1,
        value_info: 0,
        data_type: 7,
        bit_length: 32,
        access: 0x0007,
        data: b"Vendor ID",
    };
    let bytes = b"\x18\x10\x01\0\x07\0\x20\0\x07\0Vendor ID";
    assert_eq!(emitted(|buffer| entry.emit(buffer)), bytes);
    assert_eq!(EntryDescription::parse(bytes), Ok(entry));
    let request = EntryRequest { index: 0x1018, subindex: 1, value_info: 0x10 };
    assert_eq!(EntryRequest::parse(&request.to_bytes()), Ok(request));

    let emergency = Emergency { code: 0x8130, register: 0x11, data: [1, 2, 3, 4, 5] };
    let bytes = [0, 0x10, 0x30, 0x81, 0x11, 1, 2, 3, 4, 5];
    assert_eq!(emitted(|buffer| emergency.emit(buffer)), bytes);
    assert_eq!(Emergency::parse(&bytes[2..]), Ok(emergency));

    let reply = ErrorReply { detail: ErrorDetail::UnsupportedProtocol };
    assert_eq!(emitted(|buffer| reply.emit(buffer)), [1, 0, 2, 0]);
    assert_eq!(ErrorReply::parse(&[1, 0, 2, 0]), Ok(reply));
    assert_eq!(AbortCode(0x0609_0011).text(), "subindex does not exist");
}

#[test]
fn file_transfers_have_the_bytes_of_the_standard() {
    let packets: [(Packet<'_>, &[u8]); 6] = [
        (Packet::ReadRequest { password: 0x1234, name: b"a.bin" }, b"\x01\0\x34\x12\0\0a.bin"),
        (Packet::WriteRequest { password: 0, name: b"fw" }, b"\x02\0\0\0\0\0fw"),
        (Packet::Data { number: 1, data: &[7] }, b"\x03\0\x01\0\0\0\x07"),
        (Packet::Acknowledge { number: 2 }, b"\x04\0\x02\0\0\0"),
        (
            Packet::Error { code: FoeError::NOT_FOUND, text: b"not found" },
            b"\x05\0\x01\x80\0\0not found",
        ),
        (Packet::Busy { done: 3, entire: 9, text: b"" }, b"\x06\0\x03\0\x09\0"),
    ];
    for (packet, bytes) in packets {
        assert_eq!(emitted(|buffer| packet.emit(buffer)), bytes);
        assert_eq!(Packet::parse(bytes), Ok(packet));
    }
}

#[test]
fn a_counter_goes_from_one_to_seven_and_never_to_nought() {
    let counters: Vec<_> =
        std::iter::successors(Some(0), |counter| Some(next_counter(*counter))).take(9).collect();
    assert_eq!(counters, [0, 1, 2, 3, 4, 5, 6, 7, 1]);
}

#[test]
fn what_does_not_fit_or_is_unknown_is_named() {
    assert_eq!(Header::parse(&[1, 2, 3, 4, 5]), Err(MailError::Short("type")));
    assert_eq!(
        Request::parse(&[0xA0, 0, 0, 0]),
        Err(MailError::Unknown { what: "SDO command", value: 0xA0 })
    );
    assert_eq!(Request::parse(&[0x40, 0]), Err(MailError::Short("object index")));
    assert_eq!(
        Packet::parse(&[9, 0, 0, 0, 0, 0]).unwrap_err().to_string(),
        "the mail has an unknown FoE opcode: 0x9"
    );
    assert_eq!(Packet::Acknowledge { number: 0 }.emit(&mut [0; 5]), Err(MailError::NoRoom));
    let long = Request::Download(Address::default(), Data::Expedited(&[0; 5]));
    assert_eq!(long.emit(&mut [0; 64]), Err(MailError::NoRoom));
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_read_or_refused_and_written_back_the_same(
        bytes in prop::collection::vec(any::<u8>(), 0..64),
    ) {
        if let Ok((header, body)) = Header::parse(&bytes) {
            prop_assert!(body.len() <= usize::from(header.length));
            let again = emitted(|buffer| header.emit(buffer));
            prop_assert_eq!(Header::parse(&again).map(|(header, _)| header), Ok(header));
        }
        if let Ok(request) = Request::parse(&bytes) {
            let again = emitted(|buffer| request.emit(buffer));
            let again = Request::parse(&again[2..]).unwrap();
            prop_assert_eq!(again, request);
        }
        if let Ok(response) = Response::parse(&bytes) {
            let again = emitted(|buffer| response.emit(buffer));
            let again = Response::parse(&again[2..]).unwrap();
            prop_assert_eq!(again, response);
        }
        if let Ok(fragment) = Fragment::parse(&bytes) {
            let again = emitted(|buffer| fragment.emit(buffer));
            prop_assert_eq!(Fragment::parse(&again[2..]), Ok(fragment));
        }
        if let Ok(packet) = Packet::parse(&bytes) {
            let again = emitted(|buffer| packet.emit(buffer));
            prop_assert_eq!(Packet::parse(&again), Ok(packet));
        }
        let _ = (Service::parse(&bytes), Emergency::parse(&bytes), ErrorReply::parse(&bytes));
        let _ = (ObjectDescription::parse(&bytes), EntryDescription::parse(&bytes));
        let _ = EntryRequest::parse(&bytes);
    }

    #[test]
    fn segments_of_every_length_keep_their_length(
        data in prop::collection::vec(any::<u8>(), 0..40), toggle: bool, last: bool,
    ) {
        let segment = Response::UploadSegment { toggle, last, data: &data };
        let bytes = emitted(|buffer| segment.emit(buffer));
        prop_assert_eq!(Response::parse(&bytes[2..]), Ok(segment));
    }
}

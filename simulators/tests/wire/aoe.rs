//! ADS over EtherCAT: memory by index group and offset, objects, states, and what is refused.

use ecat_simulator::{MailEffect, MailFault, SegmentCommand};
use ecat_wire::mailbox::aoe::{
    AdsError, AmsAddress, Header, NetId, Request, Response, state as ads,
};

use crate::mailbox::Post;

const BYTES: u16 = 128;
const MAIN_DEVICE: AmsAddress = AmsAddress { net_id: NetId([5, 1, 1, 1, 1, 1]), port: 0x8001 };
const DEVICE: AmsAddress = AmsAddress { net_id: NetId([5, 1, 1, 1, 3, 1]), port: 0x1000 };
const SEGMENT: &str = r#"{ "devices": [{ "type": "generic", "pdos": [],
  "mailbox": { "bytes": 128, "delayMs": 0,
    "objects": [{ "index": 8192, "name": "Gain", "dataType": 6, "value": 4660, "maximum": 5000 }],
    "aoe": { "netId": "5.1.1.1.3.1", "ports": [4096, 65535], "name": "io", "version": [3, 1, 1109],
      "deviceState": 7, "areas": [
        { "group": 16416, "offset": 100, "bytes": 8, "content": [1, 2, 3] },
        { "group": 16417, "content": [9], "access": "ro" },
        { "group": 16418, "content": [9], "access": "wo", "port": 4096 } ] } } }] }"#;

fn post() -> Post {
    Post::of_segment(SEGMENT, BYTES)
}

/// A request and its answer's header and data.
fn ask_at(post: &mut Post, target: AmsAddress, request: &Request<'_>) -> (Header, Vec<u8>) {
    let header = Header::request(target, MAIN_DEVICE, 77);
    let mut body = [0; 128];
    let length = request.emit(&header, &mut body).unwrap();
    let answer = post.ask(1, &body[..length]);
    let (header, data) = Header::parse(&answer).unwrap();
    assert_eq!((header.invoke_id, header.target, header.source), (77, MAIN_DEVICE, target));
    assert!(header.is_answer());
    (header, data.to_vec())
}

fn ask(post: &mut Post, request: &Request<'_>) -> Vec<u8> {
    let (header, data) = ask_at(post, DEVICE, request);
    assert_eq!((header.error, header.command), (AdsError::NONE, request.command()));
    data
}

fn read(post: &mut Post, group: u32, offset: u32, length: u32) -> Result<Vec<u8>, AdsError> {
    let request = Request::Read { group, offset, length };
    let data = ask(post, &request);
    match Response::parse(request.command(), &data).unwrap() {
        Response::Read(AdsError::NONE, data) => Ok(data.to_vec()),
        Response::Read(error, data) => {
            assert!(data.is_empty());
            Err(error)
        }
        other => panic!("{other:?}"),
    }
}

fn write(post: &mut Post, group: u32, offset: u32, data: &[u8]) -> AdsError {
    let request = Request::Write { group, offset, data };
    let data = ask(post, &request);
    match Response::parse(request.command(), &data).unwrap() {
        Response::Write(error) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn memory_is_read_and_written_by_group_and_offset() {
    let mut post = post();
    assert_eq!(read(&mut post, 0x4020, 100, 4), Ok(vec![1, 2, 3, 0]));
    assert_eq!(write(&mut post, 0x4020, 102, &[7, 8]), AdsError::NONE);
    assert_eq!(read(&mut post, 0x4020, 101, 3), Ok(vec![2, 7, 8]));
    let device = &post.wire.segment.devices()[0].esc;
    assert_eq!(device.ads_area(0x4020, 100), Some(&[1, 2, 7, 8, 0, 0, 0, 0][..]));
    let request = Request::ReadWrite { group: 0x4020, offset: 100, read_length: 2, data: &[5] };
    let data = ask(&mut post, &request);
    let expected = Response::ReadWrite(AdsError::NONE, &[5, 2]);
    assert_eq!(Response::parse(request.command(), &data), Ok(expected));
}

#[test]
fn what_is_not_there_or_not_allowed_has_its_error() {
    let mut post = post();
    assert_eq!(read(&mut post, 0x9999, 0, 1), Err(AdsError::GROUP));
    assert_eq!(read(&mut post, 0x4020, 99, 1), Err(AdsError::OFFSET));
    assert_eq!(read(&mut post, 0x4020, 104, 5), Err(AdsError::SIZE));
    assert_eq!(write(&mut post, 0x4020, 107, &[1, 2]), AdsError::SIZE);
    assert_eq!(write(&mut post, 0x4021, 0, &[1]), AdsError::ACCESS);
    assert_eq!(read(&mut post, 0x4022, 0, 1), Err(AdsError::ACCESS));
    let other_port = AmsAddress { port: 0xFFFF, ..DEVICE };
    let request = Request::Write { group: 0x4022, offset: 0, data: &[1] };
    let (_, data) = ask_at(&mut post, other_port, &request);
    assert_eq!(Response::parse(request.command(), &data), Ok(Response::Write(AdsError::GROUP)));
    let add = Request::AddNotification {
        group: 0x4020,
        offset: 100,
        length: 1,
        mode: 4,
        maximum_delay: 0,
        cycle_time: 0,
    };
    let data = ask(&mut post, &add);
    let expected = Response::AddNotification(AdsError::SERVICE, 0);
    assert_eq!(Response::parse(add.command(), &data), Ok(expected));
}

#[test]
fn a_request_to_somebody_else_or_of_no_sense_is_refused_in_the_header() {
    let mut post = post();
    let stranger = AmsAddress { net_id: NetId([9; 6]), ..DEVICE };
    let closed = AmsAddress { port: 1, ..DEVICE };
    for (target, error) in [(stranger, AdsError::NO_DEVICE), (closed, AdsError::NO_PORT)] {
        let (header, data) = ask_at(&mut post, target, &Request::ReadState);
        assert_eq!((header.error, data.len()), (error, 0));
    }
    let header = Header { command: 99, ..Header::request(DEVICE, MAIN_DEVICE, 1) };
    let mut body = [0; 32];
    header.emit(&mut body).unwrap();
    let answer = Header::parse(&post.ask(1, &body)).unwrap().0;
    assert_eq!((answer.error, answer.command), (AdsError::COMMAND_ID, 99));
    // More data than there is.
    Header { command: 2, length: 12, ..header }.emit(&mut body).unwrap();
    let answer = Header::parse(&post.ask(1, &body)).unwrap().0;
    assert_eq!(answer.error, AdsError::AMS_LENGTH);
    // Nobody answers an answer; what is no header is no ADS.
    Header { flags: 5, length: 0, ..header }.emit(&mut body).unwrap();
    assert_eq!(post.write(1, &body), 1);
    post.wire.wait_us(1_000);
    assert_eq!(post.read(), None);
    post.write(1, &body[..31]);
    post.wire.wait_us(1_000);
    assert_eq!(post.read().unwrap().1, [1, 0, 6, 0]);
}

#[test]
fn objects_are_index_group_0xf302() {
    let mut post = post();
    // Beckhoff's example: the vendor.
    assert_eq!(read(&mut post, 0xF302, 0x1018_0001, 4), Ok(vec![0x57, 0xF0, 0xB1, 0xE0]));
    // Complete access: all of the identity, subindex 0 as 16 bits.
    assert_eq!(read(&mut post, 0xF302, 0x1018_0100, 64).map(|data| data.len()), Ok(18));
    assert_eq!(write(&mut post, 0xF302, 0x2000_0000, &[1, 0]), AdsError::NONE);
    assert_eq!(post.sdo(&[0x40, 0x00, 0x20, 0, 0, 0, 0, 0])[4..6], [1, 0]);
    assert_eq!(read(&mut post, 0xF302, 0x3000_0000, 4), Err(AdsError(0x0602_0000)));
    assert_eq!(write(&mut post, 0xF302, 0x2000_0000, &[0xFF, 0xFF]), AdsError(0x0609_0031));
    assert_eq!(write(&mut post, 0xF302, 0x2000_0000, &[1]), AdsError(0x0607_0013));
}

#[test]
fn states_are_read_and_taken_and_a_reset_goes_back_to_power_on() {
    let mut post = post();
    let state = |post: &mut Post| {
        let data = ask(post, &Request::ReadState);
        match Response::parse(4, &data).unwrap() {
            Response::ReadState(AdsError::NONE, ads_state, device_state) => {
                (ads_state, device_state)
            }
            other => panic!("{other:?}"),
        }
    };
    let control = |post: &mut Post, ads_state| {
        let data = ask(post, &Request::WriteControl { ads_state, device_state: 1, data: &[] });
        match Response::parse(5, &data).unwrap() {
            Response::WriteControl(error) => error,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(state(&mut post), (ads::RUN, 7));
    assert_eq!(control(&mut post, ads::STOP), AdsError::NONE);
    assert_eq!(state(&mut post), (ads::STOP, 1));
    assert_eq!(control(&mut post, ads::SAVE_CONFIGURATION), AdsError::PARAMETER);
    write(&mut post, 0x4020, 100, &[7]);
    assert_eq!(control(&mut post, ads::RESET), AdsError::NONE);
    assert_eq!(state(&mut post), (ads::RUN, 7));
    assert_eq!(read(&mut post, 0x4020, 100, 1), Ok(vec![1]));
    let data = ask(&mut post, &Request::DeviceInfo);
    let Ok(Response::DeviceInfo(AdsError::NONE, info)) = Response::parse(1, &data) else {
        panic!("{data:x?}");
    };
    assert_eq!((info.major, info.minor, info.build, &info.name[..3]), (3, 1, 1109, &b"io\0"[..]));
}

#[test]
fn a_fault_refuses_what_would_have_been_possible() {
    let mut post = post();
    let effect = MailEffect::AdsError { code: 0x708 };
    let fault = MailFault { after: 1, count: 2, protocol: None, effect };
    post.wire.segment.apply(SegmentCommand::DisturbMail { device: 0, fault }, 0);
    assert_eq!(read(&mut post, 0x4020, 100, 1), Ok(vec![1]));
    assert_eq!(read(&mut post, 0x4020, 100, 1), Err(AdsError::BUSY));
    let (header, _) = ask_at(&mut post, DEVICE, &Request::ReadState);
    assert_eq!(header.error, AdsError::BUSY);
    assert_eq!(read(&mut post, 0x4020, 100, 1), Ok(vec![1]));
}

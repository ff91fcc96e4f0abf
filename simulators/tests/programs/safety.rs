//! FSoE: frames as the independent `fsoe-master` 0.2.1 (PyPI) sends and takes them, and what the process sees.
//!
//! The package is native and has no source to read: it was asked for checksums one bit after the other, and it drives
//! our devices here. Where it cannot be installed, that test says so and is skipped; the frames that it once sent
//! stand in the others.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use ecat_simulator::fsoe::frame::{self, Header, Sequence};
use ecat_simulator::fsoe::{Settings, State, SubInstance, command, error};

use crate::machine::Machine;

const PACKAGE: &str = "fsoe-master==0.2.1";
const MS: u64 = 1_000_000;
const CONNECTION: u16 = 0x0777;

#[test]
fn checksums_are_those_of_an_independent_main_instance() {
    // Frames that fsoe-master sent, with what it took their checksums from.
    let frames: [(&str, u16, u16); 6] = [
        ("2a0000c42d0000", 0, 1),
        ("64770757ab7707", 0xD295, 2),
        ("522211b0d97707", 0xAC18, 7),
        ("360000ca497707", 0xE67C, 32),
        ("64124dbd7707", 0x5717, 6),
        ("0800af4a7707", 0xB633, 15),
    ];
    for (hex, last_crc, number) in frames {
        let frame = bytes(hex);
        let data_bytes = frame::data_bytes(frame.len()).unwrap();
        let mut data = [0; 32];
        let _ = frame::read(&frame, &mut data[..data_bytes]);
        let sequence = Sequence { last_crc, number };
        assert!(frame::is_right(&frame, sequence, &data[..data_bytes]), "{hex}");
    }
    let two = bytes("64770791b1000059b57707");
    let sequence = Sequence { last_crc: 0x2F77, number: 2 };
    assert!(frame::is_right(&two, sequence, &[0x77, 0x07, 0, 0]));
    assert!(!frame::is_right(&two, Sequence { number: 3, ..sequence }, &[0x77, 0x07, 0, 0]));
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2).map(|n| u8::from_str_radix(&hex[2 * n..2 * n + 2], 16).unwrap()).collect()
}

/// The other side, by rote: frames of two bytes of data.
struct Main {
    device: SubInstance,
    sequence: Sequence,
    reply: Vec<u8>,
    now_ns: u64,
}

impl Main {
    fn new(parameter_bytes: Option<u16>) -> Self {
        let settings =
            Settings { address: 0x1234, receive_bytes: 2, send_bytes: 2, parameter_bytes, seed: 7 };
        let device = SubInstance::new(settings);
        let sequence = Sequence { last_crc: 0, number: 1 };
        Self { device, sequence, reply: vec![0; 7], now_ns: 0 }
    }

    /// Sends a frame in its sequence; command and data of the answer.
    fn send(&mut self, command: u8, connection: u16, data: [u8; 2]) -> (u8, [u8; 2]) {
        if command == command::RESET {
            self.sequence = Sequence { last_crc: 0, number: 1 };
        }
        let mut frame = [0; 7];
        frame::write(&mut frame, Header { command, connection }, self.sequence, &data);
        self.raw(&frame)
    }

    fn raw(&mut self, frame: &[u8]) -> (u8, [u8; 2]) {
        assert!(self.device.exchange(frame, Some(&[0x05, 0]), self.now_ns, &mut self.reply));
        let mut data = [0; 2];
        let (header, crc) = frame::read(&self.reply, &mut data);
        if frame[0] != command::RESET {
            self.sequence = Sequence { last_crc: crc, number: self.sequence.number + 1 };
        }
        (header.command, data)
    }

    fn to(&mut self, state: State) {
        self.send(command::RESET, 0, [0, 0]);
        let steps: [(State, u8, u16, [u8; 2]); 7] = [
            (State::Session, command::SESSION, 0, [0xAB, 0xCD]),
            (State::Connection, command::CONNECTION, CONNECTION, [0x77, 0x07]),
            (State::Connection, command::CONNECTION, CONNECTION, [0x34, 0x12]),
            (State::Parameter, command::PARAMETER, CONNECTION, [2, 0]),
            (State::Parameter, command::PARAMETER, CONNECTION, [100, 0]),
            (State::Parameter, command::PARAMETER, CONNECTION, [0, 0]),
            (State::Data, command::PROCESS_DATA, CONNECTION, [1, 0]),
        ];
        for (of, command, connection, data) in steps {
            if of as u8 <= state as u8 {
                let answer = self.send(command, connection, data).0;
                assert_eq!(answer, command, "{of:?}");
            }
        }
        assert_eq!(self.device.state(), state);
    }
}

#[test]
fn an_error_leads_to_reset_with_its_code_and_the_safe_state() {
    type Case = (State, u8, u16, [u8; 2], u8);
    let cases: [Case; 12] = [
        (State::Session, command::PROCESS_DATA, CONNECTION, [0, 0], error::INVALID_COMMAND),
        (State::Session, 0x99, 0, [0, 0], error::UNKNOWN_COMMAND),
        (State::Session, command::CONNECTION, 0, [0, 0], error::INVALID_CONNECTION),
        (State::Session, command::CONNECTION, CONNECTION, [0x78, 0x07], error::INVALID_CONNECTION),
        (
            State::Connection,
            command::PARAMETER,
            CONNECTION,
            [3, 0],
            error::INVALID_COMMUNICATION_LENGTH,
        ),
        (State::Connection, command::SESSION, 0, [3, 0], error::INVALID_COMMAND),
        (State::Parameter, command::CONNECTION, CONNECTION, [0, 0], error::INVALID_COMMAND),
        (State::Data, command::SESSION, 0, [0, 0], error::INVALID_COMMAND),
        (State::Data, command::PARAMETER, CONNECTION, [2, 0], error::INVALID_COMMAND),
        (State::Data, command::PROCESS_DATA, 0x0778, [1, 0], error::INVALID_CONNECTION),
        (State::Data, 0x00, CONNECTION, [1, 0], error::UNKNOWN_COMMAND),
        (State::Data, 0xFF, CONNECTION, [1, 0], error::UNKNOWN_COMMAND),
    ];
    for (state, command, connection, data, code) in cases {
        let mut main = Main::new(None);
        main.to(state);
        assert_eq!(
            main.send(command, connection, data),
            (command::RESET, [code, 0]),
            "{state:?} {command:#x}"
        );
        assert_eq!((main.device.state(), main.device.outputs()), (State::Reset, None));
        main.to(State::Data);
    }
}

#[test]
fn the_data_of_connection_and_parameters_are_checked() {
    let mut main = Main::new(Some(2));
    main.send(command::RESET, 0, [0, 0]);
    main.send(command::SESSION, 0, [1, 2]);
    main.send(command::CONNECTION, CONNECTION, [0x77, 0x07]);
    let answer = main.send(command::CONNECTION, CONNECTION, [0x35, 0x12]);
    assert_eq!(answer, (command::RESET, [error::INVALID_ADDRESS, 0]));
    for (parameters, code) in [
        ([[2, 0], [0, 0], [2, 0]], error::INVALID_COMMUNICATION_PARAMETER),
        ([[2, 0], [100, 0], [4, 0]], error::INVALID_APPLICATION_LENGTH),
    ] {
        let mut main = Main::new(Some(2));
        main.to(State::Connection);
        let mut answers =
            parameters.iter().map(|data| main.send(command::PARAMETER, CONNECTION, *data));
        let reset = answers.find(|(command, _)| *command == command::RESET);
        assert_eq!(reset, Some((command::RESET, [code, 0])));
    }
}

#[test]
fn a_wrong_checksum_a_repeated_number_and_a_lost_frame_are_noticed() {
    for (flip, skip) in [(Some(3), 0), (Some(1), 0), (None, 1), (None, u16::MAX)] {
        let mut main = Main::new(None);
        main.to(State::Data);
        let mut frame = [0; 7];
        let sequence =
            Sequence { number: main.sequence.number.wrapping_add(skip), ..main.sequence };
        let header = Header { command: command::PROCESS_DATA, connection: CONNECTION };
        frame::write(&mut frame, header, sequence, &[1, 0]);
        if let Some(byte) = flip {
            frame[byte] ^= 0x10;
        }
        assert_eq!(main.raw(&frame), (command::RESET, [error::INVALID_CRC, 0]));
    }
}

#[test]
fn the_watchdog_that_the_parameters_name_ends_the_connection() {
    let mut main = Main::new(None);
    main.to(State::Data);
    main.now_ns = 99 * MS;
    assert_eq!(
        main.send(command::PROCESS_DATA, CONNECTION, [3, 0]),
        (command::PROCESS_DATA, [5, 0])
    );
    assert_eq!(main.device.outputs(), Some(&[3, 0][..]));
    assert_eq!(main.send(command::FAIL_SAFE_DATA, CONNECTION, [3, 0]).0, command::PROCESS_DATA);
    assert_eq!(main.device.outputs(), None, "fail-safe data");
    main.send(command::PROCESS_DATA, CONNECTION, [3, 0]);
    let frame = [0; 7];
    let mut reply = [0; 7];
    assert!(main.device.exchange(&frame, None, 199 * MS, &mut reply));
    assert_eq!((reply[0], reply[1]), (command::RESET, error::WATCHDOG));
    assert_eq!((main.device.state(), main.device.outputs()), (State::Reset, None));
}

#[test]
fn arbitrary_frames_lead_nowhere() {
    let seed = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(11_u64);
    println!("SEED={seed}");
    let mut chance = seed;
    let mut next = || {
        chance =
            chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (chance >> 56) as u8
    };
    for receive_bytes in [1, 2, 4, 32] {
        let settings =
            Settings { address: 1, receive_bytes, send_bytes: 2, parameter_bytes: None, seed };
        let mut device = SubInstance::new(settings);
        let commands = [0x2A, 0x4E, 0x64, 0x52, 0x36, 0x08];
        for n in 0..20_000 {
            let mut frame = vec![0; frame::frame_bytes(receive_bytes)];
            frame.iter_mut().for_each(|byte| *byte = next());
            frame[0] = commands[usize::from(next()) % 6];
            // Some of them too short, or answered into too little room.
            let length = if n % 97 == 0 { usize::from(next()) % frame.len() } else { frame.len() };
            let room = if n % 89 == 0 { 3 } else { 7 };
            device.exchange(&frame[..length], None, n, &mut vec![0; room]);
            assert!(matches!(device.state(), State::Reset | State::Session));
            assert_eq!(device.outputs(), None);
        }
    }
}

/// A Python with the package, in a virtual environment of its own.
fn python() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fsoe-master-0.2.1");
    let python = folder.join("bin/python");
    let works = |program: &Path, args: &[&str]| {
        let mut command = Command::new(program);
        command.args(args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    let has_it = || works(&python, &["-c", "import fsoe_master.fsoe_master"]);
    let install = ["-m", "pip", "install", "--quiet", "--timeout", "20", "--retries", "1", PACKAGE];
    let made = has_it()
        || works(Path::new("python3"), &["-m", "venv", &folder.to_string_lossy()])
            && works(&python, &install)
            && has_it();
    made.then_some(python)
}

struct MainInstance {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

/// What it says before each exchange.
struct Said {
    request: Vec<u8>,
    states: Vec<String>,
    received: i64,
}

impl MainInstance {
    fn start(python: &Path, address: u16, parameter: u16, bits: u8) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs/fsoe_main.py");
        let mut child = Command::new(python)
            .arg(script)
            .args([address, parameter, bits.into()].map(|n| n.to_string()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    fn says(&mut self) -> Said {
        let line = self.lines.next().expect("it lives").unwrap();
        let mut words = line.split(' ');
        let request = bytes(words.next().unwrap());
        let states = words.next().unwrap().split(',').map(str::to_owned).collect();
        Said { request, states, received: words.next().unwrap().parse().unwrap_or(-1) }
    }

    fn answer(&mut self, reply: &[u8], then: &str) {
        let hex: String = reply.iter().map(|byte| format!("{byte:02x}")).collect();
        writeln!(self.child.stdin.as_mut().unwrap(), "{hex} {then}").unwrap();
    }
}

impl Drop for MainInstance {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// One exchange through the process data of the machine.
fn exchange(main: &mut MainInstance, machine: &mut Machine, then: &str) -> Said {
    let said = main.says();
    machine.set_bytes(0, &said.request);
    machine.cycles(2);
    let reply = machine.input_bytes().to_vec();
    main.answer(&reply, then);
    said
}

#[test]
fn an_independent_main_instance_runs_safe_inputs_and_outputs() {
    let Some(python) = python() else {
        eprintln!("skipped: {PACKAGE} cannot be installed here");
        return;
    };
    for parameter in [0, 0x1122] {
        let mut machine = Machine::new(
            r#"{ "type": "EL1904-like", "program": { "kind": "safety", "address": 291 } }"#,
        );
        machine.operate();
        assert_eq!(machine.upload(0xF980, 1), Ok(291));
        let mut main = MainInstance::start(&python, 291, parameter, 8);
        let mut said = exchange(&mut main, &mut machine, "");
        for _ in 0..40 {
            said = exchange(&mut main, &mut machine, "");
        }
        let way = ["StateReset", "StateSession", "StateConnection", "StateParameter", "StateData"];
        assert_eq!(said.states, way);
        assert_eq!(machine.upload(0xA000, 1), Ok(4));
        machine.set_level(2, true);
        machine.set_level(4, true);
        for _ in 0..3 {
            said = exchange(&mut main, &mut machine, "");
        }
        assert_eq!(said.received, 0b1010);
    }

    let mut machine = Machine::new(r#"{ "type": "EL2904-like" }"#);
    machine.operate();
    let mut main = MainInstance::start(&python, 1, 0, 8);
    for _ in 0..40 {
        exchange(&mut main, &mut machine, "");
    }
    assert_eq!(machine.driven(), [0, 0, 0, 0], "fail-safe data so far");
    exchange(&mut main, &mut machine, "5");
    for _ in 0..300 {
        exchange(&mut main, &mut machine, "");
    }
    assert_eq!(machine.driven(), [1, 0, 1, 0]);
    exchange(&mut main, &mut machine, "fail-safe");
    exchange(&mut main, &mut machine, "");
    exchange(&mut main, &mut machine, "");
    assert_eq!(machine.driven(), [0, 0, 0, 0]);

    // Another address: the device says so, and the main instance begins anew.
    let mut machine = Machine::new(r#"{ "type": "EL2904-like" }"#);
    machine.operate();
    let mut main = MainInstance::start(&python, 2, 0, 8);
    let mut states = Vec::new();
    for _ in 0..20 {
        states = exchange(&mut main, &mut machine, "").states;
    }
    assert!(states.iter().any(|state| state.contains("INVALID_ADDRESS")), "{states:?}");
    assert!(!states.iter().any(|state| state == "StateParameter"), "{states:?}");
}

#[test]
fn safe_outputs_are_off_when_the_machine_leaves_op() {
    let mut machine = Machine::new(r#"{ "type": "EL2904-like" }"#);
    machine.operate();
    // The bits of a frame that belongs to no connection are no outputs.
    machine.set_bytes(0, &[command::PROCESS_DATA, 0x0F, 0, 0, 0x77, 0x07]);
    machine.cycles(3);
    assert_eq!((machine.input(0x6000, 1), machine.driven()), (0, vec![0, 0, 0, 0]));
}

#[test]
fn a_device_without_frames_refuses_the_program() {
    let json = r#"{"devices":[{"type":"generic","pdos":[],"program":{"kind":"safety"}}]}"#;
    let description = ecat_simulator::SegmentDescription::from_json(json).unwrap();
    assert_eq!(
        ecat_simulator::Segment::new(&description).err().unwrap().path,
        "/devices/0/program/kind"
    );
}

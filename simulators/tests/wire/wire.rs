//! A MainDevice's side of the wire, for tests: one frame at a time.

use ecat_simulator::esc::{Application, Esc, Profile};
use ecat_simulator::{Device, Forward, Segment};
use ecat_wire::ethernet::MacAddress;
use ecat_wire::frame::{FrameWriter, datagrams};
use ecat_wire::sii::{self, Sii};
use ecat_wire::{Command, register as reg};

/// PDI control of a device whose AL status follows AL control.
const EMULATED: u16 = 0x0100;
/// PDI control of a device with a program behind SPI.
const PROGRAM: u16 = 0x0005;
/// PDI control of a digital terminal.
const DIGITAL: u16 = 0x0104;

/// One datagram as it came back.
#[derive(Debug)]
pub struct Answer {
    pub address: [u8; 4],
    pub data: Vec<u8>,
    pub working_counter: u16,
    pub irq: u16,
}

/// A frame as a MainDevice sends it.
pub fn frame(requests: &[(Command, &[u8])]) -> Vec<u8> {
    let mut frame = vec![0; 1514];
    let mut writer = FrameWriter::new(&mut frame, MacAddress::MAIN_DEVICE).unwrap();
    for (index, (command, data)) in (0..).zip(requests) {
        writer.push_data(*command, index, data).unwrap();
    }
    let length = writer.finish();
    frame.truncate(length);
    frame
}

/// A segment and its clock.
pub struct Wire {
    pub segment: Segment,
    pub now_ns: u64,
}

impl Wire {
    /// A line of devices; their stations are 0x1001, 0x1002 …
    pub fn new(escs: Vec<Esc>) -> Self {
        let devices: Vec<_> = escs
            .into_iter()
            .enumerate()
            .map(|(n, esc)| Device { name: format!("device {n}"), esc })
            .collect();
        Self::of(Segment::from_parts(devices, Vec::new()))
    }

    /// A segment; the stations are the same.
    pub fn of(segment: Segment) -> Self {
        let count = segment.sub_device_count() as u16;
        let mut wire = Self { segment, now_ns: 1_000_000 };
        for n in 0..count {
            let command =
                Command::Apwr { position: Command::position(n), register: reg::STATION_ADDRESS };
            assert_eq!(wire.write(command, &(0x1001 + n).to_le_bytes()), 1);
        }
        wire
    }

    /// Sends datagrams in one frame, 1 µs after the last one.
    pub fn send(&mut self, requests: &[(Command, &[u8])]) -> Vec<Answer> {
        self.try_send(requests).expect("the frame returns")
    }

    /// As [`Wire::send`]; `None` if the frame does not return.
    pub fn try_send(&mut self, requests: &[(Command, &[u8])]) -> Option<Vec<Answer>> {
        self.now_ns += 1_000;
        let mut frame = frame(requests);
        if self.segment.process(&mut frame, self.now_ns) != Forward::Returned {
            return None;
        }
        let answers = datagrams(&frame)
            .unwrap()
            .map(|datagram| {
                let datagram = datagram.unwrap();
                Answer {
                    address: datagram.address,
                    data: datagram.data.to_vec(),
                    working_counter: datagram.working_counter,
                    irq: datagram.irq,
                }
            })
            .collect();
        Some(answers)
    }

    /// One datagram in a frame of its own.
    pub fn exchange(&mut self, command: Command, data: &[u8]) -> Answer {
        self.send(&[(command, data)]).remove(0)
    }

    /// Reads `length` bytes; data and working counter.
    pub fn read(&mut self, command: Command, length: usize) -> (Vec<u8>, u16) {
        let answer = self.exchange(command, &vec![0; length]);
        (answer.data, answer.working_counter)
    }

    /// Writes; the working counter.
    pub fn write(&mut self, command: Command, data: &[u8]) -> u16 {
        self.exchange(command, data).working_counter
    }

    /// Writes a register of the device at `station`.
    pub fn set(&mut self, station: u16, register: u16, data: &[u8]) -> u16 {
        self.write(Command::Fpwr { station, register }, data)
    }

    /// Reads a register of the device at `station`, which must answer.
    pub fn get(&mut self, station: u16, register: u16, length: usize) -> Vec<u8> {
        let (data, working_counter) = self.read(Command::Fprd { station, register }, length);
        assert_eq!(working_counter, 1, "{register:#06x} answers");
        data
    }

    /// Reads two bytes.
    pub fn word(&mut self, station: u16, register: u16) -> u16 {
        let data = self.get(station, register, 2);
        u16::from_le_bytes([data[0], data[1]])
    }

    /// Lets time pass without a frame.
    pub fn wait_us(&mut self, us: u64) {
        self.now_ns += us * 1_000;
        self.segment.advance(self.now_ns);
    }
}

/// An EEPROM image with nothing but a configuration.
pub fn image(pdi_control: u16, alias: u16) -> Vec<u8> {
    let mut description = Sii { size_bytes: 2_048, ..Sii::default() };
    description.configuration.pdi_control = pdi_control;
    description.configuration.station_alias = alias;
    description.configuration.checksum_ok = true;
    sii::build(&description).unwrap()
}

/// A device without a program: AL status follows AL control.
pub fn emulated() -> Esc {
    Esc::new(Profile::default(), image(EMULATED, 0))
}

/// As [`emulated`], with another profile.
pub fn emulated_with(profile: Profile) -> Esc {
    Esc::new(profile, image(EMULATED, 0))
}

/// A digital terminal: outputs at 0x0F00.
pub fn digital(application: Application) -> Esc {
    Esc::new(Profile { application, ..Profile::default() }, image(DIGITAL, 0))
}

/// A device with a program.
pub fn program(application: Application) -> Esc {
    Esc::new(Profile { application, ..Profile::default() }, image(PROGRAM, 0))
}

//! Commands to a running segment, through its link.

use ecat_simulator::{SegmentCommand, SegmentControl, SegmentLink};
use ecat_wire::ethernet::MacAddress;
use ecat_wire::frame::{FrameWriter, datagrams};
use ecat_wire::{Command, Link, LinkError, register as reg};

use crate::wire::{Wire, emulated};

struct Bench {
    link: SegmentLink,
    control: SegmentControl,
    now_ns: u64,
}

impl Bench {
    fn new() -> Self {
        let wire = Wire::new(vec![emulated(), emulated(), emulated()]);
        let (link, control) = SegmentLink::new(wire.segment);
        Self { link, control, now_ns: wire.now_ns }
    }

    fn command(&self, command: SegmentCommand) {
        self.control.send(command).unwrap();
    }

    fn send(&mut self, index: u8, command: Command, data: &[u8]) -> Result<(), LinkError> {
        let mut frame = [0; 128];
        let mut writer = FrameWriter::new(&mut frame, MacAddress::MAIN_DEVICE).unwrap();
        writer.push_data(command, index, data).unwrap();
        let length = writer.finish();
        self.now_ns += 1_000;
        self.link.send(&frame[..length], self.now_ns)
    }

    /// Index and working counter of the next answer.
    fn receive(&mut self) -> Option<(u8, u16)> {
        let mut buffer = [0; 1514];
        let length = self.link.receive(&mut buffer, self.now_ns).unwrap()?;
        let datagram = datagrams(&buffer[..length]).unwrap().next().unwrap().unwrap();
        Some((datagram.index, datagram.working_counter))
    }

    /// Who answers a broadcast.
    fn count(&mut self) -> Option<u16> {
        self.send(0, Command::Brd { register: reg::TYPE }, &[0]).unwrap();
        self.receive().map(|(_, counter)| counter)
    }

    fn station(&mut self, station: u16) -> u16 {
        self.send(0, Command::Fprd { station, register: reg::TYPE }, &[0]).unwrap();
        self.receive().unwrap().1
    }
}

#[test]
fn an_unplugged_device_is_silent_and_its_neighbours_are_not() {
    let mut bench = Bench::new();
    assert_eq!(bench.count(), Some(3));
    bench.command(SegmentCommand::Unplug { device: 1 });
    assert_eq!(bench.count(), Some(2));
    assert_eq!([0x1001, 0x1002, 0x1003].map(|n| bench.station(n)), [1, 0, 1]);
    bench.command(SegmentCommand::Plug { device: 1 });
    assert_eq!(bench.count(), Some(3));
    // It comes back as after power-on, without an address.
    assert_eq!([0x1001, 0, 0x1003].map(|n| bench.station(n)), [1, 1, 1]);
}

#[test]
fn behind_a_cut_cable_devices_keep_their_configuration() {
    let mut bench = Bench::new();
    bench.command(SegmentCommand::CutCable { after: 0 });
    assert_eq!(bench.count(), Some(1));
    bench.command(SegmentCommand::MendCable);
    assert_eq!([0x1001, 0x1002, 0x1003].map(|n| bench.station(n)), [1, 1, 1]);
}

#[test]
fn lost_frames_were_processed_but_do_not_come_back() {
    let mut bench = Bench::new();
    bench.command(SegmentCommand::LoseFrames { count: 1 });
    let write = Command::Fpwr { station: 0x1001, register: reg::STATION_ADDRESS };
    bench.send(0, write, &[0x05, 0x10]).unwrap();
    assert_eq!(bench.receive(), None);
    assert_eq!(bench.station(0x1005), 1);
}

#[test]
fn delayed_frames_arrive_behind_later_ones() {
    let mut bench = Bench::new();
    bench.command(SegmentCommand::DelayFrames { count: 1, by_frames: 2 });
    let mut indices = Vec::new();
    for index in 1..=4 {
        bench.send(index, Command::Nop, &[0]).unwrap();
        while let Some((index, _)) = bench.receive() {
            indices.push(index);
        }
    }
    assert_eq!(indices, [2, 1, 3, 4]);
}

#[test]
fn without_a_carrier_nothing_is_sent_or_received() {
    let mut bench = Bench::new();
    bench.send(1, Command::Nop, &[0]).unwrap();
    bench.command(SegmentCommand::LinkDown);
    assert_eq!(bench.send(2, Command::Nop, &[0]), Err(LinkError::Down));
    assert!(!bench.link.is_up());
    assert_eq!(bench.link.receive(&mut [0; 60], 0), Err(LinkError::Down));
    bench.command(SegmentCommand::LinkUp);
    bench.send(3, Command::Nop, &[0]).unwrap();
    assert_eq!(bench.receive(), Some((3, 0)));
    assert!(bench.link.is_up());
}

#[test]
fn answers_that_nobody_takes_fill_the_link() {
    let mut bench = Bench::new();
    for _ in 0..64 {
        bench.send(0, Command::Nop, &[0]).unwrap();
    }
    assert_eq!(bench.send(0, Command::Nop, &[0]), Err(LinkError::Full));
    bench.receive().unwrap();
    bench.send(0, Command::Nop, &[0]).unwrap();
}

#[test]
fn inputs_are_set_from_outside_and_outlive_a_power_cycle() {
    use ecat_simulator::esc::{Application, ProcessArea};

    let inputs = vec![ProcessArea { start: 0x1000, bytes: 2 }];
    let device = crate::wire::program(Application { inputs, ..Application::default() });
    let mut wire = Wire::new(vec![device]);
    wire.segment.apply(
        SegmentCommand::SetInput { device: 0, bit_offset: 4, bit_length: 8, value: 0xA5 },
        wire.now_ns,
    );
    assert_eq!(wire.get(0x1001, 0x1000, 2), [0x50, 0x0A]);
    wire.segment.apply(SegmentCommand::Unplug { device: 0 }, wire.now_ns);
    wire.segment.apply(SegmentCommand::Plug { device: 0 }, wire.now_ns);
    assert_eq!(wire.get(0, 0x1000, 2), [0x50, 0x0A]);
}

#[test]
#[should_panic(expected = "commanded to panic")]
fn a_commanded_panic_happens_inside_send() {
    let mut bench = Bench::new();
    bench.command(SegmentCommand::Panic);
    let _ = bench.send(0, Command::Nop, &[0]);
}

#[test]
fn commands_are_read_from_json() {
    let read = |text| serde_json::from_str::<SegmentCommand>(text);
    assert_eq!(
        read(r#"{"kind":"unplug","device":3}"#).unwrap(),
        SegmentCommand::Unplug { device: 3 }
    );
    assert_eq!(
        read(r#"{"kind":"delayFrames","count":1,"byFrames":2}"#).unwrap(),
        SegmentCommand::DelayFrames { count: 1, by_frames: 2 }
    );
    assert_eq!(read(r#"{"kind":"linkDown"}"#).unwrap(), SegmentCommand::LinkDown);
    assert!(read(r#"{"kind":"unplug","devise":3}"#).is_err());
}

//! A device alone, and mail to it by frames of a test's own.

use ecat_simulator::devices::DeviceImage;
use ecat_simulator::{Segment, SegmentControl, SegmentDescription, SegmentLink};
use ecat_wire::ethernet::MacAddress;
use ecat_wire::frame::{FrameWriter, datagrams};
use ecat_wire::sii::{MailboxAreas, Sii};
use ecat_wire::sync_manager::SyncManager;
use ecat_wire::{Command, Link, register as reg};

const STATION: u16 = 0x1001;

/// A device in PRE-OP.
pub struct Post {
    link: SegmentLink,
    pub control: SegmentControl,
    area: MailboxAreas,
    now_ns: u64,
    counter: u8,
}

impl Post {
    /// The only device of a segment.
    pub fn new(json: &str) -> Self {
        let description = SegmentDescription::from_json(json).unwrap();
        let area = Sii::parse(&DeviceImage::all(&description).unwrap()[0].sii).unwrap().mailbox;
        let (link, control) = SegmentLink::new(Segment::new(&description).unwrap());
        let mut post = Self { link, control, area, now_ns: 0, counter: 0 };
        let address = Command::Apwr { position: 0, register: reg::STATION_ADDRESS };
        post.exchange(address, &STATION.to_le_bytes());
        let ways = [
            (area.receive_offset, area.receive_size, 0x26),
            (area.send_offset, area.send_size, 0x22),
        ];
        for (number, (start, length, control)) in (0..).zip(ways) {
            let manager = SyncManager { start, length, control, enabled: true };
            post.put(reg::sync_manager(number), &manager.to_bytes());
        }
        post.put(reg::AL_CONTROL, &[2, 0]);
        for _ in 0..20 {
            post.exchange(Command::Nop, &[0]);
        }
        post
    }

    fn put(&mut self, register: u16, data: &[u8]) {
        let command = Command::Fpwr { station: STATION, register };
        assert_eq!(self.exchange(command, data).1, 1, "{register:#06x}");
    }

    /// One datagram, and a ms.
    fn exchange(&mut self, command: Command, data: &[u8]) -> (Vec<u8>, u16) {
        let mut frame = [0; 1_514];
        let mut writer = FrameWriter::new(&mut frame, MacAddress::MAIN_DEVICE).unwrap();
        writer.push_data(command, 0, data).unwrap();
        let length = writer.finish();
        self.now_ns += 1_000_000;
        self.link.send(&frame[..length], self.now_ns).unwrap();
        let length = self.link.receive(&mut frame, self.now_ns).unwrap().expect("an answer");
        let datagram = datagrams(&frame[..length]).unwrap().next().unwrap().unwrap();
        (datagram.data.to_vec(), datagram.working_counter)
    }

    /// Sends a mail of a protocol; the body of the answer.
    pub fn ask(&mut self, kind: u8, body: &[u8]) -> Vec<u8> {
        self.counter = self.counter % 7 + 1;
        let mut mail = vec![0; self.area.receive_size.into()];
        (mail[0], mail[5]) = (body.len() as u8, kind | self.counter << 4);
        mail[6..6 + body.len()].copy_from_slice(body);
        self.put(self.area.receive_offset, &mail);
        let command = Command::Fprd { station: STATION, register: self.area.send_offset };
        let empty = vec![0; self.area.send_size.into()];
        let answer =
            (0..10).map(|_| self.exchange(command, &empty)).find(|(_, counter)| *counter == 1);
        let (mail, _) = answer.expect("an answer");
        assert_eq!(mail[5] & 0x0F, kind);
        mail[6..6 + usize::from(mail[0])].to_vec()
    }
    /// Error counters and lost links are as they were (ESC data sheet, section II, 0x0300 to 0x0313).
    pub fn assert_nothing_counted(&mut self) {
        let command = Command::Fprd { station: STATION, register: 0x0300 };
        assert_eq!(self.exchange(command, &[0; 0x14]).0, [0; 0x14]);
    }
}

//! One device with a program, and a MainDevice that brings it to OP by rote and exchanges process data by object.
//! What it does to bring a device up is judged elsewhere; here it only has to come up.

use std::collections::BTreeMap;

use ecat_simulator::devices::DeviceImage;
use ecat_simulator::esc::{Direction, Point, Role};
use ecat_simulator::{Forward, Segment, SegmentDescription};
use ecat_wire::ethernet::MacAddress;
use ecat_wire::fmmu::Fmmu;
use ecat_wire::frame::{FrameWriter, datagrams};
use ecat_wire::sii::Sii;
use ecat_wire::sync_manager::SyncManager;
use ecat_wire::{Command, register as reg};

const STATION: u16 = 0x1001;
const LOGICAL: u32 = 0x1_0000;
const MS: u64 = 1_000_000;
const FRAME_NS: u64 = 20_000;
/// Type of CoE mail, and its service of SDO requests.
const COE: u8 = 3;
const SDO_REQUEST: [u8; 2] = [0x00, 0x20];

/// The device and its MainDevice.
pub struct Machine {
    pub segment: Segment,
    pub now_ns: u64,
    /// Period of [`Machine::cycle`].
    pub cycle_ns: u64,
    image: DeviceImage,
    sii: Sii,
    outputs: BTreeMap<(u16, u8), i64>,
    raw_outputs: Vec<u8>,
    inputs: Vec<u8>,
    counter: u8,
    /// Mail that was no answer to an SDO: emergencies.
    pub other_mail: Vec<Vec<u8>>,
    /// Working counter of the last cycle.
    pub working_counter: u16,
    /// Cycle of SYNC0, and how long after it SYNC1 comes.
    sync_ns: Option<(u32, Option<u32>)>,
    /// First bit and bits of objects in the images that the device's objects make, once they are known.
    places: BTreeMap<(bool, u16, u8), (usize, usize)>,
}

impl Machine {
    /// A segment of one device, in PRE-OP where it has a mailbox.
    pub fn new(device: &str) -> Self {
        let json = format!(r#"{{"seed": 1, "devices":[{device}]}}"#);
        let description = SegmentDescription::from_json(&json).unwrap();
        let image = DeviceImage::all(&description).unwrap().remove(0);
        let sii = Sii::parse(&image.sii).unwrap();
        let mut machine = Self {
            segment: Segment::new(&description).unwrap(),
            now_ns: 1_000_000_000,
            cycle_ns: MS,
            image,
            sii,
            outputs: BTreeMap::new(),
            raw_outputs: Vec::new(),
            inputs: Vec::new(),
            counter: 0,
            other_mail: Vec::new(),
            working_counter: 0,
            sync_ns: None,
            places: BTreeMap::new(),
        };
        machine.open();
        machine
    }

    /// Addresses the device, opens its mailboxes, and takes it to PRE-OP.
    pub fn open(&mut self) {
        let address =
            Command::Apwr { position: Command::position(0), register: reg::STATION_ADDRESS };
        assert_eq!(self.send(address, &STATION.to_le_bytes()).1, 1);
        let mail = self.sii.mailbox;
        if mail.receive_size > 0 {
            self.sync_manager(0, mail.receive_offset, mail.receive_size, 0x26);
            self.sync_manager(1, mail.send_offset, mail.send_size, 0x22);
        }
        assert_eq!(self.request(2), (2, 0));
    }

    /// To SAFE-OP and OP, with the process image that the device has by then.
    pub fn operate(&mut self) {
        assert_eq!(self.safe_op(), (4, 0));
        assert_eq!(self.request(8), (8, 0));
        self.cycle();
    }

    /// SyncManagers and FMMUs as the device's objects say; to SAFE-OP. What comes of it.
    pub fn safe_op(&mut self) -> (u16, u16) {
        let expected = self.image.profile.application.sync_managers.clone();
        let mut logical = LOGICAL;
        for (fmmu, sm) in
            (0..).zip(expected.iter().filter(|sm| matches!(sm.role, Role::Inputs | Role::Outputs)))
        {
            let control = if sm.role == Role::Outputs { 0x64 } else { 0x20 };
            let inputs = sm.role == Role::Inputs;
            let length = self.assigned_bytes(sm.number, inputs).unwrap_or(sm.length);
            self.sync_manager(sm.number, sm.start, length, control);
            if length == 0 {
                continue;
            }
            let page = Fmmu {
                logical_start: logical,
                length,
                logical_start_bit: 0,
                logical_stop_bit: 7,
                physical_start: sm.start,
                physical_start_bit: 0,
                read: sm.role == Role::Inputs,
                write: sm.role == Role::Outputs,
                enabled: true,
            };
            self.put(reg::fmmu(fmmu), &page.to_bytes());
            logical += u32::from(length);
        }
        if let Some((sync0_ns, sync1_ns)) = self.sync_ns {
            let start = self.now_ns + 20 * MS;
            self.put(reg::DC_SYNC0_CYCLE, &sync0_ns.to_le_bytes());
            self.put(reg::DC_SYNC1_CYCLE, &sync1_ns.unwrap_or(0).to_le_bytes());
            self.put(reg::DC_START_TIME, &start.to_le_bytes());
            self.put(reg::DC_SYNC_ACTIVATION, &[if sync1_ns.is_some() { 7 } else { 3 }]);
            self.cycle_ns = u64::from(sync0_ns) + u64::from(sync1_ns.unwrap_or(0));
        }
        self.request(4)
    }

    /// Sets the SYNC unit up on the way to SAFE-OP, with SYNC0 each cycle.
    pub fn synchronise(&mut self, cycle_ns: u32) {
        self.sync_ns = Some((cycle_ns, None));
    }

    /// The same with SYNC1 each cycle, so long after a SYNC0 that comes more often.
    pub fn synchronise_both(&mut self, sync0_ns: u32, sync1_ns: u32) {
        self.sync_ns = Some((sync0_ns, Some(sync1_ns)));
    }

    /// Bytes that 0x1C1n and the PDOs that it names make; none where there are no such objects.
    fn assigned_bytes(&mut self, number: u8, inputs: bool) -> Option<u16> {
        let assignment = 0x1C10 + u16::from(number);
        let count = self.upload(assignment, 0).ok()?;
        self.places.retain(|&(of_inputs, ..), _| of_inputs != inputs);
        let mut bits = 0;
        for n in 1..=count as u8 {
            let pdo = self.upload(assignment, n).ok()? as u16;
            for entry in 1..=self.upload(pdo, 0).ok()? as u8 {
                let mapped = self.upload(pdo, entry).ok()?;
                let object = (inputs, (mapped >> 16) as u16, (mapped >> 8) as u8);
                self.places.insert(object, (bits as usize, (mapped & 0xFF) as usize));
                bits += mapped & 0xFF;
            }
        }
        Some((bits as u16).div_ceil(8))
    }

    /// Requests an AL state and waits for it; status and code.
    pub fn request(&mut self, state: u16) -> (u16, u16) {
        self.put(reg::AL_CONTROL, &(state | 0x10).to_le_bytes());
        for _ in 0..300 {
            self.cycle();
            let status = self.register(reg::AL_STATUS);
            if status == state || status & 0x10 != 0 {
                break;
            }
        }
        (self.register(reg::AL_STATUS), self.register(reg::AL_STATUS_CODE))
    }

    /// Requests an AL state without waiting for it.
    pub fn send_request(&mut self, state: u16) {
        self.put(reg::AL_CONTROL, &(state | 0x10).to_le_bytes());
    }

    /// Sets an output for the cycles that follow.
    pub fn set(&mut self, index: u16, subindex: u8, value: i64) {
        self.outputs.insert((index, subindex), value);
    }

    /// An input as the last cycle brought it.
    pub fn input(&self, index: u16, subindex: u8) -> i64 {
        let (from, bits) = self.place(Direction::Input, index, subindex);
        let bit =
            |n: usize| i64::from(self.inputs.get(n / 8).is_some_and(|b| b >> (n % 8) & 1 != 0));
        (0..bits).fold(0, |value, n| value | bit(from + n) << n)
    }

    /// As [`Machine::input`], of a signed object.
    pub fn signed(&self, index: u16, subindex: u8) -> i64 {
        let (_, bits) = self.place(Direction::Input, index, subindex);
        let unused = 64 - bits as u32;
        self.input(index, subindex) << unused >> unused
    }

    /// First bit and bits of an object in the image of its direction, by the mapping or, where no objects tell it, the
    /// default one.
    fn place(&self, direction: Direction, index: u16, subindex: u8) -> (usize, usize) {
        let inputs = direction == Direction::Input;
        let found = self.places.get(&(inputs, index, subindex));
        if found.is_some() || self.places.keys().any(|&(of_inputs, ..)| of_inputs == inputs) {
            return *found.unwrap_or_else(|| panic!("{index:#06x}:{subindex} is not mapped"));
        }
        let mut points = self.image.profile.application.points.iter();
        let found = points.find(|Point { direction: d, index: i, subindex: s, .. }| {
            (*d, *i, *s) == (direction, index, subindex)
        });
        let point = found.unwrap_or_else(|| panic!("{index:#06x}:{subindex} is not mapped"));
        (point.bit_offset as usize, usize::from(point.bit_length))
    }

    /// Puts a value to what stands behind an input channel (from 1), where that is a real number.
    pub fn feed(&mut self, channel: usize, value: f64) {
        let to = self.image.inputs[channel - 1];
        assert_eq!(to.bit_length, 64);
        self.segment.set_input(0, to.bit_offset, 64, value.to_bits());
    }

    /// Puts a level to what stands behind a digital input channel (from 1).
    pub fn set_level(&mut self, channel: usize, level: bool) {
        let to = self.image.inputs[channel - 1];
        assert_eq!(to.bit_length, 1);
        self.segment.set_input(0, to.bit_offset, 1, level.into());
    }

    /// What the process sees of each output channel.
    pub fn driven(&self) -> Vec<u64> {
        let of = |c: &ecat_simulator::devices::Channel| {
            self.segment.output(0, c.bit_offset, c.bit_length)
        };
        self.image.outputs.iter().map(of).collect()
    }

    /// Sets bytes of the output image for the cycles that follow, below what [`Machine::set`] sets.
    pub fn set_bytes(&mut self, at: usize, bytes: &[u8]) {
        self.raw_outputs.resize(self.raw_outputs.len().max(at + bytes.len()), 0);
        self.raw_outputs[at..at + bytes.len()].copy_from_slice(bytes);
    }

    /// The input image as the last cycle brought it.
    pub fn input_bytes(&self) -> &[u8] {
        &self.inputs
    }

    /// One exchange of process data.
    pub fn cycle(&mut self) {
        let esc = &self.segment.devices()[0].esc;
        let (inputs, outputs): (usize, usize) =
            (esc.input_bytes() as usize, esc.output_bytes() as usize);
        let mut image = vec![0; outputs + inputs];
        let given = self.raw_outputs.len().min(outputs);
        image[..given].copy_from_slice(&self.raw_outputs[..given]);
        for (&(index, subindex), &value) in &self.outputs {
            let (from, bits) = self.place(Direction::Output, index, subindex);
            for n in 0..bits {
                if value >> n & 1 != 0 {
                    image[(from + n) / 8] |= 1 << ((from + n) % 8);
                }
            }
        }
        self.now_ns += self.cycle_ns.saturating_sub(FRAME_NS);
        if image.is_empty() {
            self.now_ns += FRAME_NS;
            return self.segment.advance(self.now_ns);
        }
        let (data, working_counter) = self.send(Command::Lrw { logical: LOGICAL }, &image);
        self.working_counter = working_counter;
        self.inputs = data[outputs..].to_vec();
    }

    /// So many exchanges.
    pub fn cycles(&mut self, count: usize) {
        (0..count).for_each(|_| self.cycle());
    }

    /// Exchanges until something is so; whether it was within `count`.
    pub fn until(&mut self, count: usize, mut is_so: impl FnMut(&Self) -> bool) -> bool {
        (0..count).any(|_| {
            self.cycle();
            is_so(self)
        })
    }

    /// What an object of at most four bytes holds, by SDO.
    ///
    /// # Errors
    /// The abort code.
    pub fn upload(&mut self, index: u16, subindex: u8) -> Result<u32, u32> {
        let [low, high] = index.to_le_bytes();
        let answer = self.sdo(&[0x40, low, high, subindex, 0, 0, 0, 0]);
        let value = u32::from_le_bytes(answer[4..8].try_into().unwrap());
        if answer[0] == 0x80 { Err(value) } else { Ok(value) }
    }

    /// Writes an object of one to four bytes by SDO.
    ///
    /// # Errors
    /// The abort code.
    pub fn download(&mut self, index: u16, subindex: u8, bytes: u8, value: i64) -> Result<(), u32> {
        let [low, high] = index.to_le_bytes();
        let mut body = [0x23 | (4 - bytes) << 2, low, high, subindex, 0, 0, 0, 0];
        body[4..].copy_from_slice(&value.to_le_bytes()[..4]);
        let answer = self.sdo(&body);
        let code = u32::from_le_bytes(answer[4..8].try_into().unwrap());
        if answer[0] == 0x80 { Err(code) } else { Ok(()) }
    }

    /// Asks for an object without waiting for the answer.
    pub fn request_upload(&mut self, index: u16, subindex: u8) {
        let [low, high] = index.to_le_bytes();
        self.send_sdo(&[0x40, low, high, subindex, 0, 0, 0, 0]);
    }

    fn sdo(&mut self, body: &[u8]) -> Vec<u8> {
        self.send_sdo(body);
        for _ in 0..1_000 {
            self.cycle();
            if let Some(mail) = self.mail() {
                // Service 3 in the upper four bits: an SDO response; 2: an abort.
                if mail[7] >> 4 == 3 || mail[7] >> 4 == 2 {
                    return mail[8..].to_vec();
                }
                self.other_mail.push(mail);
            }
        }
        panic!("an SDO was not answered");
    }

    fn send_sdo(&mut self, body: &[u8]) {
        let areas = self.sii.mailbox;
        self.counter = self.counter % 7 + 1;
        let mut mail = vec![0; usize::from(areas.receive_size)];
        mail[..8].copy_from_slice(&[
            body.len() as u8 + 2,
            0,
            0,
            0,
            0,
            COE | self.counter << 4,
            SDO_REQUEST[0],
            SDO_REQUEST[1],
        ]);
        mail[8..8 + body.len()].copy_from_slice(body);
        let out = Command::Fpwr { station: STATION, register: areas.receive_offset };
        while self.send(out, &mail).1 == 0 {
            self.cycle();
        }
    }

    /// The mail that waits, if any.
    pub fn mail(&mut self) -> Option<Vec<u8>> {
        let areas = self.sii.mailbox;
        let read = Command::Fprd { station: STATION, register: areas.send_offset };
        let (mail, working_counter) = self.send(read, &vec![0; usize::from(areas.send_size)]);
        (working_counter == 1).then_some(mail)
    }

    fn sync_manager(&mut self, number: u8, start: u16, length: u16, control: u8) {
        let sm = SyncManager { start, length, control, enabled: length > 0 };
        self.put(reg::sync_manager(number), &sm.to_bytes());
    }

    /// Two bytes of the ESC's memory.
    pub fn register(&mut self, register: u16) -> u16 {
        let (data, working_counter) =
            self.send(Command::Fprd { station: STATION, register }, &[0; 2]);
        assert_eq!(working_counter, 1, "{register:#06x} answers");
        u16::from_le_bytes([data[0], data[1]])
    }

    fn put(&mut self, register: u16, data: &[u8]) {
        let working_counter = self.send(Command::Fpwr { station: STATION, register }, data).1;
        assert_eq!(working_counter, 1, "{register:#06x} takes a write");
    }

    /// One datagram in a frame of its own: data and working counter.
    pub fn send(&mut self, command: Command, data: &[u8]) -> (Vec<u8>, u16) {
        let mut frame = [0; 1_514];
        let mut writer = FrameWriter::new(&mut frame, MacAddress::MAIN_DEVICE).unwrap();
        writer.push_data(command, 0, data).unwrap();
        let length = writer.finish();
        self.now_ns += FRAME_NS;
        assert_eq!(self.segment.process(&mut frame[..length], self.now_ns), Forward::Returned);
        let datagram = datagrams(&frame[..length]).unwrap().next().unwrap().unwrap();
        (datagram.data.to_vec(), datagram.working_counter)
    }
}

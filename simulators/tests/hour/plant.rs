//! A plant of ten devices and a MainDevice that runs it by rote, in virtual time.

use std::hash::{DefaultHasher, Hasher};

use ecat_simulator::{Forward, Segment, SegmentDescription};
use ecat_wire::ethernet::MacAddress;
use ecat_wire::fmmu::Fmmu;
use ecat_wire::frame::FrameWriter;
use ecat_wire::sync_manager::SyncManager;
use ecat_wire::{Command, register as reg};

/// Devices of the plant.
pub const DEVICES: u16 = 10;
const CYCLE_NS: u64 = 1_000_000;
const LOGICAL: u32 = 0x1_0000;
/// Outputs and inputs of each device.
const BYTES: u16 = 4;
const MAIL_OUT: u16 = 0x1000;
const MAIL_BYTES: u16 = 64;
const OUTPUTS: u16 = 0x1080;
const INPUTS: u16 = 0x1100;

/// The plant at power-on: crystals that drift and stamps that jitter, signals, mailboxes.
pub fn segment(seed: u64) -> Segment {
    let device = |n: u16| {
        format!(
            r#"{{ "name": "drive{n}", "type": "generic",
                  "clock": {{ "driftPpm": {}, "jitterNs": 20, "offsetNs": {} }}, "sync": {{}},
                  "pdos": [
                    {{ "direction": "output", "index": 5632, "entries": [{{ "index": 24698, "bits": 32 }}] }},
                    {{ "direction": "input", "index": 6656, "entries": [{{ "index": 24676, "bits": 32 }}] }} ],
                  "mailbox": {{ "bytes": 64, "objects": [{{ "index": 8192, "value": {n} }}] }} }}"#,
            i32::from(n) * 17 - 80,
            u32::from(n) * 1_234_567,
        )
    };
    let devices: Vec<_> = (0..DEVICES).map(device).collect();
    let signal = |n: u16| {
        format!(
            r#"{{ "input": "drive{n}.1", "sine": {{ "amplitude": 1e6, "periodMs": {} }} }}"#,
            100 + n
        )
    };
    let signals: Vec<_> = (1..DEVICES).map(signal).collect();
    let json = format!(
        r#"{{ "seed": {seed}, "devices": [{}], "signals": [{}],
             "wires": [{{ "from": "drive1.1", "to": "drive0.1" }}] }}"#,
        devices.join(","),
        signals.join(",")
    );
    Segment::new(&SegmentDescription::from_json(&json).expect("a good form")).expect("good devices")
}

/// What a run left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Of every byte that came back.
    pub hash: u64,
    /// Frames sent.
    pub frames: u64,
    /// Cycles whose working counter was that of a plant in OP.
    pub good: u64,
    /// Mails that were answered.
    pub answers: u64,
}

struct MainDevice {
    segment: Segment,
    now_ns: u64,
    hasher: DefaultHasher,
    frames: u64,
    frame: [u8; 1_514],
}

impl MainDevice {
    /// Sends datagrams; where the data of each begins in the answer.
    fn send(&mut self, datagrams: &[(Command, &[u8])]) {
        let mut writer = FrameWriter::new(&mut self.frame, MacAddress::MAIN_DEVICE).expect("room");
        for (command, data) in datagrams {
            writer.push_data(*command, 0, data).expect("room");
        }
        let length = writer.finish();
        let forward = self.segment.process(&mut self.frame[..length], self.now_ns);
        assert_eq!(forward, Forward::Returned);
        self.hasher.write(&self.frame[..length]);
        self.frames += 1;
    }

    fn set(&mut self, device: u16, register: u16, data: &[u8]) {
        self.now_ns += 10_000;
        self.send(&[(Command::Fpwr { station: 0x1001 + device, register }, data)]);
    }

    fn request(&mut self, state: u8, wait_ns: u64) {
        self.send(&[(Command::Bwr { register: reg::AL_CONTROL }, &[state, 0])]);
        self.now_ns += wait_ns;
    }

    fn configure(&mut self) {
        for n in 0..DEVICES {
            self.now_ns += 10_000;
            let command =
                Command::Apwr { position: Command::position(n), register: reg::STATION_ADDRESS };
            self.send(&[(command, &(0x1001 + n).to_le_bytes())]);
        }
        let managers = [
            (0, MAIL_OUT, MAIL_BYTES, 0x26),
            (1, MAIL_OUT + MAIL_BYTES, MAIL_BYTES, 0x22),
            (2, OUTPUTS, BYTES, 0x64),
            (3, INPUTS, BYTES, 0x20),
        ];
        for n in 0..DEVICES {
            for (number, start, length, control) in managers {
                let sm = SyncManager { start, length, control, enabled: true };
                self.set(n, reg::sync_manager(number), &sm.to_bytes());
            }
            for (number, read, physical_start) in [(0, false, OUTPUTS), (1, true, INPUTS)] {
                let fmmu = Fmmu {
                    logical_start: LOGICAL + u32::from(BYTES * (2 * n + u16::from(read))),
                    length: BYTES,
                    logical_start_bit: 0,
                    logical_stop_bit: 7,
                    physical_start,
                    physical_start_bit: 0,
                    read,
                    write: !read,
                    enabled: true,
                };
                self.set(n, reg::fmmu(number), &fmmu.to_bytes());
            }
        }
        self.send(&[(Command::Bwr { register: reg::DC_RECEIVE_TIME }, &[0; 4])]);
        self.request(2, 5_000_000);
        for n in 0..DEVICES {
            // Its clock is ahead by what it read at power-on.
            let start = self.now_ns + 50_000_000 + u64::from(n) * 1_234_567;
            self.set(n, reg::DC_SYNC0_CYCLE, &1_000_000_u32.to_le_bytes());
            self.set(n, reg::DC_START_TIME, &start.to_le_bytes());
            self.set(n, reg::DC_SYNC_ACTIVATION, &[3]);
        }
        self.request(4, 60_000_000);
    }
}

/// Brings the plant to OP and exchanges process data, system time and mail, a cycle each ms.
pub fn run(seed: u64, cycles: u64) -> Outcome {
    let mut main = MainDevice {
        segment: segment(seed),
        now_ns: 1_000_000,
        hasher: DefaultHasher::new(),
        frames: 0,
        frame: [0; 1_514],
    };
    main.configure();
    main.request(8, 10_000);
    let (mut good, mut answers) = (0, 0);
    let mut outputs = [0; 2 * DEVICES as usize * BYTES as usize];
    let time = Command::Frmw { station: 0x1001, register: reg::DC_SYSTEM_TIME };
    let lrw = Command::Lrw { logical: LOGICAL };
    // Behind the Ethernet and EtherCAT headers: two datagrams with their headers and counters.
    let counter_at = 16 + 10 + 8 + 2 + 10 + outputs.len();
    for cycle in 0..cycles {
        main.now_ns += CYCLE_NS;
        outputs[..8].copy_from_slice(&cycle.to_le_bytes());
        main.send(&[(time, &[0; 8]), (lrw, &outputs)]);
        let counter = u16::from_le_bytes([main.frame[counter_at], main.frame[counter_at + 1]]);
        good += u64::from(counter == 3 * DEVICES);
        // An SDO to one device after the other.
        let station = 0x1001 + (cycle / 10 % u64::from(DEVICES)) as u16;
        if cycle % 10 == 0 {
            let mut mail = [0; MAIL_BYTES as usize];
            let sequence = (cycle / 100 % 7 + 1) as u8;
            mail[..16].copy_from_slice(&[
                10,
                0,
                0,
                0,
                0,
                3 | sequence << 4,
                0,
                0x20,
                0x40,
                0x00,
                0x20,
                0,
                0,
                0,
                0,
                0,
            ]);
            main.send(&[(Command::Fpwr { station, register: MAIL_OUT }, &mail)]);
        } else if cycle % 10 == 5 {
            let register = MAIL_OUT + MAIL_BYTES;
            main.send(&[(Command::Fprd { station, register }, &[0; MAIL_BYTES as usize])]);
            answers += u64::from(main.frame[16 + 10 + usize::from(MAIL_BYTES)]);
        }
    }
    Outcome { hash: main.hasher.finish(), frames: main.frames, good, answers }
}

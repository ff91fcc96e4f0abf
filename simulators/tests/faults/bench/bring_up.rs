//! The plant's way to OP: addresses, mailboxes, SyncManagers, FMMUs, clock, states.

use ecat_simulator::Segment;
use ecat_simulator::esc::Role;
use ecat_wire::fmmu::Fmmu;
use ecat_wire::sii::Sii;
use ecat_wire::sync_manager::SyncManager;
use ecat_wire::{Command, register as reg};

use super::{AXIS, Bench, COUPLER, EVENT_MASK, LAMP, LOGICAL, MS, NAMES, SENSED, SENSOR, station};

impl Bench {
    /// Addresses, SyncManagers, FMMUs, PRE-OP, SAFE-OP, OP.
    pub fn operate(&mut self) {
        self.configure();
        self.climb();
    }

    fn configure(&mut self) {
        self.with_segment(|segment| segment.set_input(SENSOR, 0, 16, SENSED.into()));
        self.address_all();
        for n in 0..4 {
            self.set_mail_up(n);
            assert_eq!(self.request(n, 2), 2, "{}", NAMES[usize::from(n)]);
        }
        (0..4).for_each(|n| self.map(n));
    }

    /// Gives all devices their stations.
    pub fn address_all(&mut self) {
        for n in 0..4 {
            let position = Command::position(n);
            let address = Command::Apwr { position, register: reg::STATION_ADDRESS };
            assert_eq!(self.write(address, &station(n).to_le_bytes()), Some(1));
            self.put(n, reg::ECAT_EVENT_MASK, &EVENT_MASK.to_le_bytes());
        }
    }

    /// Mailboxes of a device, where it has some.
    fn set_mail_up(&mut self, n: u16) {
        let sii = Sii::parse(&self.images[usize::from(n)].sii).unwrap();
        let mail = sii.mailbox;
        if mail.receive_size > 0 {
            self.sync_manager(n, 0, mail.receive_offset, mail.receive_size, 0x26);
            self.sync_manager(n, 1, mail.send_offset, mail.send_size, 0x22);
        }
    }

    /// SyncManagers and FMMUs of a device's process data.
    pub fn map(&mut self, n: u16) {
        let mut logical = match n {
            LAMP => {
                self.put(LAMP, reg::sync_manager(0), &[0x00, 0x0F, 1, 0, 0x44, 0, 1, 0]);
                return self.fmmu(LAMP, 0, LOGICAL, 1, 0x0F00, false);
            }
            AXIS => LOGICAL + 1,
            SENSOR => LOGICAL + 9,
            _ => return,
        };
        let expected = self.images[usize::from(n)].profile.application.sync_managers.clone();
        let buffers = expected
            .iter()
            .filter(|sm| matches!(sm.role, Role::Inputs | Role::Outputs) && sm.length > 0);
        for (fmmu, sm) in (0..).zip(buffers) {
            let outputs = sm.role == Role::Outputs;
            let control = if outputs { 0x64 } else { 0x20 };
            self.sync_manager(n, sm.number, sm.start, sm.length, control);
            self.fmmu(n, fmmu, logical, sm.length, sm.start, !outputs);
            logical += u32::from(sm.length);
        }
    }

    /// All of it in PRE-OP.
    pub fn pre_operate(&mut self) {
        self.configure();
        self.settle();
    }

    /// The axis in PRE-OP, with pulses of a ms from 20 ms on.
    pub fn prepare_pulses(&mut self) {
        self.configure();
        self.start_pulses(self.now_ns + 20 * MS);
    }

    pub(super) fn climb(&mut self) {
        for state in [4, 8] {
            for n in 0..4 {
                assert_eq!(self.request(n, state), u16::from(state), "{}", NAMES[usize::from(n)]);
            }
        }
        self.settle();
    }

    /// What is seen from here on is what a fault has done.
    pub fn settle(&mut self) {
        self.cycles(5);
        // The first mail leaves traces in its SyncManagers, which all others leave too.
        self.observe();
        self.read_statuses();
        self.before = self.observe();
        while self.with_segment(Segment::take_hit).is_some() {}
    }

    /// Reads the status of ports and states, which takes their events back.
    pub fn read_statuses(&mut self) {
        for register in [reg::DL_STATUS, reg::AL_STATUS] {
            self.exchange(Command::Brd { register }, &[0; 2]);
        }
    }

    /// Sets the SYNC unit of the axis up: SYNC0 each ms, from a moment of the axis's clock on.
    pub fn start_pulses(&mut self, start_ns: u64) {
        let now = self.axis_time();
        let start = now + start_ns.saturating_sub(self.now_ns);
        self.put(AXIS, reg::DC_SYNC0_CYCLE, &(MS as u32).to_le_bytes());
        self.put(AXIS, reg::DC_START_TIME, &start.to_le_bytes());
        self.put(AXIS, reg::DC_SYNC_ACTIVATION, &[3]);
    }

    /// Local time of the axis's clock.
    pub fn axis_time(&mut self) -> u64 {
        let time = self.peek(AXIS, reg::DC_SYSTEM_TIME, 8);
        u64::from_le_bytes(time.try_into().unwrap())
    }

    fn sync_manager(&mut self, n: u16, number: u8, start: u16, length: u16, control: u8) {
        let sm = SyncManager { start, length, control, enabled: length > 0 };
        self.put(n, reg::sync_manager(number), &sm.to_bytes());
    }

    fn fmmu(&mut self, n: u16, number: u8, logical: u32, length: u16, physical: u16, read: bool) {
        let fmmu = Fmmu {
            logical_start: logical,
            length,
            logical_start_bit: 0,
            logical_stop_bit: 7,
            physical_start: physical,
            physical_start_bit: 0,
            read,
            write: !read,
            enabled: true,
        };
        self.put(n, reg::fmmu(number), &fmmu.to_bytes());
    }

    /// Requests an AL state and waits for it, 200 ms at most; the status.
    pub fn request(&mut self, n: u16, state: u8) -> u16 {
        self.put(n, reg::AL_CONTROL, &[state | 0x10, 0]);
        for _ in 0..200 {
            self.cycle();
            let status = self.word(n, reg::AL_STATUS);
            if status & 0x000F == u16::from(state)
                || status & 0x0010 != 0 && n != LAMP && n != COUPLER
            {
                return status & !if n == LAMP || n == COUPLER { 0x10 } else { 0 };
            }
        }
        self.word(n, reg::AL_STATUS)
    }
}

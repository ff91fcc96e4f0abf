//! A datagram on its way past the devices: who it addresses, and what it counts (ETG.1000.4, "Command types").

use ecat_wire::Command;
use ecat_wire::frame::DatagramMut;

use super::Segment;
use crate::esc::{Access, Merge};

const READ: Access = Access { read: true, write: false };
const WRITE: Access = Access { read: false, write: true };
const BOTH: Access = Access { read: true, write: true };

impl Segment {
    pub(super) fn datagram(&mut self, datagram: &mut DatagramMut<'_>, now_ns: u64) {
        let Some(command) = datagram.command() else { return };
        let present = self.line.reached;
        let counted_up = |position: u16| position.wrapping_add(present as u16).to_le_bytes();
        match command {
            Command::Nop => return,
            Command::Aprd { position, register } => {
                self.by_position(position, register, datagram, READ, now_ns);
            }
            Command::Apwr { position, register } => {
                self.by_position(position, register, datagram, WRITE, now_ns);
            }
            Command::Aprw { position, register } => {
                self.by_position(position, register, datagram, BOTH, now_ns);
            }
            Command::Fprd { station, register } => {
                self.by_station(station, register, datagram, READ, now_ns);
            }
            Command::Fpwr { station, register } => {
                self.by_station(station, register, datagram, WRITE, now_ns);
            }
            Command::Fprw { station, register } => {
                self.by_station(station, register, datagram, BOTH, now_ns);
            }
            Command::Brd { register } => self.broadcast(register, datagram, READ, now_ns),
            Command::Bwr { register } => self.broadcast(register, datagram, WRITE, now_ns),
            Command::Brw { register } => self.broadcast(register, datagram, BOTH, now_ns),
            Command::Lrd { logical } => self.logical(logical, datagram, READ, now_ns),
            Command::Lwr { logical } => self.logical(logical, datagram, WRITE, now_ns),
            Command::Lrw { logical } => self.logical(logical, datagram, BOTH, now_ns),
            Command::Armw { position, register } => {
                let reader = usize::from(position.wrapping_neg());
                for place in 0..present {
                    let wanted = if place == reader { READ } else { WRITE };
                    self.physical(place, register, datagram, wanted, Merge::Replace, now_ns);
                }
            }
            Command::Frmw { station, register } => {
                let readers = self.line.stations(station);
                for place in 0..present {
                    let reads = readers.clone().any(|n| self.line.station(n) == place);
                    let wanted = if reads { READ } else { WRITE };
                    self.physical(place, register, datagram, wanted, Merge::Replace, now_ns);
                }
            }
        }
        // Every ESC counts the position up, in broadcasts too.
        if matches!(datagram.header[0], 1..=3 | 7..=9 | 13) {
            let position = u16::from_le_bytes([datagram.header[2], datagram.header[3]]);
            datagram.header[2..4].copy_from_slice(&counted_up(position));
        }
    }

    fn by_position(
        &mut self,
        position: u16,
        register: u16,
        datagram: &mut DatagramMut<'_>,
        wanted: Access,
        now_ns: u64,
    ) {
        let place = usize::from(position.wrapping_neg());
        if place < self.line.reached {
            self.physical(place, register, datagram, wanted, Merge::Replace, now_ns);
        }
    }

    fn by_station(
        &mut self,
        station: u16,
        register: u16,
        datagram: &mut DatagramMut<'_>,
        wanted: Access,
        now_ns: u64,
    ) {
        for n in self.line.stations(station) {
            let place = self.line.station(n);
            if place >= self.line.reached {
                continue;
            }
            self.physical(place, register, datagram, wanted, Merge::Replace, now_ns);
        }
    }

    fn broadcast(
        &mut self,
        register: u16,
        datagram: &mut DatagramMut<'_>,
        wanted: Access,
        now_ns: u64,
    ) {
        for place in 0..self.line.reached {
            self.physical(place, register, datagram, wanted, Merge::Or, now_ns);
        }
    }

    /// One device's share of a datagram with a physical address.
    fn physical(
        &mut self,
        place: usize,
        register: u16,
        datagram: &mut DatagramMut<'_>,
        wanted: Access,
        merge: Merge,
        now_ns: u64,
    ) {
        let device = self.line.present[place];
        let esc = &mut self.devices[usize::from(device)].esc;
        let arrival_ns = self.line.arrival(place, now_ns);
        if wanted == BOTH && esc.ignores_read_write() {
            return;
        }
        if esc.is_concerned() {
            esc.begin_turn(self.faults.lend(device));
        }
        let waited = esc.is_pending();
        let mut done = Access::default();
        if wanted == BOTH {
            // What comes in is written; what was there before leaves.
            let incoming = &mut self.scratch[..datagram.data.len()];
            incoming.copy_from_slice(datagram.data);
            done.read = esc.read(register, datagram.data, merge, arrival_ns);
            let to = register.wrapping_add(esc.write_offset());
            done.write = esc.write(to, incoming, arrival_ns);
        } else if wanted.read {
            done.read = esc.read(register, datagram.data, merge, arrival_ns);
        } else {
            done.write = esc.write(register, datagram.data, arrival_ns);
        }
        if let Some(faults) = esc.end_turn() {
            self.faults = faults;
        }
        if !waited && esc.is_pending() {
            self.pending.push(place);
        }
        datagram.add_working_counter(done.working_counter(wanted));
    }

    fn logical(
        &mut self,
        address: u32,
        datagram: &mut DatagramMut<'_>,
        wanted: Access,
        now_ns: u64,
    ) {
        let Some(length) = datagram.data.len().checked_sub(1) else { return };
        let last = address.saturating_add(length as u32);
        let mut counter = 0;
        for (place, &(window_first, window_last)) in
            self.line.windows[..self.line.reached].iter().enumerate()
        {
            if window_first > last || window_last < address {
                continue;
            }
            let esc = &mut self.devices[usize::from(self.line.present[place])].esc;
            let arrival_ns = self.line.arrival(place, now_ns);
            let waited = esc.is_pending();
            counter +=
                esc.logical(address, datagram.data, wanted, arrival_ns).working_counter(wanted);
            if !waited && esc.is_pending() {
                self.pending.push(place);
            }
        }
        if counter > 0 {
            self.faults.process_data_exchanged();
        }
        datagram.add_working_counter(counter);
    }
}

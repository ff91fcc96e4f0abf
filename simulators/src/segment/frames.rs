//! What becomes of a whole frame: EtherCAT or not, whole or broken, in which envelope, and where it comes out.

use ecat_wire::ethernet::{Envelope, FRAME_BYTES_MIN, SOURCE_PROCESSED, envelope};
use ecat_wire::frame::{FrameError, datagrams_from, for_each_datagram_mut_from};

use super::{Forward, Segment};
use crate::esc::Reset;

/// What a frame holds.
enum Content {
    /// EtherCAT, with lengths that fit.
    Datagrams(Envelope),
    /// A frame that is too short, or whose lengths do not fit.
    Broken(Option<Envelope>),
    /// Something else.
    Foreign,
}

impl Content {
    fn of(frame: &[u8]) -> Self {
        let envelope = envelope(frame);
        if frame.len() < FRAME_BYTES_MIN {
            return Self::Broken(envelope);
        }
        let Some(envelope) = envelope else { return Self::Foreign };
        match datagrams_from(frame, envelope.header) {
            Ok(mut all) => match all.all(|one| one.is_ok()) {
                true => Self::Datagrams(envelope),
                false => Self::Broken(Some(envelope)),
            },
            Err(FrameError::NotEtherCat) => Self::Foreign,
            Err(_) => Self::Broken(Some(envelope)),
        }
    }
}

impl Segment {
    pub(super) fn take_through(&mut self, frame: &mut [u8], now_ns: u64) -> Forward {
        let forward = match Content::of(frame) {
            Content::Datagrams(envelope) => self.take_datagrams(frame, envelope, now_ns),
            Content::Broken(envelope) => self.take_broken(frame, envelope, now_ns),
            Content::Foreign => self.take_foreign(),
        };
        if self.resets {
            self.follow_resets(now_ns);
        }
        if let Some((device, port)) = self.line.route.opens {
            self.devices[usize::from(device)].esc.open_port(port);
            self.connect_anew = true;
        }
        forward
    }

    fn take_datagrams(&mut self, frame: &mut [u8], envelope: Envelope, now_ns: u64) -> Forward {
        // Port 0 of the device there is closed: it destroys what has passed such a port before.
        let destroyed_at =
            self.line.route.circulates_at.filter(|_| circulates(frame, envelope.header));
        if let Some(limit) = destroyed_at {
            self.line.reached = limit;
        }
        let (damaged_at, lost_at) =
            if self.disturbs_ports() { self.meet_at_ports(frame, now_ns) } else { (None, None) };
        if let Some(limit) = lost_at {
            self.line.reached = self.line.reached.min(limit);
        }
        // Whoever would destroy it never sees it.
        let destroyed_at = destroyed_at.filter(|&at| lost_at.is_none_or(|lost| at < lost));
        let mut forward = self.process_reached(frame, envelope, now_ns);
        if let Some(limit) = destroyed_at {
            if let Some(&by) = self.line.present.get(limit) {
                self.devices[usize::from(by)].esc.count_malformed();
            }
            forward = Forward::Lost;
        } else if let Some(by) = self.line.route.destroyed_by.filter(|_| lost_at.is_none()) {
            self.devices[usize::from(by)].esc.count_malformed();
        }
        if lost_at.is_some() {
            forward = Forward::Lost;
        }
        self.line.reached = self.line.present.len();
        if let Some(place) = damaged_at {
            self.abandon(place);
            forward = Forward::Lost;
        }
        self.end_of_frame(now_ns);
        forward
    }

    /// A frame that contradicts itself. The first ESC counts it and spoils its checksum, the others count
    /// that as forwarded to them; process RAM is written as far as the frame could be read, and nothing else
    /// takes effect (ESC data sheet, section I, "Error counters").
    fn take_broken(
        &mut self,
        frame: &mut [u8],
        envelope: Option<Envelope>,
        now_ns: u64,
    ) -> Forward {
        for &n in &self.line.present {
            self.devices[usize::from(n)].esc.set_damaged(true);
        }
        if let Some(envelope) = envelope {
            let _as_far_as_it_goes =
                for_each_datagram_mut_from(frame, envelope.header, |mut datagram| {
                    self.datagram(&mut datagram, now_ns);
                });
        }
        for (n, &(at, by, ..)) in self.line.route.receptions.iter().enumerate() {
            let esc = &mut self.devices[usize::from(at)].esc;
            if n == 0 {
                esc.count_malformed();
            } else {
                esc.count_bad_checksum(by, true);
            }
        }
        self.abandon(0);
        Forward::Lost
    }

    /// A frame that is not EtherCAT: the first ESC that lets nothing else through destroys it (0x0100 bit 0).
    fn take_foreign(&mut self) -> Forward {
        let devices = &mut self.devices;
        let destroys = |&n: &u16| devices[usize::from(n)].esc.ethercat_only();
        if let Some(by) = self.line.present.iter().copied().find(destroys) {
            devices[usize::from(by)].esc.count_malformed();
            return Forward::Lost;
        }
        self.line.forward()
    }

    /// After a frame, for as long as a device is being reset.
    fn follow_resets(&mut self, now_ns: u64) {
        self.resets = false;
        for device in &mut self.devices {
            match device.esc.follow_reset() {
                Reset::None => {}
                Reset::UnderWay => self.resets = true,
                Reset::Complete => {
                    device.esc.power_on(now_ns);
                    self.connect_anew = true;
                }
            }
        }
    }

    /// The end of a damaged frame, for the devices from `first` on.
    fn abandon(&mut self, first: usize) {
        self.pending.retain(|&place| place < first);
        for &n in &self.line.present[first..] {
            let esc = &mut self.devices[usize::from(n)].esc;
            esc.abandon_frame();
            esc.set_damaged(false);
        }
    }

    fn process_reached(&mut self, frame: &mut [u8], envelope: Envelope, now_ns: u64) -> Forward {
        let marks = self.line.route.circulates_at.is_some();
        let irq = self.irq();
        // Its lengths have been looked at.
        let _whole = for_each_datagram_mut_from(frame, envelope.header, |mut datagram| {
            self.datagram(&mut datagram, now_ns);
            if irq != 0 {
                datagram.or_irq(irq);
            }
            if marks {
                datagram.set_circulating();
            }
        });
        let reached = &self.line.present[..self.line.reached];
        // ESC data sheet, section II, 2.4.1: with 0x0100 bit 0 the processing unit changes the source address.
        if reached.iter().any(|&n| self.devices[usize::from(n)].esc.ethercat_only()) {
            frame[6] |= SOURCE_PROCESSED;
        }
        if let Some(at) = envelope.udp_checksum.filter(|_| !reached.is_empty()) {
            frame[at..at + 2].fill(0);
        }
        self.line.forward()
    }
}

/// Whether a frame has passed an automatically closed port 0 before.
fn circulates(frame: &[u8], header: usize) -> bool {
    datagrams_from(frame, header)
        .ok()
        .and_then(|mut all| all.next()?.ok())
        .is_some_and(|datagram| datagram.circulating)
}

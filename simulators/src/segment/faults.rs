//! Faults in a segment: conditions that hold, events that happen, frames that are met at ports.

use std::sync::Arc;

use ecat_wire::Command;
use ecat_wire::mailbox::coe::emergency::Emergency;

use super::Segment;
use crate::description::DescriptionError;
use crate::device::Device;
use crate::faults::{
    Addressing, Desk, Effect, Fate, Fault, FaultDescription, FaultError, Faults, Hit, Nature, On,
    ReadHits, Step, Way, When,
};
use crate::topology::Presence;

/// Loop control of a port (0x0101).
const AUTO: u8 = 0;
const CLOSED: u8 = 3;

impl Segment {
    /// What the segment shares with those who command it.
    pub(crate) fn desk(&self) -> &Arc<Desk> {
        self.faults.desk()
    }

    /// Takes a fault in, from a moment on; returns its number.
    ///
    /// # Errors
    /// [`FaultError`] where its parts do not fit together.
    pub fn inject(&mut self, fault: Fault, now_ns: u64) -> Result<u32, FaultError> {
        let fault = fault.checked()?;
        let number = self.desk().number();
        self.arm(number, fault, now_ns);
        Ok(number)
    }

    /// Takes a fault in that names devices; returns its number.
    ///
    /// # Errors
    /// [`FaultError`] where it names a device that is not there, or its parts do not fit together.
    pub fn inject_described(
        &mut self,
        description: &FaultDescription,
        now_ns: u64,
    ) -> Result<u32, FaultError> {
        let desk = self.desk();
        let fault = description.resolve(desk)?;
        let number = desk.number();
        desk.name(number, description.name_of(number));
        self.arm(number, fault, now_ns);
        Ok(number)
    }

    /// Ends a fault.
    pub fn clear_fault(&mut self, number: u32, now_ns: u64) {
        self.clear_faults_that(|other, _| other == number, now_ns);
    }

    /// Ends all faults.
    pub fn clear_faults(&mut self, now_ns: u64) {
        self.clear_faults_that(|_, _| true, now_ns);
    }

    /// Takes the oldest hit out of the log.
    pub fn take_hit(&mut self) -> Option<Hit> {
        self.desk().take()
    }

    /// Takes out of the log what stands in it.
    pub fn read_hits(&mut self) -> ReadHits {
        self.desk().read()
    }

    pub(crate) fn arm(&mut self, number: u32, fault: Fault, now_ns: u64) {
        self.step_faults(now_ns);
        self.faults.arm(number, fault, now_ns);
        self.step_faults(now_ns);
        self.mark_devices();
    }

    pub(crate) fn clear_faults_that(&mut self, which: impl Fn(u32, &Fault) -> bool, now_ns: u64) {
        self.faults.clear(which);
        self.step_faults(now_ns);
    }

    /// A fault in place of the one of its kind at the same place that is there until it is cleared.
    pub(crate) fn set_fault(&mut self, fault: Fault, now_ns: u64) {
        if self.faults.holding().any(|other| *other == fault) {
            return;
        }
        self.clear_faults_that(
            |_, other| {
                other.when == fault.when
                    && other.on == fault.on
                    && other.effect.kind() == fault.effect.kind()
            },
            now_ns,
        );
        self.add_fault(fault, now_ns);
    }

    /// One more fault. One that fits nowhere, or meets nothing, is left out.
    pub(crate) fn add_fault(&mut self, fault: Fault, now_ns: u64) {
        let is_there = |device: u16| usize::from(device) < self.devices.len();
        if fault.when.count != Some(0)
            && fault.on.device.is_none_or(is_there)
            && let Ok(fault) = fault.checked()
        {
            let number = self.desk().number();
            self.arm(number, fault, now_ns);
        }
    }

    /// Ends the faults of a kind at a place.
    pub(crate) fn lift_faults(&mut self, on: On, kind: &str, now_ns: u64) {
        let there = |fault: &Fault| {
            let same_device = on.device == fault.on.device && on.port == fault.on.port;
            same_device && fault.effect.kind() == kind
        };
        self.clear_faults_that(|_, fault| there(fault), now_ns);
    }

    /// The cable in a port is whole again, from whichever end it was cut.
    pub(crate) fn mend_cable(&mut self, outlet: Option<(u16, u8)>, now_ns: u64) {
        let topology = &self.topology;
        let cable = outlet.map(|(device, port)| topology.cable(device, port));
        self.faults.clear(|_, fault| {
            let (Some(device), Some(port)) = (fault.on.device, fault.on.port) else { return false };
            let same = cable.is_none_or(|cable| topology.cable(device, port) == cable);
            fault.effect == Effect::Cut {} && same
        });
        self.step_faults(now_ns);
    }

    /// The port behind which the next device is.
    pub(crate) fn port_behind(&self, device: u16) -> Option<u8> {
        self.topology.port_behind(device)
    }

    /// By how much the local clock of a device runs fast without faults, in 10⁻⁹.
    pub(crate) fn clock_drift_ppb(&self, device: u16) -> Option<i32> {
        self.devices.get(usize::from(device)).map(|device| device.esc.profile().clock_drift_ppb)
    }

    /// Whether the MainDevice has a carrier.
    pub(crate) fn has_carrier(&self) -> bool {
        !self.faults.holding().any(|fault| fault.effect == Effect::CarrierLoss {})
    }

    /// Does what faults want done by now.
    pub(super) fn step_faults(&mut self, now_ns: u64) {
        if self.faults.await_milestones() {
            let (devices, present) = (&self.devices, &self.line.present);
            let state = |device: u16| devices.get(usize::from(device)).map(|d| d.esc.state());
            self.faults.look_for_milestones(now_ns, |device, wanted| match device {
                Some(device) => present.contains(&device) && state(device) == Some(wanted),
                None => !present.is_empty() && present.iter().all(|&n| state(n) == Some(wanted)),
            });
        }
        if self.faults.due_ns() > now_ns {
            return;
        }
        while let Some(step) = self.faults.step(now_ns) {
            match step {
                Step::Condition(fault) => self.apply_condition(&fault, now_ns),
                Step::Event(fault) => self.happen(&fault, now_ns),
            }
            self.due_ns = now_ns;
        }
        self.mark_devices();
    }

    /// Lets faults act by now, each at its own time.
    pub(crate) fn follow_faults(&mut self, now_ns: u64) {
        if !self.begun {
            self.begin_faults(now_ns);
        }
        if self.faults.is_empty() {
            return;
        }
        self.faults.look_ahead(now_ns);
        while self.faults.due_ns() < now_ns {
            let due_ns = self.faults.due_ns().max(self.faults_stepped_ns);
            self.faults_stepped_ns = due_ns;
            self.tick(due_ns);
            self.step_faults(due_ns);
        }
        self.faults_stepped_ns = self.faults_stepped_ns.max(now_ns);
        self.step_faults(now_ns);
    }

    /// The segment's time begins, and with it that of the faults of its description.
    fn begin_faults(&mut self, now_ns: u64) {
        (self.begun, self.beginning) = (true, true);
        self.faults_stepped_ns = now_ns;
        for n in 0..self.described.len() {
            let (number, fault) = self.described[n];
            self.faults.arm(number, fault, now_ns);
        }
        self.step_faults(now_ns);
        self.mark_devices();
        self.beginning = false;
        // What was wrong with an EEPROM before power-on was loaded so.
        let spoilt = |esc: &crate::esc::Esc| esc.loads_otherwise();
        for device in self.devices.iter_mut().filter(|device| spoilt(&device.esc)) {
            device.esc.power_on(now_ns);
        }
        if self.devices.iter().any(|device| spoilt(&device.esc)) {
            self.connect();
        }
    }

    /// Keeps a fault of the description until the segment's time begins.
    pub(super) fn describe_fault(&mut self, fault: Fault, name: Option<&FaultDescription>) {
        let number = self.desk().number();
        if let Some(description) = name {
            self.desk().name(number, description.name_of(number));
        }
        self.described.push((number, fault));
    }

    /// Takes over what the devices' mailboxes were described with.
    pub(super) fn describe_mail_faults(&mut self) {
        for n in 0..self.devices.len() {
            let application = &self.devices[n].esc.profile().application;
            let Some(mailbox) = &application.mailbox else { continue };
            for mail in mailbox.faults.clone() {
                let when = When { after: mail.after, count: Some(mail.count), ..When::default() };
                let effect = Effect::Mail { does: mail.effect, protocol: mail.protocol };
                self.describe_fault(Fault::on_device(n as u16, effect).when(when), None);
            }
        }
    }

    /// Takes over what programs want to go wrong with their devices' mail.
    pub(super) fn take_wanted_faults(&mut self, now_ns: u64) {
        for n in 0..self.devices.len() {
            while let Some(mail) = self.devices[n].esc.next_wanted() {
                let when = When { after: mail.after, count: Some(mail.count), ..When::default() };
                let effect = Effect::Mail { does: mail.effect, protocol: mail.protocol };
                self.add_fault(Fault::on_device(n as u16, effect).when(when), now_ns);
            }
        }
    }

    /// As [`Segment::describe_fault`], of a fault that names devices.
    pub(super) fn describe_faults(
        &mut self,
        descriptions: &[FaultDescription],
    ) -> Result<(), DescriptionError> {
        for (n, description) in descriptions.iter().enumerate() {
            let fault = description.resolve(self.desk()).map_err(|error| {
                DescriptionError::new(format!("/faults/{n}{}", error.path), error.message)
            })?;
            self.describe_fault(fault, Some(description));
        }
        Ok(())
    }

    /// Tells devices whether they have to ask at their occasions.
    fn mark_devices(&mut self) {
        for (n, device) in (0..).zip(&mut self.devices) {
            device.esc.set_concerned(self.faults.concern(n));
        }
    }

    /// A device comes, goes, or is taken out of the line. Its outputs fall with its power.
    fn set_presence(&mut self, device: u16, presence: Presence, now_ns: u64) {
        let before = self.topology.set_presence(device, presence);
        if before == presence {
            return;
        }
        if (before == Presence::On) != (presence == Presence::On) {
            let esc = &mut self.devices[usize::from(device)].esc;
            esc.power_on(now_ns);
            if presence != Presence::On {
                esc.set_powered(false);
            }
        }
        self.connect();
    }

    /// A condition began or ended: what it concerns is worked out anew from all that hold.
    fn apply_condition(&mut self, changed: &Fault, now_ns: u64) {
        let on = changed.on;
        let holds = |faults: &Faults, effect: &Effect| {
            faults.holding().any(|fault| {
                fault.effect == *effect && (fault.on.device, fault.on.port) == (on.device, on.port)
            })
        };
        let (device, port) = (on.device.unwrap_or(0), on.port.unwrap_or(0));
        match changed.effect {
            Effect::PowerOff {} | Effect::Bypass {} => {
                let presence = if holds(&self.faults, &Effect::Bypass {}) {
                    Presence::Bypassed
                } else if holds(&self.faults, &Effect::PowerOff {}) {
                    Presence::Off
                } else {
                    Presence::On
                };
                self.set_presence(device, presence, now_ns);
            }
            Effect::Cut {} => {
                let topology = &self.topology;
                let cable = topology.cable(device, port);
                let cut = self.faults.holding().any(|fault| {
                    let (Some(device), Some(port)) = (fault.on.device, fault.on.port) else {
                        return false;
                    };
                    fault.effect == Effect::Cut {} && topology.cable(device, port) == cable
                });
                if self.topology.cut(device, port, cut) {
                    self.connect();
                }
            }
            Effect::PortClosed {} => {
                let control = if holds(&self.faults, &changed.effect) { CLOSED } else { AUTO };
                if let Some(device) = self.devices.get_mut(usize::from(device)) {
                    device.esc.control_port(port, control);
                    self.connect();
                }
            }
            Effect::Swap { with } => {
                // Nobody exchanges devices without pulling their plugs.
                self.topology.pull_plugs([device, with], true);
                self.topology.connect(&mut self.devices, self.beginning);
                // Twice is not at all, so that this begins and ends it.
                self.topology.exchange(device, with);
                self.topology.pull_plugs([device, with], false);
                self.connect();
            }
            Effect::PdiHang {} => {
                let halted = holds(&self.faults, &changed.effect);
                if let Some(device) = self.devices.get_mut(usize::from(device)) {
                    device.esc.halt_program(halted, now_ns);
                }
            }
            Effect::CarrierLoss {} => {}
            _ => {
                if let Some(there) = self.devices.get_mut(usize::from(device)) {
                    let all = self.faults.holding().filter(|one| one.on.device == Some(device));
                    there.esc.spoil(all.map(|fault| fault.effect), now_ns);
                }
            }
        }
    }

    /// An event happens.
    fn happen(&mut self, fault: &Fault, now_ns: u64) {
        let Some(device) = fault.on.device.and_then(|n| self.devices.get_mut(usize::from(n)))
        else {
            return;
        };
        let esc = &mut device.esc;
        match fault.effect {
            Effect::Reset {} => {
                esc.power_on(now_ns);
                self.connect();
            }
            Effect::LeaveState { state, code } => esc.leave_state(state, code),
            Effect::Watchdog {} => esc.expire_watchdog(),
            Effect::Emergency { code, register, data, times } => {
                for _ in 0..times {
                    esc.raise_emergency(Emergency { code, register, data }, now_ns);
                }
            }
            Effect::ClockStep { by_ns } => esc.step_clock(by_ns, now_ns),
            _ => {}
        }
    }

    /// Takes a frame past the faults of one way of the link.
    pub(crate) fn meet_on_link(
        &mut self,
        way: Way,
        frame: &mut [u8],
        passed: usize,
        now_ns: u64,
    ) -> Fate {
        let Self { faults, line, devices, .. } = self;
        faults.on_link(way, frame, passed, now_ns, &Lined { line, devices })
    }

    /// Whether frames on the link may meet faults.
    pub(crate) fn disturbs_link(&self) -> bool {
        self.faults.any(Nature::Frame)
    }

    /// A frame was sent; returns its number.
    pub(crate) fn frame_sent(&mut self) -> u64 {
        self.numbered = true;
        self.faults.frame_sent()
    }

    /// The frame of this number passes next.
    pub(crate) fn frame_passes(&mut self, number: u64) {
        self.faults.frame_passes(number);
    }

    /// What ports do to the frame that is about to pass: counts at the ports from there on. Returns the first
    /// place that processes it with a bad checksum, and the first that it does not reach.
    pub(super) fn meet_at_ports(
        &mut self,
        frame: &[u8],
        now_ns: u64,
    ) -> (Option<usize>, Option<usize>) {
        let Self { faults, line, devices, .. } = self;
        let receptions = &line.route.receptions;
        let (mut bad, mut lost) = (None, None);
        for (n, &(at, by, _, place)) in receptions.iter().enumerate() {
            let lined = Lined { line, devices };
            let (spoils, loses) = faults.at_port((at, by), frame, bad.is_some(), now_ns, &lined);
            if spoils {
                bad = Some(n);
            }
            if loses {
                lost = Some((n, place));
                break;
            }
        }
        let end = lost.map_or(receptions.len(), |(n, _)| n);
        let Some(first) = bad.filter(|&first| first < end) else {
            return (None, lost.map(|(_, place)| place));
        };
        for (n, &(at, by, ..)) in receptions[..end].iter().enumerate().skip(first) {
            devices[usize::from(at)].esc.count_bad_checksum(by, n > first);
        }
        let place = receptions[first].3;
        for &n in &line.present[place..] {
            devices[usize::from(n)].esc.set_damaged(true);
        }
        (Some(place), lost.map(|(_, place)| place))
    }

    /// Whether frames may meet faults at ports.
    pub(super) fn disturbs_ports(&self) -> bool {
        self.faults.any(Nature::Port)
    }
}

/// Who sees frames, and at which addresses.
struct Lined<'a> {
    line: &'a crate::line::Line,
    devices: &'a [Device],
}

impl Addressing for Lined<'_> {
    fn addresses(&self, device: u16, command: Command, bytes: usize, way: Way) -> bool {
        let Some(place) = self.line.place(device) else { return false };
        let esc = &self.devices[usize::from(device)].esc;
        // Every device has counted the position up on the way.
        let passed = if way == Way::In { self.line.present.len() } else { 0 };
        let here = |position: u16| usize::from((passed as u16).wrapping_sub(position)) == place;
        let (own, alias) = esc.addresses();
        let called = |station: u16| station == own || alias == Some(station);
        match command {
            Command::Nop => false,
            Command::Aprd { position, .. }
            | Command::Apwr { position, .. }
            | Command::Aprw { position, .. } => here(position),
            Command::Fprd { station, .. }
            | Command::Fpwr { station, .. }
            | Command::Fprw { station, .. } => called(station),
            Command::Brd { .. }
            | Command::Bwr { .. }
            | Command::Brw { .. }
            | Command::Armw { .. }
            | Command::Frmw { .. } => true,
            Command::Lrd { logical } | Command::Lwr { logical } | Command::Lrw { logical } => {
                let (first, last) = self.line.windows[place];
                let end = logical.saturating_add(bytes.saturating_sub(1) as u32);
                first <= end && logical <= last
            }
        }
    }
}

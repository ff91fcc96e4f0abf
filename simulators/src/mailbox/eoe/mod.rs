//! The device's side of Ethernet over EtherCAT: fragments, addresses and filter, and the switch between the mailbox,
//! the device's own IP host and its Ethernet sockets (ETG1000.6, "EoE"; what happens to fragments and types that do
//! not fit, as in Beckhoff's device stack, `ecateoe.c`).

mod host;
mod switch;

pub use host::HostSettings;

use std::collections::VecDeque;
use std::net::Ipv4Addr;

use ecat_wire::ethernet::{HEADER_BYTES as ETHERNET_HEADER_BYTES, MacAddress};
use ecat_wire::mailbox::eoe::{
    AddressFilter, Arrived, Assembler, Cutter, EoeResult, Fragment, IpParameters, Mail, Message,
};
use ecat_wire::mailbox::{ErrorDetail, Kind, MailError};

use super::{Moment, Outbox};
use host::Host;
use switch::Switch;

/// The switch's port to the MainDevice; sockets count from 1.
const UPLINK: u8 = 0;
/// More frames than this wait neither for the MainDevice nor at a socket: the next ones are lost.
const WAITING_MAX: usize = 64;
/// A frame that came through more devices is lost, so that none goes round for ever.
const HOPS_MAX: u8 = 32;

/// What a device's Ethernet is.
#[derive(Clone, Debug)]
pub struct EoeSettings {
    /// Its own address.
    pub mac: MacAddress,
    /// Its IP host; none: addresses cannot be set.
    pub host: Option<HostSettings>,
    /// Its Ethernet sockets.
    pub sockets: u8,
    /// Those of them that a cable leads away from.
    pub linked: Vec<u8>,
    /// Whether it has an address filter.
    pub filter: bool,
    /// Hosts that are plugged into its sockets, each with the number of the socket.
    pub neighbours: Vec<(u8, MacAddress, HostSettings)>,
    /// How long the next fragment of a frame may take, in ns.
    pub fragment_timeout_ns: u64,
    /// How long the switch remembers where an address is, in ns.
    pub aging_ns: u64,
}

/// A frame at a socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EthernetFrame {
    pub(crate) bytes: Vec<u8>,
    /// How many devices it came through.
    pub(crate) hops: u8,
}

/// What a device's Ethernet has done since power-on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EthernetCounters {
    /// Frames that came whole from the MainDevice.
    pub received: u32,
    /// Frames that went to the MainDevice.
    pub sent: u32,
    /// Fragments from the MainDevice that made no frame.
    pub ignored_fragments: u32,
    /// Frames that were lost: no room, too many hops, too long.
    pub lost: u32,
    /// Frames that the address filter kept from the MainDevice.
    pub filtered: u32,
}

/// What a device knows between two mails.
#[derive(Clone, Debug)]
pub(super) struct Eoe {
    settings: EoeSettings,
    /// What the MainDevice set last, and the device's own before that.
    mac: MacAddress,
    dns_name: Option<Vec<u8>>,
    dns_server: Option<Ipv4Addr>,
    append_time_stamp: bool,
    filter: AddressFilter,
    assembler: Assembler,
    fragment_at_ns: u64,
    frame_number: u8,
    sending: VecDeque<Cutter>,
    switch: Switch,
    host: Option<Host>,
    neighbours: Vec<(u8, Host)>,
    outgoing: VecDeque<(u8, EthernetFrame)>,
    pub(super) counters: EthernetCounters,
    powered: bool,
    /// Whether the mailboxes are open, and how much a mail's body can have.
    body_bytes: Option<usize>,
}

impl Eoe {
    pub(super) fn new(settings: EoeSettings) -> Self {
        let host = settings.host.clone().map(|host| Host::new(settings.mac, host));
        let neighbours = settings.neighbours.iter();
        let neighbours =
            neighbours.map(|(socket, mac, one)| (*socket, Host::new(*mac, one.clone())));
        Self {
            mac: settings.mac,
            dns_name: settings.host.as_ref().and_then(|host| host.dns_name.clone()),
            dns_server: settings.host.as_ref().and_then(|host| host.dns_server),
            append_time_stamp: false,
            filter: AddressFilter::default(),
            assembler: Assembler::default(),
            fragment_at_ns: 0,
            frame_number: 0,
            sending: VecDeque::new(),
            switch: Switch::new(settings.aging_ns),
            host,
            neighbours: neighbours.collect(),
            outgoing: VecDeque::new(),
            counters: EthernetCounters::default(),
            powered: true,
            body_bytes: None,
            settings,
        }
    }

    /// The mailboxes are open; a body has so many bytes.
    pub(super) fn start(&mut self, body_bytes: usize) {
        self.body_bytes = Some(body_bytes);
    }

    /// The mailboxes are closed: nothing of a frame is left.
    pub(super) fn stop(&mut self) {
        self.body_bytes = None;
        self.assembler.give_up();
        self.sending.clear();
    }

    /// Whether the switch has power.
    pub(super) fn set_powered(&mut self, powered: bool) {
        self.powered = powered;
        if !powered {
            self.outgoing.clear();
        }
    }

    /// Takes one mail; what it answers goes to the outbox, frames to where they belong.
    pub(super) fn receive(
        &mut self,
        body: &[u8],
        moment: Moment,
        outbox: &mut Outbox,
    ) -> Result<(), ErrorDetail> {
        let mail = match Mail::parse(body) {
            Ok(mail) => mail,
            Err(MailError::Unknown { .. }) => {
                outbox.ethernet(0, Message::SetIpResult(EoeResult::UNSUPPORTED_TYPE));
                return Ok(());
            }
            Err(_) => return Err(ErrorDetail::SizeTooShort),
        };
        let answer = match mail.message {
            Message::Fragment(fragment) => {
                self.take_fragment(mail.port, &fragment, moment, outbox);
                return Ok(());
            }
            Message::SetIp(parameters) => Message::SetIpResult(self.set(&parameters)),
            Message::GetIp => {
                let parameters = self.parameters();
                outbox.ethernet(mail.port, Message::Ip(parameters.ok_or(EoeResult::NO_IP)));
                return Ok(());
            }
            Message::SetFilter(filter) if self.settings.filter => {
                self.filter = filter;
                Message::SetFilterResult(EoeResult::SUCCESS)
            }
            Message::SetFilter(_) => Message::SetFilterResult(EoeResult::NO_FILTER),
            Message::GetFilter if self.settings.filter => Message::Filter(Ok(self.filter)),
            Message::GetFilter => Message::Filter(Err(EoeResult::NO_FILTER)),
            // Answers are no requests.
            _ => Message::SetIpResult(EoeResult::UNSUPPORTED_TYPE),
        };
        outbox.ethernet(mail.port, answer);
        Ok(())
    }

    /// Refuses a setting, or loses a fragment: for faults.
    pub(super) fn refuse(&mut self, body: &[u8], code: EoeResult, outbox: &mut Outbox) {
        let Ok(mail) = Mail::parse(body) else { return };
        let answer = match mail.message {
            Message::Fragment(_) => return,
            Message::SetFilter(_) => Message::SetFilterResult(code),
            Message::GetIp => Message::Ip(Err(code)),
            Message::GetFilter => Message::Filter(Err(code)),
            _ => Message::SetIpResult(code),
        };
        outbox.ethernet(mail.port, answer);
    }

    fn set(&mut self, parameters: &IpParameters<'_>) -> EoeResult {
        self.append_time_stamp = parameters.append_time_stamp;
        let Some(host) = &mut self.host else {
            let asks = parameters.ip.is_some() || parameters.dns_name.is_some();
            self.mac = parameters.mac.unwrap_or(self.mac);
            return if asks { EoeResult::NO_IP } else { EoeResult::SUCCESS };
        };
        if let Some(mac) = parameters.mac {
            (self.mac, host.mac) = (mac, mac);
        }
        host.ip = parameters.ip.or(host.ip);
        host.mask = parameters.mask.or(host.mask);
        host.gateway = parameters.gateway.or(host.gateway);
        self.dns_server = parameters.dns_server.or(self.dns_server);
        if let Some(name) = parameters.dns_name {
            self.dns_name = Some(name.to_vec());
        }
        EoeResult::SUCCESS
    }

    fn parameters(&self) -> Option<IpParameters<'_>> {
        let host = self.host.as_ref()?;
        Some(IpParameters {
            mac: Some(self.mac),
            ip: host.ip,
            mask: host.mask,
            gateway: host.gateway,
            dns_server: self.dns_server,
            dns_name: self.dns_name.as_deref(),
            append_time_stamp: self.append_time_stamp,
        })
    }

    fn take_fragment(
        &mut self,
        port: u8,
        fragment: &Fragment<'_>,
        moment: Moment,
        outbox: &mut Outbox,
    ) {
        let waited_ns = moment.now_ns.saturating_sub(self.fragment_at_ns);
        if self.assembler.has_begun() && waited_ns > self.settings.fragment_timeout_ns {
            self.assembler.give_up();
        }
        self.fragment_at_ns = moment.now_ns;
        match self.assembler.take(fragment) {
            Arrived::Incomplete => {}
            Arrived::Ignored => self.counters.ignored_fragments += 1,
            Arrived::Frame { bytes, number, time_stamp_requested, .. } => {
                self.counters.received += 1;
                // It leaves its socket, or reaches the host, at once.
                if time_stamp_requested {
                    let time_ns = moment.system_time_ns as u32;
                    outbox.ethernet(port, Message::TimeStamp { frame: number, time_ns });
                }
                let only = (1..=self.settings.sockets).contains(&port).then_some(port);
                self.forward(UPLINK, only, EthernetFrame { bytes, hops: 0 }, moment);
            }
        }
    }

    /// Takes a frame in from a socket.
    pub(super) fn receive_at_socket(&mut self, socket: u8, frame: EthernetFrame, moment: Moment) {
        if self.powered {
            self.forward(socket, None, frame, moment);
        }
    }

    /// The next frame that leaves by a socket.
    pub(super) fn next_outgoing(&mut self) -> Option<(u8, EthernetFrame)> {
        self.outgoing.pop_front()
    }

    /// The switch's port to the host.
    fn host_port(&self) -> u8 {
        self.settings.sockets + 1
    }

    /// Takes a frame through the switch, and what the hosts answer to it.
    fn forward(&mut self, from: u8, only: Option<u8>, frame: EthernetFrame, moment: Moment) {
        let ports = self.host_port() + u8::from(self.host.is_some());
        let mut frames = VecDeque::from([(from, only, frame)]);
        // Two hosts that echo each other would never end, but for the hops.
        while let Some((from, only, frame)) = frames.pop_front() {
            if frame.bytes.len() < ETHERNET_HEADER_BYTES || frame.hops >= HOPS_MAX {
                self.counters.lost += 1;
                continue;
            }
            let hops = frame.hops + 1;
            let to = self.switch.forward(from, &frame.bytes, ports, moment.now_ns);
            for port in (0..ports).filter(|port| to & 1 << port != 0) {
                if only.is_some_and(|only| only != port) {
                    continue;
                }
                let mut answer_from = |host: &mut Host| {
                    let answer = host.answer(&frame.bytes);
                    frames.extend(answer.map(|bytes| (port, None, EthernetFrame { bytes, hops })));
                };
                if port == UPLINK {
                    self.send(&frame.bytes, moment);
                } else if port == self.host_port() {
                    if let Some(host) = &mut self.host {
                        answer_from(host);
                    }
                } else if let Some((_, host)) =
                    self.neighbours.iter_mut().find(|(socket, _)| *socket == port)
                {
                    answer_from(host);
                } else if !self.settings.linked.contains(&port) {
                    // Nothing is plugged in.
                } else if self.outgoing.len() < WAITING_MAX {
                    let bytes = frame.bytes.clone();
                    self.outgoing.push_back((port, EthernetFrame { bytes, hops }));
                } else {
                    self.counters.lost += 1;
                }
            }
        }
    }

    /// Puts a frame in line for the MainDevice.
    fn send(&mut self, frame: &[u8], moment: Moment) {
        let destination = frame.first_chunk().copied().map_or(MacAddress::BROADCAST, MacAddress);
        if !self.filter.passes(destination) {
            self.counters.filtered += 1;
            return;
        }
        let fits = self.body_bytes.is_some_and(Cutter::fits);
        if !fits || self.sending.len() >= WAITING_MAX {
            self.counters.lost += 1;
            return;
        }
        self.frame_number = self.frame_number.wrapping_add(1) & 0x0F;
        let time_stamp = self.append_time_stamp.then_some(moment.system_time_ns as u32);
        self.sending.push_back(Cutter::new(0, self.frame_number, frame, time_stamp));
        self.counters.sent += 1;
    }

    /// Whether a fragment waits for the send mailbox.
    pub(super) fn has_fragment(&self) -> bool {
        !self.sending.is_empty()
    }

    /// Puts the next fragment into the outbox; `lost`: it is counted out, but goes nowhere.
    pub(super) fn push_fragment(&mut self, lost: bool, outbox: &mut Outbox) {
        let Some(cutter) = self.sending.front_mut() else { return };
        let body_bytes = outbox.body_bytes();
        let mail = cutter.next_mail(body_bytes);
        let stuck = mail.is_none();
        if let Some(mail) = mail.filter(|_| !lost) {
            outbox.push(Kind::Eoe, |buffer| mail.emit(buffer));
        }
        if stuck || cutter.is_done() {
            self.sending.pop_front();
        }
    }
}

impl Outbox {
    fn ethernet(&mut self, port: u8, message: Message<'_>) {
        self.push(Kind::Eoe, |buffer| Mail { port, message }.emit(buffer));
    }
}

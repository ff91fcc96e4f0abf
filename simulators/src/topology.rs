//! Cables between ports, and the way a frame takes over them.
//!
//! Within an ESC a frame goes port 0 → processing unit → 3 → 1 → 2 → 0; a closed port loops it on to the
//! next one (ESC data sheet, section I, "Frame processing order"). Followed from the MainDevice's port to
//! the next of its ports, this gives the order of the devices, whatever the cables look like.

use crate::device::Device;

/// Ports that an ESC may have.
pub(crate) const PORTS: u8 = 4;
/// Delay of a metre of copper cable.
const CABLE_NS_PER_METRE: u64 = 5;

/// A port of a device: its place in the list, and the port's number.
pub type Outlet = (u16, u8);

/// The cable to the MainDevice's second port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ring {
    /// Where it is plugged in.
    pub outlet: Outlet,
    /// Its length.
    pub cable_metres: u16,
}

impl From<Outlet> for Ring {
    /// A cable without length.
    fn from(outlet: Outlet) -> Self {
        Self { outlet, cable_metres: 0 }
    }
}

/// Where a device's inlet is plugged in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// The device in front, by its place in the list; `None` is the MainDevice.
    pub parent: Option<u16>,
    /// The port of the device in front, 0 to 3.
    pub parent_port: u8,
    /// The device's own port that the cable is in: 0, unless it is plugged in the wrong way.
    pub inlet: u8,
    /// Length of the cable.
    pub cable_metres: u16,
}

impl Attachment {
    /// Port 0 behind port 1 of the device before: a place in a line.
    #[must_use]
    pub const fn in_line(index: u16) -> Self {
        Self { parent: index.checked_sub(1), parent_port: 1, inlet: 0, cable_metres: 0 }
    }
}

/// One of the MainDevice's two ports. The second one is there in a ring (cable redundancy).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MainPort {
    /// The only one, but in a ring.
    First,
    /// The far end of a ring.
    Second,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Main(MainPort),
    Port(u16, u8),
}

#[derive(Clone, Copy, Debug)]
struct Cable {
    ends: [End; 2],
    delay_ns: u64,
    cut: bool,
    /// One of its plugs is out.
    pulled: bool,
}

/// A frame's passage through a processing unit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Visit {
    pub(crate) device: u16,
    pub(crate) arrival_ns: u64,
}

/// The way of frames that enter at one of the MainDevice's ports. Times count from there.
#[derive(Clone, Debug, Default)]
pub(crate) struct Route {
    pub(crate) visits: Vec<Visit>,
    /// Receptions at ports, in their order: device, port, when, after how many visits.
    pub(crate) receptions: Vec<(u16, u8, u64, usize)>,
    /// The frame gets its circulating bit before this visit: it passes an automatically closed port 0.
    pub(crate) circulates_at: Option<usize>,
    /// The device with the second such port that it comes to, which destroys it.
    pub(crate) destroyed_by: Option<u16>,
    /// Where it comes out; `None` where it is lost.
    pub(crate) out: Option<MainPort>,
    /// An automatically closed port that the frame reaches, and thereby opens.
    pub(crate) opens: Option<Outlet>,
}

/// How a device is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    /// With power.
    On,
    /// Without power: nothing gets through it.
    Off,
    /// Out of the line, its cables joined.
    Bypassed,
}

#[derive(Clone, Debug)]
pub(crate) struct Topology {
    cables: Vec<Cable>,
    presences: Vec<Presence>,
    /// Cable at each port of each device.
    plugs: Vec<[Option<usize>; PORTS as usize]>,
    mains: [Option<usize>; 2],
    /// Ports with a link to something that sends frames back as they are.
    outside: Vec<Outlet>,
}

/// The port behind `port` in the order of frames.
const fn following(port: u8) -> u8 {
    match port {
        0 => 3,
        3 => 1,
        1 => 2,
        _ => 0,
    }
}

impl Topology {
    /// Plugs cables in. Of two in one port, and of those to devices that do not exist, the first counts.
    pub(crate) fn new(attachments: &[Attachment], ring: Option<Ring>) -> Self {
        let mut topology = Self {
            cables: Vec::with_capacity(attachments.len() + 1),
            presences: vec![Presence::On; attachments.len()],
            plugs: vec![[None; PORTS as usize]; attachments.len()],
            mains: [None; 2],
            outside: Vec::new(),
        };
        for (index, attachment) in (0..).zip(attachments) {
            let parent = attachment.parent.map_or(End::Main(MainPort::First), |parent| {
                End::Port(parent, attachment.parent_port)
            });
            let inlet = End::Port(index, attachment.inlet);
            topology.plug([parent, inlet], attachment.cable_metres);
        }
        if let Some(Ring { outlet: (device, port), cable_metres }) = ring {
            topology.plug([End::Port(device, port), End::Main(MainPort::Second)], cable_metres);
        }
        topology
    }

    /// Leads a port that is free to something that sends frames back as they are.
    pub(crate) fn lead_outside(&mut self, outlet: Outlet) {
        self.outside.push(outlet);
    }

    fn plug(&mut self, ends: [End; 2], metres: u16) {
        let free = |end: &End| self.socket(*end).is_some_and(|socket| socket.is_none());
        if !ends.iter().all(free) || ends[0] == ends[1] {
            return;
        }
        let number = self.cables.len();
        let delay_ns = u64::from(metres) * CABLE_NS_PER_METRE;
        self.cables.push(Cable { ends, delay_ns, cut: false, pulled: false });
        for end in ends {
            match end {
                End::Main(port) => self.mains[port as usize] = Some(number),
                End::Port(device, port) => {
                    self.plugs[usize::from(device)][usize::from(port)] = Some(number);
                }
            }
        }
    }

    fn socket(&self, end: End) -> Option<Option<usize>> {
        match end {
            End::Main(port) => Some(self.mains[port as usize]),
            End::Port(device, port) => {
                self.plugs.get(usize::from(device))?.get(usize::from(port)).copied()
            }
        }
    }

    /// Says how a device is there; returns how it was.
    pub(crate) fn set_presence(&mut self, device: u16, presence: Presence) -> Presence {
        std::mem::replace(&mut self.presences[usize::from(device)], presence)
    }

    /// Cuts or mends the cable in a port; tells whether that changed anything.
    pub(crate) fn cut(&mut self, device: u16, port: u8, cut: bool) -> bool {
        let Some(Some(number)) = self.socket(End::Port(device, port)) else { return false };
        std::mem::replace(&mut self.cables[number].cut, cut) != cut
    }

    /// Pulls all plugs of devices, or puts them in again.
    pub(crate) fn pull_plugs(&mut self, devices: [u16; 2], pulled: bool) {
        for (device, port) in devices.into_iter().flat_map(|n| (0..PORTS).map(move |p| (n, p))) {
            if let Some(number) = self.cable(device, port) {
                self.cables[number].pulled = pulled;
            }
        }
    }

    /// The port that leads to the first device that frames reach behind this one.
    pub(crate) fn port_behind(&self, device: u16) -> Option<u8> {
        [3, 1, 2].into_iter().find(|&port| self.far(End::Port(device, port)).is_some())
    }

    /// The cable in a port, by its number.
    pub(crate) fn cable(&self, device: u16, port: u8) -> Option<usize> {
        self.socket(End::Port(device, port)).flatten()
    }

    /// Lets two devices change places: each is plugged in where the other one was.
    pub(crate) fn exchange(&mut self, one: u16, other: u16) {
        let count = self.plugs.len();
        if one == other || usize::from(one.max(other)) >= count {
            return;
        }
        let swapped = |device: u16| match device {
            device if device == one => other,
            device if device == other => one,
            device => device,
        };
        for end in self.cables.iter_mut().flat_map(|cable| &mut cable.ends) {
            if let End::Port(device, _) = end {
                *device = swapped(*device);
            }
        }
        for (device, _) in &mut self.outside {
            *device = swapped(*device);
        }
        self.plugs.swap(usize::from(one), usize::from(other));
    }

    /// The other end of a whole cable, and the cable's delay.
    fn far(&self, end: End) -> Option<(End, u64)> {
        let Some(number) = self.socket(end)? else {
            let outside = |outlet: &Outlet| end == End::Port(outlet.0, outlet.1);
            return self.outside.iter().any(outside).then_some((end, 0));
        };
        let cable = &self.cables[number];
        let other = if cable.ends[0] == end { cable.ends[1] } else { cable.ends[0] };
        (!cable.cut && !cable.pulled).then_some((other, cable.delay_ns))
    }

    pub(crate) fn is_powered(&self, device: u16) -> bool {
        self.presence(device) == Presence::On
    }

    fn presence(&self, device: u16) -> Presence {
        self.presences[usize::from(device)]
    }

    /// Whether someone with power is at the other end. What is joined where a device was passes signals on.
    fn link(&self, end: End, depth: usize) -> bool {
        let Some((far, _)) = self.far(end) else { return false };
        let End::Port(device, port) = far else { return true };
        match self.presence(device) {
            Presence::On => true,
            Presence::Off => false,
            Presence::Bypassed => {
                depth < self.presences.len()
                    && (0..PORTS).any(|other| {
                        other != port && self.link(End::Port(device, other), depth + 1)
                    })
            }
        }
    }

    /// Tells every device with power which of its ports have a link; `first`: have had from power-on.
    pub(crate) fn connect(&self, devices: &mut [Device], first: bool) {
        for (index, device) in (0..).zip(devices) {
            if self.is_powered(index) {
                let links = [0, 1, 2, 3].map(|port| self.link(End::Port(index, port), 0));
                device.esc.connect(links, first);
            }
        }
    }

    /// Follows a frame from one of the MainDevice's ports until it comes out or is lost.
    pub(crate) fn follow(&self, devices: &[Device], from: MainPort, route: &mut Route) {
        route.visits.clear();
        route.receptions.clear();
        (route.circulates_at, route.destroyed_by) = (None, None);
        (route.out, route.opens) = (None, None);
        let mut time_ns = 0;
        let mut end = End::Main(from);
        // No frame is received twice at one port. Rings of joined cables have no ports, hence the limit.
        for _ in 0..=usize::from(PORTS) * devices.len() {
            let Some((at, delay_ns)) = self.far(end) else { return };
            time_ns += delay_ns;
            match at {
                End::Main(port) => {
                    route.out = Some(port);
                    return;
                }
                End::Port(device, _) if self.presence(device) == Presence::Off => return,
                End::Port(device, port) if self.presence(device) == Presence::Bypassed => {
                    let mut next = following(port);
                    while next != port && !self.link(End::Port(device, next), 0) {
                        next = following(next);
                    }
                    end = End::Port(device, next);
                }
                End::Port(device, port) => {
                    let Some(next) = pass(devices, device, port, &mut time_ns, route) else {
                        return;
                    };
                    end = End::Port(device, next);
                }
            }
        }
    }
}

/// Takes the frame through a device that it reaches at `port`; returns the port that it leaves by.
fn pass(
    devices: &[Device],
    device: u16,
    port: u8,
    time_ns: &mut u64,
    route: &mut Route,
) -> Option<u8> {
    let esc = &devices[usize::from(device)].esc;
    if !esc.port_open(port) {
        // A closed port takes no frames in, but one that closed by itself opens for the next.
        route.opens = esc.port_waits(port).then_some((device, port));
        return None;
    }
    route.receptions.push((device, port, *time_ns, route.visits.len()));
    let mut next = port;
    loop {
        if next == 0 {
            route.visits.push(Visit { device, arrival_ns: *time_ns });
            *time_ns += u64::from(esc.profile().processing_ns);
        }
        next = following(next);
        if esc.port_open(next) {
            *time_ns += u64::from(esc.forward_ns(next));
            return Some(next);
        }
        if next == 0 && esc.port_0_loops() {
            if route.circulates_at.is_some() {
                route.destroyed_by = Some(device);
                return None;
            }
            route.circulates_at = Some(route.visits.len());
        }
    }
}

//! Who on the line sees a frame, in which order, when, and at which addresses.

use crate::device::Device;
use crate::esc::{Passage, Ports};

/// Indices over the devices of a segment, rebuilt when something changes, so that no frame searches.
#[derive(Clone, Debug, Default)]
pub(crate) struct Line {
    powered: Vec<bool>,
    cut_after: Option<u16>,
    /// Devices that see frames, in their order.
    pub(crate) present: Vec<u16>,
    /// When a frame reaches each of them, in ns after it was sent.
    arrival_ns: Vec<u64>,
    /// First and last logical address that each of them maps.
    pub(crate) windows: Vec<(u32, u32)>,
    /// Station address or alias → place in `present`; sorted.
    stations: Vec<(u16, u16)>,
    /// Any of them may show events.
    pub(crate) events: bool,
}

impl Line {
    pub(crate) fn new(devices: &mut [Device]) -> Self {
        let count = devices.len();
        let mut line = Self {
            powered: vec![true; count],
            present: Vec::with_capacity(count),
            arrival_ns: Vec::with_capacity(count),
            windows: Vec::with_capacity(count),
            stations: Vec::with_capacity(2 * count),
            ..Self::default()
        };
        line.connect(devices);
        line
    }

    pub(crate) fn cut(&mut self, after: Option<u16>) {
        self.cut_after = after;
    }

    /// Switches a device; tells whether that changed anything.
    pub(crate) fn power(&mut self, device: u16, on: bool) -> bool {
        match self.powered.get_mut(usize::from(device)) {
            Some(powered) if *powered != on => {
                *powered = on;
                true
            }
            _ => false,
        }
    }

    /// Works out anew who sees frames, and tells every powered device what links its ports have.
    pub(crate) fn connect(&mut self, devices: &mut [Device]) {
        self.present.clear();
        self.arrival_ns.clear();
        let (mut arrival_ns, mut reached) = (0, true);
        let last_powered = self.powered.iter().rposition(|&powered| powered);
        for (index, device) in (0u16..).zip(devices.iter_mut()) {
            if !self.powered[usize::from(index)] {
                continue;
            }
            let cut_before =
                self.cut_after.is_some_and(|after| after < u16::MAX && index == after + 1);
            if cut_before {
                reached = false;
            }
            let cut_behind = self.cut_after == Some(index);
            device.esc.connect(Ports {
                before: !cut_before,
                behind: !cut_behind && last_powered > Some(usize::from(index)),
            });
            if reached {
                self.present.push(index);
                self.arrival_ns.push(arrival_ns);
                arrival_ns += u64::from(device.esc.profile().forward_ns);
                reached = !device.esc.closed_behind();
            }
        }
        self.index_addresses(devices);
        self.index_windows(devices);
        self.index_events(devices);
    }

    pub(crate) fn index_addresses(&mut self, devices: &[Device]) {
        self.stations.clear();
        for (place, &device) in (0u16..).zip(&self.present) {
            let (station, alias) = devices[usize::from(device)].esc.addresses();
            self.stations.push((station, place));
            if let Some(alias) = alias.filter(|&alias| alias != station) {
                self.stations.push((alias, place));
            }
        }
        self.stations.sort_unstable();
    }

    pub(crate) fn index_windows(&mut self, devices: &[Device]) {
        self.windows.clear();
        let windows = self.present.iter().map(|&n| devices[usize::from(n)].esc.window());
        self.windows.extend(windows);
    }

    pub(crate) fn index_events(&mut self, devices: &[Device]) {
        self.events = self.present.iter().any(|&n| devices[usize::from(n)].esc.has_event_mask());
    }

    /// Places of the devices that a station address or enabled alias reaches: a range of
    /// [`Line::station`].
    pub(crate) fn stations(&self, station: u16) -> std::ops::Range<usize> {
        let start = self.stations.partition_point(|&(address, _)| address < station);
        let end = self.stations.partition_point(|&(address, _)| address <= station);
        start..end
    }

    pub(crate) fn station(&self, n: usize) -> usize {
        usize::from(self.stations[n].1)
    }

    /// When a frame that was sent at `now_ns` passes the device at `place`.
    pub(crate) fn passage(&self, place: usize, now_ns: u64) -> Passage {
        let arrival_ns = now_ns + self.arrival_ns[place];
        let returned_ns = (place + 1 < self.present.len()).then(|| {
            let last = self.arrival_ns.last().copied().unwrap_or(0);
            arrival_ns + 2 * (last - self.arrival_ns[place])
        });
        Passage { arrival_ns, returned_ns }
    }

    /// When a frame that was sent at `now_ns` reaches the device at `place`.
    pub(crate) fn arrival(&self, place: usize, now_ns: u64) -> u64 {
        now_ns + self.arrival_ns[place]
    }
}

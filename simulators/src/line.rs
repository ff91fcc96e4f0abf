//! Who sees a frame from one of the MainDevice's ports, in which order, when, and at which addresses.

use crate::device::Device;
use crate::esc::Passage;
use crate::segment::Forward;
use crate::topology::{MainPort, Route, Topology};

/// Indices over the devices of a segment, rebuilt when something changes, so that no frame searches.
#[derive(Clone, Debug, Default)]
pub(crate) struct Line {
    pub(crate) route: Route,
    /// Devices that see frames, in their order.
    pub(crate) present: Vec<u16>,
    /// Place of each device in `present`.
    places: Vec<Option<usize>>,
    /// When a frame is received at the ports of each of them, in ns after it was sent.
    port_times: Vec<[Option<u64>; 4]>,
    /// First and last logical address that each of them maps.
    pub(crate) windows: Vec<(u32, u32)>,
    /// Station address or alias → place in `present`; sorted.
    stations: Vec<(u16, u16)>,
    /// Any of them may show events.
    pub(crate) events: bool,
    /// How many of them the passing frame reaches: all, unless it circulates already.
    pub(crate) reached: usize,
}

impl Line {
    pub(crate) fn with_capacity(count: usize) -> Self {
        Self {
            present: Vec::with_capacity(count),
            places: Vec::with_capacity(count),
            port_times: Vec::with_capacity(count),
            windows: Vec::with_capacity(count),
            stations: Vec::with_capacity(2 * count),
            route: Route {
                visits: Vec::with_capacity(count),
                receptions: Vec::with_capacity(4 * count),
                ..Route::default()
            },
            ..Self::default()
        }
    }

    /// Works out anew who sees frames.
    pub(crate) fn connect(&mut self, topology: &Topology, devices: &[Device], from: MainPort) {
        topology.follow(devices, from, &mut self.route);
        self.present.clear();
        self.present.extend(self.route.visits.iter().map(|visit| visit.device));
        self.reached = self.present.len();
        self.port_times.clear();
        self.port_times.resize(self.present.len(), [None; 4]);
        self.places.clear();
        self.places.resize(devices.len(), None);
        for (place, &device) in self.present.iter().enumerate() {
            self.places[usize::from(device)] = Some(place);
        }
        for &(device, port, time_ns, _) in &self.route.receptions {
            if let Some(place) = self.places[usize::from(device)] {
                self.port_times[place][usize::from(port)] = Some(time_ns);
            }
        }
        self.index_addresses(devices);
        self.index_windows(devices);
        self.index_events(devices);
    }

    /// Where a device is on the line.
    pub(crate) fn place(&self, device: u16) -> Option<usize> {
        self.places.get(usize::from(device)).copied().flatten()
    }

    /// Where a frame comes out that nothing happens to. From the far end of a whole ring, devices receive it
    /// without processing it.
    pub(crate) fn forward(&self) -> Forward {
        match self.route.out.filter(|_| !self.route.receptions.is_empty()) {
            Some(MainPort::First) => Forward::Returned,
            Some(MainPort::Second) => Forward::Crossed,
            None => Forward::Lost,
        }
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
        Passage {
            arrival_ns: self.arrival(place, now_ns),
            port_ns: self.port_times[place].map(|time| time.map(|time_ns| now_ns + time_ns)),
        }
    }

    /// When a frame that was sent at `now_ns` reaches the device at `place`.
    pub(crate) fn arrival(&self, place: usize, now_ns: u64) -> u64 {
        now_ns + self.route.visits[place].arrival_ns
    }
}

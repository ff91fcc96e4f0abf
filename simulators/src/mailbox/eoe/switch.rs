//! Where frames go between the ports of a device (IEEE 802.1D: learning, aging, flooding).

use std::collections::BTreeMap;

/// More addresses than this are not learned.
const ADDRESSES_MAX: usize = 1_024;
/// Group addresses that no bridge forwards: 01-80-C2-00-00-00 to -0F.
const RESERVED: [u8; 5] = [0x01, 0x80, 0xC2, 0x00, 0x00];
const GROUP: u8 = 0x01;

type Address = [u8; 6];

#[derive(Clone, Debug)]
pub(super) struct Switch {
    /// By address: which port it is behind, and when it was last seen there.
    learned: BTreeMap<Address, (u8, u64)>,
    aging_ns: u64,
}

impl Switch {
    pub(super) fn new(aging_ns: u64) -> Self {
        Self { learned: BTreeMap::new(), aging_ns }
    }

    /// Learns the sender, and tells the ports that a frame leaves by, a bit each.
    pub(super) fn forward(&mut self, from: u8, frame: &[u8], ports: u8, now_ns: u64) -> u32 {
        let (Some(destination), Some(source)) =
            (frame.first_chunk::<6>(), frame.get(6..12).and_then(|bytes| bytes.first_chunk::<6>()))
        else {
            return 0;
        };
        self.learn(*source, from, now_ns);
        let others = ((1 << ports) - 1) & !(1 << from);
        if destination[0] & GROUP != 0 {
            let reserved = destination[..5] == RESERVED && destination[5] < 0x10;
            return if reserved { 0 } else { others };
        }
        match self.learned.get(destination) {
            Some((port, seen_ns)) if now_ns.saturating_sub(*seen_ns) <= self.aging_ns => {
                others & 1 << port
            }
            _ => others,
        }
    }

    fn learn(&mut self, source: Address, port: u8, now_ns: u64) {
        if source[0] & GROUP != 0 {
            return;
        }
        if self.learned.len() >= ADDRESSES_MAX && !self.learned.contains_key(&source) {
            let aging_ns = self.aging_ns;
            self.learned.retain(|_, (_, seen_ns)| now_ns.saturating_sub(*seen_ns) <= aging_ns);
            if self.learned.len() >= ADDRESSES_MAX {
                return;
            }
        }
        self.learned.insert(source, (port, now_ns));
    }
}

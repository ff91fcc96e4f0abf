//! Whether the frames of a cycle fit into its period, on the 100 Mbit/s that EtherCAT has. Simulated segments stand
//! for real ones and are held to it, too.

use super::frames::CyclicFrames;
use crate::error::{EngineError, ErrorCode};
use crate::link::wire_time_ns;
use crate::network::Network;

/// What a SubDevice adds to the way of a frame there and back, by the kind of its port towards the MainDevice.
/// From delays that `slaveinfo` of SOEM shows of real segments; cables, 5 ns a metre, come on top.
const EBUS_HOP_NS: u64 = 310;
const MII_HOP_NS: u64 = 1_440;

/// The least that an exchange of all frames takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeastTime {
    /// All frames, one behind the other.
    pub frames_ns: u64,
    /// The last one through all SubDevices, without cables.
    pub hops_ns: u64,
}

impl LeastTime {
    /// Of these frames on this segment.
    #[must_use]
    pub fn of(frames: &CyclicFrames, network: &Network) -> Self {
        let hop_ns = |is_ebus| if is_ebus { EBUS_HOP_NS } else { MII_HOP_NS };
        Self {
            frames_ns: frames.lengths().map(wire_time_ns).sum(),
            hops_ns: network.sub_devices.iter().map(|device| hop_ns(device.ebus)).sum(),
        }
    }

    /// Both.
    #[must_use]
    pub const fn total_ns(self) -> u64 {
        self.frames_ns + self.hops_ns
    }

    /// Refuses a period that is shorter.
    ///
    /// # Errors
    /// [`ErrorCode::CycleTooShort`], with the sum in words.
    pub fn check(
        self,
        period_ns: u64,
        frames: &CyclicFrames,
        network: &Network,
    ) -> Result<(), EngineError> {
        if self.total_ns() <= period_ns {
            return Ok(());
        }
        let us = |ns: u64| ns as f64 / 1_000.0;
        let ebus = network.sub_devices.iter().filter(|device| device.ebus).count();
        let message = format!(
            "a cycle of {} µs is too short: its frames ({} with {} bytes) take {:.1} µs at 100 Mbit/s, and {:.1} µs \
             through {ebus} SubDevices on E-bus and {} on Ethernet; {} µs is the least, without cables",
            us(period_ns),
            frames.count(),
            frames.bytes(),
            us(self.frames_ns),
            us(self.hops_ns),
            network.sub_devices.len() - ebus,
            self.total_ns().div_ceil(1_000),
        );
        Err(EngineError::new(ErrorCode::CycleTooShort, message))
    }
}

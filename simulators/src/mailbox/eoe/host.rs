//! A small IP host: it answers ARP, ICMP echo and UDP echo, each frame with at most one. No IP fragments, no options
//! of its own, no VLAN.

use std::net::Ipv4Addr;

use ecat_wire::ethernet::{FRAME_BYTES_MIN, MacAddress};
use etherparse::{
    ArpEthIpv4Packet, ArpOperation, Icmpv4Type, LinkSlice, NetSlice, PacketBuilder, SlicedPacket,
    TransportSlice,
};

const TTL: u8 = 64;

/// Addresses and services of a host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostSettings {
    /// IP address; none: it answers nobody.
    pub ip: Option<Ipv4Addr>,
    /// Subnet mask.
    pub mask: Option<Ipv4Addr>,
    /// Default gateway.
    pub gateway: Option<Ipv4Addr>,
    /// Name server.
    pub dns_server: Option<Ipv4Addr>,
    /// Its own name.
    pub dns_name: Option<Vec<u8>>,
    /// UDP ports that send back what they get.
    pub echo_ports: Vec<u16>,
}

#[derive(Clone, Debug)]
pub(super) struct Host {
    pub(super) mac: MacAddress,
    pub(super) ip: Option<Ipv4Addr>,
    pub(super) mask: Option<Ipv4Addr>,
    pub(super) gateway: Option<Ipv4Addr>,
    echo_ports: Vec<u16>,
}

impl Host {
    pub(super) fn new(mac: MacAddress, settings: HostSettings) -> Self {
        let HostSettings { ip, mask, gateway, echo_ports, .. } = settings;
        Self { mac, ip, mask, gateway, echo_ports }
    }

    /// What it sends when it gets a frame.
    pub(super) fn answer(&self, frame: &[u8]) -> Option<Vec<u8>> {
        let ip = self.ip?;
        let packet = SlicedPacket::from_ethernet(frame).ok()?;
        let Some(LinkSlice::Ethernet2(ethernet)) = &packet.link else { return None };
        let (to, from) = (MacAddress(ethernet.destination()), ethernet.source());
        let for_all = to == MacAddress::BROADCAST;
        if !packet.link_exts.is_empty() || (to != self.mac && !for_all) {
            return None;
        }
        let mut answer = Vec::new();
        match packet.net? {
            NetSlice::Arp(arp) => {
                let asked = arp.to_packet().try_eth_ipv4().ok()?;
                if asked.operation != ArpOperation::REQUEST || asked.target_ipv4 != ip.octets() {
                    return None;
                }
                let arp = ArpEthIpv4Packet {
                    operation: ArpOperation::REPLY,
                    sender_mac: self.mac.0,
                    sender_ipv4: ip.octets(),
                    target_mac: asked.sender_mac,
                    target_ipv4: asked.sender_ipv4,
                };
                let builder =
                    PacketBuilder::ethernet2(self.mac.0, asked.sender_mac).arp(arp.into());
                builder.write(&mut answer).ok()?;
            }
            NetSlice::Ipv4(packet_ip) => {
                let header = packet_ip.header();
                if header.destination_addr() != ip || packet_ip.is_payload_fragmented() {
                    return None;
                }
                // Back to whom it came from, whatever the network: whoever sent it knows the way.
                let reply = PacketBuilder::ethernet2(self.mac.0, from).ipv4(
                    ip.octets(),
                    header.source(),
                    TTL,
                );
                match packet.transport? {
                    TransportSlice::Icmpv4(icmp) => {
                        let Icmpv4Type::EchoRequest(echo) = icmp.icmp_type() else { return None };
                        let reply = reply.icmpv4_echo_reply(echo.id, echo.seq);
                        reply.write(&mut answer, icmp.payload()).ok()?;
                    }
                    TransportSlice::Udp(udp) => {
                        let port = udp.destination_port();
                        if !self.echo_ports.contains(&port) {
                            return None;
                        }
                        let reply = reply.udp(port, udp.source_port());
                        reply.write(&mut answer, udp.payload()).ok()?;
                    }
                    _ => return None,
                }
            }
            NetSlice::Ipv6(_) => return None,
        }
        answer.resize(answer.len().max(FRAME_BYTES_MIN), 0);
        Some(answer)
    }
}

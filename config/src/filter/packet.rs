//! What a filter looks at in a packet.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// IEEE 802 numbers.
pub mod ethertype {
    /// IPv4.
    pub const IPV4: u16 = 0x0800;
    /// ARP.
    pub const ARP: u16 = 0x0806;
    /// A VLAN's tag (IEEE 802.1Q).
    pub const VLAN: u16 = 0x8100;
    /// IPv6.
    pub const IPV6: u16 = 0x86dd;
}

/// The IANA's protocol numbers.
pub mod protocol {
    /// ICMP.
    pub const ICMP: u8 = 1;
    /// TCP.
    pub const TCP: u8 = 6;
    /// UDP.
    pub const UDP: u8 = 17;
    /// ICMPv6.
    pub const ICMPV6: u8 = 58;
}

/// How a captured packet begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkType {
    /// With an Ethernet header.
    Ethernet,
    /// With the IP header.
    Raw,
}

/// What is looked at; of what a packet is too short for there is nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Packet {
    /// 0 if there is none.
    pub ethertype: u16,
    /// Of IP.
    pub protocol: Option<u8>,
    /// Source and destination.
    pub addresses: Option<(IpAddr, IpAddr)>,
    /// Source and destination, of TCP and UDP, if it is no later fragment.
    pub ports: Option<(u16, u16)>,
}

impl Packet {
    /// Looks at `bytes`.
    pub fn parse(link_type: LinkType, bytes: &[u8]) -> Self {
        match link_type {
            LinkType::Ethernet => Self::ethernet(bytes).unwrap_or_default(),
            LinkType::Raw => Self::ip(bytes),
        }
    }

    fn ethernet(frame: &[u8]) -> Option<Self> {
        let (mut ethertype, mut payload) = (u16_at(frame, 12)?, frame.get(14..)?);
        if ethertype == ethertype::VLAN {
            (ethertype, payload) = (u16_at(payload, 2)?, payload.get(4..)?);
        }
        let ip = Self::ip(payload);
        let others = Self { ethertype, ..Self::default() };
        Some(if ip.ethertype == ethertype { ip } else { others })
    }

    fn ip(bytes: &[u8]) -> Self {
        let packet = match bytes.first().map(|first| first >> 4) {
            Some(4) => Self::ipv4(bytes),
            Some(6) => Self::ipv6(bytes),
            _ => None,
        };
        packet.unwrap_or_default()
    }

    /// RFC 791 section 3.1.
    fn ipv4(bytes: &[u8]) -> Option<Self> {
        let header = usize::from(bytes.first()? & 0xf) * 4;
        let address = |at: usize| bytes.get(at..at + 4)?.first_chunk::<4>().copied().map(Ipv4Addr::from);
        let is_first = u16_at(bytes, 6)? & 0x1fff == 0;
        let payload = is_first.then(|| bytes.get(header..)).flatten();
        let addresses = (address(12)?.into(), address(16)?.into());
        Some(Self::of_ip(ethertype::IPV4, *bytes.get(9)?, addresses, payload))
    }

    /// RFC 8200 section 3. Packets with extension headers have the number of the first one.
    fn ipv6(bytes: &[u8]) -> Option<Self> {
        let address = |at: usize| bytes.get(at..at + 16)?.first_chunk::<16>().copied().map(Ipv6Addr::from);
        let addresses = (address(8)?.into(), address(24)?.into());
        Some(Self::of_ip(ethertype::IPV6, *bytes.get(6)?, addresses, bytes.get(40..)))
    }

    fn of_ip(ethertype: u16, protocol: u8, addresses: (IpAddr, IpAddr), payload: Option<&[u8]>) -> Self {
        let has_ports = [protocol::TCP, protocol::UDP].contains(&protocol);
        let ports = payload
            .filter(|_| has_ports)
            .and_then(|payload| Some((u16_at(payload, 0)?, u16_at(payload, 2)?)));
        Self { ethertype, protocol: Some(protocol), addresses: Some(addresses), ports }
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk::<2>().copied().map(u16::from_be_bytes)
}

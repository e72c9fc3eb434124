//! IP packets of either version: what all that sockets do with them needs to know.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use scheme::checksum::{pseudo_header, sum};
use smoltcp::wire::{IpProtocol, Ipv4Packet, Ipv6Packet};

use super::wire::HEADROOM;
use super::{ipv4, ipv6};

/// A whole IP packet whose header was checked.
#[derive(Clone, Copy, Debug)]
pub struct Datagram<'a> {
    /// All of it, as long as its header says.
    pub bytes: &'a [u8],
    /// Where it comes from.
    pub source: IpAddr,
    /// Where it goes: an address of the same version.
    pub destination: IpAddr,
    /// What it carries.
    pub protocol: IpProtocol,
    /// What follows the header and its options.
    pub payload: &'a [u8],
    /// Its TCP or UDP checksum need not be looked at.
    pub is_good: bool,
}

impl<'a> Datagram<'a> {
    /// The checksum of the TCP segment that it carries is right.
    pub fn has_good_checksum(&self) -> bool {
        let pseudo = |addresses| pseudo_header(addresses, self.protocol.into(), self.payload.len());
        let is_right = |sum| sum == u16::MAX;
        self.is_good
            || match (self.source, self.destination) {
                (IpAddr::V4(source), IpAddr::V4(destination)) => {
                    is_right(sum(self.payload, pseudo([&source.octets(), &destination.octets()])))
                }
                (IpAddr::V6(source), IpAddr::V6(destination)) => {
                    is_right(sum(self.payload, pseudo([&source.octets(), &destination.octets()])))
                }
                _ => false,
            }
    }

    /// The packet as smoltcp takes it, which knows few of IPv6's extension headers.
    pub fn for_smoltcp(&self) -> Cow<'a, [u8]> {
        match self.destination.is_ipv6() && self.bytes.len() != ipv6::HEADER + self.payload.len() {
            true => Cow::Owned(ipv6::without_extensions(self)),
            false => Cow::Borrowed(self.bytes),
        }
    }
}

/// Bytes of the header, without options, of a packet to `destination`.
pub fn header(destination: IpAddr) -> usize {
    match destination {
        IpAddr::V4(_) => ipv4::HEADER,
        IpAddr::V6(_) => ipv6::HEADER,
    }
}

/// The longest payload of a packet to `destination`: its length is a number of 16 bits, which in IPv4 counts the header.
pub fn longest(destination: IpAddr) -> usize {
    match destination {
        IpAddr::V4(_) => usize::from(u16::MAX) - ipv4::HEADER,
        IpAddr::V6(_) => usize::from(u16::MAX),
    }
}

/// Where a packet of ours, behind its headroom, goes.
pub fn destination(packet: &[u8]) -> Option<IpAddr> {
    let bytes = packet.get(HEADROOM..)?;
    match bytes.first()? >> 4 {
        4 => bytes.get(16..)?.first_chunk::<4>().copied().map(IpAddr::from),
        _ => bytes.get(24..)?.first_chunk::<16>().copied().map(IpAddr::from),
    }
}

/// Builds a packet of `protocol` whose payload, `length` bytes, is written by `fill`; headroom comes first. A `source`
/// of another version than `destination` is none.
pub fn build(
    source: IpAddr,
    destination: IpAddr,
    protocol: IpProtocol,
    length: usize,
    fill: impl FnOnce(&mut [u8]),
) -> Vec<u8> {
    match (source, destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            ipv4::build(source, destination, protocol, length, fill)
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            ipv6::build(source, destination, protocol, length, fill)
        }
        (IpAddr::V6(_), IpAddr::V4(destination)) => {
            ipv4::build(Ipv4Addr::UNSPECIFIED, destination, protocol, length, fill)
        }
        (IpAddr::V4(_), IpAddr::V6(destination)) => {
            ipv6::build(Ipv6Addr::UNSPECIFIED, destination, protocol, length, fill)
        }
    }
}

/// Sets what a program has set of the header of a packet of ours, behind its headroom: `IP_TOS` or the traffic class,
/// and the time to live or hop limit, if there is one to set.
pub fn mark(packet: &mut [u8], class: u8, hop_limit: Option<u8>) {
    let Some(bytes) = packet.get_mut(HEADROOM..).filter(|_| class != 0 || hop_limit.is_some()) else {
        return;
    };
    if let Ok(mut header) = Ipv4Packet::new_checked(&mut *bytes)
        && header.version() == 4
    {
        header.set_dscp(class >> 2);
        header.set_ecn(class & 3);
        header.set_hop_limit(hop_limit.unwrap_or(header.hop_limit()));
        header.fill_checksum();
    } else if let Ok(mut header) = Ipv6Packet::new_checked(bytes) {
        header.set_traffic_class(class);
        header.set_hop_limit(hop_limit.unwrap_or(header.hop_limit()));
    }
}

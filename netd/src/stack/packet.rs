//! A packet of ours on its way out, whose checksum may be left to the device.

use std::ops::{Deref, DerefMut};

use scheme::checksum::{complete, pseudo_header};
use scheme::vlan;
use scheme::vnet::{self, Checksum, Segments};
use smoltcp::wire::{IpProtocol, Ipv4Packet, Ipv6Packet, TCP_HEADER_LEN, TcpPacket};

use super::wire::HEADROOM;
use super::{ipv4, ipv6};

/// A packet behind its headroom; later the frame that it has become.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Packet {
    bytes: Vec<u8>,
    /// What is left to be done, in terms of the frame.
    left: vnet::Header,
}

impl Packet {
    /// A packet of TCP or UDP that smoltcp has made (behind its headroom) without a checksum.
    pub fn unfinished(mut bytes: Vec<u8>) -> Self {
        let checksum = begin_checksum(&mut bytes).unwrap_or_default();
        Self { bytes, left: vnet::Header { checksum, ..Default::default() } }
    }

    /// Leaves it to others to make segments of a packet of TCP whose segment has more than `size` bytes of options and data.
    pub fn divide(&mut self, size: usize) {
        self.left.segments = segments(&self.bytes, size, self.left.checksum);
    }

    /// It is several segments, which are still to be made of it.
    pub fn is_several(&self) -> bool {
        self.left.segments.is_some()
    }

    /// A frame that came from a driver, which says this of it.
    pub fn received(frame: &[u8], said: vnet::Header) -> Self {
        Self { bytes: frame.to_vec(), left: said }
    }

    /// What is left to be done for the frame.
    pub fn left(&self) -> vnet::Header {
        self.left
    }

    /// Does what is left to be done.
    pub fn finish(&mut self) {
        let vnet::Header { checksum, vlan, .. } = std::mem::take(&mut self.left);
        if let Checksum::Partial { start, offset } = checksum {
            complete(&mut self.bytes, start, offset);
        }
        if let Some(control) = vlan {
            vlan::insert(&mut self.bytes, control);
        }
    }

    /// The bytes, with nothing left to be done.
    pub fn finished(mut self) -> Vec<u8> {
        self.finish();
        self.bytes
    }

    /// Gives the frame, which has none, the tag with this control information.
    pub fn set_tag(&mut self, control: u16) {
        self.left.vlan = Some(control);
    }
}

impl From<Vec<u8>> for Packet {
    /// One with nothing left to be done.
    fn from(bytes: Vec<u8>) -> Self {
        Self { bytes, left: vnet::Header::default() }
    }
}

impl Deref for Packet {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl DerefMut for Packet {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }
}

/// Writes the sum of the pseudo-header where the checksum of a packet of ours is to stand.
fn begin_checksum(bytes: &mut [u8]) -> Option<Checksum> {
    let packet = bytes.get_mut(HEADROOM..)?;
    let (protocol, addresses, header) = match packet.first()? >> 4 {
        4 => {
            let ip = Ipv4Packet::new_checked(&*packet).ok()?;
            (ip.next_header(), packet.get(12..ipv4::HEADER)?, usize::from(ip.header_len()))
        }
        _ => {
            let ip = Ipv6Packet::new_checked(&*packet).ok()?;
            (ip.next_header(), packet.get(8..ipv6::HEADER)?, ipv6::HEADER)
        }
    };
    let offset: u16 = match protocol {
        IpProtocol::Tcp => 16,
        IpProtocol::Udp => 6,
        _ => return None,
    };
    let (source, destination) = addresses.split_at_checked(addresses.len() / 2)?;
    let sum = pseudo_header([source, destination], protocol.into(), packet.len().checked_sub(header)?);
    let field = packet.get_mut(header + usize::from(offset)..)?.first_chunk_mut()?;
    *field = sum.to_be_bytes();
    Some(Checksum::Partial { start: (HEADROOM + header) as u16, offset })
}

/// What is told of the segments of a TCP packet, if it is more than one that has `size` bytes of options and data.
fn segments(bytes: &[u8], size: usize, checksum: Checksum) -> Option<Segments> {
    let Checksum::Partial { start, .. } = checksum else { return None };
    let segment = TcpPacket::new_checked(bytes.get(start.into()..)?).ok()?;
    let is_ipv6 = bytes.get(HEADROOM)? >> 4 == 6;
    let header = start + u16::from(segment.header_len());
    let size = size.checked_sub(usize::from(segment.header_len()) - TCP_HEADER_LEN)?;
    let size = u16::try_from(size).ok().filter(|size| *size > 0)?;
    (segment.payload().len() > size.into()).then_some(Segments { is_ipv6, size, header })
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use smoltcp::wire::UdpPacket;

    use super::*;
    use crate::stack::udp;

    fn datagram(from: &str, to: &str) -> (Packet, SocketAddr, SocketAddr) {
        let (from, to) = (from.parse().unwrap(), to.parse().unwrap());
        (udp::datagram(from, to, b"some data"), from, to)
    }

    #[test]
    fn what_is_left_can_be_done_later_with_or_without_a_tag() {
        for (from, to) in [("10.0.0.1:1000", "10.0.0.2:53"), ("[fd07::1]:1000", "[fd07::2]:53")] {
            let (mut packet, from, to) = datagram(from, to);
            let header = if from.is_ipv4() { ipv4::HEADER } else { ipv6::HEADER };
            let is_right = |bytes: &[u8], at: usize| {
                UdpPacket::new_unchecked(&bytes[at..]).verify_checksum(&from.ip().into(), &to.ip().into())
            };
            let at = HEADROOM + header;
            assert_eq!(packet.left().checksum, Checksum::Partial { start: at as u16, offset: 6 });
            assert!(!is_right(&packet, at));
            assert!(is_right(&packet.clone().finished(), at));
            packet.set_tag(7);
            let tagged = packet.finished();
            assert!(is_right(&tagged, at + 4));
            assert_eq!(tagged[12..16], [0x81, 0, 0, 7]);
        }
    }

    #[test]
    fn what_is_no_packet_of_such_a_protocol_is_left_alone() {
        for bytes in [vec![], vec![0; 14], vec![0x45; 14 + 20], vec![0x60; 14 + 40]] {
            assert_eq!(Packet::unfinished(bytes.clone()), Packet::from(bytes));
        }
    }
}

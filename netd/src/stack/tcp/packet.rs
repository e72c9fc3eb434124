//! Segments that smoltcp does not send itself.

use std::net::IpAddr;

use smoltcp::wire::{IpProtocol, TcpOption, TcpPacket, TcpSeqNumber};

use crate::stack::datagram::{self, Datagram};

/// Bytes of a TCP header without options.
pub const HEADER: usize = 20;
/// Bytes of the longest TCP header.
const MOST_HEADER: usize = 60;
/// Bytes of the segments for a peer that does not say which it takes (RFC 9293 section 3.7.1).
const SHORTEST: u16 = 536;
/// The same, over IPv6.
const SHORTEST_V6: u16 = 1220;

/// The longest segment for a peer that does not say which it takes.
pub fn shortest(peer: IpAddr) -> u16 {
    if peer.is_ipv4() { SHORTEST } else { SHORTEST_V6 }
}

/// A packet with an acknowledgement of `length` bytes between the ends of `datagram`, from its ports to its ports.
pub fn build(
    datagram: &Datagram<'_>,
    length: usize,
    fill: impl FnOnce(&mut TcpPacket<&mut [u8]>),
) -> Vec<u8> {
    let (source, destination) = (datagram.source, datagram.destination);
    datagram::build(source, destination, IpProtocol::Tcp, length, |room| {
        let mut segment = TcpPacket::new_unchecked(room);
        let ports = TcpPacket::new_unchecked(datagram.payload);
        segment.set_src_port(ports.src_port());
        segment.set_dst_port(ports.dst_port());
        segment.set_header_len(HEADER as u8);
        segment.set_ack(true);
        fill(&mut segment);
        segment.fill_checksum(&source.into(), &destination.into());
    })
}

/// The longest segment that the sender of a SYN takes, if it says so.
pub fn longest(syn: &TcpPacket<&[u8]>) -> Option<u16> {
    let mut rest = syn.options();
    while !rest.is_empty() {
        match TcpOption::parse(rest).ok()? {
            (_, TcpOption::MaxSegmentSize(size)) => return Some(size),
            (_, TcpOption::EndOfList) => return None,
            (later, _) => rest = later,
        }
    }
    None
}

/// The packet, behind its headroom, that is to replace a SYN over IPv6 whose sender does not say which segments it takes:
/// smoltcp takes IPv4's for both. `None` for anything else, or if there is no room to say so.
pub fn with_longest(datagram: &Datagram<'_>, segment: &TcpPacket<&[u8]>) -> Option<Vec<u8>> {
    const OPTION: usize = 4;
    if !segment.syn() || datagram.source.is_ipv4() || longest(segment).is_some() {
        return None;
    }
    let (fixed, rest) = datagram.payload.split_at_checked(HEADER)?;
    let header = usize::from(segment.header_len()) + OPTION;
    let whole = datagram.payload.len() + OPTION;
    (header <= MOST_HEADER).then(|| {
        datagram::build(datagram.source, datagram.destination, IpProtocol::Tcp, whole, |room| {
            let [high, low] = SHORTEST_V6.to_be_bytes();
            room.copy_from_slice(&[fixed, &[2, OPTION as u8, high, low], rest].concat());
            let mut segment = TcpPacket::new_unchecked(room);
            segment.set_header_len(header as u8);
            segment.fill_checksum(&datagram.source.into(), &datagram.destination.into());
        })
    })
}

/// A sequence number as smoltcp has it.
pub fn number(number: u32) -> TcpSeqNumber {
    TcpSeqNumber(number.cast_signed())
}

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
    said(syn).map(|(_, size)| size)
}

/// The same, behind where the option stands in the options.
fn said(syn: &TcpPacket<&[u8]>) -> Option<(usize, u16)> {
    let options = syn.options();
    let mut rest = options;
    while !rest.is_empty() {
        let at = options.len() - rest.len();
        match TcpOption::parse(rest).ok()? {
            (_, TcpOption::MaxSegmentSize(size)) => return Some((at, size)),
            (_, TcpOption::EndOfList) => return None,
            (later, _) => rest = later,
        }
    }
    None
}

/// The packet, behind its headroom, that is to replace a SYN whose sender takes longer segments than the `room` that a link
/// has for them, or over IPv6 does not say which: smoltcp takes IPv4's for both. `None` for anything else, or if there is no
/// room to say so.
pub fn with_longest(datagram: &Datagram<'_>, segment: &TcpPacket<&[u8]>, room: usize) -> Option<Vec<u8>> {
    const OPTION: usize = 4;
    if !segment.syn() {
        return None;
    }
    let (at, replaced, size) = match said(segment) {
        Some((at, said)) if usize::from(said) > room => (HEADER + at, OPTION, room),
        None if datagram.source.is_ipv6() => (HEADER, 0, SHORTEST_V6.into()),
        _ => return None,
    };
    let [high, low] = u16::try_from(size).ok()?.to_be_bytes();
    let (before, rest) = datagram.payload.split_at_checked(at)?;
    let bytes = [before, &[2, OPTION as u8, high, low], rest.get(replaced..)?].concat();
    let header = usize::from(segment.header_len()) + OPTION - replaced;
    (header <= MOST_HEADER).then(|| {
        datagram::build(datagram.source, datagram.destination, IpProtocol::Tcp, bytes.len(), |room| {
            room.copy_from_slice(&bytes);
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

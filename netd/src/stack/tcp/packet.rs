//! Segments that smoltcp does not send itself.

use smoltcp::wire::{IpProtocol, TcpPacket, TcpSeqNumber};

use crate::stack::datagram::{self, Datagram};

/// Bytes of a TCP header without options.
pub const HEADER: usize = 20;

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

/// A sequence number as smoltcp has it.
pub fn number(number: u32) -> TcpSeqNumber {
    TcpSeqNumber(number.cast_signed())
}

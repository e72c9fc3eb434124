//! IPv6 packets (RFC 8200): checking what comes in, building what goes out.

use std::net::Ipv6Addr;

use smoltcp::wire::{IpProtocol, Ipv6Packet, Ipv6Repr};

use super::datagram::Datagram;
use super::wire::HEADROOM;

/// Bytes of the header, without extensions.
pub const HEADER: usize = smoltcp::wire::IPV6_HEADER_LEN;
/// RFC 1700's default time to live.
const HOP_LIMIT: u8 = 64;

/// Checks version and length.
pub fn parse(bytes: &[u8]) -> Option<Datagram<'_>> {
    let packet = Ipv6Packet::new_checked(bytes).ok()?;
    if packet.version() != 6 {
        return None;
    }
    let bytes = bytes.get(..packet.total_len())?;
    Some(Datagram {
        bytes,
        source: packet.src_addr().into(),
        destination: packet.dst_addr().into(),
        protocol: packet.next_header(),
        payload: bytes.get(HEADER..)?,
    })
}

/// Builds a packet of `protocol` whose payload, `length` bytes, is written by `fill`; headroom comes first.
pub fn build(
    source: Ipv6Addr,
    destination: Ipv6Addr,
    protocol: IpProtocol,
    length: usize,
    fill: impl FnOnce(&mut [u8]),
) -> Vec<u8> {
    let mut bytes = vec![0; HEADROOM + HEADER + length];
    let header = Ipv6Repr {
        src_addr: source,
        dst_addr: destination,
        next_header: protocol,
        payload_len: length,
        hop_limit: HOP_LIMIT,
    };
    header.emit(&mut Ipv6Packet::new_unchecked(&mut bytes[HEADROOM..]));
    fill(&mut bytes[HEADROOM + HEADER..]);
    bytes
}

//! IPv4 packets: checking what comes in, building what goes out.

use std::net::Ipv4Addr;

use smoltcp::phy::ChecksumCapabilities;
use smoltcp::wire::{IpProtocol, Ipv4Packet, Ipv4Repr};

use super::datagram::Datagram;
use super::fragments::Piece;
use super::ipv6::Contents;
use super::wire::HEADROOM;

/// Bytes of a header without options.
pub const HEADER: usize = smoltcp::wire::IPV4_HEADER_LEN;
/// Where the header names what follows it.
const PROTOCOL: usize = 9;
/// RFC 1700's default time to live.
const TIME_TO_LIVE: u8 = 64;

/// Checks version, lengths and header checksum.
pub fn open(bytes: &[u8]) -> Option<Contents<'_>> {
    let packet = Ipv4Packet::new_checked(bytes).ok()?;
    if packet.version() != 4 || !packet.verify_checksum() {
        return None;
    }
    let bytes = bytes.get(..usize::from(packet.total_len()))?;
    let (header, payload) = bytes.split_at_checked(usize::from(packet.header_len()))?;
    let (source, destination) = (packet.src_addr().into(), packet.dst_addr().into());
    let (offset, more) = (usize::from(packet.frag_offset()), packet.more_frags());
    if offset == 0 && !more {
        let protocol = packet.next_header();
        return Some(Contents::Whole(Datagram {
            bytes,
            source,
            destination,
            protocol,
            payload,
            is_good: false,
        }));
    }
    let makes_sense = !more || payload.len().is_multiple_of(8);
    makes_sense.then_some(Contents::Piece(Piece {
        bytes,
        source,
        destination,
        ident: packet.ident().into(),
        protocol: packet.next_header().into(),
        header,
        named_at: PROTOCOL,
        offset,
        more,
        data: payload,
    }))
}

/// Builds a packet of `protocol` whose payload, `length` bytes, is written by `fill`; headroom comes first.
pub fn build(
    source: Ipv4Addr,
    destination: Ipv4Addr,
    protocol: IpProtocol,
    length: usize,
    fill: impl FnOnce(&mut [u8]),
) -> Vec<u8> {
    let mut bytes = vec![0; HEADROOM + HEADER + length];
    let header = Ipv4Repr {
        src_addr: source,
        dst_addr: destination,
        next_header: protocol,
        payload_len: length,
        hop_limit: TIME_TO_LIVE,
    };
    header.emit(&mut Ipv4Packet::new_unchecked(&mut bytes[HEADROOM..]), &ChecksumCapabilities::default());
    fill(&mut bytes[HEADROOM + HEADER..]);
    bytes
}

/// Lets routers fragment a packet (behind its headroom); `ident` tells its fragments from another's (RFC 6864
/// section 4.1).
pub fn allow_fragments(packet: &mut [u8], ident: u16) {
    let Some(bytes) = packet.get_mut(HEADROOM..) else { return };
    if let Ok(mut header) = Ipv4Packet::new_checked(bytes) {
        header.set_dont_frag(false);
        header.set_ident(ident);
        header.fill_checksum();
    }
}

/// Whether an ICMP message is an echo request or reply, and no error.
pub fn is_echo(message: &[u8]) -> bool {
    matches!(message.first(), Some(0 | 8))
}

//! IPv4 packets: checking what comes in, building what goes out.

use std::net::Ipv4Addr;

use smoltcp::phy::ChecksumCapabilities;
use smoltcp::wire::{IpProtocol, Ipv4Packet, Ipv4Repr};

use super::datagram::Datagram;
use super::wire::HEADROOM;

/// Bytes of a header without options.
pub const HEADER: usize = smoltcp::wire::IPV4_HEADER_LEN;
/// RFC 1700's default time to live.
const TIME_TO_LIVE: u8 = 64;

/// Checks version, lengths and header checksum; fragments are refused, since nothing reassembles them.
pub fn parse(bytes: &[u8]) -> Option<Datagram<'_>> {
    let packet = Ipv4Packet::new_checked(bytes).ok()?;
    let fragment = packet.more_frags() || packet.frag_offset() != 0;
    if packet.version() != 4 || fragment || !packet.verify_checksum() {
        return None;
    }
    let header = usize::from(packet.header_len());
    let bytes = bytes.get(..usize::from(packet.total_len()))?;
    Some(Datagram {
        bytes,
        source: packet.src_addr().into(),
        destination: packet.dst_addr().into(),
        protocol: packet.next_header(),
        payload: bytes.get(header..)?,
    })
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

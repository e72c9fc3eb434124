//! Where the headers of a packet of IP stand in a frame.

use crate::frame::{HEADER, VLAN_TAG, is_tagged};

/// Fields of IPv4's header (RFC 791 section 3.1).
mod ipv4 {
    pub const TYPE: [u8; 2] = [0x08, 0x00];
    pub const FRAGMENT: usize = 6;
    pub const PROTOCOL: usize = 9;
    pub const HEADER: usize = 20;
    /// In FRAGMENT, of a whole packet all are 0: More Fragments, and where it belongs.
    pub const IS_FRAGMENT: u16 = 0x3fff;
}

/// Fields of IPv6's header (RFC 8200 section 3).
mod ipv6 {
    pub const TYPE: [u8; 2] = [0x86, 0xdd];
    pub const PROTOCOL: usize = 6;
    pub const HEADER: usize = 40;
}

/// TCP's protocol number.
pub const TCP: u8 = 6;

/// UDP's.
pub const UDP: u8 = 17;

/// A whole packet, directly behind the header of Ethernet and its tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet {
    /// It is IPv6's, not IPv4's.
    pub is_ipv6: bool,
    /// Where its header begins in the frame.
    pub ip: usize,
    /// What it carries, directly behind that header: the number of a protocol, or of an extension header.
    pub protocol: u8,
    /// Where that begins in the frame.
    pub transport: usize,
}

impl Packet {
    /// The one in `frame`; `None` if it has none, or a fragment.
    pub fn of(frame: &[u8]) -> Option<Self> {
        let ip = HEADER + if is_tagged(frame) { VLAN_TAG } else { 0 };
        let kind = *frame.get(..ip)?.last_chunk()?;
        let packet = frame.get(ip..)?;
        let first = *packet.first()?;
        let is_ipv6 = kind == ipv6::TYPE;
        let (version, protocol, header) = match kind {
            ipv6::TYPE => (6, *packet.get(ipv6::PROTOCOL)?, ipv6::HEADER),
            ipv4::TYPE => (4, *packet.get(ipv4::PROTOCOL)?, usize::from(first & 0xf) * 4),
            _ => return None,
        };
        let fragment = u16::from_be_bytes(*packet.get(ipv4::FRAGMENT..)?.first_chunk()?);
        let is_whole = is_ipv6 || fragment & ipv4::IS_FRAGMENT == 0;
        let is_so = first >> 4 == version && header >= ipv4::HEADER && packet.len() >= header && is_whole;
        is_so.then_some(Self { is_ipv6, ip, protocol, transport: ip + header })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A frame with this type and these first bytes of its packet, of 60 bytes in all.
    fn frame(kind: [u8; 2], packet: &[u8]) -> Vec<u8> {
        let mut frame = [&[2; 12][..], &kind, packet].concat();
        frame.resize(60, 0);
        frame
    }

    /// UDP in IPv4, with a header of `words`, and its field of flags and fragment offset.
    fn v4(words: u8, fragment: u16) -> Vec<u8> {
        let [high, low] = fragment.to_be_bytes();
        frame(ipv4::TYPE, &[0x40 | words, 0, 0, 46, 0, 1, high, low, 64, UDP])
    }

    #[test]
    fn the_transport_is_behind_ips_header_and_its_options() {
        let found = |transport| Some(Packet { is_ipv6: false, ip: 14, protocol: UDP, transport });
        assert_eq!((Packet::of(&v4(5, 0)), Packet::of(&v4(7, 0x4000))), (found(34), found(42)));
        let v6 = frame(ipv6::TYPE, &[0x60, 0, 0, 0, 0, 6, TCP, 64]);
        assert_eq!(Packet::of(&v6), Some(Packet { is_ipv6: true, ip: 14, protocol: TCP, transport: 54 }));
        let mut tagged = v4(5, 0);
        scheme::vlan::insert(&mut tagged, 10);
        let expected = Packet { is_ipv6: false, ip: 18, protocol: UDP, transport: 38 };
        assert_eq!(Packet::of(&tagged), Some(expected));
    }

    #[test]
    fn fragments_and_what_is_no_packet_are_none() {
        for none in [
            v4(5, 0x2000),
            v4(5, 1),
            v4(4, 0),
            v4(15, 0),
            frame(ipv4::TYPE, &[0x65]),
            frame(ipv6::TYPE, &[0x45]),
            frame([0x08, 0x06], &[0x45]),
            v4(5, 0)[..33].to_vec(),
            v4(5, 0)[..14].to_vec(),
            vec![0; 3],
        ] {
            assert_eq!(Packet::of(&none), None, "{none:x?}");
        }
    }
}

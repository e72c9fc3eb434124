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

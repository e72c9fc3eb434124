//! A path that loses long segments and tells nobody (RFC 2923 section 2.1, RFC 8899 section 1.1).

use smoltcp::wire::{IpProtocol, TcpPacket, TcpSeqNumber};

use crate::stack::network::Fragmenting;
use crate::stack::wire::HEADROOM;
use crate::stack::{ipv4, ipv6};

/// What every path of IPv6 carries, and almost every one of IPv4.
pub const SAFE_MTU: usize = 1280;
/// How often a segment is repeated without an acknowledgement until its length is suspected.
const REPEATS: u8 = 3;

/// What is known of it.
#[derive(Debug, Default)]
pub struct BlackHole {
    /// What follows the last byte that was ever sent.
    next: Option<TcpSeqNumber>,
    /// The first of the segments that were repeated since the peer acknowledged something.
    first: Option<TcpSeqNumber>,
    repeats: u8,
    is_suspected: bool,
}

impl BlackHole {
    /// A segment of ours is sent, in a packet behind its headroom. Whether the path is suspected from now on.
    pub fn note(&mut self, packet: &[u8]) -> bool {
        let Some(segment) = packet.get(HEADROOM..).and_then(segment) else { return false };
        let end = segment.seq_number() + segment.segment_len();
        if segment.payload().is_empty() || self.is_suspected {
            return false;
        }
        if self.next.is_none_or(|next| end > next) {
            self.next = Some(end);
            return false;
        }
        // Those behind it are repeated along with it, whether or not they were lost.
        if self.first.is_none_or(|first| segment.seq_number() <= first) {
            self.first = Some(segment.seq_number());
            self.repeats = self.repeats.saturating_add(1);
        }
        self.is_suspected = self.repeats >= REPEATS;
        self.is_suspected
    }

    /// The peer has acknowledged something.
    pub fn progress(&mut self) {
        self.repeats = 0;
        self.first = None;
    }

    /// Whether routers may take segments apart: their complaints, which would tell more, do not come from a black hole.
    pub fn fragmenting(&self) -> Fragmenting {
        match self.is_suspected {
            true => Fragmenting::Allowed,
            false => Fragmenting::Forbidden,
        }
    }
}

/// The segment in a packet that smoltcp made: without options or extension headers.
fn segment(bytes: &[u8]) -> Option<TcpPacket<&[u8]>> {
    const PROTOCOL: usize = 9;
    let header = match bytes.first()? >> 4 {
        4 if bytes.get(PROTOCOL).copied().map(IpProtocol::from) == Some(IpProtocol::Tcp) => ipv4::HEADER,
        4 => return None,
        _ => ipv6::HEADER,
    };
    TcpPacket::new_checked(bytes.get(header..)?).ok()
}

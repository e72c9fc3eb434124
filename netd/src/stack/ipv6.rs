//! IPv6 packets (RFC 8200): checking what comes in, building what goes out.

#[cfg(test)]
mod tests;

use std::net::Ipv6Addr;

use smoltcp::wire::{IpProtocol, Ipv6Packet, Ipv6Repr};

use super::answers::Complaint;
use super::datagram::Datagram;
use super::fragments::Piece;
use super::wire::HEADROOM;

/// Bytes of the header, without extensions.
pub const HEADER: usize = smoltcp::wire::IPV6_HEADER_LEN;
/// Bytes of the extension header of a fragment (RFC 8200 section 4.5).
pub const FRAGMENT_HEADER: usize = 8;
/// RFC 1700's default time to live.
const HOP_LIMIT: u8 = 64;
/// Where the header names what follows it.
const NEXT_HEADER: usize = 6;
/// Extension headers, of which no honest packet has more (RFC 8504 section 5.3).
const MOST_EXTENSIONS: usize = 8;

/// Codes of RFC 4443 section 3.4.
const ERRONEOUS_FIELD: u8 = 0;
const UNKNOWN_HEADER: u8 = 1;
const UNKNOWN_OPTION: u8 = 2;
/// RFC 7112 section 5.
const INCOMPLETE_HEADERS: u8 = 3;

/// What a packet holds after its header and extensions.
#[derive(Clone, Copy, Debug)]
pub enum Contents<'a> {
    /// What it is for.
    Whole(Datagram<'a>),
    /// A piece of it.
    Piece(Piece<'a>),
    /// Nothing (RFC 8200 section 4.7).
    Nothing,
}

/// Why a packet is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// In silence.
    Silent,
    /// Its sender is told.
    Told(Complaint),
}

/// A packet's header.
#[derive(Clone, Copy, Debug)]
pub struct Header<'a> {
    /// The packet, as long as its header says.
    pub bytes: &'a [u8],
    /// Where it comes from.
    pub source: Ipv6Addr,
    /// Where it goes.
    pub destination: Ipv6Addr,
    /// How far it may still go: 255 on the link of its sender, if that wants to be known to be near.
    pub hop_limit: u8,
}

/// The header of a packet whose version and length are right.
pub fn header(bytes: &[u8]) -> Option<Header<'_>> {
    let packet = Ipv6Packet::new_checked(bytes).ok().filter(|packet| packet.version() == 6)?;
    Some(Header {
        bytes: bytes.get(..packet.total_len())?,
        source: packet.src_addr(),
        destination: packet.dst_addr(),
        hop_limit: packet.hop_limit(),
    })
}

/// Looks through the extension headers (RFC 8200 section 4).
pub fn open(header: Header<'_>) -> Result<Contents<'_>, Refusal> {
    let (bytes, to_group) = (header.bytes, header.destination.is_multicast());
    let (source, destination) = (header.source.into(), header.destination.into());
    let mut walk = Walk { bytes, named_at: NEXT_HEADER, at: HEADER };
    for _ in 0..=MOST_EXTENSIONS {
        match walk.next() {
            IpProtocol::HopByHop if walk.at != HEADER => return Err(told(UNKNOWN_HEADER, walk.named_at)),
            IpProtocol::HopByHop | IpProtocol::Ipv6Opts => walk.check_options(to_group)?,
            IpProtocol::Ipv6Route => walk.check_routing()?,
            IpProtocol::Ipv6Frag => return walk.piece(header).map(Contents::Piece),
            IpProtocol::Ipv6NoNxt => return Ok(Contents::Nothing),
            protocol => {
                let payload = bytes.get(walk.at..).ok_or(Refusal::Silent)?;
                return Ok(Contents::Whole(Datagram {
                    bytes,
                    source,
                    destination,
                    protocol,
                    payload,
                    is_good: false,
                }));
            }
        }
    }
    Err(Refusal::Silent)
}

/// Where a whole packet names its protocol.
pub fn protocol_named_at(datagram: &Datagram<'_>) -> u32 {
    let mut walk = Walk { bytes: datagram.bytes, named_at: NEXT_HEADER, at: HEADER };
    while walk.next() != datagram.protocol && walk.step().is_ok() {}
    walk.named_at as u32
}

/// Our way through the headers.
struct Walk<'a> {
    bytes: &'a [u8],
    /// Where the next header is named.
    named_at: usize,
    /// Where it begins.
    at: usize,
}

impl<'a> Walk<'a> {
    fn next(&self) -> IpProtocol {
        self.bytes.get(self.named_at).copied().unwrap_or_default().into()
    }

    /// The present extension header, which tells its length.
    fn extension(&self) -> Result<&'a [u8], Refusal> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let [_, length, ..] = rest else { return Err(Refusal::Silent) };
        rest.get(..(usize::from(*length) + 1) * 8).ok_or(Refusal::Silent)
    }

    fn step(&mut self) -> Result<(), Refusal> {
        let length = self.extension()?.len();
        self.named_at = self.at;
        self.at += length;
        Ok(())
    }

    /// RFC 8200 section 4.2: what is done about an unknown option stands in its first two bits.
    fn check_options(&mut self, to_group: bool) -> Result<(), Refusal> {
        const PAD1: u8 = 0;
        const PADN: u8 = 1;
        const ROUTER_ALERT: u8 = 5;
        let options = self.extension()?;
        let mut place = 2;
        while let Some(kind) = options.get(place) {
            if *kind == PAD1 {
                place += 1;
                continue;
            }
            match kind >> 6 {
                _ if matches!(*kind, PADN | ROUTER_ALERT) => (),
                0 => (),
                2 => return Err(told(UNKNOWN_OPTION, self.at + place)),
                3 if !to_group => return Err(told(UNKNOWN_OPTION, self.at + place)),
                _ => return Err(Refusal::Silent),
            }
            place += 2 + usize::from(*options.get(place + 1).ok_or(Refusal::Silent)?);
        }
        if place != options.len() {
            return Err(Refusal::Silent);
        }
        self.step()
    }

    /// RFC 8200 section 4.4: one that has done its work is passed over, no other is known.
    fn check_routing(&mut self) -> Result<(), Refusal> {
        match self.extension()? {
            [_, _, _, 0, ..] => self.step(),
            _ => Err(told(ERRONEOUS_FIELD, self.at + 2)),
        }
    }

    /// RFC 8200 section 4.5.
    fn piece(&self, header: Header<'a>) -> Result<Piece<'a>, Refusal> {
        let (before, rest) = self.bytes.split_at_checked(self.at).ok_or(Refusal::Silent)?;
        let ([protocol, _, high, low, ident @ ..], data) =
            rest.split_first_chunk::<FRAGMENT_HEADER>().ok_or(Refusal::Silent)?;
        let field = u16::from_be_bytes([*high, *low]);
        let piece = Piece {
            bytes: self.bytes,
            source: header.source.into(),
            destination: header.destination.into(),
            ident: u32::from_be_bytes(*ident),
            protocol: *protocol,
            header: before,
            named_at: self.named_at,
            offset: usize::from(field & !7),
            more: field & 1 != 0,
            data,
        };
        if piece.more && !data.len().is_multiple_of(8) {
            const PAYLOAD_LENGTH: usize = 4;
            return Err(told(ERRONEOUS_FIELD, PAYLOAD_LENGTH));
        }
        if piece.offset + data.len() > usize::from(u16::MAX) {
            return Err(told(ERRONEOUS_FIELD, self.at + 2));
        }
        if piece.offset == 0 && piece.more && !is_enough(piece.protocol, data) {
            return Err(told(INCOMPLETE_HEADERS, 0));
        }
        Ok(piece)
    }
}

/// RFC 8200 section 4.5: the first fragment has all headers, so that a filter need not look into others.
fn is_enough(protocol: u8, data: &[u8]) -> bool {
    let mut walk = Walk { bytes: data, named_at: 0, at: 0 };
    let mut protocol = IpProtocol::from(protocol);
    while matches!(protocol, IpProtocol::Ipv6Opts | IpProtocol::Ipv6Route) {
        if walk.step().is_err() {
            return false;
        }
        protocol = walk.next();
    }
    let wanted = match protocol {
        IpProtocol::Tcp => 20,
        IpProtocol::Udp | IpProtocol::Icmpv6 => 8,
        _ => 0,
    };
    data.len() >= walk.at + wanted
}

fn told(code: u8, at: usize) -> Refusal {
    Refusal::Told(Complaint::Malformed(code, at as u32))
}

/// The packet `datagram` without its extension headers, as smoltcp's sockets take it.
pub fn without_extensions(datagram: &Datagram<'_>) -> Vec<u8> {
    let mut bytes = datagram.bytes.get(..HEADER).unwrap_or_default().to_vec();
    bytes.extend_from_slice(datagram.payload);
    if bytes.len() >= HEADER {
        let mut header = Ipv6Packet::new_unchecked(&mut bytes);
        header.set_next_header(datagram.protocol);
        header.set_payload_len(datagram.payload.len() as u16);
    }
    bytes
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

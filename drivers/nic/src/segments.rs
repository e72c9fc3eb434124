//! Frames that are several segments of TCP: what must be so for that, and the segments themselves where the device does
//! not make them.

use std::ops::Range;

use scheme::checksum::{pseudo_header, sum};
use scheme::vnet::Segments;

use crate::frame::Checksum;
use crate::packet::{Packet, TCP};

/// Fields of IPv4's header (RFC 791 section 3.1).
mod ipv4 {
    pub const LENGTH: usize = 2;
    pub const IDENT: usize = 4;
    pub const CHECKSUM: usize = 10;
    pub const ADDRESSES: std::ops::Range<usize> = 12..20;
}

/// Fields of IPv6's header (RFC 8200 section 3).
mod ipv6 {
    pub const LENGTH: usize = 4;
    pub const ADDRESSES: std::ops::Range<usize> = 8..40;
    pub const HEADER: usize = 40;
}

/// Fields of TCP's header (RFC 9293 section 3.1).
mod tcp {
    pub const NUMBER: usize = 4;
    pub const OFFSET: usize = 12;
    pub const FLAGS: usize = 13;
    pub const CHECKSUM: usize = 16;
    pub const HEADER: usize = 20;
    pub const FIN: u8 = 1 << 0;
    pub const SYN: u8 = 1 << 1;
    pub const RST: u8 = 1 << 2;
    pub const PSH: u8 = 1 << 3;
    pub const URG: u8 = 1 << 5;
    pub const CWR: u8 = 1 << 7;
}

/// Why a frame is not several segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// Its headers are not those that it says it has.
    #[error("it has no headers of Ethernet, IP and TCP, and data, where it says so")]
    Headers,
    /// TCP has flags that are none of segments with data.
    #[error("TCP's flags are {0:#04x}")]
    Flags(u8),
    /// Its segments would have no data.
    #[error("its segments have no data")]
    Size,
}

/// A frame that is several segments of TCP.
#[derive(Clone, Copy, Debug)]
pub struct Cut<'a> {
    headers: &'a [u8],
    data: &'a [u8],
    places: Places,
    /// Bytes of data in each segment but the last.
    size: usize,
}

impl<'a> Cut<'a> {
    /// The segments that `frame` is to become.
    ///
    /// # Errors
    /// It cannot be, as it is.
    pub fn new(frame: &'a [u8], segments: Segments, checksum: Checksum) -> Result<Self, Unfit> {
        let places = Places::of(frame, segments.is_ipv6).ok_or(Unfit::Headers)?;
        let (headers, data) = frame.split_at_checked(segments.header.into()).ok_or(Unfit::Headers)?;
        let expected = Checksum::Partial { start: places.tcp as u16, offset: tcp::CHECKSUM as u16 };
        if places.data != headers.len() || checksum != expected || data.is_empty() {
            return Err(Unfit::Headers);
        }
        if places.flags & (tcp::SYN | tcp::RST | tcp::URG) != 0 {
            return Err(Unfit::Flags(places.flags));
        }
        match segments.size {
            0 => Err(Unfit::Size),
            size => Ok(Self { headers, data, places, size: size.into() }),
        }
    }

    /// How many segments it is.
    pub fn count(&self) -> usize {
        self.data.len().div_ceil(self.size)
    }

    /// Bytes of the longest of them, as a frame.
    pub fn longest(&self) -> usize {
        self.headers.len() + self.size.min(self.data.len())
    }

    /// TCP's sender says that it has slowed down (CWR, RFC 3168 section 6.1): the first segment alone shall.
    pub fn has_cwr(&self) -> bool {
        self.places.flags & tcp::CWR != 0
    }

    /// The segments as frames, whose checksums are left to be done as that of the whole was.
    pub fn segments(&self) -> impl Iterator<Item = Vec<u8>> {
        self.data.chunks(self.size).enumerate().map(|(index, data)| self.segment(index, data))
    }

    fn segment(&self, index: usize, data: &[u8]) -> Vec<u8> {
        let Places { ip, tcp, is_ipv6, .. } = self.places;
        let mut frame = [self.headers, data].concat();
        let length = frame.len() - tcp;
        let packet = frame.get_mut(ip..).unwrap_or_default();
        let sum = match is_ipv6 {
            true => {
                put(packet, ipv6::LENGTH, (packet.len() - ipv6::HEADER) as u16);
                pseudo_sum(packet, ipv6::ADDRESSES, length)
            }
            false => {
                put(packet, ipv4::LENGTH, packet.len() as u16);
                put(packet, ipv4::IDENT, word(packet, ipv4::IDENT).wrapping_add(index as u16));
                put(packet, ipv4::CHECKSUM, 0);
                let checksum = !sum(packet.get(..tcp - ip).unwrap_or_default(), 0);
                put(packet, ipv4::CHECKSUM, checksum);
                pseudo_sum(packet, ipv4::ADDRESSES, length)
            }
        };
        let segment = frame.get_mut(tcp..).unwrap_or_default();
        put(segment, tcp::CHECKSUM, sum);
        if let Some(number) = segment.get_mut(tcp::NUMBER..).and_then(<[u8]>::first_chunk_mut) {
            let begin = (index * self.size) as u32;
            *number = u32::from_be_bytes(*number).wrapping_add(begin).to_be_bytes();
        }
        if let Some(flags) = segment.get_mut(tcp::FLAGS) {
            let is_last = index + 1 == self.count();
            *flags &= if is_last { !0 } else { !(tcp::FIN | tcp::PSH) };
            *flags &= if index == 0 { !0 } else { !tcp::CWR };
        }
        frame
    }
}

/// What a received frame is that begins with `headers`, and was several segments with `size` bytes of data in each but the
/// last; `None` if it cannot have been.
pub fn received(headers: &[u8], is_ipv6: bool, size: u16) -> Option<Segments> {
    let header = u16::try_from(Places::of(headers, is_ipv6)?.data).ok()?;
    (size > 0).then_some(Segments { is_ipv6, size, header })
}

/// Leaves the checksum of a frame of `length` bytes with these headers to be filled in.
pub fn leave_checksum_out(headers: &mut [u8], is_ipv6: bool, length: usize) -> Option<Checksum> {
    let Places { ip, tcp, .. } = Places::of(headers, is_ipv6)?;
    let addresses = if is_ipv6 { ipv6::ADDRESSES } else { ipv4::ADDRESSES };
    let sum = pseudo_sum(headers.get(ip..)?, addresses, length.checked_sub(tcp)?);
    put(headers, tcp + tcp::CHECKSUM, sum);
    Some(Checksum::Partial { start: tcp as u16, offset: tcp::CHECKSUM as u16 })
}

/// Takes the packet's length out of the headers of a frame, and all that comes of it, as many devices want it that put
/// each segment's there.
pub fn leave_lengths_out(headers: &mut [u8], is_ipv6: bool) {
    let Some(Places { ip, tcp, .. }) = Places::of(headers, is_ipv6) else { return };
    let packet = headers.get_mut(ip..).unwrap_or_default();
    let sum = match is_ipv6 {
        true => {
            put(packet, ipv6::LENGTH, 0);
            pseudo_sum(packet, ipv6::ADDRESSES, 0)
        }
        false => {
            put(packet, ipv4::LENGTH, 0);
            put(packet, ipv4::CHECKSUM, 0);
            pseudo_sum(packet, ipv4::ADDRESSES, 0)
        }
    };
    put(packet, tcp - ip + tcp::CHECKSUM, sum);
}

/// Where the headers of a frame stand.
#[derive(Clone, Copy, Debug)]
struct Places {
    is_ipv6: bool,
    /// Where IP's begins.
    ip: usize,
    /// Where TCP's begins.
    tcp: usize,
    /// Where the data begin.
    data: usize,
    /// TCP's flags.
    flags: u8,
}

impl Places {
    /// Those of a frame with a whole packet of TCP, directly behind the header of this version of IP.
    fn of(frame: &[u8], is_ipv6: bool) -> Option<Self> {
        let packet =
            Packet::of(frame).filter(|packet| packet.is_ipv6 == is_ipv6 && packet.protocol == TCP)?;
        let Packet { ip, transport: tcp, .. } = packet;
        let segment = frame.get(tcp..)?;
        let options = usize::from(*segment.get(tcp::OFFSET)? >> 4) * 4;
        let is_so = (tcp::HEADER..=segment.len()).contains(&options);
        let flags = *segment.get(tcp::FLAGS)?;
        is_so.then_some(Self { is_ipv6, ip, tcp, data: tcp + options, flags })
    }
}

fn word(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..).and_then(<[u8]>::first_chunk).copied().map_or(0, u16::from_be_bytes)
}

fn put(bytes: &mut [u8], at: usize, value: u16) {
    if let Some(field) = bytes.get_mut(at..).and_then(<[u8]>::first_chunk_mut) {
        *field = value.to_be_bytes();
    }
}

/// The sum of the pseudo-header of a segment of `length` bytes in `packet`, whose addresses stand there.
fn pseudo_sum(packet: &[u8], addresses: Range<usize>, length: usize) -> u16 {
    let addresses = packet.get(addresses).unwrap_or_default();
    pseudo_header(addresses.split_at(addresses.len() / 2).into(), TCP, length)
}

//! Frames with TCP and UDP in them, made and judged by a parser that is none of ours.

use etherparse::{NetSlice, PacketBuilder, SlicedPacket, TransportSlice};
use scheme::checksum::pseudo_header;
use scheme::vnet::{Checksum, Header, Segments};

const PEER: [u8; 6] = [2, 0, 0, 0, 0, 9];
const ADDRESSES: [[u8; 4]; 2] = [[192, 168, 7, 1], [192, 168, 7, 2]];
const ADDRESSES_V6: [[u8; 16]; 2] = [[0xfd; 16], [0xfc; 16]];

/// A frame with a packet of each kind, whose data has `length` bytes: TCP and UDP over IPv4 and IPv6.
pub fn of_each_kind(destination: [u8; 6], length: usize) -> [Vec<u8>; 4] {
    let data: Vec<u8> = (0..length).map(|index| (index * 11 + length) as u8).collect();
    let ethernet = || PacketBuilder::ethernet2(PEER, destination);
    let v4 = || ethernet().ipv4(ADDRESSES[0], ADDRESSES[1], 64);
    let v6 = || ethernet().ipv6(ADDRESSES_V6[0], ADDRESSES_V6[1], 64);
    let mut frames = [const { Vec::new() }; 4];
    let [tcp4, udp4, tcp6, udp6] = &mut frames;
    v4().tcp(80, 4000, 1000, 8000).ack(1).write(tcp4, &data).expect("it fits");
    v4().udp(53, 4000).write(udp4, &data).expect("it fits");
    v6().tcp(80, 4000, 1000, 8000).ack(1).write(tcp6, &data).expect("it fits");
    v6().udp(53, 4000).write(udp6, &data).expect("it fits");
    frames
}

/// Whether the checksum of the TCP or UDP packet in a frame is right; `None` where there is none.
pub fn verdict(frame: &[u8]) -> Option<bool> {
    let packet = SlicedPacket::from_ethernet(frame).ok()?;
    let (right, said) = match (packet.net?, packet.transport?) {
        (NetSlice::Ipv4(ip), TransportSlice::Tcp(tcp)) => {
            let header = ip.header().to_header();
            (tcp.to_header().calc_checksum_ipv4(&header, tcp.payload()).ok()?, tcp.checksum())
        }
        (NetSlice::Ipv4(ip), TransportSlice::Udp(udp)) => {
            let header = ip.header().to_header();
            (udp.to_header().calc_checksum_ipv4(&header, udp.payload()).ok()?, udp.checksum())
        }
        (NetSlice::Ipv6(ip), TransportSlice::Tcp(tcp)) => {
            let header = ip.header().to_header();
            (tcp.to_header().calc_checksum_ipv6(&header, tcp.payload()).ok()?, tcp.checksum())
        }
        (NetSlice::Ipv6(ip), TransportSlice::Udp(udp)) => {
            let header = ip.header().to_header();
            (udp.to_header().calc_checksum_ipv6(&header, udp.payload()).ok()?, udp.checksum())
        }
        _ => return None,
    };
    // Zero has two forms in the sum, and UDP needs the other one, as zero itself says that there is no checksum (RFC 768).
    Some(right == said || (right, said) == (0, u16::MAX))
}

/// The same frame with its checksum left to be done, behind the header that says so.
pub fn unfinished(frame: &[u8]) -> Vec<u8> {
    let is_v6 = frame[12..14] == [0x86, 0xdd];
    let (start, protocol, addresses) = match is_v6 {
        true => (54, frame[20], [&frame[22..38], &frame[38..54]]),
        false => (34, frame[23], [&frame[26..30], &frame[30..34]]),
    };
    let offset = if protocol == 6 { 16 } else { 6 };
    let sum = pseudo_header(addresses, protocol, frame.len() - start);
    let checksum = Checksum::Partial { start: start as u16, offset };
    let header = Header { checksum, ..Header::default() }.bytes();
    let mut unfinished = [&header[..], frame].concat();
    let at = header.len() + start + usize::from(offset);
    unfinished[at..at + 2].copy_from_slice(&sum.to_be_bytes());
    unfinished
}

/// The same for a frame that is several segments of TCP, each but the last with `size` bytes of its `data`.
pub fn several(frame: &[u8], data: usize, size: u16) -> Vec<u8> {
    let mut several = unfinished(frame);
    let is_ipv6 = frame[12..14] == [0x86, 0xdd];
    if let Some((header, _)) = several.split_first_chunk_mut() {
        let segments = Some(Segments { is_ipv6, size, header: (frame.len() - data) as u16 });
        *header = Header { segments, ..Header::parse(header).expect("it is a header") }.bytes();
    }
    several
}

/// The frame with a bit of its data turned round.
pub fn damaged(frame: &[u8]) -> Vec<u8> {
    let mut damaged = frame.to_vec();
    if let Some(last) = damaged.last_mut() {
        *last ^= 1;
    }
    damaged
}

/// The frame with the checksum at `offset` behind `start` filled in, as devices do that are told no more than this.
pub fn filled_in(frame: &[u8], start: usize, offset: usize) -> Vec<u8> {
    let words = frame[start..]
        .chunks(2)
        .map(|word| u32::from(word[0]) << 8 | word.get(1).map_or(0, |&low| low.into()));
    let sum = words.fold(0, |sum, word| {
        let sum: u32 = sum + word;
        (sum & 0xffff) + (sum >> 16)
    });
    let mut filled_in = frame.to_vec();
    // None of UDP's checksums is 0 (RFC 768).
    let checksum = if sum == 0xffff { 0xffff } else { !sum as u16 };
    filled_in[start + offset..start + offset + 2].copy_from_slice(&checksum.to_be_bytes());
    filled_in
}

/// Whether a frame has a magic packet anywhere in it, for an address that `is_wanted`: six bytes 255, and 16 times that.
pub fn is_magic(frame: &[u8], is_wanted: impl Fn(&[u8]) -> bool) -> bool {
    frame.windows(102).any(|window| {
        let (beginning, addresses) = window.split_at(6);
        let address = &addresses[..6];
        beginning == [0xff; 6] && addresses.chunks(6).all(|other| other == address) && is_wanted(address)
    })
}

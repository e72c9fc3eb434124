//! A packet that is longer than its link carries, in pieces.

use std::net::IpAddr;

use smoltcp::wire::{IpProtocol, Ipv4Packet, Ipv6Packet};

use crate::stack::wire::HEADROOM;
use crate::stack::{ipv4, ipv6};

/// The unit in which a piece gives its place.
const UNIT: usize = 8;

/// `packet`, behind its headroom, in pieces of at most `mtu` bytes, each behind its own. `ident` tells them from those of
/// other packets. Nothing if it has a header that no piece could carry, or if it is not to be fragmented.
pub fn split(packet: &[u8], mtu: usize, ident: u32) -> Vec<Vec<u8>> {
    let bytes = packet.get(HEADROOM..).unwrap_or_default();
    match bytes.first().map(|first| first >> 4) {
        Some(4) => split_v4(bytes, mtu),
        Some(6) => split_v6(bytes, mtu, ident),
        _ => Vec::new(),
    }
}

/// How many bytes of a packet's data a piece of it carries on the way to `next_hop`, where a whole packet carries `whole`.
pub fn room(next_hop: IpAddr, whole: usize) -> usize {
    let extension = if next_hop.is_ipv6() { ipv6::FRAGMENT_HEADER } else { 0 };
    (whole.saturating_sub(extension) / UNIT * UNIT).max(UNIT)
}

/// The identification is the packet's own. Options other than those of our own packets, which have none, are not copied.
fn split_v4(bytes: &[u8], mtu: usize) -> Vec<Vec<u8>> {
    let Some((header, data)) = bytes.split_at_checked(ipv4::HEADER) else { return Vec::new() };
    let whole = Ipv4Packet::new_unchecked(bytes);
    if whole.dont_frag() || usize::from(whole.header_len()) != ipv4::HEADER {
        return Vec::new();
    }
    pieces(data, mtu.saturating_sub(ipv4::HEADER), |offset, data, more| {
        let mut piece = [&[0; HEADROOM][..], header, data].concat();
        let mut fragment = Ipv4Packet::new_unchecked(&mut piece[HEADROOM..]);
        fragment.set_total_len((ipv4::HEADER + data.len()) as u16);
        fragment.set_more_frags(more);
        fragment.set_frag_offset(offset as u16);
        fragment.fill_checksum();
        piece
    })
}

fn split_v6(bytes: &[u8], mtu: usize, ident: u32) -> Vec<Vec<u8>> {
    let Some((header, data)) = bytes.split_at_checked(ipv6::HEADER) else { return Vec::new() };
    let protocol = u8::from(Ipv6Packet::new_unchecked(bytes).next_header());
    let room = mtu.saturating_sub(ipv6::HEADER + ipv6::FRAGMENT_HEADER);
    pieces(data, room, |offset, data, more| {
        let [high, low] = (offset as u16 | u16::from(more)).to_be_bytes();
        let [a, b, c, d] = ident.to_be_bytes();
        let fragment = [protocol, 0, high, low, a, b, c, d];
        let mut piece = [&[0; HEADROOM][..], header, &fragment, data].concat();
        let mut header = Ipv6Packet::new_unchecked(&mut piece[HEADROOM..]);
        header.set_next_header(IpProtocol::Ipv6Frag);
        header.set_payload_len((fragment.len() + data.len()) as u16);
        piece
    })
}

/// `data` in pieces of at most `room` bytes: each with its place, and whether there are more behind it.
fn pieces(data: &[u8], room: usize, build: impl Fn(usize, &[u8], bool) -> Vec<u8>) -> Vec<Vec<u8>> {
    let room = room / UNIT * UNIT;
    if room == 0 {
        return Vec::new();
    }
    let chunks = data.chunks(room).enumerate();
    chunks.map(|(count, chunk)| build(count * room, chunk, count * room + chunk.len() < data.len())).collect()
}

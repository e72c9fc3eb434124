//! ICMPv6 messages (RFC 4443): their numbers, checking and building.

use std::net::Ipv6Addr;

use smoltcp::wire::{Icmpv6Packet, IpProtocol, Ipv6Packet};

use super::ipv6;
use super::wire::HEADROOM;

/// Type, code and checksum.
pub const HEADER: usize = 4;

/// RFC 4443 section 3.1.
pub const DESTINATION_UNREACHABLE: u8 = 1;
/// RFC 4443 section 3.2.
pub const PACKET_TOO_BIG: u8 = 2;
/// RFC 4443 section 3.3.
pub const TIME_EXCEEDED: u8 = 3;
/// RFC 4443 section 3.4.
pub const PARAMETER_PROBLEM: u8 = 4;
/// RFC 4443 section 4.1.
pub const ECHO_REQUEST: u8 = 128;
/// RFC 4443 section 4.2.
pub const ECHO_REPLY: u8 = 129;

/// A message whose checksum is right.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// Its type.
    pub kind: u8,
    /// What exactly.
    pub code: u8,
    /// What follows the checksum.
    pub body: &'a [u8],
}

/// Checks the checksum of a message, the payload of a packet between the two.
pub fn parse(source: Ipv6Addr, destination: Ipv6Addr, payload: &[u8]) -> Option<Message<'_>> {
    let ([kind, code, _, _], body) = payload.split_first_chunk::<HEADER>()?;
    let is_sound = Icmpv6Packet::new_unchecked(payload).verify_checksum(&source, &destination);
    is_sound.then_some(Message { kind: *kind, code: *code, body })
}

/// Builds a packet with a message whose body, `length` bytes, is written by `fill`; headroom comes first.
pub fn build(
    source: Ipv6Addr,
    destination: Ipv6Addr,
    kind: u8,
    code: u8,
    length: usize,
    fill: impl FnOnce(&mut [u8]),
) -> Vec<u8> {
    ipv6::build(source, destination, IpProtocol::Icmpv6, HEADER + length, |payload| {
        payload[0] = kind;
        payload[1] = code;
        fill(&mut payload[HEADER..]);
        Icmpv6Packet::new_unchecked(payload).fill_checksum(&source, &destination);
    })
}

/// As [`build`], of a message that must not come from beyond the link: its hop limit is 255 (RFC 4861 section 3.1).
pub fn build_for_link(
    source: Ipv6Addr,
    destination: Ipv6Addr,
    kind: u8,
    length: usize,
    fill: impl FnOnce(&mut [u8]),
) -> Vec<u8> {
    let mut packet = build(source, destination, kind, 0, length, fill);
    Ipv6Packet::new_unchecked(&mut packet[HEADROOM..]).set_hop_limit(255);
    packet
}

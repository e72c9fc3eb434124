//! A station at the peer's end of a link: enough of ARP, ICMP and DHCP to talk to netd.

mod dns;
pub mod service;

use std::io;
use std::time::{Duration, Instant};

use etherparse::{
    ArpEthIpv4Packet, ArpOperation, Icmpv4Type, NetSlice, PacketBuilder, SlicedPacket, TransportSlice,
};

use crate::peer::Peer;

/// The station's MAC address.
pub const MAC: [u8; 6] = [0x52, 0x54, 0x00, 0xbb, 0xbb, 0xbb];
/// The station's IP address.
pub const ADDRESS: [u8; 4] = [192, 168, 7, 1];
/// The IP address that the guest has, or is to get.
pub const GUEST: [u8; 4] = [192, 168, 7, 2];

const BROADCAST: [u8; 6] = [0xff; 6];
/// Enough for a guest that is busy.
const HOPS: u8 = 64;

/// An ARP packet from the station.
pub fn arp(operation: ArpOperation, to: [u8; 6], target: [u8; 4]) -> Vec<u8> {
    let packet = ArpEthIpv4Packet {
        operation,
        sender_mac: MAC,
        sender_ipv4: ADDRESS,
        target_mac: to,
        target_ipv4: target,
    };
    let mut frame = Vec::new();
    // Writing to a vector does not fail.
    let _ = PacketBuilder::ethernet2(MAC, to).arp(packet.into()).write(&mut frame);
    frame
}

/// Asks who has the guest's address.
pub fn arp_request() -> Vec<u8> {
    arp(ArpOperation::REQUEST, BROADCAST, GUEST)
}

/// An echo request to the guest.
pub fn echo_request(to: [u8; 6], number: u16, payload: &[u8]) -> Vec<u8> {
    let builder = PacketBuilder::ethernet2(MAC, to).ipv4(ADDRESS, GUEST, HOPS).icmpv4_echo_request(7, number);
    let mut frame = Vec::new();
    // It fails only on payloads longer than IP can carry.
    let _ = builder.write(&mut frame, payload);
    frame
}

/// A datagram from the station to anyone on the link, in a broadcast frame.
pub fn datagram(source: u16, destination: u16, payload: &[u8]) -> Vec<u8> {
    let builder =
        PacketBuilder::ethernet2(MAC, BROADCAST).ipv4(ADDRESS, [255; 4], HOPS).udp(source, destination);
    let mut frame = Vec::new();
    // It fails only on payloads longer than IP can carry.
    let _ = builder.write(&mut frame, payload);
    frame
}

/// Sends echo requests until one is answered, and answers ARP requests meanwhile. Whether that came within `limit`.
pub fn ping(peer: &Peer, guest: [u8; 6], limit: Duration) -> io::Result<bool> {
    let deadline = Instant::now() + limit;
    for number in 0.. {
        if Instant::now() > deadline {
            break;
        }
        peer.send(&arp_request())?;
        peer.send(&echo_request(guest, number, b"are you there?"))?;
        let patience = Instant::now() + Duration::from_millis(500);
        while Instant::now() < patience {
            match peer.receive(Duration::from_millis(100))? {
                Some(frame) if is_echo_reply(&frame) => return Ok(true),
                Some(frame) => answer_arp(peer, &frame)?,
                None => {}
            }
        }
    }
    Ok(false)
}

fn is_echo_reply(frame: &[u8]) -> bool {
    let packet = SlicedPacket::from_ethernet(frame).ok();
    match packet.and_then(|packet| packet.transport) {
        Some(TransportSlice::Icmpv4(icmp)) => matches!(icmp.icmp_type(), Icmpv4Type::EchoReply(_)),
        _ => false,
    }
}

/// Answers a request for the station's address.
pub fn answer_arp(peer: &Peer, frame: &[u8]) -> io::Result<()> {
    arp_answer(frame).map_or(Ok(()), |answer| peer.send(&answer))
}

/// The answer to a request for the station's address.
fn arp_answer(frame: &[u8]) -> Option<Vec<u8>> {
    let Some(NetSlice::Arp(packet)) = SlicedPacket::from_ethernet(frame).ok()?.net else { return None };
    let request = packet.to_packet().try_eth_ipv4().ok()?;
    let is_ours = request.operation == ArpOperation::REQUEST && request.target_ipv4 == ADDRESS;
    is_ours.then(|| arp(ArpOperation::REPLY, request.sender_mac, request.sender_ipv4))
}

/// What a client sends to a DHCP server, if the frame is that.
pub fn dhcp_request(frame: &[u8]) -> Option<Vec<u8>> {
    match SlicedPacket::from_ethernet(frame).ok()?.transport? {
        TransportSlice::Udp(udp) if udp.destination_port() == 67 => Some(udp.payload().to_vec()),
        _ => None,
    }
}

/// DHCP's message types (RFC 2132, section 9.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dhcp {
    /// DHCPDISCOVER
    Discover = 1,
    /// DHCPOFFER
    Offer = 2,
    /// DHCPREQUEST
    Request = 3,
    /// DHCPACK
    Ack = 5,
}

/// Where a DHCP message's options begin (RFC 2131, section 2), behind the magic cookie.
pub const DHCP_OPTIONS: usize = 240;

/// The type of a DHCP message, where its first option tells it, as is customary.
pub fn dhcp_type(message: &[u8]) -> Option<u8> {
    match message.get(DHCP_OPTIONS..DHCP_OPTIONS + 3)? {
        [53, 1, kind] => Some(*kind),
        _ => None,
    }
}

/// A sound answer to a DHCP request: the guest's address for an hour.
pub fn dhcp_answer(request: &[u8], kind: Dhcp) -> Vec<u8> {
    let mut message = request.get(..DHCP_OPTIONS).unwrap_or_default().to_vec();
    message.resize(DHCP_OPTIONS, 0);
    // op: BOOTREPLY; then yiaddr and siaddr.
    message.splice(0..1, [2]);
    message.splice(16..24, GUEST.into_iter().chain(ADDRESS));
    message.extend_from_slice(&[53, 1, kind as u8]);
    message.extend_from_slice(&[54, 4]);
    message.extend_from_slice(&ADDRESS);
    message.extend_from_slice(&[51, 4, 0, 0, 0x0e, 0x10]);
    message.extend_from_slice(&[1, 4, 255, 255, 255, 0]);
    message.extend_from_slice(&[3, 4]);
    message.extend_from_slice(&ADDRESS);
    message.push(255);
    message
}

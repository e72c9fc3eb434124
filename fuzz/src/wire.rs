//! The wire between the host under test and its peer: frames that are believable, and time that passes.

use std::net::Ipv4Addr;

use netd::stack::{Instant, InterfaceId, Stack};
use smoltcp::time::Duration;
use smoltcp::wire::{
    EthernetAddress, EthernetFrame, EthernetProtocol, Icmpv4Packet, IpProtocol, Ipv4Packet, TcpPacket,
    UdpPacket,
};

/// The host's and the peer's addresses.
pub const OWN: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
pub const PEER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
pub const OWN_MAC: EthernetAddress = EthernetAddress([2, 0, 0, 0, 0, 1]);
pub const PEER_MAC: EthernetAddress = EthernetAddress([2, 0, 0, 0, 0, 2]);

pub const MTU: usize = 1500;
pub const ETHERNET_HEADER: usize = 14;
pub const IPV4_HEADER: usize = 20;
pub const UDP_HEADER: usize = 8;

/// Far more than timers and answers can need.
const MOST_POLLS: usize = 20_000;

/// Lets `time` pass from `now` on, with a poll whenever the stack wants one, and shows each frame that it sends.
pub fn pass(
    stack: &mut Stack,
    interface: InterfaceId,
    now: &mut Instant,
    time: Duration,
    mut show: impl FnMut(&[u8]),
) {
    let end = *now + time;
    for _ in 0..MOST_POLLS {
        stack.poll(*now);
        let frames: Vec<_> = stack.take_frames(interface, usize::MAX).collect();
        frames.iter().for_each(|frame| show(frame));
        match stack.deadline() {
            Some(at) if at <= end => *now = at.max(*now),
            _ if *now == end && frames.is_empty() => return,
            _ => *now = end,
        }
    }
    panic!("there is no end to what the stack has to do");
}

/// A frame from the peer.
pub fn ethernet(protocol: EthernetProtocol, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; ETHERNET_HEADER];
    let mut frame = EthernetFrame::new_unchecked(&mut bytes);
    frame.set_dst_addr(OWN_MAC);
    frame.set_src_addr(PEER_MAC);
    frame.set_ethertype(protocol);
    bytes.extend(payload);
    bytes
}

/// A frame of an IPv4 packet with right lengths and checksums.
pub fn ipv4(source: Ipv4Addr, destination: Ipv4Addr, protocol: IpProtocol, mut payload: Vec<u8>) -> Vec<u8> {
    let length = payload.len();
    match protocol {
        IpProtocol::Tcp if length >= 20 => {
            TcpPacket::new_unchecked(&mut payload).fill_checksum(&source.into(), &destination.into());
        }
        IpProtocol::Udp if length >= UDP_HEADER => {
            let mut udp = UdpPacket::new_unchecked(&mut payload);
            udp.set_len(length as u16);
            udp.fill_checksum(&source.into(), &destination.into());
        }
        IpProtocol::Icmp if length >= 8 => Icmpv4Packet::new_unchecked(&mut payload).fill_checksum(),
        _ => (),
    }
    ipv4_around(source, destination, protocol, &payload, |_| ())
}

/// A frame of an IPv4 packet with this payload as it is; `change` has the last word on the header but its checksum.
pub fn ipv4_around(
    source: Ipv4Addr,
    destination: Ipv4Addr,
    protocol: IpProtocol,
    payload: &[u8],
    change: impl FnOnce(&mut Ipv4Packet<&mut Vec<u8>>),
) -> Vec<u8> {
    let mut bytes = vec![0; IPV4_HEADER];
    let mut packet = Ipv4Packet::new_unchecked(&mut bytes);
    packet.set_version(4);
    packet.set_header_len(IPV4_HEADER as u8);
    packet.set_total_len((IPV4_HEADER + payload.len()) as u16);
    packet.set_hop_limit(64);
    packet.set_next_header(protocol);
    packet.set_src_addr(source);
    packet.set_dst_addr(destination);
    change(&mut packet);
    packet.fill_checksum();
    bytes.extend(payload);
    ethernet(EthernetProtocol::Ipv4, &bytes)
}

/// A frame of a DHCP server's message to all.
pub fn from_dhcp_server(message: &[u8]) -> Vec<u8> {
    let mut payload = vec![0; UDP_HEADER];
    payload.extend(message);
    let mut udp = UdpPacket::new_unchecked(&mut payload);
    udp.set_src_port(67);
    udp.set_dst_port(68);
    ipv4(PEER, Ipv4Addr::BROADCAST, IpProtocol::Udp, payload)
}

//! IPv6 and fragments into the stack: extension headers, neighbour discovery, router advertisements, pieces of packets.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use netd::stack::icmp::{IcmpId, Purpose};
use netd::stack::tcp::ListenerId;
use netd::stack::udp::UdpId;
use netd::stack::{Instant, InterfaceId, Random, Stack};
use smoltcp::time::Duration;
use smoltcp::wire::{
    EthernetFrame, EthernetProtocol, Icmpv6Packet, IpProtocol, Ipv6Packet, TcpPacket, UdpPacket,
};

use crate::input::Input;
use crate::wire::{self, ETHERNET_HEADER, MTU, OWN_MAC, ethernet};

const OWN: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0xff, 0xfe00, 1);
const PEER: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0xff, 0xfe00, 2);

/// More frames than this tell nothing new.
const MOST_FRAMES: usize = 200;

/// Gives the frames that `data` describes to a host with sockets, before or after its address is its own, and looks at
/// what it sends.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let mut host = Host::new(input.u8() & 1 != 0);
    for _ in 0..MOST_FRAMES {
        if input.is_empty() {
            break;
        }
        let frame = frame(&mut input);
        host.stack.receive(host.eth0, &frame);
        host.pass(Duration::from_millis(input.u8().into()) * 64);
        host.use_sockets();
    }
    host.pass(Duration::from_secs(10_000));
}

struct Host {
    stack: Stack,
    eth0: InterfaceId,
    now: Instant,
    listener: ListenerId,
    udp: UdpId,
    ping: IcmpId,
}

impl Host {
    fn new(is_settled: bool) -> Self {
        let now = Instant::from_secs(1000);
        let mut stack = Stack::new(Random::new([1, 0]), now);
        let eth0 = stack.network.add_ethernet("eth0");
        stack.network.stop_dhcp(eth0);
        stack.link_up(eth0, OWN_MAC, MTU);
        stack.network.add_address(eth0, ipnet::IpNet::new(wire::OWN.into(), 24).expect("24 bits"));
        let any = |port| SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), port);
        let Stack { network, tcp, udp, icmp, .. } = &mut stack;
        let listener = tcp.listen(any(80), Default::default(), network).expect("port 80 is free");
        let udp = udp.open(any(53), None, Default::default(), network).expect("port 53 is free");
        let ping = icmp.open(Purpose::Echo, PEER.into(), &mut network.random).expect("an echo socket");
        let mut host = Self { stack, eth0, now, listener, udp, ping };
        host.pass(if is_settled { Duration::from_secs(5) } else { Duration::from_millis(1) });
        host
    }

    /// Lets time pass, with a poll whenever the stack wants one.
    fn pass(&mut self, time: Duration) {
        wire::pass(&mut self.stack, self.eth0, &mut self.now, time, check);
    }

    /// The sockets' users take what there is, and send long answers.
    fn use_sockets(&mut self) {
        let mut buffer = vec![0; 70_000];
        let Stack { network, tcp, udp, icmp, .. } = &mut self.stack;
        while let Ok(connection) = tcp.accept(self.listener) {
            let _ = tcp.write(connection, &buffer[..5000]);
        }
        while let Ok((sender, ..)) = udp.receive_from(self.udp, &mut buffer, false) {
            let _ = udp.send_to(self.udp, &buffer[..4000], Some(sender), network);
        }
        while icmp.read(self.ping, &mut buffer).is_ok() {}
        let _ = icmp.write(self.ping, &buffer[..2000], network);
    }
}

/// Looks at a frame that the host sends.
fn check(frame: &[u8]) {
    assert!((ETHERNET_HEADER..=ETHERNET_HEADER + MTU).contains(&frame.len()), "{} bytes", frame.len());
    let ethernet = EthernetFrame::new_checked(frame).expect("an Ethernet frame");
    if ethernet.ethertype() != EthernetProtocol::Ipv6 {
        return;
    }
    let packet = Ipv6Packet::new_checked(ethernet.payload()).expect("an IPv6 packet");
    assert_eq!((packet.version(), packet.total_len()), (6, ethernet.payload().len()));
    let (source, destination) = (packet.src_addr(), packet.dst_addr());
    match packet.next_header() {
        IpProtocol::Icmpv6 => {
            let message = Icmpv6Packet::new_checked(packet.payload()).expect("an ICMPv6 message");
            assert!(message.verify_checksum(&source, &destination));
        }
        IpProtocol::Tcp => {
            let segment = TcpPacket::new_checked(packet.payload()).expect("a TCP segment");
            assert!(segment.verify_checksum(&source.into(), &destination.into()));
        }
        _ => assert!(!source.is_unspecified() || packet.next_header() == IpProtocol::HopByHop),
    }
}

/// A frame: any packet, or a believable one with what the input makes of the rest.
fn frame(input: &mut Input<'_>) -> Vec<u8> {
    let (kind, length) = (input.u8() % 6, usize::from(input.u16() % 1500));
    match kind {
        0 => ethernet(EthernetProtocol::Ipv6, input.bytes(length)),
        1 => packet(input, length, IpProtocol::Tcp),
        2 => packet(input, length, IpProtocol::Udp),
        3 => packet(input, length, IpProtocol::Icmpv6),
        4 => piece_v4(input, length),
        _ => {
            // Extension headers and pieces as they come.
            let protocol = [0, 60, 43, 44, 51, 59][usize::from(input.u8() % 6)];
            packet(input, length, IpProtocol::from(protocol))
        }
    }
}

/// A packet of the peer's whose checksum is right, if its protocol has one.
fn packet(input: &mut Input<'_>, length: usize, protocol: IpProtocol) -> Vec<u8> {
    const HEADER: usize = 40;
    let destination = match input.u8() % 8 {
        0 => "ff02::1".parse().expect("all nodes"),
        1 => "ff02::1:ff00:1".parse().expect("our group"),
        2 => Ipv6Addr::from_bits(u128::from(input.u64()) << 64 | u128::from(input.u64())),
        _ => OWN,
    };
    let source = if input.u8() % 16 == 0 { Ipv6Addr::UNSPECIFIED } else { PEER };
    let hop_limit = if input.u8() % 16 == 0 { 64 } else { 255 };
    let mut payload = input.bytes(length).to_vec();
    let (from, to) = (IpAddr::from(source), IpAddr::from(destination));
    match protocol {
        IpProtocol::Tcp if payload.len() >= 20 => {
            TcpPacket::new_unchecked(&mut payload).fill_checksum(&from.into(), &to.into());
        }
        IpProtocol::Udp if payload.len() >= 8 => {
            let length = payload.len() as u16;
            let mut udp = UdpPacket::new_unchecked(&mut payload);
            udp.set_len(length);
            udp.fill_checksum(&from.into(), &to.into());
        }
        IpProtocol::Icmpv6 if payload.len() >= 4 => {
            // Half of them are of neighbour discovery.
            if payload[0] & 1 == 0 {
                payload[0] = 133 + payload[0] / 2 % 5;
                payload[1] = 0;
            }
            Icmpv6Packet::new_unchecked(&mut payload).fill_checksum(&source, &destination);
        }
        _ => (),
    }
    let mut bytes = vec![0; HEADER];
    let mut packet = Ipv6Packet::new_unchecked(&mut bytes);
    packet.set_version(6);
    packet.set_payload_len(payload.len() as u16);
    packet.set_next_header(protocol);
    packet.set_hop_limit(hop_limit);
    packet.set_src_addr(source);
    packet.set_dst_addr(destination);
    bytes.extend(payload);
    ethernet(EthernetProtocol::Ipv6, &bytes)
}

/// A piece of an IPv4 packet of the peer's.
fn piece_v4(input: &mut Input<'_>, length: usize) -> Vec<u8> {
    let (ident, field, protocol) = (input.u8() % 4, input.u16(), input.u8() % 20);
    let payload = input.bytes(length / 8 * 8);
    wire::ipv4_around(wire::PEER, wire::OWN, IpProtocol::from(protocol), payload, |packet| {
        packet.set_ident(ident.into());
        packet.set_more_frags(field & 1 != 0);
        packet.set_frag_offset(field >> 3 << 3);
    })
}

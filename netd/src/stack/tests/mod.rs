//! Two stacks on one wire, with simulated time.

mod arp;
mod checksums;
mod conformance;
mod dhcp;
mod endings;
mod flood;
mod fragments;
mod groups;
mod handover;
mod hostile;
mod icmp;
mod ipv6;
mod path_mtu;
mod routers;
mod routes;
pub mod segments;
pub mod tcp;
mod udp;
mod vlan;
mod warnings;

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use scheme::vnet::Checksum;
use smoltcp::time::Duration;
use smoltcp::wire::{EthernetFrame, EthernetProtocol, IpProtocol, IpVersion, TcpPacket};

use self::warnings::warnings;
use super::conflict::Claims;
use super::datagram::Datagram;
use super::*;

pub const ETH0: InterfaceId = 1;
pub const LEFT: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
pub const RIGHT: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2));

impl<'a> Datagram<'a> {
    /// A packet that is whole.
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let contents = match crate::stack::ipv6::header(bytes) {
            Some(header) => crate::stack::ipv6::open(header).ok(),
            None => ipv4::open(bytes),
        };
        match contents? {
            Contents::Whole(datagram) => Some(datagram),
            _ => None,
        }
    }
}

/// What the wire does to frames, in frames of a thousand.
#[derive(Clone, Copy, Default)]
pub struct Faults {
    pub lost: u64,
    pub doubled: u64,
    pub swapped: u64,
}

/// The left stack and the right one.
pub struct Bed {
    pub left: Stack,
    pub right: Stack,
    pub now: Instant,
    /// How long a trip takes.
    pub trip: Duration,
    faults: Faults,
    random: Random,
}

/// A host that speaks IPv4 alone: who counts frames wants none of IPv6's.
pub fn stack(seed: u64, address: IpAddr, now: Instant) -> Stack {
    let mut stack = Stack::new(Random::new([seed, 0]), now);
    let eth0 = stack.network.add_ethernet("eth0");
    stack.network.interface_mut(eth0).unwrap().ipv6 = None;
    start(stack, address)
}

/// A host that speaks both.
pub fn dual_stack(seed: u64, address: IpAddr, now: Instant) -> Stack {
    let mut stack = Stack::new(Random::new([seed, 0]), now);
    stack.network.add_ethernet("eth0");
    start(stack, address)
}

fn start(mut stack: Stack, address: IpAddr) -> Stack {
    stack.network.stop_dhcp(ETH0);
    stack.link_up(ETH0, ethernet_address(address), 1500);
    stack.network.add_address(ETH0, ipnet::IpNet::new(address, 24).unwrap());
    // Tests look at the frames one by one.
    stack.network.interface_mut(ETH0).unwrap().claims = Claims::default();
    stack
}

impl Bed {
    pub fn new() -> Self {
        Self::with_faults(Faults::default())
    }

    pub fn with_faults(faults: Faults) -> Self {
        let now = Instant::from_secs(1000);
        let (trip, random) = (Duration::from_millis(1), Random::new([7, 7]));
        Self { left: stack(1, LEFT, now), right: stack(2, RIGHT, now), now, trip, faults, random }
    }

    /// Carries frames until both are quiet or `limit` has passed.
    pub fn run(&mut self, limit: Duration) {
        let end = self.now + limit;
        while self.now < end {
            let moved = self.step();
            if moved {
                continue;
            }
            let next = earlier(self.left.deadline(), self.right.deadline());
            self.now = next.unwrap_or(end).max(self.now + Duration::from_micros(1)).min(end);
        }
    }

    /// One trip; whether any frame moved.
    pub fn step(&mut self) -> bool {
        self.left.poll(self.now);
        self.right.poll(self.now);
        let rightward = self.damage(true);
        let leftward = self.damage(false);
        let moved = !rightward.is_empty() || !leftward.is_empty();
        if moved {
            self.now += self.trip;
        }
        self.left.network.now = self.now;
        self.right.network.now = self.now;
        for frame in rightward {
            self.right.receive(ETH0, &frame);
        }
        for frame in leftward {
            self.left.receive(ETH0, &frame);
        }
        moved
    }

    fn damage(&mut self, rightward: bool) -> Vec<Vec<u8>> {
        let sender = if rightward { &mut self.left } else { &mut self.right };
        let frames: Vec<_> = sender.take_packets(ETH0, usize::MAX).flat_map(handover::on_the_wire).collect();
        let mut arriving = VecDeque::new();
        for frame in frames {
            let dice = self.random.next_u64() % 1000;
            let Faults { lost, doubled, swapped } = self.faults;
            match dice {
                _ if dice < lost => (),
                _ if dice < lost + doubled => arriving.extend([frame.clone(), frame]),
                _ if dice < lost + doubled + swapped => arriving.push_front(frame),
                _ => arriving.push_back(frame),
            }
        }
        arriving.into()
    }
}

fn ethernet_address(host: IpAddr) -> EthernetAddress {
    let last = match host {
        IpAddr::V4(host) => host.octets()[3],
        IpAddr::V6(host) => host.octets()[15],
    };
    EthernetAddress([2, 0, 0, 0, 0, last])
}

pub fn any(port: u16) -> SocketAddr {
    SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), port)
}

pub fn right(port: u16) -> SocketAddr {
    SocketAddr::new(RIGHT, port)
}

/// An Ethernet frame from `from` to `to`, hosts of the bed, around an IP packet behind its headroom.
pub fn framed(mut packet: Vec<u8>, from: IpAddr, to: IpAddr) -> Vec<u8> {
    let mut frame = EthernetFrame::new_unchecked(&mut packet);
    frame.set_src_addr(ethernet_address(from));
    frame.set_dst_addr(ethernet_address(to));
    frame.set_ethertype(if from.is_ipv4() { EthernetProtocol::Ipv4 } else { EthernetProtocol::Ipv6 });
    packet
}

/// A frame with a TCP segment of `length` bytes, header and options (which `fill` writes) included.
pub fn segment(
    from: SocketAddr,
    to: SocketAddr,
    length: usize,
    fill: impl FnOnce(&mut TcpPacket<&mut [u8]>),
) -> Vec<u8> {
    let packet = datagram::build(from.ip(), to.ip(), IpProtocol::Tcp, length, |room| {
        let mut segment = TcpPacket::new_unchecked(room);
        segment.set_src_port(from.port());
        segment.set_dst_port(to.port());
        segment.set_header_len(20);
        fill(&mut segment);
        segment.fill_checksum(&from.ip().into(), &to.ip().into());
    });
    framed(packet, from.ip(), to.ip())
}

/// Whom resolvers should ask.
fn servers(host: &Stack) -> Vec<IpAddr> {
    host.resolvers().iter().map(|server| server.address).collect()
}

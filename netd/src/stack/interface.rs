//! One interface: its addresses, its link layer and its counters.

mod arp;
mod counters;
mod groups;
mod ipv6;
mod silence;
mod timers;

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::RangeInclusive;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use smoltcp::time::Instant;
use smoltcp::wire::{EthernetAddress, EthernetFrame, EthernetProtocol};

pub use self::counters::Counters;
use self::silence::Silence;
use super::address::{is_broadcast, multicast};
use super::capture::Captures;
use super::conflict::Claims;
use super::dhcp::Dhcp;
use super::engine::Engine;
use super::groups::Groups;
use super::hardware::{Panels, Wanted};
use super::igmp::{ALL_SYSTEMS, Igmp};
use super::ndisc::{ALL_NODES, Ipv6Link};
use super::neighbours::{self, Neighbours, Resolution};
use super::packet::Packet;
use super::routes::InterfaceId;

/// IP's MTU on an Ethernet link without jumbo frames (RFC 894).
pub const ETHERNET_MTU: usize = 1500;
/// As on Linux: one packet carries what IPv4 can.
const LOOPBACK_MTU: usize = 65_535;
/// Frames on their way to the driver at which sockets must wait.
pub const QUEUE: usize = 128;
/// Answers without a socket (ARP, RST, echo) that may be queued beyond that.
const ANSWERS: usize = 64;

/// The link layer.
pub enum Link {
    /// What is sent comes back.
    Loopback,
    /// Ethernet with ARP.
    Ethernet {
        /// Our address; unknown before the first driver.
        address: Option<EthernetAddress>,
        /// The ARP table.
        neighbours: Neighbours<Packet>,
        /// The DHCP client, unless the address is static.
        dhcp: Option<Box<Dhcp>>,
        /// What routers are told of our IPv4 groups.
        igmp: Igmp,
    },
}

/// An interface of the stack.
pub struct Interface {
    name: String,
    mtu: usize,
    /// The administrator wants it up.
    pub up: bool,
    /// Its link carries frames.
    pub running: bool,
    /// Our addresses on it, those of IPv4 first.
    pub addresses: Vec<IpNet>,
    /// The multicast groups that we are in.
    pub groups: Groups,
    /// The link's IPv6; loopback has nobody to discover.
    pub ipv6: Option<Box<Ipv6Link>>,
    /// The link layer.
    pub link: Link,
    /// The metric of its routes that have none of their own: the smallest is preferred.
    pub metric: u32,
    /// For a VLAN: the interface that carries its frames, and its number.
    pub parent: Option<(InterfaceId, u16)>,
    /// The number of its VLAN that sent last: the next one is next.
    pub last_vlan: u16,
    /// The NIC's own address, whichever is in use; unknown before the first driver.
    pub own_address: Option<EthernetAddress>,
    /// What the administrator wants of the NIC.
    pub wanted: Wanted,
    /// The longest IP packet that the driver takes, in bytes.
    pub link_mtu: usize,
    /// The MTUs that the driver can be set to, if it said so.
    pub driver_limits: Option<RangeInclusive<usize>>,
    /// The neighbours that have not answered lately.
    pub silence: Silence,
    /// What the link is told of the addresses.
    pub claims: Claims,
    /// The name of its driver's scheme, while there is one.
    pub driver: Option<String>,
    /// What the driver says about the link, as its node `link` has it.
    pub link_text: String,
    /// What the driver says of its settings; nothing without a driver.
    pub panels: Panels,
    /// What happened.
    pub counters: Counters,
    /// Frames for the driver; for loopback, packets to be received.
    pub queue: VecDeque<Packet>,
    /// Those who look on.
    pub captures: Captures,
    /// smoltcp's side of it.
    pub engine: Engine,
    /// The same for connections whose segments its driver makes, if that does.
    wide: Option<Engine>,
}

impl Interface {
    /// `lo`, 127.0.0.1/8 and ::1/128.
    pub fn loopback(seed: u64, now: Instant) -> Self {
        let mut interface = Self::new("lo".to_owned(), Link::Loopback, LOOPBACK_MTU, seed, now);
        interface.running = true;
        interface.addresses.push(Ipv4Net::new_assert(Ipv4Addr::LOCALHOST, 8).into());
        interface.addresses.push(Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128).into());
        interface
    }

    /// An Ethernet interface without a driver yet; `seed` makes its DHCP transactions.
    pub fn ethernet(name: String, seed: u64, now: Instant) -> Self {
        let dhcp = Some(Box::new(Dhcp::new(seed)));
        let neighbours = Neighbours::new(neighbours::ARP);
        let link = Link::Ethernet { address: None, neighbours, dhcp, igmp: Igmp::default() };
        let mut interface = Self::new(name, link, ETHERNET_MTU, seed.rotate_left(32), now);
        interface.groups.join(ALL_SYSTEMS.into());
        interface.groups.join(ALL_NODES.into());
        interface.ipv6 = Some(Box::default());
        interface
    }

    fn new(name: String, link: Link, mtu: usize, seed: u64, now: Instant) -> Self {
        Self {
            name,
            mtu,
            up: true,
            running: false,
            addresses: Vec::new(),
            groups: Groups::default(),
            ipv6: None,
            link,
            parent: None,
            last_vlan: 0,
            own_address: None,
            wanted: Wanted::default(),
            link_mtu: mtu,
            driver_limits: None,
            metric: 0,
            silence: Silence::default(),
            claims: Claims::default(),
            driver: None,
            link_text: String::new(),
            panels: Panels::default(),
            counters: Counters::default(),
            queue: VecDeque::new(),
            captures: Captures::default(),
            engine: Engine::new(mtu, seed, now),
            wide: None,
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Changes its name.
    pub(super) fn rename(&mut self, name: String) {
        self.name = name;
    }

    /// The longest IP packet, in bytes.
    pub fn mtu(&self) -> usize {
        self.mtu
    }

    /// Whether its driver makes segments of longer packets.
    pub fn set_segments(&mut self, are_made: bool, seed: u64, now: Instant) {
        if are_made != self.makes_segments() {
            self.wide = are_made.then(|| Engine::with_segments(self.mtu, seed, now));
        }
    }

    /// Whether it does.
    pub fn makes_segments(&self) -> bool {
        self.wide.is_some()
    }

    /// smoltcp's side of it for a connection, with packets no longer than those of `narrow`: a path carries no more than its
    /// first link, and perhaps less. Without that the driver may make the connection's segments if `in_one`.
    pub fn engine_for<'a>(&'a mut self, narrow: Option<&'a mut Engine>, in_one: bool) -> &'a mut Engine {
        match (narrow, &mut self.wide) {
            (Some(narrow), _) if narrow.mtu() < self.engine.mtu() => narrow,
            (_, Some(wide)) if in_one => wide,
            _ => &mut self.engine,
        }
    }

    /// Changes the longest IP packet; open connections go on with the segment size they agreed on.
    pub fn set_mtu(&mut self, mtu: usize, seed: u64, now: Instant) {
        if mtu != self.mtu {
            self.mtu = mtu;
            self.engine = Engine::new(mtu, seed, now);
            if let Some(wide) = &mut self.wide {
                *wide = Engine::with_segments(mtu, seed, now);
            }
        }
    }

    /// Its Ethernet address.
    pub fn ethernet_address(&self) -> Option<EthernetAddress> {
        match &self.link {
            Link::Ethernet { address, .. } => *address,
            Link::Loopback => None,
        }
    }

    /// Whether it stands for a NIC: it is neither loopback nor a VLAN.
    pub fn is_nic(&self) -> bool {
        !self.is_loopback() && self.parent.is_none()
    }

    /// Its DHCP client, if it has one.
    pub fn dhcp(&self) -> Option<&Dhcp> {
        match &self.link {
            Link::Ethernet { dhcp, .. } => dhcp.as_deref(),
            Link::Loopback => None,
        }
    }

    /// Its DHCP client, to be asked for something.
    pub fn dhcp_mut(&mut self) -> Option<&mut Dhcp> {
        match &mut self.link {
            Link::Ethernet { dhcp, .. } => dhcp.as_deref_mut(),
            Link::Loopback => None,
        }
    }

    /// Whether it is loopback.
    pub fn is_loopback(&self) -> bool {
        matches!(self.link, Link::Loopback)
    }

    /// Whether `address` is one of its own.
    pub fn has_address(&self, address: IpAddr) -> bool {
        self.addresses.iter().any(|own| own.addr() == address)
    }

    /// Whether `address` is its only one of that version.
    pub fn has_only(&self, address: IpNet) -> bool {
        let mut others = self.addresses.iter().filter(|own| own.addr().is_ipv4() == address.addr().is_ipv4());
        others.next() == Some(&address) && others.next().is_none()
    }

    /// Whether `address` is the broadcast address of one of its networks.
    pub fn is_broadcast(&self, address: IpAddr) -> bool {
        let is_last =
            |own: &IpNet| own.addr().is_ipv4() && own.prefix_len() < 31 && own.broadcast() == address;
        is_broadcast(address) || self.addresses.iter().any(is_last)
    }

    /// Whether packets to `address` are for every host of the link, or for a group that we are in.
    pub fn is_link_wide(&self, address: IpAddr) -> bool {
        self.is_broadcast(address) || self.groups.has(address)
    }

    /// Whether packets that are sent leave.
    pub fn carries(&self) -> bool {
        self.up && self.running
    }

    /// How many packets sockets may send now.
    pub fn room(&self) -> usize {
        match self.carries() {
            true => QUEUE.saturating_sub(self.queue.len()),
            false => 0,
        }
    }

    /// Sends an IP packet (behind its headroom) to `next_hop`. Without a link it is lost.
    pub fn send(&mut self, next_hop: IpAddr, packet: Packet, now: Instant) {
        if !self.carries() {
            self.counters.tx_dropped += 1;
            return;
        }
        let is_broadcast = self.is_broadcast(next_hop);
        let Link::Ethernet { neighbours, .. } = &mut self.link else { return self.enqueue(packet) };
        if is_broadcast {
            return self.frame(packet, EthernetAddress::BROADCAST, protocol(next_hop));
        }
        if next_hop.is_multicast() {
            return self.frame(packet, multicast(next_hop), protocol(next_hop));
        }
        let resolution = match (next_hop, &mut self.ipv6) {
            (IpAddr::V6(_), Some(ipv6)) => ipv6.neighbours.resolve(next_hop, packet, now),
            _ => neighbours.resolve(next_hop, packet, now),
        };
        match resolution {
            Resolution::Known { packet, address, probe } => {
                self.frame(packet, address, protocol(next_hop));
                if probe {
                    self.ask(next_hop, now);
                }
            }
            Resolution::Waiting { probe, dropped } => {
                self.counters.tx_dropped += dropped as u64;
                if probe {
                    self.ask(next_hop, now);
                }
            }
        }
    }

    /// The link may be another one when it comes back, and somebody else's what was known. What waits for a neighbour is
    /// lost.
    pub fn forget_neighbours(&mut self) {
        let mut lost = 0;
        if let Link::Ethernet { neighbours, .. } = &mut self.link {
            lost += neighbours.forget_all();
        }
        if let Some(ipv6) = &mut self.ipv6 {
            lost += ipv6.neighbours.forget_all();
        }
        self.counters.tx_dropped += lost as u64;
    }

    /// Repeats ARP requests that are due; the packets whose next hop is given up are returned.
    pub fn poll_neighbours(&mut self, now: Instant) -> Vec<Packet> {
        let Link::Ethernet { neighbours, .. } = &mut self.link else { return Vec::new() };
        let due = neighbours.poll(now);
        for neighbour in due.probes {
            self.ask(neighbour, now);
        }
        self.silence.note(&due.lost, now);
        self.counters.neighbour_failures += due.undeliverable.len() as u64;
        due.undeliverable
    }

    /// A neighbour is at `address`: what waited for it is sent.
    pub fn meet(&mut self, neighbour: IpAddr, address: EthernetAddress, now: Instant) {
        let Link::Ethernet { neighbours, .. } = &mut self.link else { return };
        self.silence.end(neighbour);
        for packet in neighbours.learn(neighbour, address, now) {
            self.frame(packet, address, protocol(neighbour));
        }
    }

    /// Queues a finished frame.
    pub fn enqueue(&mut self, frame: Packet) {
        if self.queue.len() >= QUEUE + ANSWERS || !self.carries() {
            self.counters.tx_dropped += 1;
            return;
        }
        self.counters.tx_packets += 1;
        self.counters.tx_bytes += frame.len() as u64;
        self.queue.push_back(frame);
    }

    fn ask(&mut self, neighbour: IpAddr, now: Instant) {
        match neighbour {
            IpAddr::V4(neighbour) => self.ask_arp(neighbour),
            IpAddr::V6(neighbour) => {
                let question = self.ipv6.as_ref().and_then(|ipv6| ipv6.question(neighbour, now));
                if let Some((destination, question)) = question {
                    self.send(destination.into(), question, now);
                }
            }
        }
    }

    fn frame(&mut self, mut packet: Packet, destination: EthernetAddress, protocol: EthernetProtocol) {
        let Some(source) = self.ethernet_address() else {
            self.counters.tx_dropped += 1;
            return;
        };
        let mut frame = EthernetFrame::new_unchecked(&mut packet[..]);
        frame.set_dst_addr(destination);
        frame.set_src_addr(source);
        frame.set_ethertype(protocol);
        self.enqueue(packet);
    }
}

/// What a frame for `next_hop` carries.
fn protocol(next_hop: IpAddr) -> EthernetProtocol {
    match next_hop {
        IpAddr::V4(_) => EthernetProtocol::Ipv4,
        IpAddr::V6(_) => EthernetProtocol::Ipv6,
    }
}

//! The stack: interfaces, routes and sockets, without a system. Time and randomness come from outside.

pub mod address;
mod answers;
pub mod capture;
mod conflict;
mod datagram;
pub mod dhcp;
mod engine;
pub mod error;
mod fragments;
mod frames;
pub mod groups;
pub mod hardware;
pub mod icmp;
mod icmpv6;
mod igmp;
mod ingress;
pub mod interface;
mod ipv4;
mod ipv6;
mod join;
mod leases;
mod membership;
mod mld;
pub mod names;
pub mod ndisc;
pub mod neighbours;
pub mod network;
pub mod packet;
mod path_mtu;
mod ports;
mod quoted;
pub mod random;
pub mod raw;
pub mod readiness;
pub mod routes;
mod selection;
pub mod table;
pub mod tcp;
pub mod udp;
mod vlan;
mod wire;
mod writers;

#[cfg(test)]
mod tests;

use config::filter::LinkType;
use config::netd::Domain;
use scheme::pcapng::Direction;
use smoltcp::wire::EthernetAddress;

pub use self::error::SocketError;
pub use self::network::{LOOPBACK, Network};
pub use self::random::Random;
pub use self::readiness::Readiness;
pub use self::routes::InterfaceId;
pub use smoltcp::time::Instant;

use self::answers::Limit;
use self::datagram::Datagram;
use self::dhcp::Dhcp;
use self::fragments::Fragments;
use self::icmp::Icmp;
use self::interface::Link;
use self::ipv6::Contents;
use self::join::Joiner;
use self::names::NameServer;
use self::packet::Packet;
use self::raw::Raw;
use self::tcp::Tcp;
use self::udp::Udp;
use self::wire::HEADROOM;

/// Packets that `lo` carries in one turn; more of them wait, so that two sockets which talk to each other
/// here do not keep everybody else waiting.
const LOOPBACK_BUDGET: usize = 256;

/// The whole stack.
pub struct Stack {
    /// Interfaces and routes.
    pub network: Network,
    /// TCP.
    pub tcp: Tcp,
    /// UDP.
    pub udp: Udp,
    /// ICMP.
    pub icmp: Icmp,
    /// Raw IP.
    pub raw: Raw,
    /// Whom resolvers should ask before those that leases and routers name, as the administrator says.
    pub own_name_servers: Vec<NameServer>,
    /// Where they should look before the leases' domains, as the administrator says.
    pub own_search: Vec<Domain>,
    complaints: Limit,
    fragments: Fragments,
    /// Joins segments while packets come together.
    joiner: Option<Joiner>,
    /// Counts every change of addresses, routes, name servers or links.
    pub revision: u64,
}

impl Stack {
    /// A stack with `lo` alone.
    pub fn new(random: Random, now: Instant) -> Self {
        Self {
            network: Network::new(random, now),
            tcp: Tcp::default(),
            udp: Udp::default(),
            icmp: Icmp::default(),
            raw: Raw::default(),
            own_name_servers: Vec::new(),
            own_search: Vec::new(),
            complaints: Limit::default(),
            fragments: Fragments::default(),
            joiner: None,
            revision: 0,
        }
    }

    /// An interface has a driver from now on, with this address and MTU.
    pub fn attach(&mut self, id: InterfaceId, address: EthernetAddress, mtu: usize) {
        self.network.start_ipv6(id, address);
        self.follow_ipv6(id);
        let Some(interface) = self.network.interface_mut(id) else { return };
        interface.link_mtu = mtu;
        let Link::Ethernet { address: own, .. } = &mut interface.link else { return };
        let is_news = own.replace(address) != Some(address);
        self.follow_mtu(id);
        if is_news {
            self.start(id, self.network.now);
        }
        self.follow_vlans(id);
        self.revision += 1;
    }

    /// An interface's link can carry frames from now on: the driver's address and MTU.
    pub fn link_up(&mut self, id: InterfaceId, address: EthernetAddress, mtu: usize) {
        self.attach(id, address, mtu);
        let now = self.network.now;
        let Some(interface) = self.network.interface_mut(id) else { return };
        interface.running = true;
        self.start(id, now);
        self.follow_vlans(id);
    }

    /// An interface carries frames from now on: the link is told of its addresses, and its client begins.
    fn start(&mut self, id: InterfaceId, now: Instant) {
        let Some(interface) = self.network.interface_mut(id).filter(|own| own.carries()) else { return };
        for own in &interface.addresses {
            interface.claims.announce(own.addr(), now);
        }
        if let (Some(address), Some(dhcp)) = (interface.ethernet_address(), interface.dhcp_mut()) {
            dhcp.link_up(address, now);
        }
        interface.tell_groups(now);
        self.network.link_up_ipv6(id);
    }

    /// An interface's link carries no frames any more; everything else stays.
    pub fn link_down(&mut self, id: InterfaceId) {
        if let Some(interface) = self.network.interface_mut(id)
            && interface.running
        {
            interface.running = false;
            // They would reach the next driver late and out of order; sockets send again what matters.
            interface.counters.tx_dropped += interface.queue.len() as u64;
            interface.queue.clear();
            interface.forget_neighbours();
            self.follow_vlans(id);
            self.revision += 1;
        }
    }

    /// The administrator switches an interface on or off. A lease is given back before.
    pub fn set_up(&mut self, id: InterfaceId, up: bool) {
        let now = self.network.now;
        if !up {
            self.release(id);
        }
        let Some(interface) = self.network.interface_mut(id) else { return };
        if std::mem::replace(&mut interface.up, up) != up {
            self.revision += 1;
            if up {
                self.start(id, now);
            }
            self.follow_vlans(id);
        }
    }

    /// An interface is called `name` from now on, and its VLANs after it. What it had under that name before netd was
    /// started is asked for, if it has no lease yet.
    pub fn rename(&mut self, id: InterfaceId, name: &str) {
        let now = self.network.now;
        for (number, vlan) in self.network.vlans(id).collect::<Vec<_>>() {
            self.rename(vlan, &format!("{name}.{number}"));
        }
        let former = self.network.former_leases.get(name).copied();
        let Some(interface) = self.network.interface_mut(id) else { return };
        interface.rename(name.to_owned());
        let address = interface.ethernet_address().filter(|_| interface.carries());
        if let Some(dhcp) = interface.dhcp_mut().filter(|dhcp| dhcp.lease().is_none()) {
            dhcp.remember(former);
            if let Some(address) = address {
                dhcp.link_up(address, now);
            }
        }
        self.revision += 1;
    }

    /// The metric of an interface's routes that have none of their own: the smallest is preferred.
    pub fn set_metric(&mut self, id: InterfaceId, metric: u32) {
        if let Some(interface) = self.network.interface_mut(id) {
            interface.metric = metric;
            self.revision += 1;
        }
    }

    /// Whether an interface gets an address by DHCP from now on. A lease is given back; other addresses stay.
    pub fn set_dhcp(&mut self, id: InterfaceId, on: bool) {
        let (now, seed) = (self.network.now, self.network.random.next_u64());
        let hostname = self.network.hostname.clone();
        let Some(interface) = self.network.interface_mut(id) else { return };
        if interface.dhcp().is_some() == on {
            return;
        }
        if !on {
            self.release(id);
            self.network.stop_dhcp(id);
        } else if let Link::Ethernet { dhcp, .. } = &mut interface.link {
            let mut client = Dhcp::new(seed);
            client.set_hostname(&hostname);
            *dhcp = Some(Box::new(client));
            self.start(id, now);
        }
        self.revision += 1;
    }

    /// Does what is due: timers, sockets that want to send, packets to ourselves.
    pub fn poll(&mut self, now: Instant) {
        self.network.now = now;
        for id in self.network.due_interfaces() {
            self.poll_interface(id);
        }
        self.complain_of_late_fragments();
        self.wake_writers();
        let mut budget = LOOPBACK_BUDGET;
        loop {
            self.tcp.poll(&mut self.network);
            let packets = self.take_loopback(budget);
            if packets.is_empty() {
                break;
            }
            budget -= packets.len();
            for packet in packets {
                self.receive_loopback(packet);
            }
        }
    }

    /// Whether somebody who waits for room need not any more.
    fn has_room_for_writers(&self) -> bool {
        let network = &self.network;
        self.udp.is_due(network) || self.icmp.is_due(network) || self.raw.is_due(network)
    }

    fn wake_writers(&mut self) {
        self.udp.wake_writers(&self.network);
        self.icmp.wake_writers(&self.network);
        self.raw.wake_writers(&self.network);
    }

    fn poll_interface(&mut self, id: InterfaceId) {
        let now = self.network.now;
        let Some(interface) = self.network.interface_mut(id) else { return };
        interface.poll_claims(now);
        let mut undeliverable = interface.poll_neighbours(now);
        self.network.poll_igmp(id);
        undeliverable.extend(self.network.poll_ipv6(id));
        self.follow_ipv6(id);
        for packet in undeliverable {
            if let Some(quoted) =
                packet.get(HEADROOM..).and_then(|packet| quoted::quoted(packet, id, &self.network))
            {
                self.unreachable(quoted, SocketError::HostUnreachable);
            }
        }
        self.poll_dhcp(id);
    }

    fn take_loopback(&mut self, budget: usize) -> Vec<Packet> {
        let Some(loopback) = self.network.interface_mut(LOOPBACK) else { return Vec::new() };
        let count = loopback.queue.len().min(budget);
        loopback.queue.drain(..count).collect()
    }

    fn receive_loopback(&mut self, mut packet: Packet) {
        let now = self.network.now;
        if self.is_watched(LOOPBACK) {
            packet.finish();
        }
        let packet = packet.get(HEADROOM..).unwrap_or_default();
        let Some(loopback) = self.network.interface_mut(LOOPBACK) else { return };
        loopback.counters.rx_packets += 1;
        loopback.counters.rx_bytes += packet.len() as u64;
        loopback.captures.record(LinkType::Raw, Direction::Received, packet, now);
        self.open_loopback(packet);
    }

    fn open_loopback(&mut self, packet: &[u8]) {
        match (ipv4::open(packet), ipv6::header(packet)) {
            // What never left needs no checksum.
            (Some(Contents::Whole(datagram)), _) => {
                self.deliver(LOOPBACK, &Datagram { is_good: true, ..datagram }, true);
            }
            (Some(Contents::Piece(piece)), _) => {
                if let Some(whole) = self.fragments.add(LOOPBACK, &piece, self.network.now) {
                    self.open_loopback(&whole);
                }
            }
            (None, Some(packet)) => self.open_ipv6(LOOPBACK, packet, None, true),
            _ => self.count_error(LOOPBACK),
        }
    }

    /// When [`poll`](Self::poll) is due: now, where a driver has made room that somebody waits for.
    pub fn deadline(&self) -> Option<Instant> {
        let now = self.network.now;
        let sockets = earlier(self.tcp.deadline(&self.network), self.has_room_for_writers().then_some(now));
        let interfaces = self.network.interfaces().filter_map(|own| own.deadline(now)).min();
        earlier(earlier(sockets, self.fragments.deadline()), interfaces)
    }

    /// Whether frames wait for the driver of an interface.
    pub fn has_frames(&self, id: InterfaceId) -> bool {
        self.network.with_vlans(id).any(|interface| !interface.queue.is_empty())
    }

    /// Takes up to `limit` frames that wait for the driver of an interface, with nothing left to be done.
    #[cfg(any(test, feature = "internals"))]
    pub fn take_frames(&mut self, id: InterfaceId, limit: usize) -> impl Iterator<Item = Vec<u8>> + '_ {
        self.take_packets(id, limit).map(Packet::finished)
    }

    /// Takes up to `limit` frames that wait for the driver of an interface.
    pub fn take_packets(&mut self, id: InterfaceId, limit: usize) -> impl Iterator<Item = Packet> + '_ {
        let now = self.network.now;
        self.collect_tagged(id);
        self.network.interface_mut(id).into_iter().flat_map(move |interface| {
            let count = interface.queue.len().min(limit);
            let captures = &mut interface.captures;
            let frames = interface.queue.drain(..count);
            frames.map(move |frame| captures.record_sent(LinkType::Ethernet, frame, now))
        })
    }
}

fn earlier(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, None) => one,
        (None, other) => other,
    }
}

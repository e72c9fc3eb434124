//! All interfaces and the routes between the sockets and them.

mod groups;
mod ipv6;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ipnet::IpNet;
use smoltcp::iface::SocketSet;
use smoltcp::time::Instant;

pub use self::ipv6::is_on_every_link;
use super::address::{is_broadcast, unspecified};
use super::datagram::{self, Datagram};
use super::dhcp::{Former, Lease};
use super::error::SocketError;
use super::fragments;
use super::interface::{Interface, Link, QUEUE};
use super::ipv4;
use super::packet::Packet;
use super::path_mtu::PathMtus;
use super::random::Random;
use super::routes::{InterfaceId, Route, RouteText, Routes};
use super::wire::HEADROOM;

/// `lo` is always there, and first.
pub const LOOPBACK: InterfaceId = 0;

/// How to reach a destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Path {
    /// The interface to leave by.
    pub interface: InterfaceId,
    /// The router, or the destination itself.
    pub next_hop: IpAddr,
    /// Our address towards it; unspecified when we have none yet (DHCP).
    pub source: IpAddr,
}

/// Whether a packet may be taken apart on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fragmenting {
    /// It arrives whatever its path carries.
    Allowed,
    /// A router that cannot pass it on says what it can (RFC 1191).
    Forbidden,
}

/// Interfaces, routes, and what all sockets share.
pub struct Network {
    interfaces: BTreeMap<InterfaceId, Interface>,
    /// The id of the next interface.
    next: InterfaceId,
    /// The VLANs, by their parents and numbers.
    vlans: BTreeMap<(InterfaceId, u16), InterfaceId>,
    /// The routing table.
    pub routes: Routes,
    /// What paths carry.
    pub path_mtus: PathMtus,
    /// Ports, identifiers, seeds.
    pub random: Random,
    /// The time of the present turn.
    pub now: Instant,
    /// What DHCP servers are told that this host is called; empty for nothing.
    pub hostname: String,
    /// What the interfaces that come have had before netd was started, by their names.
    pub former_leases: BTreeMap<String, Former>,
    /// Names that are kept for NICs which are not known yet.
    pub reserved: BTreeSet<String>,
}

impl Network {
    /// Loopback alone.
    pub fn new(mut random: Random, now: Instant) -> Self {
        let loopback = Interface::loopback(random.next_u64(), now);
        Self {
            interfaces: BTreeMap::from([(LOOPBACK, loopback)]),
            next: LOOPBACK + 1,
            vlans: BTreeMap::new(),
            routes: Routes::default(),
            path_mtus: PathMtus::default(),
            random,
            now,
            hostname: String::new(),
            former_leases: BTreeMap::new(),
            reserved: BTreeSet::new(),
        }
    }

    /// Adds an Ethernet interface called `name`.
    pub fn add_ethernet(&mut self, name: impl Into<String>) -> InterfaceId {
        let seed = self.random.next_u64();
        let id = self.next;
        self.next += 1;
        let name = name.into();
        let former = self.former_leases.get(&name).copied();
        let mut interface = Interface::ethernet(name, seed, self.now);
        if let Some(dhcp) = interface.dhcp_mut() {
            dhcp.set_hostname(&self.hostname);
            dhcp.remember(former);
        }
        self.interfaces.insert(id, interface);
        id
    }

    /// Adds the interface `name` for a VLAN of `parent`.
    pub(super) fn add_vlan(&mut self, parent: InterfaceId, number: u16, name: String) {
        let id = self.add_ethernet(name);
        self.vlans.insert((parent, number), id);
        if let Some(interface) = self.interfaces.get_mut(&id) {
            interface.parent = Some((parent, number));
        }
    }

    /// Removes the interface of a VLAN, and its routes.
    pub(super) fn remove_vlan(&mut self, parent: InterfaceId, number: u16) {
        let Some(id) = self.vlans.remove(&(parent, number)) else { return };
        self.routes.remove_interface(id);
        if let (Some(vlan), Some(parent)) = (self.interfaces.remove(&id), self.interfaces.get_mut(&parent)) {
            parent.groups.outlive(&vlan.groups);
        }
    }

    /// The interface of a VLAN.
    pub fn vlan(&self, parent: InterfaceId, number: u16) -> Option<InterfaceId> {
        self.vlans.get(&(parent, number)).copied()
    }

    /// The VLANs of an interface: their numbers and interfaces.
    pub fn vlans(&self, parent: InterfaceId) -> impl Iterator<Item = (u16, InterfaceId)> {
        let all = (parent, u16::MIN)..=(parent, u16::MAX);
        self.vlans.range(all).map(|((_, number), id)| (*number, *id))
    }

    /// The interfaces, in the order of their ids.
    pub fn interfaces(&self) -> impl Iterator<Item = &Interface> {
        self.interfaces.values()
    }

    /// The leases in use, those of the preferred interfaces first.
    pub fn leases(&self) -> impl Iterator<Item = &Lease> {
        let mut interfaces: Vec<_> = self.interfaces().collect();
        interfaces.sort_by_key(|interface| interface.metric);
        interfaces.into_iter().filter_map(|interface| interface.dhcp()?.lease())
    }

    /// The interfaces' ids, in order.
    pub fn interface_ids(&self) -> impl Iterator<Item = InterfaceId> + use<> {
        self.interfaces.keys().copied().collect::<Vec<_>>().into_iter()
    }

    /// Those that have something to do.
    pub fn due_interfaces(&self) -> Vec<InterfaceId> {
        let due = self.interfaces.iter().filter(|(_, interface)| interface.is_due(self.now));
        due.map(|(id, _)| *id).collect()
    }

    /// One interface.
    pub fn interface(&self, id: InterfaceId) -> Option<&Interface> {
        self.interfaces.get(&id)
    }

    /// One interface, to be changed.
    pub fn interface_mut(&mut self, id: InterfaceId) -> Option<&mut Interface> {
        self.interfaces.get_mut(&id)
    }

    /// The interface called `name`.
    pub fn find(&self, name: &str) -> Option<InterfaceId> {
        self.interfaces.iter().find(|(_, interface)| interface.name() == name).map(|(id, _)| *id)
    }

    /// Whether packets to `address` end here.
    pub fn is_local(&self, address: IpAddr) -> bool {
        address.is_loopback() || self.interfaces().any(|interface| interface.has_address(address))
    }

    /// How to reach `destination`.
    pub fn route(&self, destination: IpAddr) -> Result<Path, SocketError> {
        self.route_from(destination, None)
    }

    /// How to reach `destination` from `source`, if that is an address of ours: what a socket is bound to.
    pub fn route_from(&self, destination: IpAddr, source: Option<IpAddr>) -> Result<Path, SocketError> {
        let source = source.filter(|source| self.is_local(*source));
        if self.is_local(destination) {
            let source = source.unwrap_or(destination);
            return Ok(Path { interface: LOOPBACK, next_hop: destination, source });
        }
        // What is on its way outside cannot come from here (RFC 1122 section 3.2.1.3).
        if source.is_some_and(|source| source.is_loopback()) {
            return Err(SocketError::NetworkUnreachable(destination));
        }
        if is_broadcast(destination) || is_on_every_link(destination) {
            return self.link_wide(destination, source);
        }
        let route = self.lookup(destination, source).ok_or(SocketError::NetworkUnreachable(destination))?;
        let next_hop = route.via.unwrap_or(destination);
        let source = source.or_else(|| match destination {
            IpAddr::V4(_) => Some(route.source),
            IpAddr::V6(_) => self.source_ipv6(route.interface, destination),
        });
        let source = source.ok_or(SocketError::NetworkUnreachable(destination))?;
        Ok(Path { interface: route.interface, next_hop, source })
    }

    /// The same, by the interface `device` alone, if there is one: what a socket is bound to. Without a route by it the
    /// destination is looked for on its link.
    pub fn route_by(
        &self,
        device: Option<InterfaceId>,
        destination: IpAddr,
        source: Option<IpAddr>,
    ) -> Result<Path, SocketError> {
        let Some(interface) = device else { return self.route_from(destination, source) };
        let source = source.filter(|source| self.is_local(*source));
        let is_outside = interface != LOOPBACK;
        let comes_from_here = source.is_some_and(|source| source.is_loopback());
        if self.is_local(destination) == is_outside || (is_outside && comes_from_here) {
            return Err(SocketError::NetworkUnreachable(destination));
        }
        if !is_outside {
            return self.route_from(destination, source);
        }
        let route = self.best_by(interface, destination);
        let own = route.map(|route| route.source).filter(|own| own.is_ipv4());
        let path = self.on_link(interface, destination, source.or(own))?;
        Ok(Path { next_hop: self.next_hop(interface, destination), ..path })
    }

    /// The route to `destination`, of equally long ones preferably by the interface that has `source`. One by an
    /// interface without a link serves as long as there is no other; one that is switched off does not.
    pub fn lookup(&self, destination: IpAddr, source: Option<IpAddr>) -> Option<&Route> {
        let rank = |route: &&Route| {
            let interface = self.interfaces.get(&route.interface).filter(|own| own.up)?;
            let has_source = source.is_none_or(|source| interface.has_address(source));
            let length = Reverse(route.destination.prefix_len());
            let is_silent = self.is_silent(route);
            Some((length, !has_source, !interface.running, is_silent, self.metric(route), route.interface))
        };
        self.routes.to(destination).filter(|route| rank(route).is_some()).min_by_key(rank)
    }

    /// The metric of a route, or of its interface.
    pub fn metric(&self, route: &Route) -> u32 {
        let of_interface = || self.interfaces.get(&route.interface).map_or(0, |own| own.metric);
        route.metric.unwrap_or_else(of_interface).saturating_add(route.order)
    }

    /// Whether a route's router has not answered lately (RFC 1122 section 3.3.1.4).
    fn is_silent(&self, route: &Route) -> bool {
        let interface = self.interfaces.get(&route.interface);
        route.via.is_some_and(|router| interface.is_some_and(|own| own.silence.has(router, self.now)))
    }

    /// What `route/list` says of a route.
    pub fn route_text<'a>(&'a self, route: &'a Route) -> RouteText<'a> {
        let device = self.interfaces.get(&route.interface).map_or("", Interface::name);
        RouteText { route, device, metric: self.metric(route) }
    }

    /// Whom to give a packet for `destination` to that leaves by `interface`. Without a route, if it went while a
    /// connection lives for instance, the link itself is the best guess left.
    fn next_hop(&self, interface: InterfaceId, destination: IpAddr) -> IpAddr {
        // A default route leads there, too, but no router passes it on.
        if is_broadcast(destination) || is_on_every_link(destination) {
            return destination;
        }
        self.best_by(interface, destination).and_then(|route| route.via).unwrap_or(destination)
    }

    /// The best of the routes to `destination` by `interface`.
    fn best_by(&self, interface: InterfaceId, destination: IpAddr) -> Option<&Route> {
        let by_interface = self.routes.to(destination).filter(|route| route.interface == interface);
        by_interface.min_by_key(|route| {
            (Reverse(route.destination.prefix_len()), self.is_silent(route), self.metric(route))
        })
    }

    /// Broadcast and multicast.
    fn link_wide(&self, destination: IpAddr, source: Option<IpAddr>) -> Result<Path, SocketError> {
        let interface = self.preferred(destination, source);
        self.on_link(interface.ok_or(SocketError::NetworkUnreachable(destination))?, destination, source)
    }

    /// Where broadcast and multicast leave: by the interface that has `source`, or else by the preferred one with a link,
    /// even before it has an address.
    pub fn preferred(&self, destination: IpAddr, source: Option<IpAddr>) -> Option<InterfaceId> {
        let rank = |(id, own): &(&InterfaceId, &Interface)| {
            let has_source = source.is_some_and(|source| own.has_address(source));
            (own.ipv6.is_none() && destination.is_ipv6(), !has_source, !own.carries(), own.metric, **id)
        };
        let links = self.interfaces.iter().filter(|(_, interface)| !interface.is_loopback());
        links.min_by_key(rank).map(|(id, _)| *id)
    }

    /// How to reach `destination`, which means something else on each link, by one interface from `source`, if that is an
    /// address of ours.
    pub fn on_link(
        &self,
        interface: InterfaceId,
        destination: IpAddr,
        source: Option<IpAddr>,
    ) -> Result<Path, SocketError> {
        let unreachable = SocketError::NetworkUnreachable(destination);
        let own = self.interfaces.get(&interface).ok_or(unreachable)?;
        let mut addresses = own.addresses.iter().map(IpNet::addr);
        let source = source.filter(|source| self.is_local(*source)).or_else(|| match destination {
            IpAddr::V4(_) => addresses.find(IpAddr::is_ipv4).or(Some(unspecified(destination))),
            IpAddr::V6(_) => self.source_ipv6(interface, destination),
        });
        Ok(Path { interface, next_hop: destination, source: source.ok_or(unreachable)? })
    }

    /// How many packets sockets may send by `interface` now.
    pub fn room(&self, interface: InterfaceId) -> usize {
        self.interfaces.get(&interface).map_or(0, Interface::room)
    }

    /// Whether sockets must wait until `interface` has sent what is queued before it takes so many `packets` more. One
    /// without a link loses packets instead: nobody knows for how long.
    pub fn is_full(&self, interface: InterfaceId, packets: usize) -> bool {
        self.interfaces.get(&interface).is_some_and(|own| own.carries() && own.room() < packets.min(QUEUE))
    }

    /// In how many packets a datagram of `length` bytes, without its IP header, leaves by `path`.
    pub fn packets(&self, path: &Path, length: usize) -> usize {
        let header = datagram::header(path.next_hop);
        let room = self.mtu(path).saturating_sub(header);
        match length <= room {
            true => 1,
            false => length.div_ceil(fragments::room(path.next_hop, room)),
        }
    }

    /// The longest packet that can leave by `path`, in bytes.
    pub fn mtu(&self, path: &Path) -> usize {
        self.interfaces.get(&path.interface).map_or(0, |own| own.mtu_towards(path.next_hop))
    }

    /// What the path by `interface` to `destination` carries, as far as that is known, in bytes.
    pub fn path_mtu(&self, interface: InterfaceId, destination: IpAddr) -> usize {
        let link = self.interfaces.get(&interface).map_or(0, |own| own.mtu_towards(destination));
        self.path_mtus.of(destination, self.now).unwrap_or(link).min(link)
    }

    /// Sends a packet of ours (behind its headroom) by `interface` to `next_hop`, in pieces if its path carries less. Routers
    /// may fragment it as well: whoever sends datagrams does not send them again.
    pub fn send(&mut self, interface: InterfaceId, next_hop: IpAddr, mut packet: Packet) {
        if packet.is_several() {
            return self.send_unchanged(interface, next_hop, packet);
        }
        if next_hop.is_ipv4() {
            ipv4::allow_fragments(&mut packet, self.random.next_u16());
        }
        let limit = self.path_mtu(interface, datagram::destination(&packet).unwrap_or(next_hop));
        if packet.len() - HEADROOM <= limit {
            return self.send_unchanged(interface, next_hop, packet);
        }
        packet.finish();
        let ident = self.random.next_u64() as u32;
        for piece in fragments::split(&packet, limit, ident) {
            self.send_unchanged(interface, next_hop, piece.into());
        }
    }

    /// Sends a packet (behind its headroom) whose header is the choice of its sender.
    pub fn send_unchanged(&mut self, interface: InterfaceId, next_hop: IpAddr, packet: Packet) {
        let now = self.now;
        if let Some(interface) = self.interfaces.get_mut(&interface) {
            interface.send(next_hop, packet, now);
        }
    }

    /// Sends packets of ours by `interface` to `destination`.
    pub fn send_from(&mut self, interface: InterfaceId, destination: IpAddr, packets: Vec<Packet>) {
        self.send_segments(interface, destination, packets, Fragmenting::Allowed);
    }

    /// Sends the packets of a connection that lives on `interface` to `destination`.
    pub fn send_segments(
        &mut self,
        interface: InterfaceId,
        destination: IpAddr,
        packets: Vec<Packet>,
        fragmenting: Fragmenting,
    ) {
        if packets.is_empty() {
            return;
        }
        let next_hop = self.next_hop(interface, destination);
        for packet in packets {
            match fragmenting {
                Fragmenting::Allowed => self.send(interface, next_hop, packet),
                Fragmenting::Forbidden => self.send_unchanged(interface, next_hop, packet),
            }
        }
    }

    /// Lets smoltcp answer a TCP segment that no socket of ours wants.
    pub fn reset(&mut self, interface: InterfaceId, datagram: &Datagram<'_>) {
        let now = self.now;
        let Some(own) = self.interfaces.get_mut(&interface) else { return };
        let answers = own.engine.exchange(&datagram.for_smoltcp(), &mut SocketSet::new(Vec::new()), now);
        self.send_from(interface, datagram.source, answers);
    }

    /// Gives `interface` the address `address` beside its others, and the route to its network.
    pub fn add_address(&mut self, id: InterfaceId, address: IpNet) {
        if let IpNet::V6(address) = address {
            return self.add_ipv6(id, address);
        }
        let Some(interface) = self.interfaces.get_mut(&id) else { return };
        if !interface.addresses.contains(&address) {
            let place = interface.addresses.iter().take_while(|own| own.addr().is_ipv4()).count();
            interface.addresses.insert(place, address);
            interface.claims.announce(address.addr(), self.now);
        }
        self.routes.add(Route::attached(address.trunc(), id, address.addr()));
    }

    /// Takes one address from `interface`, and the routes that used it.
    pub fn remove_address(&mut self, id: InterfaceId, address: IpNet) {
        if let IpNet::V6(address) = address {
            return self.remove_ipv6(id, |own| own == address);
        }
        let Some(interface) = self.interfaces.get_mut(&id) else { return };
        interface.addresses.retain(|own| *own != address);
        interface.claims.forget(address.addr());
        self.routes.remove_source(id, address.addr());
    }

    /// Puts `routes`, each with its router if it has one, in the place of those that the former lease brought to
    /// `interface`; of several to one destination each one is preferred to the next. Routers outside of the network of
    /// `own` are reached on the link.
    pub fn set_leased(
        &mut self,
        id: InterfaceId,
        own: IpNet,
        routes: impl Iterator<Item = (IpNet, Option<IpAddr>)>,
    ) {
        self.routes.remove_leased(id);
        let mut orders = BTreeMap::new();
        for (destination, via) in routes {
            let order = orders.entry(destination).or_insert(0);
            if let Some(router) = via.filter(|router| !own.contains(router)) {
                self.routes.add(Route { leased: true, ..Route::attached(router.into(), id, own.addr()) });
            }
            let route = Route::attached(destination, id, own.addr());
            self.routes.add(Route { via, leased: true, order: *order, ..route });
            *order += 1;
        }
    }

    /// Adds a route by `interface`, which is sent from the address there that is nearest to its router. Without an
    /// address of its version there is none yet; one that is there already stays.
    pub fn add_route(
        &mut self,
        interface: InterfaceId,
        destination: IpNet,
        via: Option<IpAddr>,
        metric: Option<u32>,
    ) {
        let Some(addresses) = self.interfaces.get(&interface).map(|own| &own.addresses) else { return };
        let mut kin = addresses.iter().filter(|own| own.addr().is_ipv4() == destination.addr().is_ipv4());
        let towards = kin.clone().find(|own| via.is_some_and(|via| own.contains(&via)));
        let Some(own) = towards.or_else(|| kin.next()).copied() else { return };
        let route = Route { via, metric, ..Route::attached(destination, interface, own.addr()) };
        if self.routes.has(&route) {
            return;
        }
        if let Some(router) = via.filter(|router| !own.contains(router)) {
            self.routes.add(Route::attached(router.into(), interface, own.addr()));
        }
        self.routes.add(route);
    }

    /// Switches DHCP off: what it has set stays.
    pub fn stop_dhcp(&mut self, id: InterfaceId) {
        if let Some(Link::Ethernet { dhcp, .. }) = self.interfaces.get_mut(&id).map(|own| &mut own.link) {
            *dhcp = None;
        }
    }
}

//! All interfaces, and what sockets send by them.

mod groups;
mod ipv6;
mod paths;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ipnet::IpNet;
use smoltcp::iface::SocketSet;
use smoltcp::time::Instant;

pub use self::ipv6::is_on_every_link;
pub use self::paths::Path;
use super::datagram::{self, Datagram};
use super::dhcp::{Former, Lease};
use super::fragments;
use super::interface::{Interface, Link, QUEUE};
use super::ipv4;
use super::packet::Packet;
use super::path_mtu::PathMtus;
use super::random::Random;
use super::routes::{InterfaceId, Route, Routes};
use super::wire::HEADROOM;

/// `lo` is always there, and first.
pub const LOOPBACK: InterfaceId = 0;

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

//! What is IPv6's own about addresses and routes.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use ipnet::Ipv6Net;
use smoltcp::wire::EthernetAddress;

use super::{Network, Path};
use crate::stack::address::everything;
use crate::stack::error::SocketError;
use crate::stack::icmpv6::Message;
use crate::stack::interface::Interface;
use crate::stack::ipv6::Header;
use crate::stack::names::NameServer;
use crate::stack::ndisc::Ipv6Link;
use crate::stack::packet::Packet;
use crate::stack::routes::{InterfaceId, Route};

/// The prefix of the addresses that every link has.
const LINK_LOCAL: Ipv6Net = Ipv6Net::new_assert(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 64);

impl Network {
    /// How to reach `remote` from `source`, if that is given. The scope of `remote`, if it has one, is the interface to
    /// leave by (RFC 4007).
    pub fn route_to(&self, remote: SocketAddr, source: Option<IpAddr>) -> Result<Path, SocketError> {
        let destination = remote.ip();
        let scope = match remote {
            SocketAddr::V6(remote) if is_on_every_link(destination) => remote.scope_id(),
            _ => 0,
        };
        if scope == 0 || self.is_local(destination) {
            return self.route_from(destination, source);
        }
        let interface = usize::try_from(scope).unwrap_or(usize::MAX);
        self.on_link(interface, destination, source)
    }

    /// Which of our addresses on `interface` suits packets to `destination`; `None` if that is not of IPv6.
    pub(super) fn source_ipv6(&self, interface: InterfaceId, destination: IpAddr) -> Option<IpAddr> {
        let IpAddr::V6(destination) = destination else { return None };
        self.interfaces.get(&interface)?.source_ipv6(destination, self.now).map(IpAddr::V6)
    }

    /// Gives `id` the static address `address` beside the others, as soon as nobody has objected to it.
    pub(super) fn add_ipv6(&mut self, id: InterfaceId, address: Ipv6Net) {
        let Some(interface) = self.interfaces.get_mut(&id) else { return };
        interface.add_ipv6(address, self.now, &mut self.random);
        let route = Route::attached(address.trunc().into(), id, address.addr().into());
        if !self.routes.has(&route) {
            self.routes.add(route);
        }
    }

    /// Takes the static addresses from `id` for which `is_gone` says so, and the routes that used them.
    pub(super) fn remove_ipv6(&mut self, id: InterfaceId, is_gone: impl Fn(Ipv6Net) -> bool) {
        let Some(interface) = self.interfaces.get_mut(&id) else { return };
        for gone in interface.remove_ipv6(is_gone, self.now, &mut self.random) {
            self.routes.remove_source(id, gone.into());
        }
    }

    /// An interface's Ethernet address is `own` from now on.
    pub fn start_ipv6(&mut self, id: InterfaceId, own: EthernetAddress) {
        if let Some(interface) = self.interfaces.get_mut(&id) {
            interface.start_ipv6(own, self.now, &mut self.random);
        }
    }

    /// An interface's link has come up.
    pub fn link_up_ipv6(&mut self, id: InterfaceId) {
        if let Some(interface) = self.interfaces.get_mut(&id) {
            interface.link_up_ipv6(self.now, &mut self.random);
        }
    }

    /// Takes a message of neighbour discovery or MLD, which `from` sent.
    pub fn receive_ndisc(
        &mut self,
        id: InterfaceId,
        packet: Header<'_>,
        message: &Message<'_>,
        from: EthernetAddress,
    ) {
        if let Some(interface) = self.interfaces.get_mut(&id) {
            interface.receive_ndisc(packet, message, from, self.now, &mut self.random);
        }
    }

    /// Does what is due on an interface's link; the packets whose next hop is given up are returned.
    pub fn poll_ipv6(&mut self, id: InterfaceId) -> Vec<Packet> {
        let Some(interface) = self.interfaces.get_mut(&id) else { return Vec::new() };
        interface.poll_ipv6(self.now, &mut self.random)
    }

    /// An end of a conversation by `interface`: with its scope, if it means something else on each link.
    pub fn endpoint(&self, address: IpAddr, port: u16, interface: InterfaceId) -> SocketAddr {
        let mut endpoint = SocketAddr::new(address, port);
        if let SocketAddr::V6(endpoint) = &mut endpoint
            && is_on_every_link(address)
        {
            endpoint.set_scope_id(u32::try_from(interface).unwrap_or(0));
        }
        endpoint
    }

    /// Brings addresses and routes to what routers and neighbours say; whether anything is another than before.
    pub fn follow_ipv6(&mut self, id: InterfaceId) -> bool {
        let Some(interface) = self.interfaces.get_mut(&id) else { return false };
        if !interface.follow_ipv6() {
            return false;
        }
        let routes = advertised(id, interface);
        self.routes.set_advertised(id, routes);
        true
    }

    /// The name servers that routers advertise (RFC 8106) on interfaces that are not switched off.
    pub fn advertised_name_servers(&self) -> impl Iterator<Item = NameServer> {
        let active = self.interfaces.iter().filter(|(_, interface)| interface.up);
        let links = active.filter_map(|(id, interface)| Some((*id, interface.ipv6.as_deref()?)));
        let of_link = |(id, ipv6): (InterfaceId, &Ipv6Link)| {
            ipv6.routers().name_servers().into_iter().map(move |server| NameServer::on(id, server.into()))
        };
        links.flat_map(of_link)
    }
}

/// The routes that follow from what is known of an interface's link: to itself, to its prefixes, by its routers.
fn advertised(id: InterfaceId, interface: &Interface) -> Vec<Route> {
    let Some(ipv6) = &interface.ipv6 else { return Vec::new() };
    let own: Vec<_> = ipv6.addresses().map(|own| own.net).collect();
    let Some(link_local) = own.iter().map(Ipv6Net::addr).find(Ipv6Addr::is_unicast_link_local) else {
        return Vec::new();
    };
    let source = |prefix: Ipv6Net| own.iter().map(Ipv6Net::addr).find(|own| prefix.contains(own));
    let global = own.iter().map(Ipv6Net::addr).find(|own| !own.is_unicast_link_local()).unwrap_or(link_local);
    let near = std::iter::once(LINK_LOCAL)
        .chain(ipv6.routers().prefixes())
        .map(|prefix| Route::attached(prefix.into(), id, source(prefix).unwrap_or(global).into()));
    let default = ipv6.routers().default_routers().into_iter().map(|router| Route {
        via: Some(router.into()),
        ..Route::attached(everything(router.into()), id, global.into())
    });
    near.chain(default).collect()
}

/// Whether an address names something else on each link.
pub fn is_on_every_link(address: IpAddr) -> bool {
    let is_link_local = matches!(address, IpAddr::V6(address) if address.is_unicast_link_local());
    is_link_local || address.is_multicast()
}

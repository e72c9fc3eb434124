//! How a destination is reached: by which interface, by which router, and from which address.

use std::cmp::Reverse;
use std::net::IpAddr;

use ipnet::IpNet;

use super::{LOOPBACK, Network, is_on_every_link};
use crate::stack::address::{is_broadcast, unspecified};
use crate::stack::error::SocketError;
use crate::stack::interface::Interface;
use crate::stack::routes::{InterfaceId, Route, RouteText};

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

impl Network {
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
    pub(super) fn next_hop(&self, interface: InterfaceId, destination: IpAddr) -> IpAddr {
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
}

//! The routing table (RFC 1122 section 3.3.1): the longest prefix wins, and of equal ones the smallest metric.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;

/// Names an interface of the stack for as long as it lives; none gets another's after it.
pub type InterfaceId = usize;

/// One route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// Where it leads.
    pub destination: IpNet,
    /// The router, or `None` for a network that is attached.
    pub via: Option<IpAddr>,
    /// The interface to leave by.
    pub interface: InterfaceId,
    /// Our address towards it.
    pub source: IpAddr,
    /// The smallest is preferred; `None` for that of the interface.
    pub metric: Option<u32>,
    /// It came with a lease, and goes with it.
    pub leased: bool,
    /// How many routers of its lease come before it; the metric is so much greater.
    pub order: u32,
}

impl Route {
    /// The route to a network on the link of `interface`, where we have the address `source`.
    pub fn attached(destination: IpNet, interface: InterfaceId, source: IpAddr) -> Self {
        Self { destination, via: None, interface, source, metric: None, leased: false, order: 0 }
    }

    /// Whether both say the same, from whatever source.
    fn is_like(&self, other: &Self) -> bool {
        let kind = |route: &Self| (route.destination, route.interface, route.via, route.metric);
        kind(self) == kind(other)
    }
}

/// All routes.
#[derive(Debug, Default)]
pub struct Routes {
    routes: Vec<Route>,
    /// Those that follow what IPv6 routers advertise.
    advertised: Vec<Route>,
}

impl Routes {
    /// Adds `route` in place of one to the same destination by the same interface, with the same metric and order.
    pub fn add(&mut self, route: Route) {
        let kind = |route: &Route| (route.destination, route.interface, route.metric, route.order);
        self.routes.retain(|other| kind(other) != kind(&route));
        self.routes.push(route);
        self.routes.sort_by_key(|route| std::cmp::Reverse(route.destination.prefix_len()));
    }

    /// Removes the routes to `destination` by `interface`.
    pub fn remove(&mut self, destination: IpNet, interface: InterfaceId) {
        self.routes.retain(|route| (route.destination, route.interface) != (destination, interface));
    }

    /// Whether there is `one`, from whatever source.
    pub fn has(&self, one: &Route) -> bool {
        self.routes.iter().any(|route| route.is_like(one))
    }

    /// Removes `one`, from whatever source.
    pub fn remove_one(&mut self, one: &Route) {
        self.routes.retain(|route| !route.is_like(one));
    }

    /// Removes the routes that use `source` on `interface`.
    pub fn remove_source(&mut self, interface: InterfaceId, source: IpAddr) {
        self.routes.retain(|route| route.interface != interface || route.source != source);
    }

    /// Removes the routes that a lease brought to `interface`.
    pub fn remove_leased(&mut self, interface: InterfaceId) {
        self.routes.retain(|route| route.interface != interface || !route.leased);
    }

    /// Removes the routes that leave by `interface`.
    pub fn remove_interface(&mut self, interface: InterfaceId) {
        self.routes.retain(|route| route.interface != interface);
        self.advertised.retain(|route| route.interface != interface);
    }

    /// All routes to `destination`.
    pub fn to(&self, destination: IpAddr) -> impl Iterator<Item = &Route> {
        self.iter().filter(move |route| route.destination.contains(&destination))
    }

    /// Puts `routes` in the place of all that routers on `interface` have advertised. Of two equal ones the first goes first.
    pub fn set_advertised(&mut self, interface: InterfaceId, routes: Vec<Route>) {
        self.advertised.retain(|route| route.interface != interface);
        self.advertised.extend(routes);
    }

    /// All routes, the longest prefixes first, and after them those that routers advertise.
    pub fn iter(&self) -> impl Iterator<Item = &Route> {
        self.routes.iter().chain(&self.advertised)
    }
}

/// The text of `route/list`: Redox's, and after it the metric unless that is 0.
pub struct RouteText<'a> {
    /// The route.
    pub route: &'a Route,
    /// Its interface's name.
    pub device: &'a str,
    /// Its metric, or its interface's.
    pub metric: u32,
}

impl fmt::Display for RouteText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { route, device, metric } = self;
        match route.destination.prefix_len() {
            0 => write!(f, "default ")?,
            _ => write!(f, "{} ", route.destination)?,
        }
        if let Some(via) = route.via {
            write!(f, "via {via}")?;
        }
        write!(f, " dev {device} src {}", route.source)?;
        match metric {
            0 => Ok(()),
            _ => write!(f, " metric {metric}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_that_of_redox_and_the_metric() {
        let source = "10.0.2.15".parse().unwrap();
        let attached = Route::attached("10.0.2.0/24".parse().unwrap(), 1, source);
        let via = Some("10.0.2.2".parse().unwrap());
        let default = Route { destination: "0.0.0.0/0".parse().unwrap(), via, ..attached };
        let text = |route, metric| RouteText { route, device: "eth0", metric }.to_string();
        assert_eq!(text(&attached, 0), "10.0.2.0/24  dev eth0 src 10.0.2.15");
        assert_eq!(text(&default, 0), "default via 10.0.2.2 dev eth0 src 10.0.2.15");
        assert_eq!(text(&default, 5), "default via 10.0.2.2 dev eth0 src 10.0.2.15 metric 5");
    }
}

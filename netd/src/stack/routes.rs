//! The routing table (RFC 1122 section 3.3.1): the longest prefix wins.

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
}

/// All routes.
#[derive(Debug, Default)]
pub struct Routes {
    routes: Vec<Route>,
}

impl Routes {
    /// Adds `route` in place of one to the same destination by the same interface.
    pub fn add(&mut self, route: Route) {
        self.routes
            .retain(|other| other.destination != route.destination || other.interface != route.interface);
        self.routes.push(route);
        self.routes.sort_by_key(|route| std::cmp::Reverse(route.destination.prefix_len()));
    }

    /// Removes the routes to `destination`; whether there was one.
    pub fn remove(&mut self, destination: IpNet) -> bool {
        let before = self.routes.len();
        self.routes.retain(|route| route.destination != destination);
        self.routes.len() != before
    }

    /// Removes the routes that use `source` on `interface`.
    pub fn remove_source(&mut self, interface: InterfaceId, source: IpAddr) {
        self.routes.retain(|route| route.interface != interface || route.source != source);
    }

    /// The route to `destination`.
    pub fn lookup(&self, destination: IpAddr) -> Option<&Route> {
        self.routes.iter().find(|route| route.destination.contains(&destination))
    }

    /// All routes, the longest prefixes first.
    pub fn iter(&self) -> impl Iterator<Item = &Route> {
        self.routes.iter()
    }
}

/// The text of `route/list`; `names` are the interfaces' names.
pub struct RouteText<'a>(pub &'a Route, pub &'a str);

impl fmt::Display for RouteText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(route, device) = self;
        match route.destination.prefix_len() {
            0 => write!(f, "default ")?,
            _ => write!(f, "{} ", route.destination)?,
        }
        if let Some(via) = route.via {
            write!(f, "via {via}")?;
        }
        write!(f, " dev {device} src {}", route.source)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const SOURCE: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 2, 15));

    fn route(destination: &str, via: Option<IpAddr>) -> Route {
        Route { destination: destination.parse().unwrap(), via, interface: 1, source: SOURCE }
    }

    #[test]
    fn the_longest_prefix_wins() {
        let mut routes = Routes::default();
        let gateway = IpAddr::V4(Ipv4Addr::new(10, 0, 2, 2));
        routes.add(route("0.0.0.0/0", Some(gateway)));
        routes.add(route("10.0.2.0/24", None));
        assert_eq!(routes.lookup(IpAddr::V4(Ipv4Addr::new(10, 0, 2, 9))).unwrap().via, None);
        assert_eq!(routes.lookup(IpAddr::V4(Ipv4Addr::new(1, 1, 1, 1))).unwrap().via, Some(gateway));
        assert!(routes.remove("0.0.0.0/0".parse().unwrap()));
        assert!(!routes.remove("0.0.0.0/0".parse().unwrap()));
        assert_eq!(routes.lookup(IpAddr::V4(Ipv4Addr::new(1, 1, 1, 1))), None);
    }

    #[test]
    fn the_text_is_that_of_redox() {
        let attached = route("10.0.2.0/24", None);
        let default = route("0.0.0.0/0", Some(IpAddr::V4(Ipv4Addr::new(10, 0, 2, 2))));
        assert_eq!(RouteText(&attached, "eth0").to_string(), "10.0.2.0/24  dev eth0 src 10.0.2.15");
        assert_eq!(RouteText(&default, "eth0").to_string(), "default via 10.0.2.2 dev eth0 src 10.0.2.15");
    }
}

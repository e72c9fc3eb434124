//! Routes: what the file may say of one, and what makes sense as a whole.

use std::fmt;
use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::values::{Destination, Host, Metric};

/// A route by an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// The network that it leads to; a prefix of no length is `default`.
    pub to: IpNet,
    /// The router; none for a network on the link.
    pub via: Option<Host>,
    /// The smallest of several to the same destination is preferred; the interface's if it is not said.
    pub metric: Option<Metric>,
}

/// A [`Route`] as it is written, which may make no sense as a whole.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Hop {
    to: Destination,
    via: Option<Host>,
    metric: Option<Metric>,
}

impl TryFrom<Hop> for Route {
    type Error = RouteError;

    fn try_from(hop: Hop) -> Result<Self, RouteError> {
        let Hop { to, via, metric } = hop;
        let to = match (to, via) {
            (Destination::Default, Some(Host(IpAddr::V4(_)))) => IpNet::V4(Ipv4Net::default()),
            (Destination::Default, Some(Host(IpAddr::V6(_)))) => IpNet::V6(Ipv6Net::default()),
            (Destination::Network(net), Some(via)) if net.addr().is_ipv4() == via.0.is_ipv4() => net,
            (Destination::Network(net), None) if net.prefix_len() > 0 => net,
            (Destination::Network(net), Some(via)) => return Err(RouteError::Families(net, via)),
            (_, None) => return Err(RouteError::NoRouter),
        };
        Ok(Self { to, via, metric })
    }
}

impl<'de> Deserialize<'de> for Route {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(RouteReader)
    }
}

/// Reads a route where it stands, so that an error knows its line.
struct RouteReader;

impl<'de> Visitor<'de> for RouteReader {
    type Value = Route;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a route, such as { to = \"default\", via = \"10.0.0.1\" }")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Route, A::Error> {
        Hop::deserialize(MapAccessDeserializer::new(map))?.try_into().map_err(de::Error::custom)
    }
}

/// Why a route makes no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RouteError {
    /// The default route names no router.
    #[error("a default route needs its router: via = \"10.0.0.1\"")]
    NoRouter,
    /// IPv4 and IPv6 are mixed.
    #[error("a route to {0} cannot go by {1}: one is IPv4, the other IPv6")]
    Families(IpNet, Host),
}

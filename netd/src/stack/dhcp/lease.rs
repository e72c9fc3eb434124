//! What a server leases: its message is checked before anybody uses it.

use std::net::Ipv4Addr;

use config::netd::Domain;
use ipnet::Ipv4Net;

use super::message::Message;
use super::options::{Code, Options};
use super::search::domains;
use crate::stack::address;

/// Routes, name servers and domains that are taken of one message.
const MOST: usize = 32;
/// What every host takes (RFC 1122 section 3.3.3).
const SMALLEST_MTU: u16 = 576;
/// A lease that does not end (RFC 2131 section 3.3).
const FOR_EVER: u32 = u32::MAX;

/// A lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Our address and its network.
    pub address: Ipv4Net,
    /// The routes, the preferred ones first.
    pub routes: Vec<LeasedRoute>,
    /// Name servers, the first one first.
    pub name_servers: Vec<Ipv4Addr>,
    /// The domain that this host is in.
    pub domain: Option<Domain>,
    /// Where names without a dot are looked for, if that is said.
    pub domain_search: Vec<Domain>,
    /// The longest IP packet of the link, in bytes.
    pub mtu: Option<usize>,
    /// The server's identifier.
    pub server: Ipv4Addr,
    /// How long it lasts, in seconds.
    pub duration: u32,
    /// When it is renewed first (T1), in seconds after it was asked for.
    pub renew: u32,
    /// When any server is asked to renew it (T2), in seconds after it was asked for.
    pub rebind: u32,
}

/// A route of a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeasedRoute {
    /// Where it leads.
    pub destination: Ipv4Net,
    /// The router; `None` if the destination is on the link.
    pub via: Option<Ipv4Addr>,
}

impl Lease {
    /// What an OFFER or an ACK leases; `None` if it makes no sense.
    pub fn of(message: &Message) -> Option<Self> {
        let options = &message.options;
        let address = network(message.yours, options.address(Code::SubnetMask))?;
        let server =
            options.address(Code::ServerIdentifier).filter(|server| address::is_host((*server).into()))?;
        let duration = options.number(Code::IpAddressLeaseTime).filter(|seconds| *seconds > 0)?;
        let (renew, rebind) = timers(duration, options);
        Some(Self {
            address,
            routes: routes(address, options)?,
            name_servers: name_servers(options),
            domain: options.get(Code::DomainName).and_then(domain),
            domain_search: options
                .get(Code::DomainSearch)
                .map_or_else(Vec::new, |names| domains(names, MOST)),
            mtu: options.get(Code::InterfaceMtu).and_then(mtu),
            server,
            duration,
            renew,
            rebind,
        })
    }

    /// Where names without a dot are looked for: in its own domain if nothing else is said.
    pub fn search(&self) -> impl Iterator<Item = &Domain> {
        let own = self.domain.iter().filter(|_| self.domain_search.is_empty());
        self.domain_search.iter().chain(own)
    }

    /// Whether it does not end.
    pub fn is_for_ever(&self) -> bool {
        self.duration == FOR_EVER
    }
}

/// An address that a host can have, in a network that it can be in. Without a mask the class tells it.
fn network(address: Ipv4Addr, mask: Option<Ipv4Addr>) -> Option<Ipv4Net> {
    let network = match mask {
        Some(mask) => Ipv4Net::with_netmask(address, mask).ok()?,
        None => Ipv4Net::new(address, class_prefix(address)?).ok()?,
    };
    (network.prefix_len() > 0 && is_usable(address, network)).then_some(network)
}

/// RFC 791 section 3.2.
fn class_prefix(address: Ipv4Addr) -> Option<u8> {
    match address.octets()[0] {
        0..128 => Some(8),
        128..192 => Some(16),
        192..224 => Some(24),
        224.. => None,
    }
}

fn is_usable(address: Ipv4Addr, network: Ipv4Net) -> bool {
    let is_reserved =
        network.prefix_len() < 31 && (address == network.broadcast() || address == network.network());
    address::is_host(address.into()) && !is_reserved
}

/// RFC 2131 section 4.4.5, with its defaults where a server gives none, or some that make no sense.
fn timers(duration: u32, options: &Options) -> (u32, u32) {
    let rebind = options.number(Code::RebindingTime).filter(|rebind| *rebind < duration);
    let rebind = rebind.unwrap_or(duration - duration / 8);
    let renew = options.number(Code::RenewalTime).filter(|renew| *renew < rebind);
    // A server that gives no time must not be asked without end.
    (renew.unwrap_or((duration / 2).min(rebind)).max(1), rebind.max(1))
}

/// Where there are classless routes, routers are not asked for (RFC 3442). A router may be outside of the
/// network: a network of one address has no other. One that no host can be is left out, with its route.
fn routes(own: Ipv4Net, options: &Options) -> Option<Vec<LeasedRoute>> {
    let mut routes = match options.get(Code::ClasslessStaticRoute) {
        Some(encoded) => classless(encoded)?,
        None => {
            let destination = Ipv4Net::default();
            let routers = options.addresses(Code::Router).into_iter();
            routers.map(|router| LeasedRoute { destination, via: Some(router) }).collect()
        }
    };
    routes.retain(|route| route.via.is_none_or(|router| is_usable(router, own)));
    routes.truncate(MOST);
    Some(routes)
}

/// RFC 3442: the prefix's length, as many of its bytes as count, the router. 0.0.0.0 is the link itself.
fn classless(mut encoded: &[u8]) -> Option<Vec<LeasedRoute>> {
    let mut routes = Vec::new();
    while let Some((&length, rest)) = encoded.split_first() {
        let (significant, rest) = rest.split_at_checked(usize::from(length.div_ceil(8)))?;
        let (router, rest) = rest.split_first_chunk::<4>()?;
        let mut octets = [0; 4];
        octets.get_mut(..significant.len())?.copy_from_slice(significant);
        let destination = Ipv4Net::new(octets.into(), length).ok()?.trunc();
        let via = Some(Ipv4Addr::from(*router)).filter(|router| !router.is_unspecified());
        routes.push(LeasedRoute { destination, via });
        encoded = rest;
    }
    Some(routes)
}

fn name_servers(options: &Options) -> Vec<Ipv4Addr> {
    let mut servers = options.addresses(Code::DomainNameServer);
    servers.retain(|server| !server.is_unspecified() && !server.is_multicast() && !server.is_broadcast());
    servers.truncate(MOST);
    servers
}

fn domain(value: &[u8]) -> Option<Domain> {
    std::str::from_utf8(value).ok()?.trim_end_matches('\0').parse().ok()
}

fn mtu(value: &[u8]) -> Option<usize> {
    let mtu = u16::from_be_bytes(value.try_into().ok()?);
    (mtu >= SMALLEST_MTU).then_some(usize::from(mtu))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_mask_the_class_tells_the_network() {
        let prefix = |address: &str| network(address.parse().unwrap(), None).map(|own| own.prefix_len());
        assert_eq!(prefix("10.1.2.3"), Some(8));
        assert_eq!(prefix("172.16.2.3"), Some(16));
        assert_eq!(prefix("192.168.2.3"), Some(24));
        assert_eq!(prefix("240.1.2.3"), None);
    }

    #[test]
    fn classless_routes_are_read() {
        // The example of RFC 3442, and one on the link.
        let routes =
            classless(&[0, 10, 0, 0, 1, 25, 10, 17, 0, 128, 10, 0, 0, 2, 16, 10, 9, 0, 0, 0, 0]).unwrap();
        let text = |route: &LeasedRoute| format!("{} {:?}", route.destination, route.via);
        let texts: Vec<_> = routes.iter().map(text).collect();
        assert_eq!(texts, ["0.0.0.0/0 Some(10.0.0.1)", "10.17.0.128/25 Some(10.0.0.2)", "10.9.0.0/16 None"]);
        for wrong in [&[33, 1, 2, 3, 4, 5, 10, 0, 0, 1][..], &[24, 10, 0], &[0, 10, 0, 0]] {
            assert_eq!(classless(wrong), None);
        }
    }

    #[test]
    fn timers_that_make_no_sense_are_the_usual_ones() {
        let mut options = Options::default();
        assert_eq!(timers(3600, &options), (1800, 3150));
        options.push(Code::RenewalTime, &100_u32.to_be_bytes());
        options.push(Code::RebindingTime, &200_u32.to_be_bytes());
        assert_eq!(timers(3600, &options), (100, 200));
        assert_eq!(timers(150, &options), (100, 132));
        assert_eq!(timers(100, &options), (50, 88));
        assert_eq!(timers(1, &Options::default()), (1, 1));
    }
}

//! Whom programs ask for names, and in which domains they look for names without a dot.

use std::fmt;
use std::net::IpAddr;

use config::netd::Domain;

use super::network::is_on_every_link;
use super::{InterfaceId, Stack};

/// A name server. As text, it is an address as it stands in sockets' paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameServer {
    /// Its address.
    pub address: IpAddr,
    /// The interface that it is on, if its address would be another host's on another link.
    pub interface: Option<InterfaceId>,
}

impl NameServer {
    /// The name server at `address`, which is reached by any interface.
    pub fn anywhere(address: IpAddr) -> Self {
        Self { address, interface: None }
    }

    /// The name server at `address` that was heard of on an interface, or is meant to be there.
    pub fn on(interface: InterfaceId, address: IpAddr) -> Self {
        Self { address, interface: is_on_every_link(address).then_some(interface) }
    }
}

impl fmt::Display for NameServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.address)?;
        self.interface.map_or(Ok(()), |interface| write!(f, "%{interface}"))
    }
}

impl Stack {
    /// Whom resolvers should ask, the first one first: as the administrator says, as the leases say, those of the
    /// preferred interfaces first, and as routers say.
    pub fn resolvers(&self) -> Vec<NameServer> {
        let leases = self.network.leases();
        let leased = leases.flat_map(|lease| &lease.name_servers).copied().map(IpAddr::from);
        let own = self.own_name_servers.iter().copied();
        let advertised = self.network.advertised_name_servers();
        without_repetition(own.chain(leased.map(NameServer::anywhere)).chain(advertised))
    }

    /// The domains in which names without a dot are looked for, the first one first: as the administrator says, and
    /// as the leases say, those of the preferred interfaces first.
    pub fn search(&self) -> Vec<Domain> {
        let leased = self.network.leases().flat_map(|lease| lease.search()).cloned();
        without_repetition(self.own_search.iter().cloned().chain(leased))
    }
}

fn without_repetition<T: PartialEq>(all: impl Iterator<Item = T>) -> Vec<T> {
    all.fold(Vec::new(), |mut known, one| {
        if !known.contains(&one) {
            known.push(one);
        }
        known
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_on_the_link_names_its_interface() {
        let text = |address: &str| NameServer::on(2, address.parse().unwrap()).to_string();
        assert_eq!(text("fe80::1"), "fe80::1%2");
        assert_eq!(text("fd00::1"), "fd00::1");
        assert_eq!(text("10.0.0.1"), "10.0.0.1");
    }
}

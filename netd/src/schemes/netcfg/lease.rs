//! The files of an interface's lease, one for each value.

use super::text::lines;
use crate::stack::dhcp::{Lease, LeasedRoute};

/// A file of `ifaces/<if>/dhcp` that says what is leased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaseValue {
    /// `server`: the address of the server that gave the lease.
    Server,
    /// `address`: ours, with its prefix length.
    Address,
    /// `lease`: how long it lasts, in seconds.
    Duration,
    /// `renew`: when it is renewed, in seconds after it was asked for (T1).
    Renew,
    /// `rebind`: when any server is asked to renew it, in seconds after it was asked for (T2).
    Rebind,
    /// `routes`, one a line.
    Routes,
    /// `nameservers`: their addresses, one a line.
    NameServers,
    /// `mtu`: the longest IP packet of the link, in bytes.
    Mtu,
    /// `domain`: the domain that this host is in.
    Domain,
    /// `search`: the domains in which names without a dot are looked for, one a line.
    Search,
}

impl LeaseValue {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Server,
        Self::Address,
        Self::Duration,
        Self::Renew,
        Self::Rebind,
        Self::Routes,
        Self::NameServers,
        Self::Mtu,
        Self::Domain,
        Self::Search,
    ];

    /// The file's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Address => "address",
            Self::Duration => "lease",
            Self::Renew => "renew",
            Self::Rebind => "rebind",
            Self::Routes => "routes",
            Self::NameServers => "nameservers",
            Self::Mtu => "mtu",
            Self::Domain => "domain",
            Self::Search => "search",
        }
    }

    /// Its text: nothing if the server does not say it.
    pub fn of(self, lease: &Lease) -> String {
        match self {
            Self::Server => lines([lease.server]),
            Self::Address => lines([lease.address]),
            Self::Duration => lines([lease.duration]),
            Self::Renew => lines([lease.renew]),
            Self::Rebind => lines([lease.rebind]),
            Self::Routes => lines(lease.routes.iter().map(route)),
            Self::NameServers => lines(&lease.name_servers),
            Self::Mtu => lines(lease.mtu),
            Self::Domain => lines(&lease.domain),
            Self::Search => lines(&lease.domain_search),
        }
    }
}

/// `default via 10.0.2.2`, or `10.1.0.0/16`, which is on the link.
fn route(LeasedRoute { destination, via }: &LeasedRoute) -> String {
    let destination = match destination.prefix_len() {
        0 => "default".to_owned(),
        _ => destination.to_string(),
    };
    match via {
        Some(router) => format!("{destination} via {router}"),
        None => destination,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_is_a_file_that_is_empty_if_the_server_does_not_say_it() {
        let net = |text: &str| text.parse().unwrap();
        let router = "10.0.2.2".parse().unwrap();
        let lease = Lease {
            address: net("10.0.2.15/24"),
            routes: vec![
                LeasedRoute { destination: net("0.0.0.0/0"), via: Some(router) },
                LeasedRoute { destination: net("10.1.0.0/16"), via: None },
            ],
            name_servers: vec!["10.0.2.3".parse().unwrap()],
            domain: "home.arpa".parse().ok(),
            domain_search: Vec::new(),
            mtu: None,
            server: router,
            duration: 86400,
            renew: 43200,
            rebind: 75600,
        };
        let said = LeaseValue::ALL.map(|value| (value.name(), value.of(&lease)));
        let expected = [
            ("server", "10.0.2.2\n"),
            ("address", "10.0.2.15/24\n"),
            ("lease", "86400\n"),
            ("renew", "43200\n"),
            ("rebind", "75600\n"),
            ("routes", "default via 10.0.2.2\n10.1.0.0/16\n"),
            ("nameservers", "10.0.2.3\n"),
            ("mtu", ""),
            ("domain", "home.arpa\n"),
            ("search", ""),
        ];
        assert_eq!(said, expected.map(|(name, text)| (name, text.to_owned())));
    }
}

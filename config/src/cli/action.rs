//! What can be done with links, addresses, routes, name servers and leases.

use clap::{Args, Subcommand, ValueEnum};
use config::netd::{Address, Domain, Host, Mac, Metric, Mtu, VlanId};

use super::examples;

#[derive(Subcommand)]
pub enum Link {
    /// Show one interface, or all
    #[command(after_help = examples::LINK_SHOW)]
    Show {
        /// Its name
        interface: Option<String>,
    },
    /// Change an interface
    #[command(after_help = examples::LINK_SET)]
    Set {
        /// Its name
        interface: String,
        #[command(subcommand)]
        setting: LinkSetting,
    },
}

#[derive(Subcommand)]
pub enum LinkSetting {
    /// Switch it on
    #[command(after_help = examples::LINK_SET_UP)]
    Up,
    /// Switch it off
    #[command(after_help = examples::LINK_SET_DOWN)]
    Down,
    /// The longest IP packet
    #[command(after_help = examples::LINK_SET_MTU)]
    Mtu {
        /// In bytes
        bytes: Mtu,
    },
    /// The Ethernet address
    #[command(after_help = examples::LINK_SET_MAC)]
    Mac {
        /// Such as 52:54:00:12:34:56
        address: Mac,
    },
    /// A VLAN on it, which is the interface `eth0.10`
    #[command(after_help = examples::LINK_SET_VLAN)]
    Vlan {
        /// Whether there is to be one
        action: Vlan,
        /// Its number
        id: VlanId,
    },
    /// The metric of its routes that have none of their own
    #[command(after_help = examples::LINK_SET_METRIC)]
    Metric {
        /// The smallest is preferred
        metric: Metric,
    },
}

#[derive(Clone, Copy, ValueEnum)]
pub enum Vlan {
    /// From now on
    Add,
    /// No more
    Rm,
}

#[derive(Subcommand)]
pub enum Addr {
    /// Show the addresses of one interface, or of all
    #[command(after_help = examples::ADDR_SHOW)]
    Show {
        /// Its name
        interface: Option<String>,
    },
    /// Add an address beside the others
    #[command(after_help = examples::ADDR_ADD)]
    Add(AddrOf),
    /// Remove an address
    #[command(visible_alias = "del", after_help = examples::ADDR_RM)]
    Rm(AddrOf),
    /// Put an address in place of the others of its version; DHCP ends
    #[command(after_help = examples::ADDR_SET)]
    Set(AddrOf),
}

#[derive(Args)]
pub struct AddrOf {
    /// With its prefix length
    pub address: Address,
    /// The word `dev`
    #[arg(value_name = "dev", value_parser = ["dev"])]
    pub dev: String,
    /// The interface
    pub interface: String,
}

#[derive(Subcommand)]
pub enum Route {
    /// Show all routes
    #[command(after_help = examples::ROUTE_SHOW)]
    Show,
    /// Add a route
    #[command(after_help = examples::ROUTE_ADD)]
    Add(RouteTo),
    /// Remove a route
    #[command(visible_alias = "del", after_help = examples::ROUTE_RM)]
    Rm(RouteTo),
}

#[derive(Args)]
pub struct RouteTo {
    /// `default`, or a network such as 10.7.0.0/16
    pub destination: String,
    /// via ROUTER, dev INTERFACE, metric NUMBER
    pub way: Vec<String>,
}

#[derive(Subcommand)]
pub enum Dns {
    /// Show all name servers and domains, the first one first
    #[command(after_help = examples::DNS_SHOW)]
    Show,
    /// Ask these, before those of leases
    #[command(after_help = examples::DNS_SET)]
    Set {
        /// Their addresses, the first one first
        #[arg(required = true)]
        servers: Vec<Host>,
    },
    /// Look for names without a dot in these domains, before those of leases
    #[command(after_help = examples::DNS_SEARCH)]
    Search {
        /// The domains, the first one first
        #[arg(required = true)]
        domains: Vec<Domain>,
    },
    /// Ask and look as leases say
    #[command(after_help = examples::DNS_CLEAR)]
    Clear,
}

#[derive(Subcommand)]
pub enum Dhcp {
    /// Show the lease of one interface, or of all
    #[command(after_help = examples::DHCP_SHOW)]
    Show {
        /// Its name
        interface: Option<String>,
    },
    /// Renew a lease now
    #[command(after_help = examples::DHCP_RENEW)]
    Renew {
        /// The interface
        interface: String,
    },
    /// Get an address by DHCP
    #[command(after_help = examples::DHCP_ON)]
    On {
        /// The interface
        interface: String,
    },
    /// Give the lease back
    #[command(after_help = examples::DHCP_OFF)]
    Off {
        /// The interface
        interface: String,
    },
}

//! What can be said to `netcfg`.

mod examples;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use config::netd::{Address, Domain, Host, Mac, Metric, Mtu, VlanId};

/// Shows and changes the network.
#[derive(Parser)]
#[command(name = "netcfg", version, after_long_help = LONG_HELP)]
pub struct Options {
    #[command(subcommand)]
    pub command: Option<Command>,

    /// Print JSON, for programs
    #[arg(long, global = true)]
    pub json: bool,
}

const LONG_HELP: &str = "\
Without a command it shows interfaces, routes and name servers. Only root can change anything.

JSON fields of `netcfg show` (a value that the interface does not have is null):
  interfaces[]   name, state, flags[], mac, addresses[], mtu, metric, driver,
                 link {state, speed (Mbit/s), duplex}, stats {name: count},
                 dhcp {state, server, lease (s), renew (s)}
  routes[]       destination, via, interface, source, metric
  nameservers[]  addresses
  search[]       domains

Exit status: 0 done, 1 it failed (netd does not run or refuses, no reply came), 2 wrong usage.";

#[derive(Subcommand)]
pub enum Command {
    /// Show interfaces, routes and name servers; what netcfg does without a command
    #[command(after_help = examples::SHOW)]
    Show,

    /// Show or change interfaces and their links
    #[command(after_help = examples::LINK)]
    Link {
        #[command(subcommand)]
        action: Option<Link>,
    },

    /// Show, add or remove addresses
    #[command(after_help = examples::ADDR)]
    Addr {
        #[command(subcommand)]
        action: Option<Addr>,
    },

    /// Show, add or remove routes
    #[command(after_help = examples::ROUTE)]
    Route {
        #[command(subcommand)]
        action: Option<Route>,
    },

    /// Show who has which Ethernet address
    #[command(after_help = examples::NEIGH)]
    Neigh {
        /// Only of this interface
        interface: Option<String>,
    },

    /// Show or set whom programs ask for names
    #[command(after_help = examples::DNS)]
    Dns {
        #[command(subcommand)]
        action: Option<Dns>,
    },

    /// Show leases, renew them, or switch DHCP on and off
    #[command(after_help = examples::DHCP)]
    Dhcp {
        #[command(subcommand)]
        action: Option<Dhcp>,
    },

    /// Show sockets: who listens, who is connected, what waits
    #[command(after_help = examples::SOCKETS)]
    Sockets {
        /// Only those that listen, or that anybody may send to
        #[arg(long, short)]
        listening: bool,
    },

    /// Show counters, those of netd and those of the driver
    #[command(after_help = examples::STATS)]
    Stats {
        /// Only of this interface
        interface: Option<String>,
    },

    /// Show a driver's features, or switch one on or off
    #[command(after_help = examples::FEATURES)]
    Features(Tuning),

    /// Show how a driver gathers interrupts, or change it
    #[command(after_help = examples::COALESCE)]
    Coalesce(Tuning),

    /// Show how many frames a device holds, or change it
    #[command(after_help = examples::RINGS)]
    Rings(Tuning),

    /// Show whether a NIC negotiates speed and duplex, or change it
    #[command(after_help = examples::MEDIA)]
    Media(Tuning),

    /// Have a NIC test itself: its registers, frames that it sends to itself, its link
    #[command(after_help = examples::SELFTEST)]
    Selftest {
        /// The interface
        interface: String,
    },

    /// Show how a device spreads received frames over its queues, or change it
    #[command(after_help = examples::RSS)]
    Rss {
        /// The interface
        interface: String,
        #[command(subcommand)]
        change: Option<Spread>,
    },

    /// Show what a NIC's EEPROM holds
    #[command(after_help = examples::EEPROM)]
    Eeprom {
        /// The interface
        interface: String,
    },

    /// Have a NIC's LED show which one it is
    #[command(after_help = examples::IDENTIFY)]
    Identify {
        /// The interface
        interface: String,
        /// For so long
        #[arg(default_value_t = 5)]
        seconds: u32,
    },

    /// Tell what changes, until it is stopped
    #[command(after_help = examples::MONITOR)]
    Monitor,

    /// Write the packets of an interface to a file, for Wireshark
    #[command(after_help = examples::CAPTURE)]
    Capture(Capture),

    /// Ask a host for an echo
    #[command(after_help = examples::PING)]
    Ping(Ping),

    /// Put a configuration in place of the one that runs
    #[command(after_help = examples::APPLY)]
    Apply {
        /// A file as /etc/net/netd.toml
        file: PathBuf,
        /// Go back after so many seconds, unless `netcfg confirm` comes
        #[arg(long, value_name = "SECONDS")]
        confirm: Option<u64>,
    },

    /// Keep the configuration that is on trial
    #[command(after_help = examples::CONFIRM)]
    Confirm,

    /// Write the configuration that runs to a file, without the comments that stood there
    #[command(after_help = examples::SAVE)]
    Save {
        /// The file, which is replaced
        #[arg(default_value = "/etc/net/netd.toml")]
        file: PathBuf,
    },

    /// Print the completions for a shell
    #[command(after_help = examples::COMPLETIONS)]
    Completions {
        /// The shell
        shell: Shell,
    },
}

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

#[derive(Args)]
pub struct Tuning {
    /// The interface
    pub interface: String,
    /// What to change
    #[arg(requires = "value")]
    pub name: Option<String>,
    /// What to change it to
    pub value: Option<String>,
}

#[derive(Subcommand)]
pub enum Spread {
    /// To the first queues alike
    #[command(after_help = examples::RSS_EQUAL)]
    Equal {
        /// How many queues
        #[arg(value_parser = clap::value_parser!(u8).range(1..))]
        queues: u8,
    },
    /// To queues by their weights
    #[command(after_help = examples::RSS_WEIGHT)]
    Weight {
        /// The weight of each queue, from queue 0
        #[arg(required = true)]
        weights: Vec<u8>,
    },
    /// By a table
    #[command(after_help = examples::RSS_TABLE)]
    Table {
        /// Queues, which are repeated until the table is full
        #[arg(required = true)]
        queues: Vec<u8>,
    },
    /// By the hash that another key makes
    #[command(after_help = examples::RSS_KEY)]
    Key {
        /// 40 bytes, such as 6d:5a:...
        bytes: String,
    },
    /// By what is hashed
    #[command(after_help = examples::RSS_HASH)]
    Hash {
        /// Any of ip4 tcp4 udp4 ip6 tcp6 udp6 that the device knows, or none
        #[arg(required = true)]
        packets: Vec<String>,
    },
}

#[derive(Args)]
pub struct Capture {
    /// The interface
    pub interface: String,
    /// The file, in the format pcapng; standard output without it
    #[arg(long, short, value_name = "FILE")]
    pub write: Option<PathBuf>,
    /// End after so many packets
    #[arg(long, short, value_name = "N")]
    pub count: Option<u64>,
    /// End after so many seconds
    #[arg(long, value_name = "N")]
    pub seconds: Option<u64>,
    /// All frames that the driver sees, those among them that netd does not
    #[arg(long, conflicts_with = "filter")]
    pub driver: bool,
    /// Which packets
    pub filter: Vec<String>,
}

#[derive(Args)]
pub struct Ping {
    /// The host's address or name
    pub host: String,
    /// How often
    #[arg(long, short, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..))]
    pub count: u16,
    /// How long to wait for each answer, in seconds
    #[arg(long, short = 'W', value_name = "SECONDS", default_value_t = 1)]
    pub timeout: u64,
}

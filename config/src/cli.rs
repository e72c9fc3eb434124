//! What can be said to `netcfg`.

pub mod action;
mod examples;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

use action::{Addr, Dhcp, Dns, Link, Route};

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
    Show {
        /// Only this interface and its routes, and the name servers
        interface: Option<String>,
    },

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

    /// Show what a NIC that is stopped wakes the machine for, or change it
    #[command(after_help = examples::WAKE)]
    Wake(Tuning),

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

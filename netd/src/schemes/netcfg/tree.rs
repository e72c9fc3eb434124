//! The files of `netcfg`: their names, and who may read and write them.

use config::netd::Panel;
use scheme::flag::{MODE_DIR, MODE_FILE};

use super::document::Document;
use super::lease::LeaseValue;
use super::stream::Stream;
use crate::stack::interface::Interface;
use crate::stack::{InterfaceId, Stack};

/// A place in the tree.
pub enum Node {
    /// With the names in it.
    Directory(Vec<String>),
    /// A file.
    Leaf(Leaf),
    /// A file without an end.
    Stream(Stream),
    /// A file that takes a whole configuration.
    Document(Document),
}

impl Node {
    /// Its kind and its permission bits.
    pub fn mode(&self) -> u16 {
        match self {
            Self::Directory(_) => MODE_DIR | 0o755,
            Self::Leaf(leaf) => MODE_FILE | leaf.mode(),
            Self::Stream(stream) => MODE_FILE | stream.mode(),
            Self::Document(_) => MODE_FILE | 0o600,
        }
    }
}

/// A file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaf {
    /// `config/running`: what is wanted now, as `netd.toml`.
    Running,
    /// `config/confirm`: whether something is on trial.
    Confirm,
    /// `resolv/nameserver`: the first of them.
    NameServer,
    /// `resolv/nameservers`.
    NameServers,
    /// `resolv/search`: the domains in which names without a dot are looked for.
    Search,
    /// `route/list`.
    RouteList,
    /// `route/add`.
    RouteAdd,
    /// `route/rm`.
    RouteRemove,
    /// `sockets`: who listens, who is connected, and what waits.
    Sockets,
    /// A file of `ifaces/<if>`.
    Interface(InterfaceId, Attribute),
}

/// A file of an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attribute {
    /// `mac`.
    Mac,
    /// `addr/list`: those of IPv4, as stock's programs take the file.
    AddressList,
    /// `addr/list6`: those of IPv6.
    AddressList6,
    /// `addr/set`.
    AddressSet,
    /// `addr/add`.
    AddressAdd,
    /// `addr/rm`.
    AddressRemove,
    /// `state`: up or down, administratively.
    State,
    /// `flags`, named as by Linux's `ip link`.
    Flags,
    /// `mtu`, in bytes.
    Mtu,
    /// `vlan`: the numbers of its VLANs.
    Vlan,
    /// `metric` of its routes that have none of their own.
    Metric,
    /// `driver`: its scheme.
    Driver,
    /// `link`: what the driver says.
    Link,
    /// `stats`: counters with their names.
    Stats,
    /// `neigh`: who has which Ethernet address.
    Neighbours,
    /// `dhcp/set`: whether there is a client, and that it renews its lease.
    DhcpSet,
    /// `dhcp/state`: what the client is at.
    DhcpState,
    /// Another file of `dhcp`.
    Lease(LeaseValue),
    /// `features`, `coalesce`, `rings`, `media` or `wake`: the driver's settings.
    Panel(Panel),
}

/// Finds what `path`, without slashes at its ends, names.
pub fn resolve(path: &str, stack: &Stack) -> Option<Node> {
    let parts: Vec<_> = path.split('/').filter(|part| !part.is_empty()).collect();
    Some(match parts.as_slice() {
        [] => directory(&["config", "events", "ifaces", "resolv", "route", "sockets"]),
        ["sockets"] => Node::Leaf(Leaf::Sockets),
        ["events"] => Node::Stream(Stream::Events),
        ["config"] => directory(&["running", "apply", "try", "confirm"]),
        ["config", "running"] => Node::Leaf(Leaf::Running),
        ["config", "apply"] => Node::Document(Document::Apply),
        ["config", "try"] => Node::Document(Document::Try),
        ["config", "confirm"] => Node::Leaf(Leaf::Confirm),
        ["resolv"] => directory(&["nameserver", "nameservers", "search"]),
        ["resolv", "nameserver"] => Node::Leaf(Leaf::NameServer),
        ["resolv", "nameservers"] => Node::Leaf(Leaf::NameServers),
        ["resolv", "search"] => Node::Leaf(Leaf::Search),
        ["route"] => directory(&["list", "add", "rm"]),
        ["route", "list"] => Node::Leaf(Leaf::RouteList),
        ["route", "add"] => Node::Leaf(Leaf::RouteAdd),
        ["route", "rm"] => Node::Leaf(Leaf::RouteRemove),
        ["ifaces"] => Node::Directory(stack.network.interfaces().map(|own| own.name().to_owned()).collect()),
        ["ifaces", name, rest @ ..] => {
            let id = stack.network.find(name)?;
            return in_interface(id, stack.network.interface(id)?, rest);
        }
        _ => return None,
    })
}

fn directory(names: &[&str]) -> Node {
    Node::Directory(names.iter().map(|name| (*name).to_owned()).collect())
}

fn in_interface(id: InterfaceId, interface: &Interface, path: &[&str]) -> Option<Node> {
    let attribute = match path {
        [] => {
            let mut names =
                vec!["mac", "addr", "state", "flags", "mtu", "metric", "driver", "link", "stats", "pcap"];
            if !interface.is_loopback() {
                names.extend(["neigh", "dhcp"]);
            }
            if interface.is_nic() {
                names.push("vlan");
                names.extend(Panel::ALL.map(Panel::name));
            }
            return Some(directory(&names));
        }
        ["addr"] => return Some(directory(&["list", "list6", "set", "add", "rm"])),
        ["pcap"] => return Some(Node::Stream(Stream::Capture(id))),
        ["mac"] => Attribute::Mac,
        ["addr", "list"] => Attribute::AddressList,
        ["addr", "list6"] => Attribute::AddressList6,
        ["addr", "set"] => Attribute::AddressSet,
        ["addr", "add"] => Attribute::AddressAdd,
        ["addr", "rm"] => Attribute::AddressRemove,
        ["state"] => Attribute::State,
        ["flags"] => Attribute::Flags,
        ["mtu"] => Attribute::Mtu,
        ["vlan"] if interface.is_nic() => Attribute::Vlan,
        ["metric"] => Attribute::Metric,
        ["driver"] => Attribute::Driver,
        ["link"] => Attribute::Link,
        ["stats"] => Attribute::Stats,
        ["neigh"] if !interface.is_loopback() => Attribute::Neighbours,
        ["dhcp", rest @ ..] if !interface.is_loopback() => return in_dhcp(id, rest),
        [name] if interface.is_nic() => {
            Attribute::Panel(Panel::ALL.into_iter().find(|panel| panel.name() == *name)?)
        }
        _ => return None,
    };
    Some(Node::Leaf(Leaf::Interface(id, attribute)))
}

fn in_dhcp(id: InterfaceId, path: &[&str]) -> Option<Node> {
    let attribute = match path {
        [] => {
            let values = LeaseValue::ALL.map(LeaseValue::name);
            return Some(directory(&[&["set", "state"], &values[..]].concat()));
        }
        ["set"] => Attribute::DhcpSet,
        ["state"] => Attribute::DhcpState,
        [name] => Attribute::Lease(LeaseValue::ALL.into_iter().find(|value| value.name() == *name)?),
        _ => return None,
    };
    Some(Node::Leaf(Leaf::Interface(id, attribute)))
}

impl Leaf {
    /// Its permission bits.
    pub fn mode(&self) -> u16 {
        match self {
            Self::NameServer
            | Self::NameServers
            | Self::Search
            | Self::Confirm
            | Self::Interface(
                _,
                Attribute::Mac
                | Attribute::Mtu
                | Attribute::Vlan
                | Attribute::State
                | Attribute::Metric
                | Attribute::Panel(_),
            ) => 0o644,
            Self::RouteAdd
            | Self::RouteRemove
            | Self::Interface(
                _,
                Attribute::AddressSet | Attribute::AddressAdd | Attribute::AddressRemove | Attribute::DhcpSet,
            ) => 0o200,
            Self::Running | Self::RouteList | Self::Sockets | Self::Interface(..) => 0o444,
        }
    }
}

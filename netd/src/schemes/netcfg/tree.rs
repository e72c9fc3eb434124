//! The files of `netcfg`: their names, their texts, and what may be written to them.

use std::cmp::Reverse;
use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr};

use config::netd::{Host, Route};
use ipnet::IpNet;
use scheme::flag::{MODE_DIR, MODE_FILE};
use smoltcp::wire::EthernetAddress;

use super::command::Command;
use super::document::Document;
use super::stream::Stream;
use crate::intent::Intent;
use crate::stack::address::{everything, is_unicast};
use crate::stack::dhcp::Lease;
use crate::stack::interface::Interface;
use crate::stack::{InterfaceId, Stack};

/// Stock's text for what is not there yet.
const NOT_CONFIGURED: &str = "Not configured\n";
/// Stock's name server before any other is known.
const DEFAULT_NAME_SERVER: IpAddr = IpAddr::V4(Ipv4Addr::new(8, 8, 8, 8));

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
    /// `resolv/nameserver`.
    NameServer,
    /// `route/list`.
    RouteList,
    /// `route/add`.
    RouteAdd,
    /// `route/rm`.
    RouteRemove,
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
    /// `state`: up or down, administratively.
    State,
    /// `flags`, named as by Linux's `ip link`.
    Flags,
    /// `mtu`, in bytes.
    Mtu,
    /// `metric` of its routes that have none of their own.
    Metric,
    /// `driver`: its scheme.
    Driver,
    /// `link`: what the driver says.
    Link,
    /// `stats`: counters with their names.
    Stats,
    /// `dhcp`: the client's state and lease.
    Dhcp,
}

/// Finds what `path`, without slashes at its ends, names.
pub fn resolve(path: &str, stack: &Stack) -> Option<Node> {
    let parts: Vec<_> = path.split('/').filter(|part| !part.is_empty()).collect();
    Some(match parts.as_slice() {
        [] => directory(&["config", "events", "ifaces", "resolv", "route"]),
        ["events"] => Node::Stream(Stream::Events),
        ["config"] => directory(&["running", "apply", "try", "confirm"]),
        ["config", "running"] => Node::Leaf(Leaf::Running),
        ["config", "apply"] => Node::Document(Document::Apply),
        ["config", "try"] => Node::Document(Document::Try),
        ["config", "confirm"] => Node::Leaf(Leaf::Confirm),
        ["resolv"] => directory(&["nameserver"]),
        ["resolv", "nameserver"] => Node::Leaf(Leaf::NameServer),
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
                names.push("dhcp");
            }
            return Some(directory(&names));
        }
        ["addr"] => return Some(directory(&["list", "list6", "set"])),
        ["pcap"] => return Some(Node::Stream(Stream::Capture(id))),
        ["mac"] => Attribute::Mac,
        ["addr", "list"] => Attribute::AddressList,
        ["addr", "list6"] => Attribute::AddressList6,
        ["addr", "set"] => Attribute::AddressSet,
        ["state"] => Attribute::State,
        ["flags"] => Attribute::Flags,
        ["mtu"] => Attribute::Mtu,
        ["metric"] => Attribute::Metric,
        ["driver"] => Attribute::Driver,
        ["link"] => Attribute::Link,
        ["stats"] => Attribute::Stats,
        ["dhcp"] if !interface.is_loopback() => Attribute::Dhcp,
        _ => return None,
    };
    Some(Node::Leaf(Leaf::Interface(id, attribute)))
}

impl Leaf {
    /// Its permission bits.
    pub fn mode(&self) -> u16 {
        match self {
            Self::NameServer
            | Self::Confirm
            | Self::Interface(_, Attribute::Mac | Attribute::State | Attribute::Metric | Attribute::Dhcp) => {
                0o644
            }
            Self::RouteAdd | Self::RouteRemove | Self::Interface(_, Attribute::AddressSet) => 0o200,
            Self::Running | Self::RouteList | Self::Interface(..) => 0o444,
        }
    }

    /// Its text, if it can be read.
    pub fn text(&self, stack: &Stack, intent: &Intent) -> Option<String> {
        match self {
            Self::Running => Some(intent.config().to_string()),
            Self::Confirm => Some(match intent.trial_left(stack.network.now) {
                Some(seconds) => format!("{seconds}\n"),
                None => "none\n".to_owned(),
            }),
            Self::NameServer => {
                Some(format!("{}\n", stack.resolvers().next().unwrap_or(DEFAULT_NAME_SERVER)))
            }
            Self::RouteList => Some(route_list(stack)),
            Self::RouteAdd | Self::RouteRemove => None,
            Self::Interface(id, attribute) => attribute.text(stack.network.interface(*id)?),
        }
    }

    /// What `line` asks for, if that makes sense.
    pub fn parse(&self, line: &str, stack: &Stack, intent: &Intent) -> Option<Command> {
        match self {
            Self::Confirm => intent.trial_left(stack.network.now).map(|_| Command::Confirm),
            Self::NameServer => {
                let server: IpAddr = line.parse().ok()?;
                is_unicast(server).then_some(Command::SetNameServer(server))
            }
            Self::RouteAdd => {
                let (destination, via) = line.split_once(" via ")?;
                let via: IpAddr = via.trim().parse().ok()?;
                let towards = *stack.network.lookup(via, None).filter(|route| route.via.is_none())?;
                let destination = match destination.trim() {
                    "default" => everything(via),
                    destination => destination.parse::<IpNet>().ok()?.trunc(),
                };
                let makes_sense = is_unicast(via) && destination.addr().is_ipv4() == via.is_ipv4();
                let route = Route { to: destination, via: Some(Host(via)), metric: None };
                makes_sense.then_some(Command::AddRoute(towards.interface, route))
            }
            Self::RouteRemove => {
                let destination = match line {
                    "default" => IpNet::default(),
                    line => line.parse::<IpNet>().ok()?.trunc(),
                };
                let exists = stack.network.routes.iter().any(|route| route.destination == destination);
                exists.then_some(Command::RemoveRoute(destination))
            }
            Self::Running | Self::RouteList => None,
            Self::Interface(id, attribute) => attribute.parse(line, *id, stack.network.interface(*id)?),
        }
    }
}

impl Attribute {
    fn text(self, interface: &Interface) -> Option<String> {
        Some(match self {
            Self::Mac => match (interface.ethernet_address(), &interface.driver) {
                (Some(mac), _) => format!("{mac}\n"),
                (None, None) if !interface.is_loopback() => "Device not found\n".to_owned(),
                (None, _) => NOT_CONFIGURED.to_owned(),
            },
            Self::AddressList => address_list(interface, IpAddr::is_ipv4),
            Self::AddressList6 => address_list(interface, IpAddr::is_ipv6),
            Self::AddressSet => return None,
            Self::State => if interface.up { "up\n" } else { "down\n" }.to_owned(),
            Self::Flags => flags(interface),
            Self::Mtu => format!("{}\n", interface.mtu()),
            Self::Metric => format!("{}\n", interface.metric),
            Self::Driver => format!("{}\n", interface.driver.as_deref().unwrap_or("none")),
            Self::Link => link(interface),
            Self::Stats => {
                interface.counters.named().iter().map(|(name, value)| format!("{name} {value}\n")).collect()
            }
            Self::Dhcp => dhcp(interface),
        })
    }

    fn parse(self, line: &str, id: InterfaceId, interface: &Interface) -> Option<Command> {
        match self {
            Self::Mac => {
                let mac: EthernetAddress = line.parse().ok()?;
                (mac.is_unicast() && !interface.is_loopback()).then_some(Command::SetMac(id, mac))
            }
            Self::AddressSet => {
                let address: IpNet = line.parse().ok()?;
                (!interface.is_loopback() && is_host(address)).then_some(Command::SetAddress(id, address))
            }
            Self::Metric => line.parse().ok().map(|metric| Command::SetMetric(id, metric)),
            Self::Dhcp => match line {
                "on" => Some(Command::SetDhcp(id, true)),
                "off" => Some(Command::SetDhcp(id, false)),
                "renew" => interface.dhcp().map(|_| Command::RenewLease(id)),
                _ => None,
            },
            Self::State => match line {
                "up" => Some(Command::SetUp(id, true)),
                "down" => Some(Command::SetUp(id, false)),
                _ => None,
            },
            _ => None,
        }
    }
}

fn route_list(stack: &Stack) -> String {
    let mut text = String::new();
    let mut routes: Vec<_> = stack.network.routes.iter().collect();
    routes.sort_by_key(|route| (Reverse(route.destination.prefix_len()), stack.network.metric(route)));
    for route in routes {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}", stack.network.route_text(route));
    }
    text
}

/// The addresses of a version, one a line.
fn address_list(interface: &Interface, is_listed: fn(&IpAddr) -> bool) -> String {
    let listed = interface.addresses.iter().filter(|address| is_listed(&address.addr()));
    let text: String = listed.map(|address| format!("{address}\n")).collect();
    if text.is_empty() { NOT_CONFIGURED.to_owned() } else { text }
}

fn flags(interface: &Interface) -> String {
    let kind: &[&str] = if interface.is_loopback() { &["LOOPBACK"] } else { &["BROADCAST", "MULTICAST"] };
    let mut flags = Vec::new();
    flags.extend(interface.up.then_some("UP"));
    flags.extend((interface.up && interface.running).then_some("RUNNING"));
    flags.extend(kind);
    flags.join(" ") + "\n"
}

fn link(interface: &Interface) -> String {
    match (interface.running, interface.link_text.as_str()) {
        (false, "") => "state down\n".to_owned(),
        (true, "") => "state up\n".to_owned(),
        (_, text) => text.to_owned(),
    }
}

fn dhcp(interface: &Interface) -> String {
    let Some(dhcp) = interface.dhcp() else { return "state off\n".to_owned() };
    let mut text = format!("state {}\n", dhcp.state());
    let Some(lease) = dhcp.lease() else { return text };
    let Lease { server, duration, renew, rebind, .. } = lease;
    // Writing to a string cannot fail.
    let _ = write!(text, "server {server}\nlease {duration}\nrenew {renew}\nrebind {rebind}\n");
    if let Some(domain) = &lease.domain {
        let _ = writeln!(text, "domain {domain}");
    }
    text
}

/// Whether a host of a network may have the address: neither the first nor the last, where there are others
/// (RFC 3021), nor one of our own.
fn is_host(address: IpNet) -> bool {
    let (own, length) = (address.addr(), address.prefix_len());
    let is_reserved =
        own.is_ipv4() && length < 31 && (own == address.network() || own == address.broadcast());
    length > 0 && is_unicast(own) && !own.is_loopback() && !is_reserved
}

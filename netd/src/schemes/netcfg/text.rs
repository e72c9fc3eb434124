//! What the files say.

use std::cmp::Reverse;
use std::fmt::{Display, Write};
use std::net::{IpAddr, Ipv4Addr};

use super::tree::{Attribute, Leaf};
use crate::intent::Intent;
use crate::stack::Stack;
use crate::stack::dhcp::Dhcp;
use crate::stack::interface::{Interface, Link};
use crate::stack::names::NameServer;
use crate::stack::table::Entry;

/// Stock's text for what is not there yet.
const NOT_CONFIGURED: &str = "Not configured\n";
/// Stock's name server before any other is known.
const DEFAULT_NAME_SERVER: IpAddr = IpAddr::V4(Ipv4Addr::new(8, 8, 8, 8));
/// Sockets that are listed; how many more there are is told.
const LISTED: usize = 10_000;

impl Leaf {
    /// Its text, if it can be read.
    pub fn text(&self, stack: &Stack, intent: &Intent) -> Option<String> {
        match self {
            Self::Running => Some(intent.config().to_string()),
            Self::Confirm => Some(match intent.trial_left(stack.network.now) {
                Some(seconds) => format!("{seconds}\n"),
                None => "none\n".to_owned(),
            }),
            Self::NameServer => {
                let first = stack.resolvers().first().copied();
                Some(format!("{}\n", first.unwrap_or(NameServer::anywhere(DEFAULT_NAME_SERVER))))
            }
            Self::NameServers => Some(lines(stack.resolvers())),
            Self::Search => Some(lines(stack.search())),
            Self::RouteList => Some(route_list(stack)),
            Self::RouteAdd | Self::RouteRemove => None,
            Self::Sockets => Some(sockets(stack)),
            Self::Interface(id, attribute) => attribute.text(stack.network.interface(*id)?, stack),
        }
    }
}

impl Attribute {
    fn text(self, interface: &Interface, stack: &Stack) -> Option<String> {
        Some(match self {
            Self::Mac => match (interface.ethernet_address(), &interface.driver) {
                (Some(mac), _) => format!("{mac}\n"),
                (None, None) if !interface.is_loopback() => "Device not found\n".to_owned(),
                (None, _) => NOT_CONFIGURED.to_owned(),
            },
            Self::AddressList => address_list(interface, IpAddr::is_ipv4),
            Self::AddressList6 => address_list(interface, IpAddr::is_ipv6),
            Self::AddressSet | Self::AddressAdd | Self::AddressRemove | Self::DhcpSet => return None,
            Self::State => if interface.up { "up\n" } else { "down\n" }.to_owned(),
            Self::Flags => flags(interface),
            Self::Mtu => format!("{}\n", interface.mtu()),
            Self::Vlan => vlans(interface, stack),
            Self::Metric => format!("{}\n", interface.metric),
            Self::Driver => format!("{}\n", interface.driver.as_deref().unwrap_or("none")),
            Self::Link => link(interface),
            Self::Stats => {
                interface.counters.named().iter().map(|(name, value)| format!("{name} {value}\n")).collect()
            }
            Self::Neighbours => neighbours(interface, stack),
            Self::DhcpState => dhcp_state(interface),
            Self::Lease(value) => {
                interface.dhcp().and_then(Dhcp::lease).map(|lease| value.of(lease)).unwrap_or_default()
            }
            Self::Panel(panel) => interface.panels.texts.get(&panel).cloned().unwrap_or_default(),
        })
    }
}

/// The values, one a line.
pub fn lines(values: impl IntoIterator<Item = impl Display>) -> String {
    values.into_iter().map(|value| format!("{value}\n")).collect()
}

fn route_list(stack: &Stack) -> String {
    let mut text = String::new();
    let mut routes: Vec<_> = stack.network.routes.iter().collect();
    routes.sort_by_key(|route| {
        (Reverse(route.destination.prefix_len()), stack.network.metric(route), route.interface)
    });
    for route in routes {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}", stack.network.route_text(route));
    }
    text
}

/// The numbers of the VLANs, one a line.
fn vlans(interface: &Interface, stack: &Stack) -> String {
    let numbers = stack.network.find(interface.name()).into_iter().flat_map(|id| stack.network.vlans(id));
    numbers.map(|(number, _)| format!("{number}\n")).collect()
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

/// What the client is at.
fn dhcp_state(interface: &Interface) -> String {
    format!("{}\n", interface.dhcp().map_or("off", Dhcp::state))
}

/// The state of each neighbour: `reachable`, `stale` if nothing was heard of it for a while, `incomplete` while it has
/// not answered.
fn neighbours(interface: &Interface, stack: &Stack) -> String {
    let Link::Ethernet { neighbours, .. } = &interface.link else { return String::new() };
    let mut text = String::new();
    let now = stack.network.now;
    let ipv6 = interface.ipv6.as_ref().map(|ipv6| ipv6.neighbours.list(now));
    for (neighbour, address, state) in neighbours.list(now).into_iter().chain(ipv6.into_iter().flatten()) {
        let address = address.map_or_else(|| "none".to_owned(), |mac| mac.to_string().replace('-', ":"));
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{neighbour} {address} {state}");
    }
    text
}

fn sockets(stack: &Stack) -> String {
    let mut text = String::new();
    let mut all = stack.sockets();
    for Entry { protocol, state, local, remote, received, queued, uid } in all.by_ref().take(LISTED) {
        let remote = remote.map_or_else(|| "*".to_owned(), |remote| remote.to_string());
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{protocol} {state} {local} {remote} {received} {queued} {uid}");
    }
    match all.count() {
        0 => text,
        more => text + &format!("more {more}\n"),
    }
}

//! What a line asks for, if that makes sense; if not, why.

use std::net::IpAddr;
use std::str::FromStr;

use config::netd::{Address, Destination, Host, Mac, Metric, Mtu, Route, ValueError};
use ipnet::IpNet;
use scheme::errno::EINVAL;

use super::Change;
use super::command::Command;
use super::setting;
use super::tree::{Attribute, Leaf};
use crate::intent::Intent;
use crate::stack::address::everything;
use crate::stack::interface::Interface;
use crate::stack::{InterfaceId, Stack};

/// Why a line is not taken.
pub struct Refusal {
    /// For programs.
    pub errno: i32,
    /// For people.
    pub reason: String,
}

impl From<String> for Refusal {
    /// It makes no sense.
    fn from(reason: String) -> Self {
        Self { errno: EINVAL, reason }
    }
}

impl Leaf {
    /// What `line` asks for.
    pub fn parse(&self, line: &str, stack: &Stack, intent: &Intent) -> Result<Change, Refusal> {
        match self {
            Self::Interface(id, Attribute::Panel(panel)) => {
                let interface = stack.network.interface(*id).ok_or_else(gone)?;
                Ok(Change::Setting(*id, setting::parse(line, *panel, interface)?))
            }
            _ => Ok(Change::Command(self.parse_own(line, stack, intent)?)),
        }
    }

    /// What concerns netd alone.
    fn parse_own(&self, line: &str, stack: &Stack, intent: &Intent) -> Result<Command, String> {
        match self {
            Self::Confirm if intent.trial_left(stack.network.now).is_some() => Ok(Command::Confirm),
            Self::Confirm => Err("nothing is on trial".to_owned()),
            Self::NameServer => server(line).map(Command::SetNameServer),
            Self::NameServers => list(line, server).map(Command::SetNameServers),
            Self::Search => list(line, value).map(Command::SetSearch),
            Self::RouteAdd => Words::parse(line)?.route_to_add(stack),
            Self::RouteRemove => Words::parse(line)?.route_to_remove(stack),
            Self::Running | Self::RouteList | Self::Sockets => Err("cannot be written".to_owned()),
            Self::Interface(id, attribute) => match stack.network.interface(*id) {
                None => Err(gone()),
                Some(interface) if interface.is_loopback() => Err("lo is as it is".to_owned()),
                Some(interface) => attribute.parse(line, *id, interface, intent),
            },
        }
    }
}

impl Attribute {
    fn parse(
        self,
        line: &str,
        id: InterfaceId,
        interface: &Interface,
        intent: &Intent,
    ) -> Result<Command, String> {
        match self {
            Self::Mac if interface.parent.is_some() => {
                Err("a VLAN has the address that carries it".to_owned())
            }
            Self::Mac => value(line).map(|mac: Mac| Command::SetMac(id, mac)),
            Self::AddressSet => value(line).map(|address: Address| Command::SetAddress(id, address)),
            Self::AddressAdd => value(line).map(|address: Address| Command::AddAddress(id, address)),
            Self::AddressRemove => {
                let address: Address = value(line)?;
                match intent.wants_address(id, interface, address) {
                    true => Ok(Command::RemoveAddress(id, address)),
                    false => Err(format!("nobody gave {} the address {address} by hand", interface.name())),
                }
            }
            Self::Mtu => {
                let (mtu, limits) = (value::<Mtu>(line)?, interface.mtu_limits());
                match limits.contains(&usize::from(mtu.get())) {
                    true => Ok(Command::SetMtu(id, mtu)),
                    false => Err(format!("the driver can do {} to {}", limits.start(), limits.end())),
                }
            }
            Self::Vlan => match line.split_once(' ') {
                Some(("add", number)) => value(number).map(|number| Command::AddVlan(id, number)),
                Some(("rm", number)) => value(number).map(|number| Command::RemoveVlan(id, number)),
                _ => Err(format!("{line:?} is neither `add` nor `rm` and a number")),
            },
            Self::Metric => value(line).map(|metric: Metric| Command::SetMetric(id, metric)),
            Self::DhcpSet => match (line, interface.dhcp()) {
                ("on", _) => Ok(Command::SetDhcp(id, true)),
                ("off", _) => Ok(Command::SetDhcp(id, false)),
                ("renew", Some(_)) => Ok(Command::RenewLease(id)),
                ("renew", None) => Err(format!("DHCP is off on {}", interface.name())),
                _ => Err(format!("{line:?} is not `on`, `off` or `renew`")),
            },
            Self::State => match line {
                "up" => Ok(Command::SetUp(id, true)),
                "down" => Ok(Command::SetUp(id, false)),
                _ => Err(format!("{line:?} is not `up` or `down`")),
            },
            _ => Err("cannot be written".to_owned()),
        }
    }
}

fn gone() -> String {
    "the interface is gone".to_owned()
}

fn value<T: FromStr<Err = ValueError>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error: ValueError| error.to_string())
}

/// Values between blanks, or `none`.
fn list<T>(line: &str, value: impl Fn(&str) -> Result<T, String>) -> Result<Vec<T>, String> {
    match line {
        "none" => Ok(Vec::new()),
        "" => Err("nothing is said: `none` is for none".to_owned()),
        _ => line.split_whitespace().map(value).collect(),
    }
}

/// A name server that is the same one on every link.
fn server(text: &str) -> Result<Host, String> {
    let server: Host = value(text)?;
    match server.is_link_local() {
        true => Err(format!("{server} is another host on each link: netd.toml can say it for an interface")),
        false => Ok(server),
    }
}

/// A route's words: `default via 10.0.2.2 dev eth0 metric 5`, all but the destination as one likes.
struct Words<'a> {
    destination: Destination,
    via: Option<IpAddr>,
    device: Option<&'a str>,
    metric: Option<Metric>,
}

impl<'a> Words<'a> {
    fn parse(line: &'a str) -> Result<Self, String> {
        let mut words = line.split_whitespace();
        let destination = value(words.next().unwrap_or_default())?;
        let mut route = Self { destination, via: None, device: None, metric: None };
        while let Some(keyword) = words.next() {
            let argument = words.next().ok_or_else(|| format!("nothing follows `{keyword}`"))?;
            match keyword {
                "via" => route.via = Some(value::<Host>(argument)?.0),
                "dev" => route.device = Some(argument),
                "metric" => route.metric = Some(value(argument)?),
                _ => return Err(format!("`{keyword}` is not `via`, `dev` or `metric`")),
            }
        }
        Ok(route)
    }

    fn route_to_add(self, stack: &Stack) -> Result<Command, String> {
        let id = match (self.interface(stack)?, self.via) {
            (Some(id), _) => id,
            (None, Some(via)) => {
                let towards = stack.network.lookup(via, None).filter(|route| route.via.is_none());
                towards.ok_or_else(|| format!("no interface has a network with {via}"))?.interface
            }
            (None, None) => return Err("neither `via` nor `dev` says where the route leads".to_owned()),
        };
        let via = self.via.map(Host);
        let route = Route { to: self.net(), via, metric: self.metric };
        match route.via {
            Some(via) if via.0.is_ipv4() != route.to.addr().is_ipv4() => {
                Err(format!("{} and {via} are of different versions of IP", route.to))
            }
            None if route.to.prefix_len() == 0 => Err("a default route needs `via` and a router".to_owned()),
            _ => Ok(Command::AddRoute(id, route)),
        }
    }

    fn route_to_remove(self, stack: &Stack) -> Result<Command, String> {
        let (id, net) = (self.interface(stack)?, self.net());
        let mut routes = stack.network.routes.iter().filter(|route| route.destination == net);
        match routes.any(|route| id.is_none_or(|id| route.interface == id)) {
            true => Ok(Command::RemoveRoute(net, id)),
            false => Err(format!("there is no such route to {net}")),
        }
    }

    fn interface(&self, stack: &Stack) -> Result<Option<InterfaceId>, String> {
        let find = |name| stack.network.find(name).ok_or_else(|| format!("there is no interface {name}"));
        self.device.map(find).transpose()
    }

    /// `default` is of its router's version, or else IPv4's.
    fn net(&self) -> IpNet {
        match (self.destination, self.via) {
            (Destination::Network(net), _) => net,
            (Destination::Default, Some(via)) => everything(via),
            (Destination::Default, None) => IpNet::default(),
        }
    }
}

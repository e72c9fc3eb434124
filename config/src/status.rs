//! The network's state, as the `netcfg` scheme tells it.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

use crate::node::{Failure, Node, list};

/// Everything that `netcfg` shows.
#[derive(Debug, Serialize)]
pub struct Status {
    /// By name.
    pub interfaces: Vec<Interface>,
    /// In the order in which they are looked at.
    pub routes: Vec<Route>,
    /// Addresses.
    pub nameservers: Vec<String>,
    /// Domains in which names without a dot are looked for.
    pub search: Vec<String>,
}

/// One interface: the nodes of `ifaces/<name>/`.
#[derive(Debug, Serialize)]
pub struct Interface {
    /// `eth0`, `lo`.
    pub name: String,
    /// What is wanted: `up` or `down`.
    pub state: Option<String>,
    /// `UP`, `RUNNING` and so on.
    pub flags: Vec<String>,
    /// With colons.
    pub mac: Option<String>,
    /// Each with its prefix length.
    pub addresses: Vec<String>,
    /// In bytes, of IP.
    pub mtu: Option<u64>,
    /// Of its routes that have none of their own.
    pub metric: Option<u64>,
    /// The driver's scheme.
    pub driver: Option<String>,
    /// What the driver says of the link.
    pub link: Option<Link>,
    /// Counters by their name.
    pub stats: BTreeMap<String, u64>,
    /// Nothing for an interface that DHCP is not for.
    pub dhcp: Option<Dhcp>,
}

/// The link's state.
#[derive(Debug, Serialize)]
pub struct Link {
    /// `up` or `down`.
    pub state: Option<String>,
    /// In Mbit/s.
    pub speed: Option<u64>,
    /// `full` or `half`.
    pub duplex: Option<String>,
}

/// The DHCP client's state.
#[derive(Debug, Serialize)]
pub struct Dhcp {
    /// `bound`, or what it is at; `off` if the address is static.
    pub state: String,
    /// The server's address.
    pub server: Option<String>,
    /// The lease's length in seconds.
    pub lease: Option<u64>,
    /// When it is renewed, in seconds.
    pub renew: Option<u64>,
}

/// One line of `route/list`.
#[derive(Debug, Serialize)]
pub struct Route {
    /// `default`, or a prefix.
    pub destination: String,
    /// The gateway's address.
    pub via: Option<String>,
    /// The interface's name.
    pub interface: Option<String>,
    /// The source address.
    pub source: Option<String>,
    /// The smallest of several to the same destination is preferred.
    pub metric: u64,
}

impl Status {
    /// Reads the state from `scheme`, the directory of the `netcfg` scheme.
    pub fn read(scheme: &Path) -> Result<Self, Failure> {
        let interfaces = list(&scheme.join("ifaces"))?
            .into_iter()
            .map(|name| Interface::read(scheme, name))
            .collect::<Result<_, _>>()?;
        let routes = Node::read(scheme.join("route/list"))?;
        let names = |file| Node::read(scheme.join("resolv").join(file));
        let of = |node: Node| node.lines().map(str::to_owned).collect();
        Ok(Self {
            interfaces,
            routes: routes.lines().map(|line| Route::parse(line, &routes)).collect::<Result<_, _>>()?,
            nameservers: of(names("nameservers")?),
            search: of(names("search")?),
        })
    }
}

impl Interface {
    fn read(scheme: &Path, name: String) -> Result<Self, Failure> {
        let directory = scheme.join("ifaces").join(&name);
        let node = |path| Node::read(directory.join(path));
        Ok(Self {
            state: node("state")?.value(),
            flags: node("flags")?.lines().flat_map(str::split_whitespace).map(str::to_owned).collect(),
            mac: node("mac")?.value().map(|mac| mac.replace('-', ":")),
            addresses: [node("addr/list")?, node("addr/list6")?]
                .iter()
                .flat_map(Node::lines)
                .map(str::to_owned)
                .collect(),
            mtu: node("mtu")?.number()?,
            metric: node("metric")?.number()?,
            driver: node("driver")?.value().filter(|driver| driver != "none"),
            link: Link::from_node(&node("link")?)?,
            stats: counters(&node("stats")?)?,
            dhcp: Dhcp::read(&directory.join("dhcp"))?,
            name,
        })
    }
}

impl Link {
    fn from_node(node: &Node) -> Result<Option<Self>, Failure> {
        if node.is_empty() {
            return Ok(None);
        }
        let (state, duplex) = (node.field("state"), node.field("duplex"));
        Ok(Some(Self { state, speed: node.number_field("speed")?, duplex }))
    }
}

impl Dhcp {
    /// Reads the folder, which an interface that DHCP is not for does not have.
    fn read(directory: &Path) -> Result<Option<Self>, Failure> {
        let node = |file| Node::read(directory.join(file));
        let Some(state) = node("state")?.value() else { return Ok(None) };
        let (lease, renew) = (node("lease")?.number()?, node("renew")?.number()?);
        Ok(Some(Self { state, server: node("server")?.value(), lease, renew }))
    }
}

impl Route {
    /// Reads `default via 10.0.2.2 dev eth0 src 10.0.2.15 metric 5` in `list`, in which all but the destination may be
    /// missing.
    fn parse(line: &str, list: &Node) -> Result<Self, Failure> {
        let words: Vec<_> = line.split_whitespace().collect();
        let after = |keyword| {
            let found = words.windows(2).find(|pair| pair.first() == Some(&keyword))?;
            found.get(1).map(ToString::to_string)
        };
        let destination = words.first().copied().unwrap_or_default().to_owned();
        let metric = after("metric").map_or(Ok(0), |metric| list.parse(&metric))?;
        Ok(Self { destination, via: after("via"), interface: after("dev"), source: after("src"), metric })
    }
}

/// The lines `name count`.
pub fn counters(node: &Node) -> Result<BTreeMap<String, u64>, Failure> {
    node.fields().map(|(name, count)| Ok((name.to_owned(), node.parse(count)?))).collect()
}

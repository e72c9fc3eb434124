//! The network's state, as the `netcfg` scheme tells it.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::Serialize;

/// Everything that `netcfg` shows.
#[derive(Debug, Serialize)]
pub struct Status {
    /// By name.
    pub interfaces: Vec<Interface>,
    /// In the order in which they are looked at.
    pub routes: Vec<Route>,
    /// Addresses.
    pub nameservers: Vec<String>,
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
    pub state: Option<String>,
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
}

/// Why the state cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum StatusError {
    /// The scheme is not there, or not for this user.
    #[error("cannot list {}: {source}: is netd running? Start it, or see its log", path.display())]
    NoScheme {
        /// What was tried.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A node could not be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The node.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A node says what it should not.
    #[error("{} says `{text}` where a number is expected", path.display())]
    NoNumber {
        /// The node.
        path: PathBuf,
        /// What it says.
        text: String,
    },
}

impl Status {
    /// Reads the state from `scheme`, the directory of the `netcfg` scheme.
    pub fn read(scheme: &Path) -> Result<Self, StatusError> {
        let interfaces = list(&scheme.join("ifaces"))?
            .into_iter()
            .map(|name| Interface::read(scheme, name))
            .collect::<Result<_, _>>()?;
        let routes = Node::read(scheme.join("route/list"))?;
        let nameservers = Node::read(scheme.join("resolv/nameserver"))?;
        Ok(Self {
            interfaces,
            routes: routes.lines().map(Route::parse).collect(),
            nameservers: nameservers.lines().map(str::to_owned).collect(),
        })
    }
}

impl Interface {
    fn read(scheme: &Path, name: String) -> Result<Self, StatusError> {
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
            driver: node("driver")?.value().filter(|driver| driver != "none"),
            link: Link::from_node(&node("link")?)?,
            stats: node("stats")?.counters()?,
            dhcp: Dhcp::from_node(&node("dhcp")?)?,
            name,
        })
    }
}

impl Link {
    fn from_node(node: &Node) -> Result<Option<Self>, StatusError> {
        if node.is_empty() {
            return Ok(None);
        }
        let (state, duplex) = (node.field("state"), node.field("duplex"));
        Ok(Some(Self { state, speed: node.number_field("speed")?, duplex }))
    }
}

impl Dhcp {
    fn from_node(node: &Node) -> Result<Option<Self>, StatusError> {
        if node.is_empty() {
            return Ok(None);
        }
        let (lease, renew) = (node.number_field("lease")?, node.number_field("renew")?);
        Ok(Some(Self { state: node.field("state"), server: node.field("server"), lease, renew }))
    }
}

impl Route {
    /// Reads `default via 10.0.2.2 dev eth0 src 10.0.2.15`, in which all but the destination may be missing.
    fn parse(line: &str) -> Self {
        let words: Vec<_> = line.split_whitespace().collect();
        let after = |keyword| {
            let found = words.windows(2).find(|pair| pair.first() == Some(&keyword))?;
            found.get(1).map(ToString::to_string)
        };
        let destination = words.first().copied().unwrap_or_default().to_owned();
        Self { destination, via: after("via"), interface: after("dev"), source: after("src") }
    }
}

/// A node's text; nothing if there is no such node, or if it says that there is nothing.
struct Node {
    path: PathBuf,
    text: String,
}

impl Node {
    fn read(path: PathBuf) -> Result<Self, StatusError> {
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Self { path, text }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self { path, text: String::new() }),
            Err(source) => Err(StatusError::Read { path, source }),
        }
    }

    fn is_empty(&self) -> bool {
        self.lines().next().is_none()
    }

    /// The lines that say something.
    fn lines(&self) -> impl Iterator<Item = &str> {
        const NOTHING: [&str; 3] = ["", "Not configured", "Device not found"];
        self.text.lines().map(str::trim).filter(|line| !NOTHING.contains(line))
    }

    fn value(&self) -> Option<String> {
        self.lines().next().map(str::to_owned)
    }

    fn number(&self) -> Result<Option<u64>, StatusError> {
        self.lines().next().map(|text| self.parse(text)).transpose()
    }

    /// The value of the line `name value`.
    fn field(&self, name: &str) -> Option<String> {
        self.fields().find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
    }

    fn number_field(&self, name: &str) -> Result<Option<u64>, StatusError> {
        self.field(name).map(|text| self.parse(&text)).transpose()
    }

    fn counters(&self) -> Result<BTreeMap<String, u64>, StatusError> {
        self.fields().map(|(name, count)| Ok((name.to_owned(), self.parse(count)?))).collect()
    }

    fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.lines().map(|line| line.split_once(' ').unwrap_or((line, "")))
    }

    fn parse<T: FromStr>(&self, text: &str) -> Result<T, StatusError> {
        text.parse().map_err(|_| StatusError::NoNumber { path: self.path.clone(), text: text.to_owned() })
    }
}

fn list(directory: &Path) -> Result<Vec<String>, StatusError> {
    let list = || -> io::Result<Vec<String>> {
        fs::read_dir(directory)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
    };
    let mut names = list().map_err(|source| StatusError::NoScheme { path: directory.to_owned(), source })?;
    names.sort();
    Ok(names)
}

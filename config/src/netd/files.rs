//! Where the configuration comes from: `netd.toml`, or the files that Redox had before it.

use std::fs::File;
use std::io::{self, Read};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use ipnet::{IpNet, Ipv4Net};

use super::check;
use super::{Address, Config, FileError, Interface, Match, Route};
use crate::document::{self, Content, Place, Schema};

/// Where Redox keeps its network settings.
pub const DIRECTORY: &str = "/etc/net";
/// The file's name in it.
pub const FILE: &str = "netd.toml";

/// The longest file that is read, in bytes: far more than anybody writes.
const LONGEST: u64 = 1 << 20;

const SCHEMA: Schema = &[
    ("dns", Content::Value),
    ("search", Content::Value),
    (
        "interface",
        Content::Tables(&[
            (
                "match",
                Content::Tables(&[
                    ("name", Content::Value),
                    ("mac", Content::Value),
                    ("driver", Content::Value),
                ]),
            ),
            ("name", Content::Value),
            ("up", Content::Value),
            ("dhcp", Content::Value),
            ("keep_lease", Content::Value),
            ("addresses", Content::Value),
            (
                "routes",
                Content::Tables(&[
                    ("to", Content::Value),
                    ("via", Content::Value),
                    ("metric", Content::Value),
                ]),
            ),
            ("dns", Content::Value),
            ("mtu", Content::Value),
            ("mac", Content::Value),
            ("vlan", Content::Value),
            ("filter", Content::Tables(&[("promisc", Content::Value), ("allmulti", Content::Value)])),
            ("features", Content::Value),
            ("coalesce", Content::Value),
            ("rings", Content::Value),
            ("media", Content::Value),
            ("wake", Content::Value),
            ("metric", Content::Value),
        ]),
    ),
];

/// The configuration in `text`, whose errors are reported as those of the file `path`.
pub fn parse(path: &Path, text: &str) -> Result<Config, FileError> {
    let config = document::parse(path, text, SCHEMA)?;
    match check::first_problem(&config) {
        None => Ok(config),
        Some(problem) => {
            let table = problem.interface.map(|table| [Place::Key("interface"), Place::Item(table)]);
            let mut place = table.map_or_else(Vec::new, Vec::from);
            place.push(Place::Key(problem.key));
            place.extend(problem.item.map(Place::Item));
            Err(document::invalid_at(path, text, &place, problem.reason))
        }
    }
}

/// What a directory's files say.
#[derive(Debug)]
pub struct Loaded {
    /// To be used in any case.
    pub config: Config,
    /// The files that it is made of; none if there are none.
    pub sources: Vec<PathBuf>,
    /// What is wrong with files that were therefore left out.
    pub errors: Vec<FileError>,
}

/// Reads the files in `directory` ([`DIRECTORY`]): [`FILE`], or where that is missing or wrong, the old files
/// `ip`, `ip_subnet`, `ip_router` and `dns`, as far as they are there and make sense.
pub fn load(directory: &Path) -> Loaded {
    let path = directory.join(FILE);
    match read(&path).and_then(|text| text.map(|text| parse(&path, &text)).transpose()) {
        Ok(Some(config)) => Loaded { config, sources: vec![path], errors: Vec::new() },
        Ok(None) => load_old(directory, Vec::new()),
        Err(error) => load_old(directory, vec![error]),
    }
}

/// The files of one value each that Redox had first. They speak of one NIC. Without an address all is left to
/// DHCP, `dns` too: netd writes there what a lease says.
fn load_old(directory: &Path, errors: Vec<FileError>) -> Loaded {
    let mut files = OldFiles { directory, sources: Vec::new(), errors };
    let config = files.address().map(|address| files.config(address)).unwrap_or_default();
    Loaded { config, sources: files.sources, errors: files.errors }
}

struct OldFiles<'a> {
    directory: &'a Path,
    sources: Vec<PathBuf>,
    errors: Vec<FileError>,
}

impl OldFiles<'_> {
    /// `ip` with the mask of `ip_subnet`, or that of most networks.
    fn address(&mut self) -> Option<Address> {
        let address: Ipv4Addr = self.value("ip", "an IPv4 address such as 10.0.2.15")?;
        let mask = self.value("ip_subnet", "a netmask such as 255.255.255.0");
        let mask = mask.unwrap_or(Ipv4Addr::new(255, 255, 255, 0));
        let own = Ipv4Net::with_netmask(address, mask).ok().and_then(|net| net.to_string().parse().ok());
        if own.is_none() {
            self.refuse("ip", format!("no host has the address {address} with the mask {mask}"));
        }
        own
    }

    fn config(&mut self, address: Address) -> Config {
        const HOST: &str = "the IPv4 address of a host";
        let mut interface = Interface::new(Match::by_name("eth0"));
        interface.addresses = vec![address];
        let default = |via| Route { to: IpNet::V4(Ipv4Net::default()), via: Some(via), metric: None };
        interface.routes.extend(self.value("ip_router", HOST).map(default));
        let dns = self.value("dns", HOST).into_iter().collect();
        Config { dns, search: Vec::new(), interfaces: vec![interface] }
    }

    /// The value of the file `name`, if there is one.
    fn value<T: FromStr>(&mut self, name: &str, expected: &str) -> Option<T> {
        let path = self.directory.join(name);
        let text = match read(&path) {
            Ok(text) => text?,
            Err(error) => {
                self.errors.push(error);
                return None;
            }
        };
        let text = text.trim();
        match text.parse() {
            Ok(value) => {
                self.sources.push(path);
                Some(value)
            }
            Err(_) => {
                self.refuse(name, format!("{text:?} is not {expected}"));
                None
            }
        }
    }

    fn refuse(&mut self, name: &str, reason: String) {
        self.errors.push(FileError::Invalid { path: self.directory.join(name), line: 1, reason });
    }
}

/// The file's text, if there is such a file.
fn read(path: &Path) -> Result<Option<String>, FileError> {
    let read = || -> io::Result<String> {
        let mut text = String::new();
        File::open(path)?.take(LONGEST).read_to_string(&mut text)?;
        Ok(text)
    };
    match read() {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(FileError::Read { path: path.to_owned(), source }),
    }
}

//! `/etc/net/netd.toml`: what the administrator wants of the network.

mod check;
mod files;
mod render;
mod route;
mod setting;
mod values;

use serde::Deserialize;

pub use self::files::{DIRECTORY, FILE, Loaded, load, parse};
pub use self::route::{Route, RouteError};
pub use self::setting::{Panel, Setting, Settings};
pub use self::values::{Address, Destination, Domain, Host, Mac, Metric, Mtu, Name, ValueError, VlanId};
pub use crate::document::FileError;

/// All of the file. An empty one means DHCP on every NIC.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Whom programs ask for names, before those that leases name.
    #[serde(default)]
    pub dns: Vec<Host>,
    /// Where programs look for names without a dot, before the domains that leases name.
    #[serde(default)]
    pub search: Vec<Domain>,
    /// The `[[interface]]` tables; the first that matches an interface is its own.
    #[serde(default, rename = "interface")]
    pub interfaces: Vec<Interface>,
}

/// One `[[interface]]` table: which interfaces it is for, and what they are to be.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Interface {
    /// The interfaces it is for.
    #[serde(rename = "match")]
    pub matches: Match,
    /// What the first NIC that it is for is called, by its MAC or its driver.
    pub name: Option<Name>,
    /// Up or down, administratively.
    #[serde(default = "yes")]
    pub up: bool,
    /// Whether DHCP finds an address. If it is not said: where no IPv4 address is given.
    pub dhcp: Option<bool>,
    /// A lease stays when netd ends, in place of being given back.
    #[serde(default)]
    pub keep_lease: bool,
    /// Addresses with their prefix lengths, of IPv4 and IPv6.
    #[serde(default)]
    pub addresses: Vec<Address>,
    /// Routes by this interface.
    #[serde(default)]
    pub routes: Vec<Route>,
    /// Whom programs ask for names, before those that leases name and after the file's own.
    #[serde(default)]
    pub dns: Vec<Host>,
    /// The longest IP packet; the driver's own if it is not said.
    pub mtu: Option<Mtu>,
    /// The Ethernet address; the NIC's own if it is not said.
    pub mac: Option<Mac>,
    /// The VLANs on this interface, each of which is the interface `<name>.<id>`.
    #[serde(default)]
    pub vlan: Vec<VlanId>,
    /// What the NIC lets through beside its own address.
    #[serde(default)]
    pub filter: Filter,
    /// The driver's features by their names, to be switched on or off.
    #[serde(default)]
    pub features: Settings,
    /// How the driver gathers interrupts: its settings by their names.
    #[serde(default)]
    pub coalesce: Settings,
    /// The sizes of the device's rings by their names.
    #[serde(default)]
    pub rings: Settings,
    /// How the device comes by its link's speed and duplex, by the settings' names.
    #[serde(default)]
    pub media: Settings,
    /// What the stopped device wakes the machine for, by the settings' names.
    #[serde(default)]
    pub wake: Settings,
    /// The metric of its routes that say none; the smallest is preferred.
    pub metric: Option<Metric>,
}

/// Which interfaces a table is for: those that meet every condition given. In names `*` stands for any text.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(try_from = "Conditions")]
pub struct Match {
    /// The interface's name.
    pub name: Option<String>,
    /// The NIC's own address.
    pub mac: Option<Mac>,
    /// The driver's scheme, `network.pci-0000-00-03.0_e1000` for instance.
    pub driver: Option<String>,
}

/// What a NIC lets through beside its own address.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// Everything.
    #[serde(default)]
    pub promisc: bool,
    /// Every multicast.
    #[serde(default)]
    pub allmulti: bool,
}

/// What an interface is matched by.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its NIC's own address, if that is known.
    pub mac: Option<Mac>,
    /// Its driver's scheme, if there is a driver.
    pub driver: Option<&'a str>,
}

impl Config {
    /// The table that is for `candidate`.
    pub fn find(&self, candidate: &Candidate<'_>) -> Option<&Interface> {
        self.interfaces.iter().find(|interface| interface.matches.is_met_by(candidate))
    }

    /// What `candidate` is to be called, if a table that is for it says so.
    pub fn name_of(&self, candidate: &Candidate<'_>) -> Option<&Name> {
        let fitting = self.interfaces.iter().filter(|interface| interface.matches.is_met_by(candidate));
        fitting.filter_map(|interface| interface.name.as_ref()).next()
    }

    /// The names that tables give.
    pub fn names(&self) -> impl Iterator<Item = &Name> {
        self.interfaces.iter().filter_map(|interface| interface.name.as_ref())
    }
}

impl Interface {
    /// What an interface is that no table is for: up, with DHCP.
    pub fn new(matches: Match) -> Self {
        Self {
            matches,
            name: None,
            up: true,
            dhcp: None,
            keep_lease: false,
            addresses: Vec::new(),
            routes: Vec::new(),
            dns: Vec::new(),
            mtu: None,
            mac: None,
            vlan: Vec::new(),
            filter: Filter::default(),
            features: Settings::new(),
            coalesce: Settings::new(),
            rings: Settings::new(),
            media: Settings::new(),
            wake: Settings::new(),
            metric: None,
        }
    }

    /// What a file of the driver is to be told.
    pub fn settings(&self, panel: Panel) -> &Settings {
        match panel {
            Panel::Features => &self.features,
            Panel::Coalesce => &self.coalesce,
            Panel::Rings => &self.rings,
            Panel::Media => &self.media,
            Panel::Wake => &self.wake,
        }
    }

    /// What a file of the driver is to be told, to be changed.
    pub fn settings_mut(&mut self, panel: Panel) -> &mut Settings {
        match panel {
            Panel::Features => &mut self.features,
            Panel::Coalesce => &mut self.coalesce,
            Panel::Rings => &mut self.rings,
            Panel::Media => &mut self.media,
            Panel::Wake => &mut self.wake,
        }
    }

    /// Whether DHCP is to find an address.
    pub fn uses_dhcp(&self) -> bool {
        self.dhcp.unwrap_or_else(|| !self.addresses.iter().any(|address| address.0.addr().is_ipv4()))
    }
}

impl Match {
    /// The interface of this name alone.
    pub fn by_name(name: &str) -> Self {
        Self { name: Some(name.to_owned()), ..Self::default() }
    }

    /// Whether `candidate` meets every condition.
    pub fn is_met_by(&self, candidate: &Candidate<'_>) -> bool {
        let Self { name, mac, driver } = self;
        name.as_ref().is_none_or(|pattern| fits(pattern, candidate.name))
            && mac.is_none_or(|mac| candidate.mac == Some(mac))
            && driver
                .as_ref()
                .is_none_or(|pattern| candidate.driver.is_some_and(|driver| fits(pattern, driver)))
    }
}

/// Whether `text` is `pattern`, in which each `*` stands for any text.
fn fits(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split('*');
    let Some(mut rest) = pieces.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let Some(last) = pieces.next_back() else { return rest.is_empty() };
    for piece in pieces {
        let Some((_, after)) = rest.split_once(piece) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}

fn yes() -> bool {
    true
}

/// A [`Match`] as it is written, which may say nothing.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Conditions {
    name: Option<String>,
    mac: Option<Mac>,
    driver: Option<String>,
}

impl TryFrom<Conditions> for Match {
    type Error = &'static str;

    fn try_from(conditions: Conditions) -> Result<Self, Self::Error> {
        let Conditions { name, mac, driver } = conditions;
        match name.is_some() || mac.is_some() || driver.is_some() {
            true => Ok(Self { name, mac, driver }),
            false => {
                Err("`match` says nothing: give it a `name`, a `mac` or a `driver`; name = \"*\" is for all")
            }
        }
    }
}

#[cfg(test)]
mod tests;

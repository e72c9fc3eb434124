//! The values of the file: what each may be, and what is said of one that it may not be.

use std::fmt;
use std::marker::PhantomData;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::str::FromStr;

use ipnet::IpNet;
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer};

/// What was found is not what is expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{found} is not {expected}")]
pub struct ValueError {
    found: String,
    expected: &'static str,
}

impl ValueError {
    fn new<T: Expected>(found: impl fmt::Display) -> Self {
        Self { found: found.to_string(), expected: T::EXPECTED }
    }
}

/// A value that can be told what it should have been.
trait Expected: FromStr<Err = ValueError> {
    /// Follows `is not`.
    const EXPECTED: &str;
}

/// An address of an interface, with its prefix length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(pub IpNet);

impl Expected for Address {
    const EXPECTED: &str = "an address of a host with its prefix length, such as 10.0.0.2/24 or fd00::2/64";
}

impl FromStr for Address {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let address = text.parse().ok().filter(is_address_of_host);
        address.map(Self).ok_or_else(|| ValueError::new::<Self>(text))
    }
}

/// Neither a network's first nor its last address, where there are others (RFC 3021).
fn is_address_of_host(net: &IpNet) -> bool {
    let is_reserved = match net {
        IpNet::V4(net) => {
            net.prefix_len() < 31 && (net.addr() == net.network() || net.addr() == net.broadcast())
        }
        IpNet::V6(_) => false,
    };
    net.prefix_len() > 0 && is_host(net.addr()) && !is_reserved
}

fn is_host(address: IpAddr) -> bool {
    let is_broadcast = matches!(address, IpAddr::V4(address) if address.is_broadcast());
    !(address.is_unspecified() || address.is_multicast() || address.is_loopback() || is_broadcast)
}

/// The address of a router, or of a name server, which may be this host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Host(pub IpAddr);

impl Host {
    /// Whether it names something else on each link.
    pub fn is_link_local(self) -> bool {
        matches!(self.0, IpAddr::V6(address) if address.is_unicast_link_local())
    }
}

impl Expected for Host {
    const EXPECTED: &str = "the address of a host, such as 10.0.0.1 or fd00::1";
}

impl FromStr for Host {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let address = text.parse().ok().filter(|address: &IpAddr| address.is_loopback() || is_host(*address));
        address.map(Self).ok_or_else(|| ValueError::new::<Self>(text))
    }
}

/// A domain in which names without a dot are looked for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Domain(String);

impl Expected for Domain {
    const EXPECTED: &str = "a domain, such as home.arpa";
}

impl FromStr for Domain {
    type Err = ValueError;

    /// Reads labels of letters, digits, hyphens and underscores between dots (RFC 1035 section 2.3.4).
    fn from_str(text: &str) -> Result<Self, ValueError> {
        let name = text.strip_suffix('.').unwrap_or(text);
        let is_fine = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        let is_label = |label: &str| (1..=63).contains(&label.len()) && label.bytes().all(is_fine);
        match name.len() <= 253 && name.split('.').all(is_label) {
            true => Ok(Self(name.to_owned())),
            false => Err(ValueError::new::<Self>(text)),
        }
    }
}

/// Where a route leads: `default`, or a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination {
    /// Wherever no other route leads.
    Default,
    /// A network.
    Network(IpNet),
}

impl Expected for Destination {
    const EXPECTED: &str = "a destination: `default`, or a network such as 10.1.0.0/16 or fd01::/48";
}

impl FromStr for Destination {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        match text {
            "default" => Ok(Self::Default),
            _ => text
                .parse()
                .map(|net: IpNet| Self::Network(net.trunc()))
                .map_err(|_| ValueError::new::<Self>(text)),
        }
    }
}

/// An Ethernet address of one station.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mac(pub [u8; 6]);

impl Expected for Mac {
    const EXPECTED: &str = "an Ethernet address of one station, such as 52:54:00:12:34:56";
}

impl FromStr for Mac {
    type Err = ValueError;

    /// Reads octets between colons, or between hyphens as Redox writes them.
    fn from_str(text: &str) -> Result<Self, ValueError> {
        octets(text)
            .filter(|octets| octets[0] & 1 == 0 && *octets != [0; 6])
            .map(Self)
            .ok_or_else(|| ValueError::new::<Self>(text))
    }
}

fn octets(text: &str) -> Option<[u8; 6]> {
    let separator = if text.contains('-') { '-' } else { ':' };
    let octet = |part: &str| {
        let is_octet = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_octet.then(|| u8::from_str_radix(part, 16).ok()).flatten()
    };
    let octets = text.split(separator).map(octet).collect::<Option<Vec<u8>>>()?;
    octets.try_into().ok()
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

/// The longest IP packet of a link, in bytes: from what every host takes (RFC 1122 section 3.3.3) to what a
/// frame buffer holds beside its headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mtu(u16);

impl Mtu {
    /// What it may be.
    pub const RANGE: RangeInclusive<u16> = 576..=16_366;

    /// In bytes.
    pub fn get(self) -> u16 {
        self.0
    }
}

impl Expected for Mtu {
    const EXPECTED: &str = "an MTU: a number of bytes from 576 to 16366";
}

impl FromStr for Mtu {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        number::<Self, _>(text, Self::RANGE).map(Self)
    }
}

/// A VLAN's number (IEEE 802.1Q).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct VlanId(u16);

impl VlanId {
    /// What it may be; 0 and 4095 have meanings of their own.
    pub const RANGE: RangeInclusive<u16> = 1..=4094;

    /// The number.
    pub fn get(self) -> u16 {
        self.0
    }
}

impl Expected for VlanId {
    const EXPECTED: &str = "a VLAN: a number from 1 to 4094";
}

impl FromStr for VlanId {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        number::<Self, _>(text, Self::RANGE).map(Self)
    }
}

/// What an interface is called.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name(String);

impl Name {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Expected for Name {
    const EXPECTED: &str = "a name of a NIC, such as wan: up to 15 letters, digits, - and _, and not lo";
}

impl FromStr for Name {
    type Err = ValueError;

    /// Reads as much as Linux' names have (`IFNAMSIZ`), without the dot that a VLAN's has, and the star that stands for any.
    fn from_str(text: &str) -> Result<Self, ValueError> {
        let is_fine = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        match (1..=15).contains(&text.len()) && text.bytes().all(is_fine) && text != "lo" {
            true => Ok(Self(text.to_owned())),
            false => Err(ValueError::new::<Self>(text)),
        }
    }
}

/// How dear a route is; the smallest of several to the same destination is preferred.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Metric(pub u32);

impl Expected for Metric {
    const EXPECTED: &str = "a metric: a number from 0 to 4294967295";
}

impl FromStr for Metric {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        number::<Self, _>(text, 0..=u32::MAX).map(Self)
    }
}

fn number<T: Expected, N: FromStr + PartialOrd>(
    text: &str,
    range: RangeInclusive<N>,
) -> Result<N, ValueError> {
    text.parse().ok().filter(|number| range.contains(number)).ok_or_else(|| ValueError::new::<T>(text))
}

/// Reads a value where it stands, so that an error knows its line.
struct Reader<T>(PhantomData<T>);

impl<T: Expected> Visitor<'_> for Reader<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<T, E> {
        number.to_string().parse().map_err(E::custom)
    }
}

macro_rules! deserialize {
    ($($value:ty),*) => {$(
        impl<'de> Deserialize<'de> for $value {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(Reader(PhantomData))
            }
        }
    )*};
}

deserialize!(Address, Host, Domain, Destination, Mac, Mtu, Name, VlanId, Metric);

/// Values that are shown, and written to the file, as what they hold.
macro_rules! display {
    ($($value:ty),*) => {$(
        impl fmt::Display for $value {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

display!(Address, Host, Domain, Mtu, Name, VlanId, Metric);

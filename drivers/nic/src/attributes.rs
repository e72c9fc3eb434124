//! The text of attribute nodes, and what is written to them.

use scheme::errno::{EINVAL, EOPNOTSUPP};

use crate::driver::{Filter, Link, NicInfo, Settings};
use crate::facilities::Facilities;
use crate::features::Features;
use crate::mac::MacAddress;
use crate::node::Node;
use crate::port::Port;

/// Why a text was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Not UTF-8.
    #[error("it is not text")]
    NotText,
    /// Not a number.
    #[error("{0:?} is not a number")]
    NotANumber(String),
    /// Not an address that a station can have.
    #[error("{0:?} is no address of one station, and not `own` either")]
    NotAStation(String),
    /// A number that the device cannot do.
    #[error("the device can do {least} to {most}")]
    OutOfRange {
        /// The least.
        least: usize,
        /// The most.
        most: usize,
    },
    /// A line that the node does not know.
    #[error("{line:?} is none of {known}")]
    UnknownLine {
        /// The line.
        line: String,
        /// Those that it knows.
        known: &'static str,
    },
    /// Not a feature's name and state.
    #[error("{0:?} is not `NAME on|off`")]
    NotAFeature(String),
    /// A feature that the device does not have.
    #[error("the device has no {0:?}")]
    NotOffered(String),
    /// A number that is no multiple of what it must be.
    #[error("{size} is no multiple of {step}")]
    NotAMultiple {
        /// The number.
        size: u16,
        /// What it must be a multiple of.
        step: u16,
    },
    /// A number that must be a power of two.
    #[error("{0} is no power of two")]
    NotAPowerOfTwo(u16),
    /// Not a multicast address.
    #[error("{0:?} is not a multicast address")]
    NotMulticast(String),
    /// Too many multicast addresses.
    #[error("more than {MULTICAST_LIMIT} multicast addresses; `allmulti on` receives all")]
    TooManyGroups,
    /// Not a VLAN's number.
    #[error("{0:?} is no number of a VLAN: those are 1 to {LAST_VLAN}")]
    NotAVlan(String),
    /// Nothing that this device has.
    #[error("the device cannot do that")]
    Unsupported,
}

impl Refused {
    /// What the writer is told.
    pub fn errno(&self) -> i32 {
        match self {
            Self::Unsupported | Self::NotOffered(_) => EOPNOTSUPP,
            _ => EINVAL,
        }
    }
}

/// The lines of the `filter` node.
const FILTER_LINES: &str = "`promisc on|off`, `allmulti on|off`, `+multicast ADDRESS`, `-multicast ADDRESS`, \
                            `+vlan NUMBER`, `-vlan NUMBER`";

/// The last of VLANs; 0 is none, and the number after this one is reserved (IEEE 802.1Q, table 9-2).
const LAST_VLAN: u16 = 4094;

/// Most groups in a filter, so that requests cannot fill the memory.
pub const MULTICAST_LIMIT: usize = 1024;

/// The `link` node.
pub fn link(link: Link) -> String {
    match link {
        Link::Down => "state down\n".to_owned(),
        Link::Up { speed, full_duplex } => {
            let speed = speed.map(|speed| format!("speed {speed}\n")).unwrap_or_default();
            format!("state up\n{speed}duplex {}\n", if full_duplex { "full" } else { "half" })
        }
    }
}

/// The `mtu_limits` node.
pub fn mtu_limits(info: &NicInfo) -> String {
    format!("min {}\nmax {}\n", info.mtu.start(), info.mtu.end())
}

/// The `features` node.
pub fn features(info: &NicInfo, on: Features) -> String {
    let offered = info.features.names();
    let features = offered.map(|(feature, name)| format!("{name} {}\n", on_off(on.contains(feature))));
    features.chain(facilities(&info.facilities)).collect()
}

/// The nodes that not every device has something for.
fn facilities(facilities: &Facilities) -> impl Iterator<Item = String> {
    Node::all().filter_map(|node| {
        let word = if facilities.supports(node)? { "on" } else { "unsupported" };
        Some(format!("{} {word}\n", node.name()))
    })
}

/// The `power` node, by the names of PCI's power states.
pub fn power(is_down: bool) -> &'static str {
    if is_down { "state D3hot\n" } else { "state D0\n" }
}

/// The `registers` node.
pub fn registers(registers: &[(&'static str, u32)]) -> String {
    registers.iter().map(|(name, value)| format!("{name} {value:#010x}\n")).collect()
}

/// The `filter` node.
pub fn filter(filter: &Filter) -> String {
    let mut text =
        format!("promisc {}\nallmulti {}\n", on_off(filter.promiscuous), on_off(filter.all_multicast));
    for group in &filter.multicast {
        text += &format!("multicast {group}\n");
    }
    for vlan in &filter.vlans {
        text += &format!("vlan {vlan}\n");
    }
    text
}

/// The settings of `port` with what was written to `node`.
pub fn changed(port: &Port, node: Node, written: &[u8]) -> Result<Settings, Refused> {
    let Port { settings, info, .. } = port;
    match node {
        Node::Address => with_address(settings, info, written),
        Node::Mtu => with_mtu(settings, info, written),
        Node::Filter => with_filter(settings, written),
        Node::Features => with_features(settings, info, written),
        Node::Coalesce => {
            let coalesce = info.facilities.moderation.changed(&settings.coalesce, written)?;
            Ok(Settings { coalesce, ..settings.clone() })
        }
        Node::Rings => {
            let limits = info.facilities.rings.ok_or(Refused::Unsupported)?;
            Ok(Settings { rings: limits.changed(settings.rings, written)?, ..settings.clone() })
        }
        Node::Media => {
            let limits = info.facilities.media.ok_or(Refused::Unsupported)?;
            Ok(Settings { media: limits.changed(settings.media, written)?, ..settings.clone() })
        }
        Node::Wake if info.facilities.wake => {
            Ok(Settings { wake: settings.wake.changed(written)?, ..settings.clone() })
        }
        Node::Rss => {
            let (limits, rss) = info.facilities.rss.zip(settings.rss.as_ref()).ok_or(Refused::Unsupported)?;
            Ok(Settings { rss: Some(limits.changed(rss, written)?), ..settings.clone() })
        }
        _ => Err(Refused::Unsupported),
    }
}

/// `settings` with the address that was written to the `address` node; `own` is the device's own.
pub fn with_address(settings: &Settings, info: &NicInfo, written: &[u8]) -> Result<Settings, Refused> {
    let text = text(written)?.trim();
    let mac = match text {
        "own" => Some(info.mac),
        text => text.parse().ok().filter(|address: &MacAddress| address.is_station()),
    };
    let mac = mac.ok_or_else(|| Refused::NotAStation(text.to_owned()))?;
    Ok(Settings { mac, ..settings.clone() })
}

/// `settings` with the MTU that was written to the `mtu` node.
pub fn with_mtu(settings: &Settings, info: &NicInfo, written: &[u8]) -> Result<Settings, Refused> {
    let text = text(written)?.trim();
    let mtu = text.parse().map_err(|_| Refused::NotANumber(text.to_owned()))?;
    if !info.mtu.contains(&mtu) {
        return Err(Refused::OutOfRange { least: *info.mtu.start(), most: *info.mtu.end() });
    }
    Ok(Settings { mtu, ..settings.clone() })
}

/// `settings` with the changes that were written to the `filter` node: all of them, or an error.
pub fn with_filter(settings: &Settings, written: &[u8]) -> Result<Settings, Refused> {
    let mut changed = settings.clone();
    for line in text(written)?.lines().map(str::trim).filter(|line| !line.is_empty()) {
        apply_filter_line(&mut changed.filter, line)?;
    }
    Ok(changed)
}

/// `settings` with the changes that were written to the `features` node: all of them, or an error.
pub fn with_features(settings: &Settings, info: &NicInfo, written: &[u8]) -> Result<Settings, Refused> {
    let mut changed = settings.clone();
    for line in text(written)?.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let named = line.split_once(' ').and_then(|(name, value)| Some((name, parse_on_off(value)?)));
        let (name, on) = named.ok_or_else(|| Refused::NotAFeature(line.to_owned()))?;
        let offered = Features::named(name).filter(|feature| info.features.contains(*feature));
        let feature = offered.ok_or_else(|| Refused::NotOffered(name.to_owned()))?;
        changed.features.set(feature, on);
    }
    Ok(changed)
}

fn apply_filter_line(filter: &mut Filter, line: &str) -> Result<(), Refused> {
    let unknown = || Refused::UnknownLine { line: line.to_owned(), known: FILTER_LINES };
    let (name, value) = line.split_once(' ').ok_or_else(unknown)?;
    match name {
        "promisc" => filter.promiscuous = parse_on_off(value).ok_or_else(unknown)?,
        "allmulti" => filter.all_multicast = parse_on_off(value).ok_or_else(unknown)?,
        "+multicast" => {
            filter.multicast.insert(parse_group(value)?);
            if filter.multicast.len() > MULTICAST_LIMIT {
                return Err(Refused::TooManyGroups);
            }
        }
        "-multicast" => {
            filter.multicast.remove(&parse_group(value)?);
        }
        "+vlan" => {
            filter.vlans.insert(parse_vlan(value)?);
        }
        "-vlan" => {
            filter.vlans.remove(&parse_vlan(value)?);
        }
        _ => return Err(unknown()),
    }
    Ok(())
}

fn parse_group(text: &str) -> Result<MacAddress, Refused> {
    let group = text.parse().ok().filter(|address: &MacAddress| address.is_multicast());
    group.ok_or_else(|| Refused::NotMulticast(text.to_owned()))
}

fn parse_vlan(text: &str) -> Result<u16, Refused> {
    let vlan = text.parse().ok().filter(|vlan| (1..=LAST_VLAN).contains(vlan));
    vlan.ok_or_else(|| Refused::NotAVlan(text.to_owned()))
}

pub(crate) fn parse_on_off(text: &str) -> Option<bool> {
    match text {
        "on" => Some(true),
        "off" => Some(false),
        _ => None,
    }
}

pub(crate) fn on_off(enabled: bool) -> &'static str {
    if enabled { "on" } else { "off" }
}

/// What was written, as text.
pub(crate) fn text(written: &[u8]) -> Result<&str, Refused> {
    std::str::from_utf8(written).map_err(|_| Refused::NotText)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coalesce::{Coalesce, Moderation};
    use crate::media::Media;
    use crate::offloads::OffloadLimits;
    use crate::rings::Rings;

    const INFO: NicInfo = NicInfo {
        model: "test",
        mac: MacAddress([2, 0, 0, 0, 0, 1]),
        mtu: 68..=9000,
        features: Features::RX_CHECKSUM,
        facilities: Facilities {
            moderation: Moderation::None,
            rings: None,
            queues: 0,
            media: None,
            rss: None,
            self_test: true,
            eeprom: true,
            identify: false,
            wake: false,
            power: true,
            offloads: OffloadLimits { longest: None, segments: None, leaves_cwr: false },
        },
    };

    fn settings() -> Settings {
        Settings {
            mac: INFO.mac,
            mtu: 1500,
            filter: Filter::default(),
            features: INFO.features,
            coalesce: Coalesce::default(),
            rings: Rings::default(),
            media: Media::default(),
            rss: None,
            wake: Default::default(),
        }
    }

    #[test]
    fn an_mtu_is_a_number_in_range() {
        assert_eq!(with_mtu(&settings(), &INFO, b"9000\n").map(|changed| changed.mtu), Ok(9000));
        assert_eq!(
            with_mtu(&settings(), &INFO, b"70000\n"),
            Err(Refused::OutOfRange { least: 68, most: 9000 })
        );
        assert_eq!(with_mtu(&settings(), &INFO, b"abc\n"), Err(Refused::NotANumber("abc".to_owned())));
        assert_eq!(with_mtu(&settings(), &INFO, b"\xff"), Err(Refused::NotText));
    }

    #[test]
    fn an_address_is_one_station_s_or_the_device_s_own() {
        let changed = |text: &str| with_address(&settings(), &INFO, text.as_bytes());
        let other = changed("02:00:00:00:00:02\n").unwrap();
        assert_eq!(other.mac, MacAddress([2, 0, 0, 0, 0, 2]));
        assert_eq!(with_address(&other, &INFO, b"own").map(|back| back.mac), Ok(INFO.mac));
        for wrong in ["00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:01", "eth0", ""] {
            assert_eq!(changed(wrong), Err(Refused::NotAStation(wrong.to_owned())));
        }
    }

    #[test]
    fn filter_lines_add_up_and_read_back() {
        let changed = with_filter(&settings(), b"promisc on\n+multicast 01:00:5e:00:00:01\n+multicast 33:33:00:00:00:01\n-multicast 01:00:5e:00:00:01\n");
        let text = changed.map(|changed| filter(&changed.filter));
        assert_eq!(text.as_deref(), Ok("promisc on\nallmulti off\nmulticast 33:33:00:00:00:01\n"));
    }

    #[test]
    fn vlans_are_listed_by_their_numbers() {
        let changed =
            with_filter(&settings(), b"+vlan 10\n+vlan 4094\n+vlan 1\n-vlan 10\n-vlan 11\n").unwrap();
        assert_eq!(filter(&changed.filter), "promisc off\nallmulti off\nvlan 1\nvlan 4094\n");
        for wrong in ["0", "4095", "-1", "ten"] {
            let refused = Refused::NotAVlan(wrong.to_owned());
            assert_eq!(with_filter(&settings(), format!("+vlan {wrong}").as_bytes()), Err(refused));
        }
    }

    #[test]
    fn one_bad_filter_line_refuses_them_all() {
        for line in ["promisc", "promisc maybe", "multicast 01:00:5e:00:00:01", "rx on"] {
            let written = format!("allmulti on\n{line}\n");
            assert_eq!(
                with_filter(&settings(), written.as_bytes()),
                Err(Refused::UnknownLine { line: line.to_owned(), known: FILTER_LINES })
            );
        }
        assert_eq!(
            with_filter(&settings(), b"+multicast 02:00:00:00:00:01"),
            Err(Refused::NotMulticast("02:00:00:00:00:01".to_owned()))
        );
    }

    #[test]
    fn features_that_the_device_has_are_switched_and_read_back() {
        let changed = |text: &str| with_features(&settings(), &INFO, text.as_bytes());
        let off = changed("rx-checksum off\n").unwrap();
        let facilities = "media unsupported\ncoalesce unsupported\nrings unsupported\nrss unsupported\nselftest on\neeprom on\n\
                          identify unsupported\nwake unsupported\npower on\n";
        assert_eq!(features(&INFO, off.features), format!("rx-checksum off\n{facilities}"));
        let on = with_features(&off, &INFO, b"rx-checksum on").unwrap();
        assert_eq!(features(&INFO, on.features), format!("rx-checksum on\n{facilities}"));
        for name in ["tx-checksum-ip-generic", "warp"] {
            let refused = Refused::NotOffered(name.to_owned());
            assert_eq!(changed(&format!("rx-checksum off\n{name} on")), Err(refused));
        }
        for line in ["rx-checksum", "rx-checksum maybe"] {
            assert_eq!(changed(line), Err(Refused::NotAFeature(line.to_owned())));
        }
    }

    #[test]
    fn attributes_read_as_lines() {
        assert_eq!(
            link(Link::Up { speed: Some(1000), full_duplex: true }),
            "state up\nspeed 1000\nduplex full\n"
        );
        assert_eq!(link(Link::Up { speed: None, full_duplex: false }), "state up\nduplex half\n");
        assert_eq!(link(Link::Down), "state down\n");
        assert_eq!(mtu_limits(&INFO), "min 68\nmax 9000\n");
        assert_eq!(registers(&[("STATUS", 0x80080783)]), "STATUS 0x80080783\n");
    }
}

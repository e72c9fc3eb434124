//! One driver's files: what they say is checked before anybody uses it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::ops::RangeInclusive;
use std::path::Path;

use config::netd::Panel;
use scheme::client::{self, OpenOptions};
use scheme::vnet::Form;
use smoltcp::wire::EthernetAddress;

use super::stream::Pipes;
use crate::stack::hardware::{MTU, Wanted};
use crate::stack::interface::ETHERNET_MTU;

/// The longest attribute.
const ATTRIBUTE: u64 = 4096;
/// Frames go both ways, and nobody waits inside the driver for them.
const FOR_FRAMES: OpenOptions = OpenOptions { read: true, write: true, nonblocking: true };

/// The pipes of drivers that hand some out: those for frames with headers, or else for plain ones.
pub fn open_pipes(directory: &Path) -> Result<Option<Pipes>, String> {
    match open_pair(directory, Form::Vnet, ["vnet_receive", "vnet_transmit"])? {
        None => open_pair(directory, Form::Plain, ["receive", "transmit"]),
        pipes => Ok(pipes),
    }
}

fn open_pair(directory: &Path, form: Form, [receive, transmit]: [&str; 2]) -> Result<Option<Pipes>, String> {
    let open = |name: &str, options: OpenOptions| {
        let path = directory.join(name);
        match client::open_path(&path, OpenOptions { nonblocking: true, ..options }) {
            Ok(file) => Ok(Some(file)),
            Err(error) if is_absence(&error) => Ok(None),
            Err(error) => Err(unopened(&path, &error)),
        }
    };
    let Some(receive) = open(receive, OpenOptions { read: true, ..OpenOptions::default() })? else {
        return Ok(None);
    };
    let transmit = open(transmit, OpenOptions { write: true, ..OpenOptions::default() })?;
    Ok(transmit.map(|transmit| Pipes { receive, transmit, form }))
}

/// `vnet` of our drivers, or else `frame`, and the scheme's root of stock ones.
pub fn open_frames(directory: &Path) -> Result<(File, Form), String> {
    for (node, form) in [("vnet", Form::Vnet), ("frame", Form::Plain)] {
        let path = directory.join(node);
        match client::open_path(&path, FOR_FRAMES) {
            Err(error) if is_absence(&error) => (),
            result => return result.map(|file| (file, form)).map_err(|error| unopened(&path, &error)),
        }
    }
    let root = client::open_path(directory, FOR_FRAMES).map_err(|error| unopened(directory, &error))?;
    Ok((root, Form::Plain))
}

fn unopened(path: &Path, error: &io::Error) -> String {
    format!("cannot open {}: {error}", path.display())
}

/// The NIC's address.
pub fn read_address(path: &Path) -> Result<EthernetAddress, String> {
    let mut bytes = [0; 6];
    File::open(path)
        .and_then(|mut file| file.read_exact(&mut bytes))
        .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let address = EthernetAddress(bytes);
    match address.is_unicast() && bytes != [0; 6] {
        true => Ok(address),
        false => Err(format!("{} says {address}, which no NIC can have", path.display())),
    }
}

/// A driver without the node has a plain Ethernet link.
pub fn read_mtu(path: &Path) -> Result<usize, String> {
    let Some(text) = read_text(path)? else { return Ok(ETHERNET_MTU) };
    let mtu = text.trim().parse().ok().filter(|mtu| MTU.contains(mtu));
    mtu.ok_or_else(|| format!("{} says {:?}, which no link can have", path.display(), text.trim()))
}

/// The MTUs that the driver can be set to. One that does not say keeps the one it has, of which less is used.
pub fn read_mtu_limits(path: &Path, mtu: usize) -> Result<RangeInclusive<usize>, String> {
    let Some(text) = read_text(path)? else { return Ok(*MTU.start()..=mtu) };
    let limit =
        |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<usize>().ok());
    let limits = limit("min ").zip(limit("max "));
    let (least, most) =
        limits.ok_or_else(|| format!("{} says {text:?}, which are no limits", path.display()))?;
    Ok(least.max(*MTU.start())..=most.min(*MTU.end()))
}

/// What a driver is to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Orders {
    /// As the administrator says.
    pub wanted: Wanted,
    /// The multicast frames that it is to let through.
    pub groups: BTreeSet<EthernetAddress>,
    /// The VLANs whose frames it is to let through.
    pub vlans: BTreeSet<u16>,
}

/// What a driver came with.
#[derive(Clone, Debug)]
pub struct Own {
    /// The longest IP packet, in bytes.
    pub mtu: usize,
    /// The texts of its settings.
    pub texts: BTreeMap<Panel, String>,
}

/// Settings that a driver did not take, and why.
pub type Refused = BTreeMap<(Panel, String), String>;

/// Tells the driver in `directory` what of `orders` is another than it was told `before`; what is not wanted any more
/// becomes what it was when the driver came. What it does not take is logged, and stays as it was.
pub fn tell(directory: &Path, before: &Orders, orders: &Orders, own: &Own) -> Refused {
    let (known, wanted) = (&before.wanted, &orders.wanted);
    if wanted.address != known.address {
        let text =
            wanted.address.map_or_else(|| "own\n".to_owned(), |address| format!("{}\n", plain(&address)));
        write_text(&directory.join("address"), &text);
    }
    if wanted.mtu != known.mtu {
        write_text(&directory.join("mtu"), &format!("{}\n", wanted.mtu.unwrap_or(own.mtu)));
    }
    let plain = |groups: &BTreeSet<EthernetAddress>| groups.iter().map(plain).collect();
    let groups = modes(known, wanted) + &changes("multicast", &plain(&before.groups), &plain(&orders.groups));
    write_filter(&directory.join("filter"), &groups, &changes("vlan", &before.vlans, &orders.vlans));
    tell_settings(directory, known, wanted, own)
}

fn tell_settings(directory: &Path, known: &Wanted, wanted: &Wanted, own: &Own) -> Refused {
    let own = |panel: &Panel, name: &str| own.texts.get(panel).and_then(|text| value_of(text, name));
    let gone = known.settings.keys().filter(|key| !wanted.settings.contains_key(key));
    let gone = gone.filter_map(|key| Some((key, own(&key.0, &key.1)?.to_owned())));
    let set = wanted.settings.iter().filter(|(key, setting)| known.settings.get(key) != Some(*setting));
    let set = set.map(|(key, setting)| (key, setting.to_string()));
    let told = gone.chain(set).map(|(key, value)| (key, write_setting(directory, key.0, &key.1, &value)));
    told.filter_map(|(key, answer)| Some((key.clone(), answer.err()?))).collect()
}

/// The value in the line `name value`.
fn value_of<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let mut fields = text.lines().filter_map(|line| line.trim().split_once(' '));
    fields.find(|(own, _)| *own == name).map(|(_, value)| value)
}

/// The files with settings that a driver has.
pub fn read_panels(directory: &Path) -> Result<BTreeMap<Panel, String>, String> {
    let texts = Panel::ALL.map(|panel| Ok((panel, read_text(&directory.join(panel.name()))?)));
    let texts = texts.into_iter().collect::<Result<Vec<_>, String>>()?;
    Ok(texts.into_iter().filter_map(|(panel, text)| Some((panel, text?))).collect())
}

/// Many drivers' settings are as they are; what is so anyway need not be said.
fn write_setting(directory: &Path, panel: Panel, name: &str, value: &str) -> Result<(), String> {
    let path = directory.join(panel.name());
    if read_text(&path)?.is_some_and(|text| value_of(&text, name) == Some(value)) {
        return Ok(());
    }
    write(&path, &format!("{name} {value}\n")).map_err(|error| {
        let reason = format!("the driver does not take `{name} {value}`: {error}");
        log::warn!("{}: {reason}", path.display());
        reason
    })
}

fn on_off(on: bool) -> &'static str {
    if on { "on" } else { "off" }
}

fn modes(before: &Wanted, wanted: &Wanted) -> String {
    let Wanted { promiscuous, all_multicast, .. } = wanted;
    if (before.promiscuous, before.all_multicast) == (*promiscuous, *all_multicast) {
        return String::new();
    }
    format!("promisc {}\nallmulti {}\n", on_off(*promiscuous), on_off(*all_multicast))
}

/// The lines of a filter that turn what was let through `before` into what is to be.
fn changes<T: Display + Ord>(kind: &str, before: &BTreeSet<T>, wanted: &BTreeSet<T>) -> String {
    let joined = wanted.difference(before).map(|one| format!("+{kind} {one}\n"));
    let left = before.difference(wanted).map(|one| format!("-{kind} {one}\n"));
    joined.chain(left).collect()
}

/// A stock driver has no filter. One that cannot filter so much lets all multicast frames through.
fn write_filter(path: &Path, groups: &str, vlans: &str) {
    if groups.is_empty() && vlans.is_empty() {
        return;
    }
    let written = write(path, &format!("{groups}{vlans}")).or_else(|error| match error.kind() {
        ErrorKind::NotFound => Ok(()),
        _ => write(path, &format!("allmulti on\n{vlans}")),
    });
    if let Err(error) = written {
        log::warn!("cannot write to {}, so frames may be missing: {error}", path.display());
    }
}

fn write_text(path: &Path, text: &str) {
    if let Err(error) = write(path, text) {
        log::warn!("{} does not take {:?}: {error}", path.display(), text.trim());
    }
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    File::options().write(true).open(path)?.write_all(text.as_bytes())
}

/// Whether the link is up, and the driver's words about it. A driver without the node has a link that is
/// always up; one that cannot be read is no driver any more.
pub fn read_link(path: &Path) -> Result<(bool, String), String> {
    let Some(text) = read_text(path)? else { return Ok((true, String::new())) };
    Ok((text.lines().any(|line| line.trim() == "state up"), text))
}

/// With colons, as drivers read it.
fn plain(address: &EthernetAddress) -> String {
    address.0.map(|byte| format!("{byte:02x}")).join(":")
}

/// `None` if the driver has no such node.
fn read_text(path: &Path) -> Result<Option<String>, String> {
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(ATTRIBUTE).read_to_string(&mut text));
    match read {
        Ok(_) => Ok(Some(text)),
        Err(error) if is_absence(&error) => Ok(None),
        Err(error) => Err(format!("cannot read {}: {error}", path.display())),
    }
}

/// Stock drivers answer either of the first two to a name that they do not know, and others the third to one that their
/// device has nothing for.
fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::InvalidInput | ErrorKind::Unsupported)
}

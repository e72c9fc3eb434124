//! One driver's files: what they say is checked before anybody uses it.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::ops::RangeInclusive;
use std::path::Path;

use scheme::client::{self, OpenOptions};
use smoltcp::wire::EthernetAddress;

use super::worker::FRAME;
use crate::stack::interface::ETHERNET_MTU;

/// From what every host takes (RFC 1122 section 3.3.3) to what the frame buffer holds beside its headers.
const MTU: RangeInclusive<usize> = 576..=FRAME - 18;
/// The longest attribute.
const ATTRIBUTE: u64 = 4096;
/// Frames go both ways, and nobody waits inside the driver for them.
const FOR_FRAMES: OpenOptions = OpenOptions { read: true, write: true, nonblocking: true };

/// `frame` of our drivers, the scheme's root of stock ones.
pub fn open_frames(directory: &Path) -> Result<File, String> {
    let frame = directory.join("frame");
    let failure = |path: &Path, error: io::Error| format!("cannot open {}: {error}", path.display());
    match client::open_path(&frame, FOR_FRAMES) {
        Err(error) if is_absence(&error) => {
            client::open_path(directory, FOR_FRAMES).map_err(|error| failure(directory, error))
        }
        result => result.map_err(|error| failure(&frame, error)),
    }
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

/// Whether the link is up, and the driver's words about it. A driver without the node has a link that is
/// always up; one that cannot be read is no driver any more.
pub fn read_link(path: &Path) -> Result<(bool, String), String> {
    let Some(text) = read_text(path)? else { return Ok((true, String::new())) };
    Ok((text.lines().any(|line| line.trim() == "state up"), text))
}

/// Has the driver let the frames through that go to `groups`, where it let those to `before` through. A stock driver
/// has no filter. One that cannot filter so much lets all multicast frames through.
pub fn write_filter(path: &Path, before: &BTreeSet<EthernetAddress>, groups: &BTreeSet<EthernetAddress>) {
    let joined = groups.difference(before).map(|group| format!("+multicast {}\n", plain(group)));
    let left = before.difference(groups).map(|group| format!("-multicast {}\n", plain(group)));
    let write = |text: &str| {
        let mut file = File::options().write(true).open(path)?;
        file.write_all(text.as_bytes())
    };
    let written = write(&joined.chain(left).collect::<String>()).or_else(|error| match error.kind() {
        ErrorKind::NotFound => Ok(()),
        _ => write("allmulti on\n"),
    });
    if let Err(error) = written {
        log::warn!("cannot write to {}, so multicast frames may be missing: {error}", path.display());
    }
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

/// Stock drivers answer either to a name that they do not know.
fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::InvalidInput)
}

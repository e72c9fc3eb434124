//! Leases that outlive netd: the next one asks for the same addresses (RFC 2131 section 4.4.2).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::io;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use config::netd::Mac;
use smoltcp::wire::EthernetAddress;

use crate::stack::dhcp::Former;
use crate::stack::interface::Interface;
use crate::stack::{Instant, Stack};

/// Where they are kept: a file for each interface.
const DIRECTORY: &str = "/var/lib/netd";
/// What the files' names end with.
const SUFFIX: &str = ".lease";
/// The longest file that is read, in bytes.
const LONGEST: usize = 1024;

/// What is kept of a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Kept {
    address: Ipv4Addr,
    hardware: Mac,
    /// Seconds after 1970-01-01; 0 for one that was given back, or lost.
    ends: u64,
}

/// A lease that does not end.
const NEVER: u64 = u64::MAX;

/// The files, and what stands in them.
pub struct Memory {
    directory: PathBuf,
    /// When the stack's time was 0: microseconds after 1970-01-01.
    epoch: u64,
    kept: BTreeMap<String, Kept>,
    /// The interfaces that have had a lease of this netd.
    leased: BTreeSet<String>,
}

impl Memory {
    /// Reads what the last netd left. The stack's time 0 was `epoch` microseconds after 1970-01-01.
    pub fn load(epoch: u64) -> Self {
        Self::of(Path::new(DIRECTORY), epoch)
    }

    fn of(directory: &Path, epoch: u64) -> Self {
        let names = fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.file_name());
        let read = |name: std::ffi::OsString| {
            let interface = name.to_str()?.strip_suffix(SUFFIX)?.to_owned();
            let text = fs::read(directory.join(name)).ok().filter(|text| text.len() <= LONGEST)?;
            Some((interface, Kept::parse(std::str::from_utf8(&text).ok()?)?))
        };
        let kept = names.filter_map(read).collect();
        Self { directory: directory.to_owned(), epoch, kept, leased: BTreeSet::new() }
    }

    /// What each interface had when the last netd ended.
    pub fn former(&self) -> BTreeMap<String, Former> {
        let now = self.epoch / 1_000_000;
        let former = |kept: &Kept| Former {
            address: kept.address,
            hardware: EthernetAddress(kept.hardware.0),
            is_held: kept.ends > now,
        };
        self.kept.iter().map(|(name, kept)| (name.clone(), former(kept))).collect()
    }

    /// Keeps the leases as they are now.
    pub fn update(&mut self, stack: &Stack) {
        for interface in stack.network.interfaces() {
            let name = interface.name();
            let before = self.kept.get(name).copied();
            let now = match self.held(interface) {
                Some(held) => {
                    self.leased.insert(name.to_owned());
                    Some(held)
                }
                None if self.leased.contains(name) => before.map(|kept| Kept { ends: 0, ..kept }),
                // What the last netd left is worth a question still.
                None => None,
            };
            if let Some(kept) = now.filter(|now| before != Some(*now)) {
                self.keep(name, kept);
            }
        }
    }

    fn keep(&mut self, name: &str, kept: Kept) {
        self.kept.insert(name.to_owned(), kept);
        let path = self.directory.join(format!("{name}{SUFFIX}"));
        if let Err(error) = self.write(&path, &kept) {
            log::warn!("cannot keep the lease of {name} in {}: {error}", path.display());
        }
    }

    fn held(&self, interface: &Interface) -> Option<Kept> {
        let dhcp = interface.dhcp()?;
        let (lease, address) = (dhcp.lease()?, interface.ethernet_address()?);
        let ends = dhcp.lease_ends().map_or(NEVER, |at| self.seconds(at));
        Some(Kept { address: lease.address.addr(), hardware: Mac(address.0), ends })
    }

    fn seconds(&self, at: Instant) -> u64 {
        self.epoch.saturating_add(u64::try_from(at.total_micros()).unwrap_or_default()) / 1_000_000
    }

    fn write(&self, path: &Path, kept: &Kept) -> io::Result<()> {
        fs::create_dir_all(&self.directory)?;
        let new = path.with_extension("new");
        fs::write(&new, kept.text())?;
        fs::rename(new, path)
    }
}

impl Kept {
    fn text(&self) -> String {
        let mut text = format!("address {}\nmac {}\n", self.address, self.hardware);
        // Writing to a string cannot fail.
        let _ = match self.ends {
            0 => Ok(()),
            NEVER => writeln!(text, "ends never"),
            ends => writeln!(text, "ends {ends}"),
        };
        text
    }

    fn parse(text: &str) -> Option<Self> {
        let value = |name: &str| {
            text.lines()
                .find_map(|line| line.split_once(' ').filter(|(own, _)| *own == name))
                .map(|field| field.1)
        };
        let ends = match value("ends") {
            None => 0,
            Some("never") => NEVER,
            Some(number) => number.parse().ok()?,
        };
        Some(Self { address: value("address")?.parse().ok()?, hardware: value("mac")?.parse().ok()?, ends })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEPT: Kept =
        Kept { address: Ipv4Addr::new(10, 0, 2, 15), hardware: Mac([2, 0, 0, 0, 0, 9]), ends: 1000 };

    #[test]
    fn what_is_written_reads_as_it_was() {
        for kept in [KEPT, Kept { ends: 0, ..KEPT }, Kept { ends: NEVER, ..KEPT }] {
            assert_eq!(Kept::parse(&kept.text()), Some(kept));
        }
        for wrong in ["", "address 10.0.2.15\n", "address x\nmac 02:00:00:00:00:09\n", "ends soon\n"] {
            assert_eq!(Kept::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_lease_counts_until_it_ends() {
        let directory = tempfile::tempdir().unwrap();
        let memory = Memory::of(directory.path(), 0);
        assert!(memory.former().is_empty());
        memory.write(&directory.path().join("eth0.lease"), &KEPT).unwrap();
        fs::write(directory.path().join("eth1.lease"), "nonsense").unwrap();
        fs::write(directory.path().join("other"), KEPT.text()).unwrap();
        let former = |now: u64| Memory::of(directory.path(), now * 1_000_000).former();
        assert_eq!(former(999).len(), 1);
        assert_eq!(former(999)["eth0"].address, KEPT.address);
        assert_eq!([former(999)["eth0"].is_held, former(1000)["eth0"].is_held], [true, false]);
    }
}

//! Who may read and write which file of `netcfg`: all of them, as the tree lists them.

use scheme::errno::*;
use scheme::flag::{MODE_DIR, O_RDONLY, O_STAT, O_WRONLY};

use super::netcfg::{MAC, netcfg};
use super::*;
use crate::schemes::netcfg::Netcfg;

/// What is for root alone, even to be read; or for nobody, as there is nothing to read.
const PRIVATE: [&str; 9] = [
    "config/apply",
    "config/try",
    "route/add",
    "route/rm",
    "addr/set",
    "addr/add",
    "addr/rm",
    "dhcp/set",
    "pcap",
];

impl Rig<Netcfg> {
    /// The files below `directory`.
    fn files(&mut self, directory: &str) -> Vec<String> {
        let mut files = Vec::new();
        for name in self.cat(directory).lines() {
            let path = format!("{directory}/{name}").trim_matches('/').to_owned();
            let id = self.open_with(&path, O_STAT).unwrap();
            let is_directory = self.mode(id) & MODE_DIR == MODE_DIR;
            self.close(id);
            files.extend(if is_directory { self.files(&path) } else { vec![path] });
        }
        files
    }

    fn opens(&mut self, path: &str, flags: usize) -> Answer<()> {
        let id = self.open_with(path, flags)?;
        self.close(id);
        Ok(())
    }
}

/// A host with an interface of each kind, and its files.
fn host_with_all() -> (Rig<Netcfg>, Vec<String>) {
    let mut rig = netcfg(Some(MAC));
    rig.echo("ifaces/eth0/vlan", "add 10\n").unwrap();
    let files = rig.files("");
    for interface in ["lo", "eth0", "eth0.10"] {
        assert!(files.contains(&format!("ifaces/{interface}/state")), "{files:?}");
    }
    assert!(files.len() > 50, "{files:?}");
    (rig, files)
}

#[test]
fn nobody_but_root_writes_anything() {
    let (mut rig, files) = host_with_all();
    rig.uid = 1000;
    for file in &files {
        for flags in [O_WRONLY, O_RDWR] {
            assert_eq!(rig.opens(file, flags), Err(EACCES), "{file}");
        }
    }
}

#[test]
fn everybody_reads_what_is_not_private() {
    let (mut rig, files) = host_with_all();
    rig.uid = 1000;
    for file in &files {
        let is_private = PRIVATE.iter().any(|name| file.ends_with(name));
        assert_eq!(rig.opens(file, O_RDONLY), if is_private { Err(EACCES) } else { Ok(()) }, "{file}");
        assert_eq!(rig.opens(file, O_STAT), Ok(()), "{file}");
    }
}

#[test]
fn root_reads_or_writes_every_file() {
    let (mut rig, files) = host_with_all();
    for file in &files {
        let (reads, writes) = (rig.opens(file, O_RDONLY), rig.opens(file, O_WRONLY));
        assert!(reads.is_ok() || writes.is_ok(), "{file}");
        for answer in [reads, writes] {
            assert!(answer.is_ok() || answer == Err(EACCES), "{file}");
        }
    }
}

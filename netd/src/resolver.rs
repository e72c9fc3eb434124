//! `/etc/net/dns`: the name server as relibc's resolver reads it.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use crate::stack::names::NameServer;

/// Where Redox keeps its network settings.
const DIRECTORY: &str = "/etc/net";

/// The file, if the system has such a directory.
pub struct Resolver {
    directory: PathBuf,
    written: Option<Ipv4Addr>,
}

impl Default for Resolver {
    fn default() -> Self {
        Self { directory: PathBuf::from(DIRECTORY), written: None }
    }
}

impl Resolver {
    /// Writes the first of `servers` that relibc can ask, unless that was the last one written; without one, what
    /// stands there stays. Readers see the old file or the new one.
    pub fn update(&mut self, servers: &[NameServer]) {
        let Some(server) = servers.iter().find_map(known_to_relibc) else { return };
        if self.written.replace(server) == Some(server) {
            return;
        }
        if self.directory.is_dir()
            && let Err(error) = self.write(server)
        {
            log::warn!("cannot write the name server {server} to {}: {error}", self.directory.display());
        }
    }

    fn write(&self, server: Ipv4Addr) -> io::Result<()> {
        let new = self.directory.join("dns.new");
        fs::write(&new, format!("{server}\n"))?;
        fs::rename(new, self.directory.join("dns"))
    }
}

/// It reads one address, and of IPv4 alone (`header/netdb`).
fn known_to_relibc(server: &NameServer) -> Option<Ipv4Addr> {
    match server.address {
        IpAddr::V4(address) => Some(address),
        IpAddr::V6(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn servers(addresses: &[&str]) -> Vec<NameServer> {
        addresses.iter().map(|address| NameServer::anywhere(address.parse().unwrap())).collect()
    }

    #[test]
    fn the_file_follows_the_name_server() {
        let directory = std::env::temp_dir().join(format!("netd-resolver-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join("dns"), "9.9.9.9\n").unwrap();
        let mut resolver = Resolver { directory: directory.clone(), written: None };
        resolver.update(&servers(&["fd00::1"]));
        assert_eq!(fs::read_to_string(directory.join("dns")).unwrap(), "9.9.9.9\n", "the administrator's");
        resolver.update(&servers(&["fd00::1", "10.0.2.3", "10.0.2.4"]));
        resolver.update(&[]);
        assert_eq!(fs::read_to_string(directory.join("dns")).unwrap(), "10.0.2.3\n");
        assert_eq!(fs::read_dir(&directory).unwrap().count(), 1);
        fs::remove_dir_all(directory).unwrap();
    }
}

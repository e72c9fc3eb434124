//! `/etc/net/dns`: the name server as relibc's resolver reads it.

use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::PathBuf;

/// Where Redox keeps its network settings.
const DIRECTORY: &str = "/etc/net";

/// The file, if the system has such a directory.
pub struct Resolver {
    directory: PathBuf,
    written: Option<IpAddr>,
}

impl Default for Resolver {
    fn default() -> Self {
        Self { directory: PathBuf::from(DIRECTORY), written: None }
    }
}

impl Resolver {
    /// Writes `server` unless that was the last one written; without one, what stands there stays. Readers see the old file or the new one.
    pub fn update(&mut self, server: Option<IpAddr>) {
        let Some(server) = server.filter(|server| self.written != Some(*server)) else { return };
        self.written = Some(server);
        if self.directory.is_dir()
            && let Err(error) = self.write(server)
        {
            log::warn!("cannot write the name server {server} to {}: {error}", self.directory.display());
        }
    }

    fn write(&self, server: IpAddr) -> io::Result<()> {
        let new = self.directory.join("dns.new");
        fs::write(&new, format!("{server}\n"))?;
        fs::rename(new, self.directory.join("dns"))
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn the_file_follows_the_name_server() {
        let directory = std::env::temp_dir().join(format!("netd-resolver-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join("dns"), "9.9.9.9\n").unwrap();
        let mut resolver = Resolver { directory: directory.clone(), written: None };
        resolver.update(None);
        assert_eq!(fs::read_to_string(directory.join("dns")).unwrap(), "9.9.9.9\n", "the administrator's");
        resolver.update(Some(IpAddr::V4(Ipv4Addr::new(10, 0, 2, 3))));
        resolver.update(None);
        assert_eq!(fs::read_to_string(directory.join("dns")).unwrap(), "10.0.2.3\n");
        assert_eq!(fs::read_dir(&directory).unwrap().count(), 1);
        fs::remove_dir_all(directory).unwrap();
    }
}

//! Redox's paths for two ends of a conversation: `REMOTE`, `REMOTE/LOCAL` or `/LOCAL`, each `a.b.c.d:port`.

use std::net::{Ipv4Addr, SocketAddrV4};

use scheme::errno::{EACCES, ENOENT};
use scheme::{Error, Result};

/// Ports below this one are the administrator's.
const UNPRIVILEGED: u16 = 1024;

/// What a path names. An end that is `0.0.0.0:0` counts as not given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ends {
    /// The peer.
    pub remote: Option<SocketAddrV4>,
    /// Our end.
    pub local: Option<SocketAddrV4>,
}

/// Parses a path. A host name or anything else that is no address is `ENOENT`.
pub fn parse(path: &str) -> Result<Ends> {
    let (remote, local) = path.split_once('/').unwrap_or((path, ""));
    Ok(Ends { remote: end(remote)?, local: end(local)? })
}

/// Refuses privileged local ports to all but the administrator.
pub fn check_local(local: Option<SocketAddrV4>, uid: u32) -> Result<()> {
    match local {
        Some(local) if (1..UNPRIVILEGED).contains(&local.port()) && uid != 0 => Err(Error::new(EACCES)),
        _ => Ok(()),
    }
}

fn end(text: &str) -> Result<Option<SocketAddrV4>> {
    if text.is_empty() {
        return Ok(None);
    }
    let (host, port) = text.rsplit_once(':').ok_or(Error::new(ENOENT))?;
    let host = match host {
        "" => Ipv4Addr::UNSPECIFIED,
        host => host.parse().map_err(|_| Error::new(ENOENT))?,
    };
    let port = port.parse().map_err(|_| Error::new(ENOENT))?;
    let end = SocketAddrV4::new(host, port);
    Ok((end != UNSPECIFIED).then_some(end))
}

/// Neither address nor port.
pub const UNSPECIFIED: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0);

/// The text of `fpath` after the scheme's name: `REMOTE/LOCAL`.
pub fn text(remote: Option<SocketAddrV4>, local: Option<SocketAddrV4>) -> String {
    format!("{}/{}", remote.unwrap_or(UNSPECIFIED), local.unwrap_or(UNSPECIFIED))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(remote: Option<&str>, local: Option<&str>) -> Result<Ends> {
        let end = |text: &str| text.parse().unwrap();
        Ok(Ends { remote: remote.map(end), local: local.map(end) })
    }

    #[test]
    fn all_of_redox_s_forms_are_understood() {
        assert_eq!(parse(""), ends(None, None));
        assert_eq!(parse("10.0.2.2:80"), ends(Some("10.0.2.2:80"), None));
        assert_eq!(parse("10.0.2.2:80/10.0.2.15:4000"), ends(Some("10.0.2.2:80"), Some("10.0.2.15:4000")));
        assert_eq!(parse("/0.0.0.0:8080"), ends(None, Some("0.0.0.0:8080")));
        assert_eq!(parse("/:8080"), ends(None, Some("0.0.0.0:8080")));
        assert_eq!(parse("0.0.0.0:0/0.0.0.0:8080"), ends(None, Some("0.0.0.0:8080")));
    }

    #[test]
    fn anything_else_does_not_exist() {
        for path in ["example.org:80", "10.0.2.2", "10.0.2.2:http", "10.0.2.2:65536", "a/b", "10.0.2.2:80/x"]
        {
            assert_eq!(parse(path), Err(Error::new(ENOENT)), "{path}");
        }
    }
}

//! Redox's paths for two ends of a conversation: `REMOTE`, `REMOTE/LOCAL` or `/LOCAL`, each `a.b.c.d:port`
//! or `[a:b::c]:port`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV6};

use scheme::errno::{EACCES, ENOENT};
use scheme::{Error, Result};

use crate::stack::address::{UNSPECIFIED, unspecified};

/// Ports below this one are the administrator's.
const UNPRIVILEGED: u16 = 1024;

/// What a path names. An end that is `0.0.0.0:0`, and a remote one that is `[::]:0`, counts as not given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ends {
    /// The peer.
    pub remote: Option<SocketAddr>,
    /// Our end.
    pub local: Option<SocketAddr>,
}

/// Parses a path. A host name or anything else that is no address is `ENOENT`.
pub fn parse(path: &str) -> Result<Ends> {
    let (remote, local) = path.split_once('/').unwrap_or((path, ""));
    let remote = end(remote)?.filter(|remote| !remote.ip().is_unspecified() || remote.port() != 0);
    Ok(Ends { remote, local: end(local)? })
}

/// Refuses privileged local ports to all but the administrator.
pub fn check_local(local: Option<SocketAddr>, uid: u32) -> Result<()> {
    match local {
        Some(local) if (1..UNPRIVILEGED).contains(&local.port()) && uid != 0 => Err(Error::new(EACCES)),
        _ => Ok(()),
    }
}

fn end(text: &str) -> Result<Option<SocketAddr>> {
    if text.is_empty() {
        return Ok(None);
    }
    if text.starts_with('[') {
        let end: SocketAddrV6 = text.parse().map_err(|_| Error::new(ENOENT))?;
        // An IPv4 address in IPv6's clothes (RFC 4291 section 2.5.5.2) is never on the wire.
        return Ok(Some(match end.ip().to_canonical() {
            IpAddr::V4(mapped) => SocketAddr::new(mapped.into(), end.port()),
            IpAddr::V6(_) => end.into(),
        }));
    }
    let (host, port) = text.rsplit_once(':').ok_or(Error::new(ENOENT))?;
    let host = match host {
        "" => Ipv4Addr::UNSPECIFIED,
        host => host.parse().map_err(|_| Error::new(ENOENT))?,
    };
    let port = port.parse().map_err(|_| Error::new(ENOENT))?;
    let end = SocketAddr::new(host.into(), port);
    Ok((end != UNSPECIFIED).then_some(end))
}

/// The text of `fpath` after the scheme's name: `REMOTE/LOCAL`.
pub fn text(remote: Option<SocketAddr>, local: Option<SocketAddr>) -> String {
    let missing = remote.or(local).map_or(UNSPECIFIED, |end| SocketAddr::new(unspecified(end.ip()), 0));
    format!("{}/{}", remote.unwrap_or(missing), local.unwrap_or(missing))
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
    fn ipv6_addresses_stand_in_brackets() {
        assert_eq!(parse("[fec0::2]:80"), ends(Some("[fec0::2]:80"), None));
        assert_eq!(parse("[fec0::2]:80/[::]:4000"), ends(Some("[fec0::2]:80"), Some("[::]:4000")));
        assert_eq!(parse("/[::]:0"), ends(None, Some("[::]:0")), "any port, but of IPv6");
        assert_eq!(parse("[::]:0"), ends(None, None));
        assert_eq!(parse("[::ffff:10.0.2.2]:80"), ends(Some("10.0.2.2:80"), None));
        let (remote, local) = ("[fec0::2]:80".parse().ok(), "[fec0::1]:4000".parse().ok());
        assert_eq!(text(remote, local), "[fec0::2]:80/[fec0::1]:4000");
        assert_eq!(text(None, local), "[::]:0/[fec0::1]:4000");
        assert_eq!(text(None, None), "0.0.0.0:0/0.0.0.0:0");
    }

    #[test]
    fn anything_else_does_not_exist() {
        for path in [
            "example.org:80",
            "10.0.2.2",
            "10.0.2.2:http",
            "10.0.2.2:65536",
            "a/b",
            "10.0.2.2:80/x",
            "fec0::2:80",
            "[fec0::2]",
            "[10.0.2.2]:80",
        ] {
            assert_eq!(parse(path), Err(Error::new(ENOENT)), "{path}");
        }
    }
}

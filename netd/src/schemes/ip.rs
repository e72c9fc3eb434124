//! `ip`: whole IPv4 packets of the protocol whose number, in hexadecimal, is the path; IPv6 packets of `v6/` and the
//! number. For uid 0.

use scheme::errno::{EACCES, EINVAL, EISDIR, ENOENT};
use scheme::{DirentKind, Error, Result};
use smoltcp::wire::IpVersion;

use super::errno::errno;
use super::socket_scheme::{Caller, Protocol};
use crate::stack::raw::RawId;
use crate::stack::{Readiness, Stack};

/// The scheme's [`Protocol`].
pub struct Ip;

impl Protocol for Ip {
    type Node = RawId;
    type Key = RawId;

    const NAME: &'static str = "ip";

    fn key(node: &RawId) -> Option<RawId> {
        Some(*node)
    }

    fn probe(path: &str) -> Result<DirentKind> {
        match path {
            "" | "v6" => Ok(DirentKind::Directory),
            path => parse(path).map(|_| DirentKind::Regular),
        }
    }

    fn names(path: &str) -> &'static [&'static str] {
        match path {
            "" => &["v6"],
            _ => &[],
        }
    }

    fn open(stack: &mut Stack, path: &str, caller: Caller) -> Result<RawId> {
        if matches!(path, "" | "v6") {
            return Err(Error::new(EISDIR));
        }
        let (version, protocol) = parse(path)?;
        match caller.uid {
            0 => Ok(stack.raw.open(version, protocol)),
            _ => Err(Error::new(EACCES)),
        }
    }

    fn settled(_stack: &mut Stack, _node: &mut RawId) -> Result<()> {
        Ok(())
    }

    fn dup(_stack: &mut Stack, node: &mut RawId, path: &[u8], _caller: Caller) -> Result<RawId> {
        match path {
            b"" => Ok(*node),
            _ => Err(Error::new(EINVAL)),
        }
    }

    fn readiness(stack: &Stack, node: &RawId) -> Readiness {
        stack.raw.readiness(*node)
    }

    fn read(stack: &mut Stack, node: &mut RawId, buffer: &mut [u8]) -> Result<usize> {
        stack.raw.read(*node, buffer).map_err(errno)
    }

    fn write(stack: &mut Stack, node: &mut RawId, data: &[u8]) -> Result<usize> {
        stack.raw.write(*node, data, &mut stack.network).map_err(errno)
    }

    fn path(stack: &Stack, node: &RawId) -> String {
        match stack.raw.protocol(*node) {
            Some((IpVersion::Ipv4, protocol)) => format!("{protocol:x}"),
            Some((IpVersion::Ipv6, protocol)) => format!("v6/{protocol:x}"),
            None => String::new(),
        }
    }

    fn left(stack: &mut Stack, key: RawId, rest: &[RawId]) {
        if rest.is_empty() {
            stack.raw.close(key);
        }
    }

    fn take_changes(stack: &mut Stack) -> Vec<(RawId, Readiness)> {
        stack.raw.take_changes()
    }
}

fn parse(path: &str) -> Result<(IpVersion, u8)> {
    let (version, number) = match path.strip_prefix("v6/") {
        Some(number) => (IpVersion::Ipv6, number),
        None => (IpVersion::Ipv4, path),
    };
    u8::from_str_radix(number, 16).map(|protocol| (version, protocol)).map_err(|_| Error::new(ENOENT))
}

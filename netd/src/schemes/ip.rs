//! `ip`: whole IPv4 packets of the protocol whose number, in hexadecimal, is the path. For uid 0.

use scheme::errno::{EACCES, EINVAL, EISDIR, ENOENT};
use scheme::{DirentKind, Error, Result};

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
            "" => Ok(DirentKind::Directory),
            path => parse(path).map(|_| DirentKind::Regular),
        }
    }

    fn names(_path: &str) -> &'static [&'static str] {
        &[]
    }

    fn open(stack: &mut Stack, path: &str, caller: Caller) -> Result<RawId> {
        if path.is_empty() {
            return Err(Error::new(EISDIR));
        }
        let protocol = parse(path)?;
        match caller.uid {
            0 => Ok(stack.raw.open(protocol)),
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
        stack.raw.protocol(*node).map(|protocol| format!("{protocol:x}")).unwrap_or_default()
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

fn parse(path: &str) -> Result<u8> {
    u8::from_str_radix(path, 16).map_err(|_| Error::new(ENOENT))
}

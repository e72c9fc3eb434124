//! `icmp`: `echo/<ip>` for ping, `udp/<ip>` for the errors that datagrams come back with.

use std::net::IpAddr;

use scheme::errno::{EINVAL, ENOENT, ENOPROTOOPT, EOPNOTSUPP};
use scheme::{DirentKind, Error, Result};

use super::errno::errno;
use super::message::Verb;
use super::option::{self, SocketOption};
use super::socket_scheme::{Caller, Protocol};
use crate::stack::icmp::{IcmpId, Options, Purpose};
use crate::stack::{Network, Readiness, Stack};

/// The scheme's [`Protocol`].
pub struct Icmp;

impl Protocol for Icmp {
    type Node = IcmpId;
    type Key = IcmpId;

    const NAME: &'static str = "icmp";

    fn key(node: &IcmpId) -> Option<IcmpId> {
        Some(*node)
    }

    fn probe(path: &str) -> Result<DirentKind> {
        match path {
            "" | "echo" | "udp" => Ok(DirentKind::Directory),
            path => parse(path).map(|_| DirentKind::Regular),
        }
    }

    fn names(path: &str) -> &'static [&'static str] {
        match path {
            "" => &["echo", "udp"],
            _ => &[],
        }
    }

    fn open(stack: &mut Stack, path: &str, caller: Caller) -> Result<IcmpId> {
        let (purpose, remote) = parse(path)?;
        let id = stack.icmp.open(purpose, remote, &mut stack.network.random).map_err(errno)?;
        stack.icmp.options(id).map_err(errno)?.uid = caller.uid;
        Ok(id)
    }

    fn settled(_stack: &mut Stack, _node: &mut IcmpId) -> Result<()> {
        Ok(())
    }

    fn dup(_stack: &mut Stack, node: &mut IcmpId, path: &[u8], _caller: Caller) -> Result<IcmpId> {
        match path {
            b"" => Ok(*node),
            _ => Err(Error::new(EINVAL)),
        }
    }

    fn readiness(stack: &Stack, node: &IcmpId) -> Readiness {
        stack.icmp.readiness(*node)
    }

    fn read(stack: &mut Stack, node: &mut IcmpId, buffer: &mut [u8]) -> Result<usize> {
        stack.icmp.read(*node, buffer).map_err(errno)
    }

    fn write(stack: &mut Stack, node: &mut IcmpId, data: &[u8]) -> Result<usize> {
        stack.icmp.write(*node, data, &mut stack.network).map_err(errno)
    }

    fn call(stack: &mut Stack, node: &mut IcmpId, payload: &mut [u8], metadata: &[u64]) -> Result<usize> {
        let Stack { icmp, network, .. } = stack;
        let options = icmp.options(*node).map_err(errno)?;
        match Verb::parse(metadata) {
            Some((Verb::GetSockOpt, _)) => get(*options, SocketOption::parse(metadata)?, network, payload),
            Some((Verb::SetSockOpt, _)) => set(options, SocketOption::parse(metadata)?, network, payload),
            _ => Err(Error::new(EOPNOTSUPP)),
        }
    }

    fn path(stack: &Stack, node: &IcmpId) -> String {
        match stack.icmp.remote(*node) {
            Some((Purpose::Echo, remote)) => format!("echo/{remote}"),
            Some((Purpose::UdpErrors, remote)) => format!("udp/{remote}"),
            None => String::new(),
        }
    }

    fn left(stack: &mut Stack, key: IcmpId, rest: &[IcmpId]) {
        if rest.is_empty() {
            stack.icmp.close(key);
        }
    }

    fn take_changes(stack: &mut Stack) -> Vec<(IcmpId, Readiness)> {
        stack.icmp.take_changes()
    }
}

fn get(options: Options, which: SocketOption, network: &Network, payload: &mut [u8]) -> Result<usize> {
    let value = match which {
        SocketOption::Device => return option::put_device(options.device, network, payload),
        SocketOption::HopLimit => options.hop_limit.unwrap_or(option::HOP_LIMIT),
        SocketOption::TrafficClass => options.traffic_class,
        _ => return Err(Error::new(ENOPROTOOPT)),
    };
    option::put(&[value.into()], payload)
}

fn set(options: &mut Options, which: SocketOption, network: &Network, value: &[u8]) -> Result<usize> {
    match which {
        SocketOption::Device => options.device = option::device(value, options.device, options.uid, network)?,
        SocketOption::HopLimit => options.hop_limit = option::hop_limit(value)?,
        SocketOption::TrafficClass => options.traffic_class = option::traffic_class(value)?,
        _ => return Err(Error::new(ENOPROTOOPT)),
    }
    Ok(value.len())
}

fn parse(path: &str) -> Result<(Purpose, IpAddr)> {
    let (kind, remote) = path.split_once('/').ok_or(Error::new(ENOENT))?;
    let purpose = match kind {
        "echo" => Purpose::Echo,
        "udp" => Purpose::UdpErrors,
        _ => return Err(Error::new(ENOENT)),
    };
    Ok((purpose, remote.parse().map_err(|_| Error::new(ENOENT))?))
}

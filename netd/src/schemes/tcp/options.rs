//! The options of TCP sockets.

use std::net::SocketAddr;

use scheme::errno::{EINVAL, ENOPROTOOPT};
use scheme::{Error, Result};
use smoltcp::time::Duration;

use super::{Node, connection};
use crate::schemes::errno::errno;
use crate::schemes::option::{self, SocketOption};
use crate::stack::Stack;
use crate::stack::tcp::Options;

const SOCK_STREAM: i32 = 1;
const IPPROTO_TCP: i32 = 6;
/// Linux's `MAX_TCP_KEEPIDLE` and `MAX_TCP_KEEPINTVL`.
const MOST_SECONDS: u32 = 32_767;
/// Linux's `MAX_TCP_KEEPCNT`.
const MOST_PROBES: u32 = 127;
/// What is told of a socket that has no peer, as on Linux.
const SEGMENT: usize = 536;

/// `getsockopt`.
pub(super) fn get(stack: &mut Stack, node: &Node, which: SocketOption, payload: &mut [u8]) -> Result<usize> {
    let options = current(stack, node)?;
    let value = match which {
        SocketOption::ReceiveBuffer => return option::put_size(buffers(stack, node, options)?.0, payload),
        SocketOption::SendBuffer => return option::put_size(buffers(stack, node, options)?.1, payload),
        SocketOption::Linger => {
            let time = options.linger.map_or(0, |time| time.secs() as i32);
            return option::put(&[options.linger.is_some().into(), time], payload);
        }
        SocketOption::Device => return option::put_device(options.device, &stack.network, payload),
        SocketOption::LongestSegment => return option::put_size(segment_size(stack, node)?, payload),
        SocketOption::KeepIdle => options.keep_alive.idle.secs() as i32,
        SocketOption::KeepInterval => options.keep_alive.interval.secs() as i32,
        SocketOption::KeepCount => options.keep_alive.probes as i32,
        SocketOption::UserTimeout => options.user_timeout.map_or(0, |time| time.total_millis() as i32),
        SocketOption::OnlyIpv6 => 1,
        SocketOption::ReuseAddress => options.reuse_address.into(),
        SocketOption::ReusePort => options.reuse_port.into(),
        SocketOption::KeepAlive => options.keep_alive.is_on.into(),
        SocketOption::NoDelay => options.no_delay.into(),
        SocketOption::HopLimit => options.hop_limit.unwrap_or(option::HOP_LIMIT).into(),
        SocketOption::TrafficClass => options.traffic_class.into(),
        SocketOption::AcceptsConnections => matches!(node, Node::Listener(_)).into(),
        SocketOption::Type => SOCK_STREAM,
        SocketOption::Protocol => IPPROTO_TCP,
        SocketOption::Domain => option::domain(local(stack, node)),
        SocketOption::Error => {
            let error = connection(node).ok().and_then(|id| stack.tcp.take_error(id));
            error.map_or(0, |error| errno(error).errno)
        }
        _ => return Err(Error::new(ENOPROTOOPT)),
    };
    option::put(&[value], payload)
}

/// `setsockopt`.
pub(super) fn set(stack: &mut Stack, node: &mut Node, which: SocketOption, value: &[u8]) -> Result<usize> {
    let mut options = current(stack, node)?;
    match which {
        SocketOption::ReuseAddress => options.reuse_address = option::switch(value)?,
        SocketOption::ReusePort => options.reuse_port = option::switch(value)?,
        SocketOption::KeepAlive => options.keep_alive.is_on = option::switch(value)?,
        SocketOption::KeepIdle => options.keep_alive.idle = seconds(value)?,
        SocketOption::KeepInterval => options.keep_alive.interval = seconds(value)?,
        SocketOption::KeepCount => options.keep_alive.probes = option::up_to(MOST_PROBES, value)?,
        SocketOption::UserTimeout => {
            let time = Duration::from_millis(option::size(value)? as u64);
            options.user_timeout = Some(time).filter(|time| *time > Duration::ZERO);
        }
        SocketOption::Device => {
            options.device = option::device(value, options.device, options.uid, &stack.network)?;
            // A connection stays where it lives.
            let lives_on = connection(node).ok().and_then(|id| stack.tcp.interface(id));
            if lives_on.is_some_and(|own| options.device.is_some_and(|device| device != own)) {
                return Err(Error::new(EINVAL));
            }
        }
        SocketOption::OnlyIpv6 => option::only_ipv6(value)?,
        SocketOption::NoDelay => options.no_delay = option::switch(value)?,
        SocketOption::HopLimit => options.hop_limit = option::hop_limit(value)?,
        SocketOption::TrafficClass => options.traffic_class = option::traffic_class(value)?,
        SocketOption::ReceiveBuffer => options.receive_buffer = Some(option::size(value)?),
        SocketOption::SendBuffer => options.send_buffer = Some(option::size(value)?),
        SocketOption::Linger => options.linger = linger(value)?,
        // As everywhere else it is accepted and has no meaning.
        SocketOption::Broadcast => {
            option::switch(value)?;
        }
        _ => return Err(Error::new(ENOPROTOOPT)),
    }
    match node {
        Node::Unbound(unbound) => *unbound = options,
        Node::Listener(id) => *stack.tcp.listener_options(*id).map_err(errno)? = options,
        Node::Connection { id, .. } => stack.tcp.set_options(*id, options).map_err(errno)?,
    }
    Ok(value.len())
}

/// A `struct linger`: whether, and for how many seconds.
fn linger(value: &[u8]) -> Result<Option<Duration>> {
    let time = option::size(value.get(size_of::<i32>()..).unwrap_or_default())?;
    Ok(option::switch(value)?.then_some(Duration::from_secs(time as u64)))
}

/// How long keep-alive waits, within Linux's limits.
fn seconds(value: &[u8]) -> Result<Duration> {
    option::up_to(MOST_SECONDS, value).map(|seconds| Duration::from_secs(seconds.into()))
}

/// What is set of a socket.
pub(super) fn current(stack: &mut Stack, node: &Node) -> Result<Options> {
    match node {
        Node::Unbound(options) => Ok(*options),
        Node::Listener(id) => stack.tcp.listener_options(*id).map(|options| *options).map_err(errno),
        Node::Connection { id, .. } => stack.tcp.options(*id).map_err(errno),
    }
}

/// The buffers of a connection, or of the next one: for reading and for writing.
fn buffers(stack: &Stack, node: &Node, options: Options) -> Result<(usize, usize)> {
    match node {
        Node::Connection { id, .. } => stack.tcp.capacity(*id).map_err(errno),
        Node::Unbound(_) | Node::Listener(_) => Ok(stack.tcp.buffers(options)),
    }
}

fn segment_size(stack: &Stack, node: &Node) -> Result<usize> {
    match node {
        Node::Connection { id, .. } => stack.tcp.segment_size(*id, &stack.network).map_err(errno),
        Node::Unbound(_) | Node::Listener(_) => Ok(SEGMENT),
    }
}

fn local(stack: &Stack, node: &Node) -> Option<SocketAddr> {
    match node {
        Node::Unbound(_) => None,
        Node::Listener(id) => stack.tcp.listener_address(*id),
        Node::Connection { id, .. } => stack.tcp.addresses(*id).map(|(local, _)| local),
    }
}

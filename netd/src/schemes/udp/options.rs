//! The options of UDP sockets.

use scheme::errno::ENOPROTOOPT;
use scheme::{Error, Result};

use super::{Node, groups};
use crate::schemes::errno::errno;
use crate::schemes::option::{self, SocketOption};
use crate::stack::Stack;
use crate::stack::udp::{Options, buffer};

const SOCK_DGRAM: i32 = 2;
const IPPROTO_UDP: i32 = 17;

/// `getsockopt`.
pub(super) fn get(stack: &mut Stack, node: &Node, which: SocketOption, payload: &mut [u8]) -> Result<usize> {
    let options = current(stack, node)?;
    let value = match which {
        SocketOption::ReceiveBuffer => return option::put_size(options.receive_buffer, payload),
        SocketOption::SendBuffer => return option::put_size(options.send_buffer, payload),
        SocketOption::Device => return option::put_device(options.device, &stack.network, payload),
        SocketOption::ReuseAddress => options.reuse_address.into(),
        SocketOption::ReusePort => options.reuse_port.into(),
        SocketOption::Broadcast => options.broadcast.into(),
        SocketOption::HopLimit => options.hop_limit.unwrap_or(option::HOP_LIMIT).into(),
        SocketOption::TrafficClass => options.traffic_class.into(),
        SocketOption::MulticastHops => options.multicast_hop_limit.into(),
        SocketOption::MulticastLoop => options.multicast_loop.into(),
        SocketOption::MulticastInterfaceV4 => {
            let own = groups::address_of(options.multicast_interface, &stack.network);
            i32::from_ne_bytes(own.octets())
        }
        SocketOption::MulticastInterfaceV6 => options.multicast_interface.unwrap_or(0) as i32,
        SocketOption::AcceptsConnections => 0,
        SocketOption::OnlyIpv6 => 1,
        SocketOption::Type => SOCK_DGRAM,
        SocketOption::Protocol => IPPROTO_UDP,
        SocketOption::Domain => option::domain(node.socket.and_then(|id| stack.udp.local(id))),
        SocketOption::Error => {
            let error = node.socket.and_then(|id| stack.udp.take_error(id));
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
        SocketOption::Device => {
            options.device = option::device(value, options.device, options.uid, &stack.network)?;
        }
        SocketOption::ReuseAddress => options.reuse_address = option::switch(value)?,
        SocketOption::ReusePort => options.reuse_port = option::switch(value)?,
        SocketOption::Broadcast => options.broadcast = option::switch(value)?,
        SocketOption::HopLimit => options.hop_limit = option::hop_limit(value)?,
        SocketOption::TrafficClass => options.traffic_class = option::traffic_class(value)?,
        SocketOption::OnlyIpv6 => option::only_ipv6(value)?,
        SocketOption::MulticastHops => options.multicast_hop_limit = option::multicast_hops(value)?,
        SocketOption::MulticastLoop => options.multicast_loop = option::switch(value)?,
        SocketOption::MulticastInterfaceV4 => {
            options.multicast_interface = groups::interface_v4(value, &stack.network)?;
        }
        SocketOption::MulticastInterfaceV6 => {
            options.multicast_interface = groups::interface_v6(value, &stack.network)?;
        }
        SocketOption::JoinGroup(form) => {
            let member = groups::member(form, value, &stack.network)?;
            options.joined.join(member).map_err(errno)?;
        }
        SocketOption::LeaveGroup(form) => {
            let (group, interface) = groups::group(form, value, &stack.network)?;
            options.joined.leave(group, interface).map_err(errno)?;
        }
        SocketOption::ReceiveBuffer => options.receive_buffer = buffer(option::size(value)?),
        SocketOption::SendBuffer => options.send_buffer = buffer(option::size(value)?),
        _ => return Err(Error::new(ENOPROTOOPT)),
    }
    match node.socket {
        Some(id) => stack.udp.set_options(id, options, &mut stack.network).map_err(errno)?,
        None => node.options = options,
    }
    Ok(value.len())
}

/// What is set of a socket.
fn current(stack: &Stack, node: &Node) -> Result<Options> {
    node.socket.map_or_else(|| Ok(node.options.clone()), |id| stack.udp.options(id).map_err(errno))
}

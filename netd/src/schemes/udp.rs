//! `udp`: datagrams, as Redox's programs know them.

use std::net::SocketAddr;

use scheme::errno::{EINVAL, ENOENT, ENOPROTOOPT, ENOTCONN, EOPNOTSUPP};
use scheme::{DirentKind, Error, Result};

use super::address::{self, Ends};
use super::errno::errno;
use super::message::{self, Verb, option};
use super::socket_scheme::{Caller, Protocol, put};
use crate::stack::address::{UNSPECIFIED, unspecified};
use crate::stack::udp::{RECEIVE_BUFFER, UdpId};
use crate::stack::{Readiness, Stack};

/// The scheme's [`Protocol`].
pub struct Udp;

/// A handle's socket. relibc's `sendto` is a `dup` to the destination, a write and a close: so handles of
/// one socket may have different peers, and what is sent by one can be answered to another.
#[derive(Clone, Debug, Default)]
pub struct Node {
    /// The socket; `None` before anything was bound or sent.
    socket: Option<UdpId>,
    /// Where this handle's writes go.
    remote: Option<SocketAddr>,
}

impl Protocol for Udp {
    type Node = Node;
    type Key = UdpId;

    const NAME: &'static str = "udp";

    fn key(node: &Node) -> Option<UdpId> {
        node.socket
    }

    fn probe(path: &str) -> Result<DirentKind> {
        address::parse(path)?;
        Ok(if path.is_empty() { DirentKind::Directory } else { DirentKind::Regular })
    }

    fn names(_path: &str) -> &'static [&'static str] {
        &[]
    }

    fn open(stack: &mut Stack, path: &str, caller: Caller) -> Result<Node> {
        match path {
            "" => Ok(Node::default()),
            path => open(stack, address::parse(path)?, caller),
        }
    }

    fn settled(_stack: &mut Stack, _node: &mut Node) -> Result<()> {
        Ok(())
    }

    fn dup(stack: &mut Stack, node: &mut Node, path: &[u8], caller: Caller) -> Result<Node> {
        match path {
            b"" => Ok(node.clone()),
            b"disconnect" => Ok(Node { remote: None, ..node.clone() }),
            path => {
                let path = str::from_utf8(path).map_err(|_| Error::new(EINVAL))?;
                match address::parse(path)? {
                    Ends { remote: Some(remote), local: None } => towards(stack, node, remote),
                    ends if path.starts_with('/') => bind(stack, node, ends, caller),
                    _ => Err(Error::new(ENOENT)),
                }
            }
        }
    }

    fn readiness(stack: &Stack, node: &Node) -> Readiness {
        node.socket.map_or(Readiness::WRITE, |id| stack.udp.readiness(id))
    }

    fn read(stack: &mut Stack, node: &mut Node, buffer: &mut [u8]) -> Result<usize> {
        let id = socket(node)?;
        stack.udp.receive_from(id, buffer, false).map(|(_, count, _)| count).map_err(errno)
    }

    fn write(stack: &mut Stack, node: &mut Node, data: &[u8]) -> Result<usize> {
        let id = socket(node)?;
        stack.udp.send_to(id, data, node.remote, &mut stack.network).map_err(errno)
    }

    fn call(stack: &mut Stack, node: &mut Node, payload: &mut [u8], metadata: &[u64]) -> Result<usize> {
        let (verb, argument) = Verb::parse(metadata).ok_or(Error::new(EOPNOTSUPP))?;
        match verb {
            Verb::GetPeerName => {
                node.remote.ok_or(Error::new(ENOTCONN))?;
                put(format!("/scheme/udp/{}", Self::path(stack, node)).as_bytes(), payload)
            }
            Verb::Shutdown => Err(Error::new(EOPNOTSUPP)),
            Verb::GetSockOpt => get_option(stack, node, argument, payload),
            Verb::SetSockOpt if is_so_anyway(argument) => Ok(payload.len()),
            Verb::SetSockOpt => Err(Error::new(ENOPROTOOPT)),
            Verb::SendMsg => {
                let sent = Self::write(stack, node, message::to_send(payload)?);
                sent.map_err(|error| message::until_writable(error, argument))
            }
            Verb::RecvMsg => {
                let id = socket(node)?;
                let sender = stack.udp.next_sender(id);
                let received = message::receive(
                    payload,
                    || sender.map_or_else(String::new, |sender| format!("/scheme/udp/{sender}")),
                    |data| {
                        let received = stack.udp.receive_from(id, data, message::is_peek(argument));
                        received.map(|(_, count, _)| count).map_err(errno)
                    },
                );
                received.map_err(|error| message::until_readable(error, argument))
            }
        }
    }

    fn path(stack: &Stack, node: &Node) -> String {
        address::text(node.remote, node.socket.and_then(|id| stack.udp.local(id)))
    }

    fn left(stack: &mut Stack, key: UdpId, rest: &[Node]) {
        let Some((first, others)) = rest.split_first() else { return stack.udp.close(key) };
        let common = first.remote.filter(|_| others.iter().all(|other| other.remote == first.remote));
        // The route is checked when something is sent.
        if let Err(error) = stack.udp.connect(key, common, &stack.network) {
            log::debug!("udp: a socket stays open to all senders: {error}");
        }
    }

    fn take_changes(stack: &mut Stack) -> Vec<(UdpId, Readiness)> {
        stack.udp.take_changes()
    }
}

fn open(stack: &mut Stack, ends: Ends, caller: Caller) -> Result<Node> {
    address::check_local(ends.local, caller.uid)?;
    let any = ends.remote.map_or(UNSPECIFIED, |remote| SocketAddr::new(unspecified(remote.ip()), 0));
    let local = ends.local.unwrap_or(any);
    let id = stack.udp.open(local, ends.remote, &mut stack.network).map_err(errno)?;
    Ok(Node { socket: Some(id), remote: ends.remote })
}

fn bind(stack: &mut Stack, node: &Node, ends: Ends, caller: Caller) -> Result<Node> {
    match node.socket {
        None => open(stack, ends, caller),
        Some(_) => Err(Error::new(EINVAL)),
    }
}

/// A handle of the same socket whose writes go to `remote`.
fn towards(stack: &mut Stack, node: &mut Node, remote: SocketAddr) -> Result<Node> {
    let id = match node.socket {
        Some(id) => id,
        None => {
            let local = SocketAddr::new(unspecified(remote.ip()), 0);
            stack.udp.open(local, None, &mut stack.network).map_err(errno)?
        }
    };
    node.socket = Some(id);
    stack.network.route_to(remote, None).map_err(errno)?;
    Ok(Node { socket: Some(id), remote: Some(remote) })
}

fn socket(node: &Node) -> Result<UdpId> {
    node.socket.ok_or(Error::new(ENOTCONN))
}

fn get_option(stack: &mut Stack, node: &Node, name: u64, payload: &mut [u8]) -> Result<usize> {
    let value = match name {
        option::SO_RCVBUF | option::SO_SNDBUF => RECEIVE_BUFFER as i32,
        option::SO_BROADCAST => 1,
        option::SO_ERROR => {
            let error = node.socket.and_then(|id| stack.udp.take_error(id));
            error.map_or(0, |error| errno(error).errno)
        }
        _ => return Err(Error::new(ENOPROTOOPT)),
    };
    message::put_option(value, payload)
}

/// Ports are shared by nobody, broadcasts are sent for everybody, and buffers have one size, which is only a wish.
fn is_so_anyway(name: u64) -> bool {
    use option::{SO_BROADCAST, SO_RCVBUF, SO_REUSEADDR, SO_SNDBUF};
    matches!(name, SO_REUSEADDR | SO_BROADCAST | SO_RCVBUF | SO_SNDBUF)
}

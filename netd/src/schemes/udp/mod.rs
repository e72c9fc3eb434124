//! `udp`: datagrams, as Redox's programs know them.

mod groups;
mod options;

use std::net::SocketAddr;

use scheme::errno::{EINVAL, ENOENT, ENOTCONN, EOPNOTSUPP};
use scheme::{DirentKind, Error, Result};

use crate::schemes::address::{self, Ends};
use crate::schemes::errno::errno;
use crate::schemes::message::{self, Verb};
use crate::schemes::option::SocketOption;
use crate::schemes::socket_scheme::{Caller, Protocol, put};
use crate::stack::address::{UNSPECIFIED, unspecified};
use crate::stack::udp::{Options, UdpId};
use crate::stack::{Readiness, SocketError, Stack};

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
    /// What is set of it, while there is no socket.
    options: Options,
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
            "" => Ok(Node { options: own(caller), ..Node::default() }),
            path => open(stack, address::parse(path)?, own(caller), caller),
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
        match stack.udp.receive_from(id, buffer, false) {
            Ok((_, count, _)) => Ok(count),
            Err(SocketError::Closed) => Ok(0),
            Err(error) => Err(errno(error)),
        }
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
            Verb::Shutdown => shutdown(stack, node, argument),
            Verb::GetSockOpt => options::get(stack, node, SocketOption::parse(metadata)?, payload),
            Verb::SetSockOpt => options::set(stack, node, SocketOption::parse(metadata)?, payload),
            Verb::SendMsg => {
                message::check_flags(argument)?;
                let sent = Self::write(stack, node, message::to_send(payload)?);
                sent.map_err(|error| message::until_writable(error, argument))
            }
            Verb::RecvMsg => {
                message::check_flags(argument)?;
                let id = socket(node)?;
                let sender = stack.udp.next_sender(id);
                let received = message::receive(
                    payload,
                    || sender.map_or_else(String::new, |sender| format!("/scheme/udp/{sender}")),
                    |data| match stack.udp.receive_from(id, data, message::is_peek(argument)) {
                        Ok((_, count, length)) => Ok((count, length)),
                        Err(SocketError::Closed) => Ok((0, 0)),
                        Err(error) => Err(errno(error)),
                    },
                );
                received.map_err(|error| message::until_readable(error, argument))
            }
        }
    }

    fn path(stack: &Stack, node: &Node) -> String {
        let facing = |id| facing(stack, id, node.remote);
        address::text(node.remote, node.socket.and_then(facing))
    }

    fn left(stack: &mut Stack, key: UdpId, rest: &[Node]) {
        let Some((first, others)) = rest.split_first() else {
            return stack.udp.close(key, &mut stack.network);
        };
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

/// What is set of a new socket.
fn own(caller: Caller) -> Options {
    Options { uid: caller.uid, ..Options::default() }
}

fn open(stack: &mut Stack, ends: Ends, options: Options, caller: Caller) -> Result<Node> {
    address::check_local(ends.local, caller.uid)?;
    let any = ends.remote.map_or(UNSPECIFIED, |remote| SocketAddr::new(unspecified(remote.ip()), 0));
    let local = ends.local.unwrap_or(any);
    let id = stack.udp.open(local, ends.remote, options, &mut stack.network).map_err(errno)?;
    Ok(Node { socket: Some(id), remote: ends.remote, ..Node::default() })
}

fn bind(stack: &mut Stack, node: &Node, ends: Ends, caller: Caller) -> Result<Node> {
    match node.socket {
        None => open(stack, ends, node.options.clone(), caller),
        Some(_) => Err(Error::new(EINVAL)),
    }
}

/// A handle of the same socket whose writes go to `remote`.
fn towards(stack: &mut Stack, node: &mut Node, remote: SocketAddr) -> Result<Node> {
    let id = match node.socket {
        Some(id) => id,
        None => {
            let local = SocketAddr::new(unspecified(remote.ip()), 0);
            stack.udp.open(local, None, node.options.clone(), &mut stack.network).map_err(errno)?
        }
    };
    node.socket = Some(id);
    stack.udp.path(id, remote, &stack.network).map_err(errno)?;
    Ok(Node { socket: Some(id), remote: Some(remote), ..Node::default() })
}

fn socket(node: &Node) -> Result<UdpId> {
    node.socket.ok_or(Error::new(ENOTCONN))
}

/// Our end of a socket that may have any address of ours: towards its peer it is the one that datagrams go out from.
fn facing(stack: &Stack, id: UdpId, remote: Option<SocketAddr>) -> Option<SocketAddr> {
    let local = stack.udp.local(id)?;
    let remote = remote.filter(|_| local.ip().is_unspecified());
    let path = remote.and_then(|remote| stack.udp.path(id, remote, &stack.network).ok());
    Some(path.map_or(local, |path| stack.network.endpoint(path.source, local.port(), path.interface)))
}

/// Of a connected socket, as POSIX has it.
fn shutdown(stack: &mut Stack, node: &Node, how: u64) -> Result<usize> {
    let which = message::directions(how)?;
    node.remote.ok_or(Error::new(ENOTCONN))?;
    stack.udp.shutdown(socket(node)?, which).map(|()| 0).map_err(errno)
}

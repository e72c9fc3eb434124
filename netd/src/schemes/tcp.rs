//! `tcp`: byte streams, as Redox's programs know them.

use scheme::errno::{
    EAGAIN_READ, EAGAIN_WRITE, EBADF, EINPROGRESS, EINVAL, EISCONN, ENOENT, ENOPROTOOPT, ENOTCONN, EOPNOTSUPP,
};
use scheme::{DirentKind, Error, Result};

use super::address::{self, Ends};
use super::errno::errno;
use super::message::{self, Verb, option};
use super::socket_scheme::{Caller, Protocol, put};
use crate::stack::address::UNSPECIFIED;
use crate::stack::tcp::{BUFFER, Change, ConnectionId, ListenerId};
use crate::stack::{Readiness, SocketError, Stack};

/// The scheme's [`Protocol`].
pub struct Tcp;

/// A handle's socket.
#[derive(Clone, Debug)]
pub enum Node {
    /// Neither bound nor connected.
    Unbound,
    /// It listens: Redox's `listen` does nothing, so whoever is bound listens.
    Listener(ListenerId),
    /// A connection; `connecting` until the success of its handshake was told.
    Connection {
        /// Which.
        id: ConnectionId,
        /// The handshake's end was not told yet.
        connecting: bool,
    },
}

/// A socket of the stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Key {
    /// It listens.
    Listener(ListenerId),
    /// It is connected.
    Connection(ConnectionId),
}

impl Protocol for Tcp {
    type Node = Node;
    type Key = Key;

    const NAME: &'static str = "tcp";

    fn key(node: &Node) -> Option<Key> {
        match node {
            Node::Unbound => None,
            Node::Listener(id) => Some(Key::Listener(*id)),
            Node::Connection { id, .. } => Some(Key::Connection(*id)),
        }
    }

    fn probe(path: &str) -> Result<DirentKind> {
        address::parse(path)?;
        Ok(if path.is_empty() { DirentKind::Directory } else { DirentKind::Regular })
    }

    fn names(_path: &str) -> &'static [&'static str] {
        &[]
    }

    fn open(stack: &mut Stack, path: &str, caller: Caller) -> Result<Node> {
        open(stack, address::parse(path)?, caller)
    }

    fn settled(stack: &mut Stack, node: &mut Node) -> Result<()> {
        settled(stack, node).map_err(errno)
    }

    fn dup(stack: &mut Stack, node: &mut Node, path: &[u8], caller: Caller) -> Result<Node> {
        match path {
            b"" => Ok(node.clone()),
            b"listen" => accept(stack, node),
            b"disconnect" => Ok(Node::Unbound),
            path => {
                let path = str::from_utf8(path).map_err(|_| Error::new(EINVAL))?;
                match address::parse(path)? {
                    Ends { remote: Some(_), local: Some(_) } | Ends { remote: None, .. } => {
                        bind(stack, node, path, caller)
                    }
                    ends => connect(stack, node, ends, caller),
                }
            }
        }
    }

    fn readiness(stack: &Stack, node: &Node) -> Readiness {
        match node {
            Node::Unbound => Readiness::NONE,
            Node::Listener(id) => Readiness { read: stack.tcp.can_accept(*id), write: false },
            Node::Connection { id, .. } => stack.tcp.readiness(*id),
        }
    }

    fn read(stack: &mut Stack, node: &mut Node, buffer: &mut [u8]) -> Result<usize> {
        let id = connection(node)?;
        stack.tcp.read(id, buffer, false).map_err(errno)
    }

    fn write(stack: &mut Stack, node: &mut Node, data: &[u8]) -> Result<usize> {
        let id = connection(node)?;
        stack.tcp.write(id, data).map_err(errno)
    }

    fn call(stack: &mut Stack, node: &mut Node, payload: &mut [u8], metadata: &[u64]) -> Result<usize> {
        let (verb, argument) = Verb::parse(metadata).ok_or(Error::new(EOPNOTSUPP))?;
        match verb {
            Verb::GetPeerName => {
                connection(node)?;
                put(format!("/scheme/tcp/{}", Self::path(stack, node)).as_bytes(), payload)
            }
            Verb::Shutdown => shutdown(stack, node, argument),
            Verb::GetSockOpt => get_option(stack, node, argument, payload),
            Verb::SetSockOpt => set_option(stack, node, argument, payload),
            Verb::SendMsg => {
                let id = connection(node)?;
                let sent = stack.tcp.write(id, message::to_send(payload)?).map_err(errno);
                sent.map_err(|error| message::until_writable(error, argument))
            }
            Verb::RecvMsg => {
                let id = connection(node)?;
                let name = format!("/scheme/tcp/{}", Self::path(stack, node));
                let received = message::receive(
                    payload,
                    || name,
                    |data| stack.tcp.read(id, data, message::is_peek(argument)).map_err(errno),
                );
                received.map_err(|error| message::until_readable(error, argument))
            }
        }
    }

    fn path(stack: &Stack, node: &Node) -> String {
        match node {
            Node::Unbound => address::text(None, None),
            Node::Listener(id) => address::text(None, stack.tcp.listener_address(*id)),
            Node::Connection { id, .. } => match stack.tcp.addresses(*id) {
                Some((local, remote)) => address::text(Some(remote), Some(local)),
                None => address::text(None, None),
            },
        }
    }

    fn left(stack: &mut Stack, key: Key, rest: &[Node]) {
        if !rest.is_empty() {
            return;
        }
        let now = stack.network.now;
        match key {
            Key::Listener(id) => stack.tcp.close_listener(id, now),
            Key::Connection(id) => stack.tcp.close(id, now),
        }
    }

    fn take_changes(stack: &mut Stack) -> Vec<(Key, Readiness)> {
        let changes = stack.tcp.take_changes();
        let keyed = changes.into_iter().map(|change| match change {
            Change::Connection(id, readiness) => (Key::Connection(id), readiness),
            Change::Listener(id) => (Key::Listener(id), Readiness::READ),
        });
        keyed.collect()
    }
}

fn open(stack: &mut Stack, ends: Ends, caller: Caller) -> Result<Node> {
    address::check_local(ends.local, caller.uid)?;
    let Stack { tcp, network, .. } = stack;
    match ends {
        Ends { remote: Some(remote), local } => {
            let id = tcp.connect(local, remote, network).map_err(errno)?;
            Ok(Node::Connection { id, connecting: true })
        }
        Ends { remote: None, local: Some(local) } => {
            tcp.listen(local, network).map(Node::Listener).map_err(errno)
        }
        Ends { remote: None, local: None } => Ok(Node::Unbound),
    }
}

/// Tells the end of a handshake, once.
fn settled(stack: &mut Stack, node: &mut Node) -> std::result::Result<(), SocketError> {
    if let Node::Connection { id, connecting } = node
        && *connecting
    {
        stack.tcp.connected(*id)?;
        *connecting = false;
    }
    Ok(())
}

fn accept(stack: &mut Stack, node: &Node) -> Result<Node> {
    match node {
        Node::Listener(id) => {
            let accepted = stack.tcp.accept(*id).map_err(|error| match error {
                SocketError::WouldBlock => Error::new(EAGAIN_READ),
                error => errno(error),
            });
            Ok(Node::Connection { id: accepted?, connecting: false })
        }
        _ => Err(Error::new(EINVAL)),
    }
}

/// relibc's `bind`: `/a.b.c.d:port`. Address and port 0 ask for any.
fn bind(stack: &mut Stack, node: &Node, path: &str, caller: Caller) -> Result<Node> {
    if !matches!(node, Node::Unbound) {
        return Err(Error::new(EINVAL));
    }
    let ends = address::parse(path)?;
    if !path.starts_with('/') && ends.remote.is_none() {
        return Err(Error::new(ENOENT));
    }
    let local = ends.local.or(Some(UNSPECIFIED));
    open(stack, Ends { local, ..ends }, caller)
}

/// relibc's `connect`. The handle itself becomes the connection, so that a wait that is interrupted, or one
/// that was not wanted, can be taken up again.
fn connect(stack: &mut Stack, node: &mut Node, ends: Ends, caller: Caller) -> Result<Node> {
    match node {
        Node::Connection { connecting: true, .. } => (),
        Node::Connection { .. } => return Err(Error::new(EISCONN)),
        // It would be taken from the others.
        Node::Listener(_) if caller.shares => return Err(Error::new(EISCONN)),
        Node::Listener(id) => {
            let id = *id;
            connect_bound(stack, node, id, ends)?;
        }
        Node::Unbound => *node = open(stack, ends, caller)?,
    }
    match settled(stack, node) {
        Ok(()) => Ok(node.clone()),
        Err(SocketError::WouldBlock) if caller.nonblocking => Err(Error::new(EINPROGRESS)),
        Err(SocketError::WouldBlock) => Err(Error::new(EAGAIN_WRITE)),
        Err(error) => {
            // The socket may try again.
            *node = Node::Unbound;
            Err(errno(error))
        }
    }
}

/// Connects from where a listener is bound, in its place. What cannot even begin leaves it bound.
fn connect_bound(stack: &mut Stack, node: &mut Node, listener: ListenerId, ends: Ends) -> Result<()> {
    let local = stack.tcp.listener_address(listener).ok_or(Error::new(EBADF))?;
    // Whether its owner may have the port was checked when it was bound.
    let owner = Caller { uid: 0, nonblocking: true, shares: false };
    stack.tcp.close_listener(listener, stack.network.now);
    let connected = open(stack, Ends { local: Some(local), ..ends }, owner);
    if connected.is_err() {
        *node = stack.tcp.listen(local, &mut stack.network).map_or(Node::Unbound, Node::Listener);
    }
    connected.map(|connection| *node = connection)
}

fn connection(node: &Node) -> Result<ConnectionId> {
    match node {
        Node::Connection { id, .. } => Ok(*id),
        Node::Unbound | Node::Listener(_) => Err(Error::new(ENOTCONN)),
    }
}

/// POSIX's SHUT_RD 0, SHUT_WR 1, SHUT_RDWR 2.
fn shutdown(stack: &mut Stack, node: &Node, how: u64) -> Result<usize> {
    let which = match how {
        0 => Readiness::READ,
        1 => Readiness::WRITE,
        2 => Readiness::BOTH,
        _ => return Err(Error::new(EINVAL)),
    };
    stack.tcp.shutdown(connection(node)?, which).map(|()| 0).map_err(errno)
}

fn get_option(stack: &mut Stack, node: &Node, name: u64, payload: &mut [u8]) -> Result<usize> {
    let value = match name {
        option::SO_RCVBUF | option::SO_SNDBUF => BUFFER as i32,
        option::SO_REUSEADDR => 1,
        option::SO_ERROR => {
            let error = connection(node).ok().and_then(|id| stack.tcp.take_error(id));
            error.map_or(0, |error| errno(error).errno)
        }
        _ => return Err(Error::new(ENOPROTOOPT)),
    };
    message::put_option(value, payload)
}

/// What is so anyway is accepted: a port is free as soon as nobody listens on it, buffers have one size, which
/// is only a wish, and `close` does not wait. What is not connected has nothing to keep alive.
fn set_option(stack: &mut Stack, node: &Node, name: u64, payload: &[u8]) -> Result<usize> {
    match name {
        option::SO_REUSEADDR | option::SO_BROADCAST | option::SO_RCVBUF | option::SO_SNDBUF => (),
        option::SO_LINGER if message::option(payload)? == 0 => (),
        option::SO_KEEPALIVE => {
            let wanted = message::option(payload)? != 0;
            if let Node::Connection { id, .. } = node {
                stack.tcp.set_keep_alive(*id, wanted).map_err(errno)?;
            }
        }
        _ => return Err(Error::new(ENOPROTOOPT)),
    }
    Ok(payload.len())
}

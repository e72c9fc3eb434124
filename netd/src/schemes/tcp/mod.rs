//! `tcp`: byte streams, as Redox's programs know them.

mod options;

use scheme::errno::{
    EAGAIN_READ, EAGAIN_WRITE, EALREADY, EBADF, EINPROGRESS, EINVAL, EISCONN, ENOENT, ENOTCONN, EOPNOTSUPP,
};
use scheme::{DirentKind, Error, Result};

use crate::schemes::address::{self, Ends};
use crate::schemes::errno::errno;
use crate::schemes::message::{self, Verb};
use crate::schemes::option::SocketOption;
use crate::schemes::socket_scheme::{Caller, Protocol, put};
use crate::stack::address::UNSPECIFIED;
use crate::stack::tcp::{Change, ConnectionId, ListenerId, Options};
use crate::stack::{Readiness, SocketError, Stack};

/// The scheme's [`Protocol`].
pub struct Tcp;

/// A handle's socket.
#[derive(Clone, Debug)]
pub enum Node {
    /// Neither bound nor connected; what is set of it will be that of what it becomes.
    Unbound(Options),
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
            Node::Unbound(_) => None,
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
        // A path can set nothing, and a server that is started again should not wait.
        let options = Options { uid: caller.uid, reuse_address: true, ..Options::default() };
        open(stack, address::parse(path)?, options, caller)
    }

    fn settled(stack: &mut Stack, node: &mut Node) -> Result<()> {
        settled(stack, node).map_err(errno)
    }

    fn dup(stack: &mut Stack, node: &mut Node, path: &[u8], caller: Caller) -> Result<Node> {
        match path {
            b"" => Ok(node.clone()),
            b"listen" => accept(stack, node),
            b"disconnect" => options::current(stack, node).map(Node::Unbound),
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
            Node::Unbound(_) => Readiness::NONE,
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
            Verb::GetSockOpt => options::get(stack, node, SocketOption::parse(metadata)?, payload),
            Verb::SetSockOpt => options::set(stack, node, SocketOption::parse(metadata)?, payload),
            Verb::SendMsg => {
                message::check_flags(argument)?;
                let id = connection(node)?;
                let sent = stack.tcp.write_whole(id, message::to_send(payload)?).map_err(errno);
                sent.map_err(|error| message::until_writable(error, argument))
            }
            Verb::RecvMsg => {
                message::check_flags(argument)?;
                let id = connection(node)?;
                if message::waits_for_all(argument) && stack.tcp.awaits(id, message::room(payload)?) {
                    return Err(Error::new(EAGAIN_READ));
                }
                let name = format!("/scheme/tcp/{}", Self::path(stack, node));
                let received = message::receive(
                    payload,
                    || name,
                    |data| {
                        let count = stack.tcp.read(id, data, message::is_peek(argument)).map_err(errno)?;
                        Ok((count, count))
                    },
                );
                received.map_err(|error| message::until_readable(error, argument))
            }
        }
    }

    fn path(stack: &Stack, node: &Node) -> String {
        match node {
            Node::Unbound(_) => address::text(None, None),
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

fn open(stack: &mut Stack, ends: Ends, options: Options, caller: Caller) -> Result<Node> {
    address::check_local(ends.local, caller.uid)?;
    let Stack { tcp, network, .. } = stack;
    match ends {
        Ends { remote: Some(remote), local } => {
            let id = tcp.connect(local, remote, options, network).map_err(errno)?;
            Ok(Node::Connection { id, connecting: true })
        }
        Ends { remote: None, local: Some(local) } => {
            tcp.listen(local, options, network).map(Node::Listener).map_err(errno)
        }
        Ends { remote: None, local: None } => {
            Ok(Node::Unbound(Options { uid: caller.uid, ..Options::default() }))
        }
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
    let Node::Unbound(options) = node else { return Err(Error::new(EINVAL)) };
    let ends = address::parse(path)?;
    if !path.starts_with('/') && ends.remote.is_none() {
        return Err(Error::new(ENOENT));
    }
    let local = ends.local.or(Some(UNSPECIFIED));
    open(stack, Ends { local, ..ends }, *options, caller)
}

/// relibc's `connect`. The handle itself becomes the connection, so that a wait that is interrupted, or one
/// that was not wanted, can be taken up again.
fn connect(stack: &mut Stack, node: &mut Node, ends: Ends, caller: Caller) -> Result<Node> {
    let options = options::current(stack, node)?;
    let was_connecting = matches!(node, Node::Connection { .. });
    match node {
        Node::Connection { connecting: true, .. } => (),
        Node::Connection { .. } => return Err(Error::new(EISCONN)),
        // It would be taken from the others.
        Node::Listener(_) if caller.shares => return Err(Error::new(EISCONN)),
        Node::Listener(id) => {
            let id = *id;
            connect_bound(stack, node, id, ends, options)?;
        }
        Node::Unbound(_) => *node = open(stack, ends, options, caller)?,
    }
    match settled(stack, node) {
        Ok(()) => Ok(node.clone()),
        Err(SocketError::WouldBlock) if caller.nonblocking && was_connecting => Err(Error::new(EALREADY)),
        Err(SocketError::WouldBlock) if caller.nonblocking => Err(Error::new(EINPROGRESS)),
        Err(SocketError::WouldBlock) => Err(Error::new(EAGAIN_WRITE)),
        Err(error) => {
            // The socket may try again.
            *node = Node::Unbound(options);
            Err(errno(error))
        }
    }
}

/// Connects from where a listener is bound, in its place. What cannot even begin leaves it bound.
fn connect_bound(
    stack: &mut Stack,
    node: &mut Node,
    listener: ListenerId,
    ends: Ends,
    options: Options,
) -> Result<()> {
    let local = stack.tcp.listener_address(listener).ok_or(Error::new(EBADF))?;
    // Whether its owner may have the port was checked when it was bound.
    let owner = Caller { uid: 0, nonblocking: true, shares: false };
    stack.tcp.close_listener(listener, stack.network.now);
    let connected = open(stack, Ends { local: Some(local), ..ends }, options, owner);
    if connected.is_err() {
        let again = stack.tcp.listen(local, options, &mut stack.network);
        *node = again.map_or(Node::Unbound(options), Node::Listener);
    }
    connected.map(|connection| *node = connection)
}

fn connection(node: &Node) -> Result<ConnectionId> {
    match node {
        Node::Connection { id, .. } => Ok(*id),
        Node::Unbound(_) | Node::Listener(_) => Err(Error::new(ENOTCONN)),
    }
}

fn shutdown(stack: &mut Stack, node: &Node, how: u64) -> Result<usize> {
    stack.tcp.shutdown(connection(node)?, message::directions(how)?).map(|()| 0).map_err(errno)
}

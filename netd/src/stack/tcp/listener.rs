//! Listeners: the backlog between a SYN and `accept`.

use std::collections::VecDeque;
use std::net::SocketAddr;

use smoltcp::socket::tcp::State;
use smoltcp::time::{Duration, Instant};

use super::connection::{Connection, LINGER, Owner, Tuple};
use super::{Change, ConnectionId, ListenerId, Options, Tcp};
use crate::stack::address::unspecified;
use crate::stack::datagram::Datagram;
use crate::stack::error::SocketError;
use crate::stack::network::Network;
use crate::stack::ports::Sharing;
use crate::stack::random::Random;
use crate::stack::routes::InterfaceId;

/// Connections that a listener holds for `accept`.
const BACKLOG: usize = 128;
/// Handshakes that a listener has under way.
const HALF_OPEN: usize = 1024;
/// How long a handshake is left alone when there is no room for others: so a burst of honest ones completes, while of
/// a flood (RFC 4987) only as many remain.
const GRACE: Duration = Duration::from_millis(100);
/// How many connections a handshake counts for when buffers are shared out, since it may never become one.
const DISTRUST: usize = 4;

/// Where listening sockets take connections from.
#[derive(Debug)]
pub(super) struct Listener {
    pub(super) local: SocketAddr,
    /// With whom its port is shared.
    sharing: Sharing,
    pub(super) options: Options,
    /// Handshakes under way, with their beginnings, the oldest first.
    pub(super) half_open: VecDeque<(Instant, ConnectionId)>,
    pub(super) ready: VecDeque<ConnectionId>,
}

impl Tcp {
    /// Accepts connections to `local` from now on. Its port 0 means an ephemeral one, its unspecified
    /// address all of ours.
    pub fn listen(
        &mut self,
        local: SocketAddr,
        options: Options,
        network: &mut Network,
    ) -> Result<ListenerId, SocketError> {
        if !local.ip().is_unspecified() && !network.is_local(local.ip()) {
            return Err(SocketError::AddressNotAvailable(local.ip()));
        }
        if !(options.reuse_address || options.reuse_port) && self.is_used(local) {
            return Err(SocketError::AddressInUse(local.port()));
        }
        let sharing = options.sharing();
        let local = self.ports.take(local, sharing, &mut network.random)?;
        let (half_open, ready) = Default::default();
        let id = ListenerId(self.listeners.insert(Listener { local, sharing, options, half_open, ready }));
        self.by_endpoint.entry(local).or_default().push(id);
        Ok(id)
    }

    /// The oldest connection that waits to be accepted.
    pub fn accept(&mut self, id: ListenerId) -> Result<ConnectionId, SocketError> {
        let listener = self.listeners.get_mut(id.0).ok_or(SocketError::NoSuchSocket)?;
        let accepted = listener.ready.pop_front().ok_or(SocketError::WouldBlock)?;
        if let Some(connection) = self.connections.get_mut(accepted.0) {
            connection.owner = Owner::User;
        }
        Ok(accepted)
    }

    /// Whether `accept` would give a connection.
    pub fn can_accept(&self, id: ListenerId) -> bool {
        self.listeners.get(id.0).is_some_and(|listener| !listener.ready.is_empty())
    }

    /// Where a listener listens.
    pub fn listener_address(&self, id: ListenerId) -> Option<SocketAddr> {
        self.listeners.get(id.0).map(|listener| listener.local)
    }

    /// The settings that connections will have.
    pub fn listener_options(&mut self, id: ListenerId) -> Result<&mut Options, SocketError> {
        self.listeners.get_mut(id.0).map(|listener| &mut listener.options).ok_or(SocketError::NoSuchSocket)
    }

    /// Stops listening; connections that nobody has accepted are reset.
    pub fn close_listener(&mut self, id: ListenerId, now: Instant) {
        let Some(listener) = self.listeners.try_remove(id.0) else { return };
        if let Some(sharers) = self.by_endpoint.get_mut(&listener.local) {
            sharers.retain(|sharer| *sharer != id);
            if sharers.is_empty() {
                self.by_endpoint.remove(&listener.local);
            }
        }
        self.ports.release(listener.local, listener.sharing);
        let orphans: Vec<_> = self
            .connections
            .iter()
            .filter(|(_, connection)| matches!(connection.owner, Owner::Handshake(of) | Owner::Accept(of) if of == id))
            .map(|(key, _)| ConnectionId(key))
            .collect();
        for orphan in orphans {
            if let Some(connection) = self.connections.get_mut(orphan.0) {
                connection.abort();
                connection.owner = Owner::Nobody(now + LINGER);
            }
            self.mark_dirty(orphan);
        }
    }

    /// Who takes a connection between these ends: of several that share the port always the same one.
    pub(super) fn listener_for(&self, tuple: &Tuple, random: &Random) -> Option<ListenerId> {
        let local = tuple.local;
        let everywhere = SocketAddr::new(unspecified(local.ip()), local.port());
        let sharers = self.by_endpoint.get(&local).or_else(|| self.by_endpoint.get(&everywhere))?;
        random.one_of(sharers, tuple).copied()
    }

    /// Whether a connection, be it of nobody any more, has this end.
    fn is_used(&self, local: SocketAddr) -> bool {
        let mut ends = self.by_tuple.keys().map(|tuple| tuple.local);
        ends.any(|end| end.port() == local.port() && (local.ip().is_unspecified() || end.ip() == local.ip()))
    }

    /// A SYN for a listener. Without room it is dropped, so that the peer asks again; RST would be final.
    pub(super) fn receive_request(
        &mut self,
        id: ListenerId,
        tuple: Tuple,
        interface: InterfaceId,
        datagram: &Datagram<'_>,
        network: &mut Network,
    ) {
        let Some(listener) = self.listeners.get(id.0) else { return };
        let (options, half_open) = (listener.options, listener.half_open.len());
        let overdue = listener.half_open.front().filter(|(begin, _)| *begin + GRACE <= network.now);
        let oldest = overdue.map(|(_, oldest)| *oldest);
        if listener.ready.len() >= BACKLOG || (half_open >= HALF_OPEN && oldest.is_none()) {
            if let Some(interface) = network.interface_mut(interface) {
                interface.counters.listen_overflows += 1;
            }
            return;
        }
        if let Some(oldest) = oldest.filter(|_| half_open >= HALF_OPEN) {
            self.remove(oldest);
        }
        let buffers = self.shares(options, half_open * DISTRUST);
        let Some(mut connection) = Connection::listen(tuple, interface, id, options, buffers) else { return };
        connection.narrow(network.path_mtu(interface, tuple.remote.ip()), network);
        let request = self.insert(connection);
        if let Some(listener) = self.listeners.get_mut(id.0) {
            listener.half_open.push_back((network.now, request));
        }
        self.feed(request, datagram, network);
    }

    pub(super) fn settle_handshake(&mut self, id: ConnectionId, listener: ListenerId) {
        let Some(connection) = self.connections.get_mut(id.0) else { return };
        match connection.state() {
            // A SYN with a bad checksum was not taken; after RST smoltcp listens again, for nobody.
            State::Listen => return self.remove(id),
            State::Closed if connection.is_over() => return self.remove(id),
            State::Closed | State::SynReceived => return,
            _ => (),
        }
        connection.owner = Owner::Accept(listener);
        if let Some(listener) = self.listeners.get_mut(listener.0) {
            listener.half_open.retain(|(_, other)| *other != id);
            listener.ready.push_back(id);
        }
        self.changes.push(Change::Listener(listener));
    }
}

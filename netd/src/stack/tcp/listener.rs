//! Listeners: the backlog between a SYN and `accept`.

use std::collections::VecDeque;
use std::net::SocketAddr;

use smoltcp::socket::tcp::State;
use smoltcp::time::Instant;

use super::connection::{Connection, LINGER, Owner, Tuple};
use super::{Change, ConnectionId, ListenerId, Tcp};
use crate::stack::address::unspecified;
use crate::stack::datagram::Datagram;
use crate::stack::error::SocketError;
use crate::stack::network::Network;
use crate::stack::routes::InterfaceId;

/// Connections that a listener holds for `accept`, half-open ones included.
const BACKLOG: usize = 128;

/// Where listening sockets take connections from.
#[derive(Debug)]
pub(super) struct Listener {
    pub(super) local: SocketAddr,
    /// Handshakes under way.
    pub(super) half_open: usize,
    pub(super) ready: VecDeque<ConnectionId>,
}

impl Tcp {
    /// Accepts connections to `local` from now on. Its port 0 means an ephemeral one, its unspecified
    /// address all of ours.
    pub fn listen(&mut self, local: SocketAddr, network: &mut Network) -> Result<ListenerId, SocketError> {
        if !local.ip().is_unspecified() && !network.is_local(local.ip()) {
            return Err(SocketError::AddressNotAvailable(local.ip()));
        }
        let local = self.ports.take(local, &mut network.random)?;
        let listener = Listener { local, half_open: 0, ready: VecDeque::new() };
        let id = ListenerId(self.listeners.insert(listener));
        self.by_endpoint.insert(local, id);
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

    /// Stops listening; connections that nobody has accepted are reset.
    pub fn close_listener(&mut self, id: ListenerId, now: Instant) {
        let Some(listener) = self.listeners.try_remove(id.0) else { return };
        self.by_endpoint.remove(&listener.local);
        self.ports.release(listener.local);
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

    pub(super) fn listener_for(&self, local: SocketAddr) -> Option<ListenerId> {
        let everywhere = SocketAddr::new(unspecified(local.ip()), local.port());
        self.by_endpoint.get(&local).or_else(|| self.by_endpoint.get(&everywhere)).copied()
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
        let Some(listener) = self.listeners.get_mut(id.0) else { return };
        if listener.half_open + listener.ready.len() >= BACKLOG {
            if let Some(interface) = network.interface_mut(interface) {
                interface.counters.listen_overflows += 1;
            }
            return;
        }
        let Some(mut connection) = Connection::listen(tuple, interface, id) else { return };
        connection.narrow(network.path_mtu(interface, tuple.remote.ip()), network);
        listener.half_open += 1;
        let id = self.insert(connection);
        self.feed(id, datagram, network);
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
            listener.half_open = listener.half_open.saturating_sub(1);
            listener.ready.push_back(id);
        }
        self.changes.push(Change::Listener(listener));
    }
}

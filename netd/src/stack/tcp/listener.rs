//! Listeners: the backlog between a SYN and `accept`.

use std::collections::{HashSet, VecDeque};
use std::net::SocketAddr;

use smoltcp::socket::tcp::State;
use smoltcp::time::Instant;
use smoltcp::wire::TcpPacket;

use super::connection::{Connection, LINGER, Owner, Tuple};
use super::{Change, ConnectionId, ListenerId, Options, Tcp, buffers, cookie, packet, sequence};
use crate::stack::address::unspecified;
use crate::stack::datagram::{self, Datagram};
use crate::stack::error::SocketError;
use crate::stack::network::Network;
use crate::stack::ports::Sharing;
use crate::stack::random::Random;
use crate::stack::routes::InterfaceId;
use crate::stack::wire::HEADROOM;

/// Connections that a listener holds for `accept`.
const BACKLOG: usize = 128;
/// Handshakes that a listener has under way. More of them, be it a burst or a flood (RFC 4987), are left to the peers.
const HALF_OPEN: usize = 1024;
/// How many connections a handshake counts for when buffers are shared out, since it may never become one.
const DISTRUST: usize = 4;

/// Where listening sockets take connections from.
#[derive(Debug)]
pub(super) struct Listener {
    pub(super) local: SocketAddr,
    /// With whom its port is shared.
    sharing: Sharing,
    pub(super) options: Options,
    /// Handshakes under way.
    pub(super) half_open: HashSet<ConnectionId>,
    pub(super) ready: VecDeque<ConnectionId>,
    /// Until when peers may come back who remember what was left to them.
    remembered_until: Instant,
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
        let (half_open, ready, remembered_until) = (HashSet::new(), VecDeque::new(), Instant::ZERO);
        let listener = Listener { local, sharing, options, half_open, ready, remembered_until };
        let id = ListenerId(self.listeners.insert(listener));
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
            }
            self.let_go(orphan, now + LINGER);
        }
    }

    /// Who takes a connection between these ends: of several that share the port always the same one.
    pub(super) fn listener_for(
        &self,
        tuple: &Tuple,
        interface: InterfaceId,
        random: &Random,
    ) -> Option<ListenerId> {
        let local = tuple.local;
        let everywhere = SocketAddr::new(unspecified(local.ip()), local.port());
        let is_on = |id: &&ListenerId| {
            let device = self.listeners.get(id.0).and_then(|listener| listener.options.device);
            device.is_none_or(|own| own == interface)
        };
        [local, everywhere].iter().find_map(|end| {
            let sharers: Vec<_> = self.by_endpoint.get(end)?.iter().filter(is_on).copied().collect();
            random.one_of(&sharers, tuple).copied()
        })
    }

    /// Whether a connection, be it of nobody any more, has this end.
    fn is_used(&self, local: SocketAddr) -> bool {
        let mut ends = self.by_tuple.keys().map(|tuple| tuple.local);
        ends.any(|end| end.port() == local.port() && (local.ip().is_unspecified() || end.ip() == local.ip()))
    }

    /// A SYN for a listener. A full backlog drops it, so that the peer asks again; RST would be final.
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
        if listener.ready.len() >= BACKLOG {
            return count_overflow(interface, network);
        }
        if half_open >= HALF_OPEN {
            return self.answer_from_memory(id, tuple, interface, datagram, network);
        }
        let buffers = self.shares(options, half_open * DISTRUST);
        let number = sequence::initial(&tuple, &network.random, network.now);
        let connection = Connection::listen(tuple, interface, id, options, buffers, number);
        let Some(mut connection) = connection else { return };
        connection.narrow(network.path_mtu(interface, tuple.remote.ip()), network);
        let request = self.insert(connection);
        if let Some(listener) = self.listeners.get_mut(id.0) {
            listener.half_open.insert(request);
        }
        self.feed(request, datagram, network);
    }

    /// Answers a SYN that there is no room for in a way that the peer remembers it.
    fn answer_from_memory(
        &mut self,
        id: ListenerId,
        tuple: Tuple,
        interface: InterfaceId,
        datagram: &Datagram<'_>,
        network: &mut Network,
    ) {
        let Some(listener) = self.listeners.get_mut(id.0) else { return };
        let syn = TcpPacket::new_unchecked(datagram.payload);
        listener.remembered_until = network.now + cookie::LIFETIME;
        let (theirs, length) = (syn.seq_number().0, packet::longest(&syn).unwrap_or(0));
        let number = cookie::bake(&tuple, theirs, length, &network.random, network.now);
        // As much as the connection will be able to receive for certain.
        let window = buffers::size(listener.options.receive_buffer, usize::MAX).min(u16::MAX.into());
        let answer = cookie::answer(datagram, number, window as u16);
        network.send_from(interface, datagram.source, vec![answer.into()]);
        count_overflow(interface, network);
    }

    /// A segment of a connection that nobody here knows: it may be the answer to an answer from memory. Whether it is.
    pub(super) fn receive_remembered(
        &mut self,
        id: ListenerId,
        tuple: Tuple,
        interface: InterfaceId,
        datagram: &Datagram<'_>,
        network: &mut Network,
    ) -> bool {
        let now = network.now;
        let Some(listener) = self.listeners.get(id.0).filter(|own| now < own.remembered_until) else {
            return false;
        };
        let segment = TcpPacket::new_unchecked(datagram.payload);
        let (theirs, number) = (segment.seq_number() - 1, segment.ack_number() - 1);
        let number = number.0.cast_unsigned();
        let Some(length) = cookie::remembered(&tuple, theirs.0, number, &network.random, now) else {
            return false;
        };
        let (options, is_full) = (listener.options, listener.ready.len() >= BACKLOG);
        if is_full {
            count_overflow(interface, network);
            return true;
        }
        let buffers = self.shares(options, 0);
        let connection = Connection::listen(tuple, interface, id, options, buffers, number);
        let Some(mut connection) = connection else { return false };
        connection.narrow(network.path_mtu(interface, tuple.remote.ip()), network);
        let request = cookie::request(datagram, length);
        let request = Datagram {
            bytes: request.get(HEADROOM..).unwrap_or_default(),
            payload: request.get(HEADROOM + datagram::header(datagram.source)..).unwrap_or_default(),
            ..*datagram
        };
        connection.receive_answered(&request, network);
        let id = self.insert(connection);
        self.feed(id, datagram, network);
        true
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
            listener.half_open.remove(&id);
            listener.ready.push_back(id);
        }
        self.changes.push(Change::Listener(listener));
    }
}

fn count_overflow(interface: InterfaceId, network: &mut Network) {
    if let Some(interface) = network.interface_mut(interface) {
        interface.counters.listen_overflows += 1;
    }
}

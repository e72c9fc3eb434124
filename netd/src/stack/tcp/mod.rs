//! TCP: connections found by their two ends, listeners with a backlog, and only those served that need it.

mod connection;

pub use self::connection::BUFFER;

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::net::{Ipv4Addr, SocketAddrV4};

use slab::Slab;
use smoltcp::socket::tcp::State;
use smoltcp::time::Instant;
use smoltcp::wire::TcpPacket;

use self::connection::{Connection, LINGER, Owner, Snapshot, Tuple};
use super::error::SocketError;
use super::ipv4::Datagram;
use super::network::Network;
use super::ports::Ports;
use super::readiness::Readiness;
use super::routes::InterfaceId;

/// Connections that a listener holds for `accept`, half-open ones included.
const BACKLOG: usize = 128;
/// Packets that a connection sends before it is another one's turn.
const BURST: usize = 16;
/// Closed connections kept in TIME-WAIT for nobody: each holds two buffers.
const TIME_WAIT: usize = 32;

/// Names a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(usize);

/// Names a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ListenerId(usize);

/// A socket that became ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// A connection, and for what.
    Connection(ConnectionId, Readiness),
    /// A listener has a connection to accept.
    Listener(ListenerId),
}

/// Where listening sockets take connections from.
#[derive(Debug)]
struct Listener {
    local: SocketAddrV4,
    /// Handshakes under way.
    half_open: usize,
    ready: VecDeque<ConnectionId>,
}

/// All of TCP.
#[derive(Default)]
pub struct Tcp {
    connections: Slab<Connection>,
    by_tuple: HashMap<Tuple, ConnectionId>,
    listeners: Slab<Listener>,
    by_endpoint: HashMap<SocketAddrV4, ListenerId>,
    ports: Ports,
    /// Those who want to send now.
    dirty: VecDeque<ConnectionId>,
    /// Those whose interface has no room or does not run.
    stalled: Vec<ConnectionId>,
    timers: BTreeSet<(Instant, ConnectionId)>,
    time_wait: VecDeque<ConnectionId>,
    changes: Vec<Change>,
}

impl Tcp {
    /// Begins a connection to `remote`, from `local` where given (its port 0: an ephemeral one).
    pub fn connect(
        &mut self,
        local: Option<SocketAddrV4>,
        remote: SocketAddrV4,
        network: &mut Network,
    ) -> Result<ConnectionId, SocketError> {
        let address = *remote.ip();
        let is_host = !address.is_unspecified() && !address.is_multicast() && !address.is_broadcast();
        if remote.port() == 0 || !is_host || network.interfaces().iter().any(|own| own.is_broadcast(address))
        {
            return Err(SocketError::InvalidDestination(remote));
        }
        let path = network.route(address)?;
        let source = local.map(|local| *local.ip()).filter(|ip| !ip.is_unspecified());
        if let Some(source) = source.filter(|source| !network.is_local(*source)) {
            return Err(SocketError::AddressNotAvailable(source));
        }
        let wanted = SocketAddrV4::new(source.unwrap_or(path.source), local.map_or(0, |local| local.port()));
        let bound = self.ports.take(wanted, &mut network.random)?;
        let tuple = Tuple { local: bound, remote };
        let connection = match self.by_tuple.contains_key(&tuple) {
            true => Err(SocketError::AddressInUse(bound.port())),
            false => Connection::connect(tuple, path.interface, bound, network),
        };
        match connection {
            Ok(connection) => Ok(self.insert(connection)),
            Err(error) => {
                self.ports.release(bound);
                Err(error)
            }
        }
    }

    /// Accepts connections to `local` from now on. Its port 0 means an ephemeral one, its unspecified
    /// address all of ours.
    pub fn listen(&mut self, local: SocketAddrV4, network: &mut Network) -> Result<ListenerId, SocketError> {
        if !local.ip().is_unspecified() && !network.is_local(*local.ip()) {
            return Err(SocketError::AddressNotAvailable(*local.ip()));
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
    pub fn listener_address(&self, id: ListenerId) -> Option<SocketAddrV4> {
        self.listeners.get(id.0).map(|listener| listener.local)
    }

    /// The connection's ends: ours, and the peer's.
    pub fn addresses(&self, id: ConnectionId) -> Option<(SocketAddrV4, SocketAddrV4)> {
        self.connections.get(id.0).map(|connection| (connection.tuple.local, connection.tuple.remote))
    }

    /// Whether the handshake has ended, and how: `WouldBlock` while it is under way.
    pub fn connected(&mut self, id: ConnectionId) -> Result<(), SocketError> {
        let connection = self.connection(id)?;
        match connection.is_connecting() {
            true => Err(SocketError::WouldBlock),
            false => connection.take_error().map_or(Ok(()), Err),
        }
    }

    /// Takes the pending error (`SO_ERROR`).
    pub fn take_error(&mut self, id: ConnectionId) -> Option<SocketError> {
        self.connections.get_mut(id.0)?.take_error()
    }

    /// What is ready.
    pub fn readiness(&self, id: ConnectionId) -> Readiness {
        self.connections.get(id.0).map_or(Readiness::BOTH, Connection::readiness)
    }

    /// Reads what has arrived; 0 at the end of the stream. With `peek` it stays to be read again.
    pub fn read(&mut self, id: ConnectionId, buffer: &mut [u8], peek: bool) -> Result<usize, SocketError> {
        let count = self.connection(id)?.read(buffer, peek)?;
        if !peek {
            // The window may have to be opened again.
            self.mark_dirty(id);
        }
        Ok(count)
    }

    /// Queues data: as much as there is room for.
    pub fn write(&mut self, id: ConnectionId, data: &[u8]) -> Result<usize, SocketError> {
        let count = self.connection(id)?.write(data)?;
        self.mark_dirty(id);
        Ok(count)
    }

    /// Ends reading, or sends FIN, or both.
    pub fn shutdown(&mut self, id: ConnectionId, which: Readiness) -> Result<(), SocketError> {
        let connection = self.connection(id)?;
        if connection.is_connecting() || connection.is_over() {
            return Err(SocketError::NotConnected);
        }
        if which.read {
            connection.shutdown_read();
        }
        if which.write {
            connection.shutdown_write();
        }
        self.changes.push(Change::Connection(id, which));
        self.mark_dirty(id);
        Ok(())
    }

    /// Lets go of a connection: what was written is still delivered, then it ends.
    pub fn close(&mut self, id: ConnectionId, now: Instant) {
        let Some(connection) = self.connections.get_mut(id.0) else { return };
        if connection.is_over() {
            return self.remove(id);
        }
        connection.shutdown_write();
        connection.discard_received();
        connection.owner = Owner::Nobody(now + LINGER);
        self.mark_dirty(id);
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

    /// Takes an incoming segment; whether anybody wanted it.
    pub fn receive(
        &mut self,
        interface: InterfaceId,
        datagram: &Datagram<'_>,
        network: &mut Network,
    ) -> bool {
        let Ok(segment) = TcpPacket::new_checked(datagram.payload) else {
            if let Some(interface) = network.interface_mut(interface) {
                interface.counters.rx_errors += 1;
            }
            return true;
        };
        let tuple = Tuple {
            local: SocketAddrV4::new(datagram.destination, segment.dst_port()),
            remote: SocketAddrV4::new(datagram.source, segment.src_port()),
        };
        if let Some(id) = self.by_tuple.get(&tuple).copied() {
            let reopens = segment.syn() && !segment.ack() && self.is_in_time_wait(id);
            if !reopens {
                self.feed(id, datagram.bytes, network);
                return true;
            }
            self.remove(id);
        }
        let is_request = segment.syn() && !segment.ack() && !segment.rst();
        match self.listener_for(tuple.local) {
            Some(listener) if is_request => {
                self.receive_request(listener, tuple, interface, datagram, network);
                true
            }
            _ => false,
        }
    }

    /// RFC 9293 section 3.10.7.4: a SYN may open a new connection out of TIME-WAIT.
    fn is_in_time_wait(&self, id: ConnectionId) -> bool {
        self.connections.get(id.0).is_some_and(|connection| {
            connection.state() == State::TimeWait && matches!(connection.owner, Owner::Nobody(_))
        })
    }

    fn listener_for(&self, local: SocketAddrV4) -> Option<ListenerId> {
        let everywhere = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, local.port());
        self.by_endpoint.get(&local).or_else(|| self.by_endpoint.get(&everywhere)).copied()
    }

    /// A SYN for a listener. Without room it is dropped, so that the peer asks again; RST would be final.
    fn receive_request(
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
        let Some(connection) = Connection::listen(tuple, interface, id) else { return };
        listener.half_open += 1;
        let id = self.insert(connection);
        self.feed(id, datagram.bytes, network);
    }

    /// The handshake of `tuple` failed elsewhere: ICMP says so, or the next hop does not answer ARP.
    pub fn unreachable(&mut self, local: SocketAddrV4, remote: SocketAddrV4, error: SocketError) {
        let Some(id) = self.by_tuple.get(&Tuple { local, remote }).copied() else { return };
        let Some(connection) = self.connections.get_mut(id.0) else { return };
        // RFC 5927 section 5.2: an established connection survives; TCP's own timeout decides.
        if connection.state() == State::SynSent {
            connection.fail(error);
            self.changes.push(Change::Connection(id, Readiness::BOTH));
            self.mark_dirty(id);
        }
    }

    /// Lets those send who want to and can.
    pub fn poll(&mut self, network: &mut Network) {
        let now = network.now;
        while let Some((at, id)) = self.timers.first().copied() {
            if at > now {
                break;
            }
            self.timers.pop_first();
            let Some(connection) = self.connections.get_mut(id.0) else { continue };
            connection.timer = None;
            match connection.owner {
                Owner::Nobody(limit) if connection.dirty && limit <= now => self.remove(id),
                _ => self.mark_dirty(id),
            }
        }
        self.wake_stalled(network);
        for _ in 0..self.dirty.len() {
            let Some(id) = self.dirty.pop_front() else { break };
            self.serve(id, network);
        }
    }

    /// When [`poll`](Self::poll) is due.
    pub fn deadline(&self, now: Instant) -> Option<Instant> {
        match self.dirty.is_empty() {
            true => self.timers.first().map(|(at, _)| *at),
            false => Some(now),
        }
    }

    /// What became ready since the last call.
    pub fn take_changes(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.changes)
    }

    fn connection(&mut self, id: ConnectionId) -> Result<&mut Connection, SocketError> {
        self.connections.get_mut(id.0).ok_or(SocketError::NoSuchSocket)
    }

    fn insert(&mut self, connection: Connection) -> ConnectionId {
        let tuple = connection.tuple;
        let id = ConnectionId(self.connections.insert(connection));
        self.by_tuple.insert(tuple, id);
        self.mark_dirty(id);
        id
    }

    fn mark_dirty(&mut self, id: ConnectionId) {
        if let Some(connection) = self.connections.get_mut(id.0)
            && !connection.dirty
        {
            connection.dirty = true;
            self.dirty.push_back(id);
        }
    }

    fn wake_stalled(&mut self, network: &Network) {
        let (ready, stalled): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.stalled).into_iter().partition(|id| {
                self.connections.get(id.0).is_none_or(|connection| network.room(connection.interface) > 0)
            });
        self.stalled = stalled;
        self.dirty.extend(ready);
    }

    /// One turn of a connection that wants to send.
    fn serve(&mut self, id: ConnectionId, network: &mut Network) {
        let Some(connection) = self.connections.get_mut(id.0) else { return };
        let room = network.room(connection.interface);
        if room == 0 {
            // It stays marked as dirty, so that it is queued once.
            self.stalled.push(id);
            let limit = match connection.owner {
                Owner::Nobody(limit) => Some(limit),
                _ => None,
            };
            self.set_timer(id, limit);
            return;
        }
        connection.dirty = false;
        let before = connection.snapshot();
        let more = connection.transmit(room.min(BURST), network);
        self.settle(id, before, false, network);
        if more {
            self.mark_dirty(id);
        }
    }

    fn feed(&mut self, id: ConnectionId, packet: &[u8], network: &mut Network) {
        let Some(connection) = self.connections.get_mut(id.0) else { return };
        let before = connection.snapshot();
        connection.receive(packet, network);
        self.settle(id, before, true, network);
    }

    /// Draws the consequences of what happened to a connection since `before`.
    fn settle(&mut self, id: ConnectionId, before: Snapshot, by_peer: bool, network: &mut Network) {
        let Some(connection) = self.connections.get_mut(id.0) else { return };
        let changes = connection.changes_since(before, by_peer);
        match connection.owner {
            Owner::Handshake(listener) => self.settle_handshake(id, listener),
            Owner::Accept(_) => (),
            Owner::User if changes != Readiness::NONE => self.changes.push(Change::Connection(id, changes)),
            Owner::User => (),
            Owner::Nobody(limit) => self.settle_orphan(id, limit, before, network.now),
        }
        let Some(connection) = self.connections.get_mut(id.0) else { return };
        let deadline = connection.deadline(network);
        match deadline {
            Some(at) if at <= network.now => {
                self.set_timer(id, None);
                self.mark_dirty(id);
            }
            deadline => self.set_timer(id, deadline),
        }
    }

    fn settle_handshake(&mut self, id: ConnectionId, listener: ListenerId) {
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

    fn settle_orphan(&mut self, id: ConnectionId, limit: Instant, before: Snapshot, now: Instant) {
        let Some(connection) = self.connections.get_mut(id.0) else { return };
        connection.discard_received();
        if connection.is_over() {
            self.remove(id);
            return;
        }
        if connection.progressed_since(before) {
            connection.owner = Owner::Nobody(now + LINGER);
        } else if now >= limit && connection.state() != State::Closed {
            connection.abort();
        } else if now >= limit {
            self.remove(id);
            return;
        }
        let entered_time_wait = self.connections.get(id.0).is_some_and(|connection| {
            connection.state() == State::TimeWait && connection.progressed_since(before)
        });
        if entered_time_wait {
            self.time_wait.push_back(id);
            self.bound_time_wait();
        }
    }

    fn bound_time_wait(&mut self) {
        while self.time_wait.len() > TIME_WAIT {
            let Some(oldest) = self.time_wait.pop_front() else { break };
            if self.is_in_time_wait(oldest) {
                self.remove(oldest);
            }
        }
    }

    fn set_timer(&mut self, id: ConnectionId, at: Option<Instant>) {
        let Some(connection) = self.connections.get_mut(id.0) else { return };
        if connection.timer == at {
            return;
        }
        if let Some(old) = std::mem::replace(&mut connection.timer, at) {
            self.timers.remove(&(old, id));
        }
        if let Some(at) = at {
            self.timers.insert((at, id));
        }
    }

    fn remove(&mut self, id: ConnectionId) {
        self.set_timer(id, None);
        let Some(connection) = self.connections.try_remove(id.0) else { return };
        self.by_tuple.remove(&connection.tuple);
        if let Some(bound) = connection.bound {
            self.ports.release(bound);
        }
        if let Owner::Handshake(listener) = connection.owner
            && let Some(listener) = self.listeners.get_mut(listener.0)
        {
            listener.half_open = listener.half_open.saturating_sub(1);
        }
        self.dirty.retain(|other| *other != id);
        self.stalled.retain(|other| *other != id);
        self.time_wait.retain(|other| *other != id);
    }
}

//! TCP: connections found by their two ends, listeners with a backlog, and only those served that need it.

mod black_hole;
mod buffers;
mod connection;
mod cookie;
mod guard;
mod listener;
mod options;
mod packet;
mod schedule;
mod sequence;
mod table;

pub use self::options::Options;

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};

use slab::Slab;
use smoltcp::socket::tcp::State;
use smoltcp::time::{Duration, Instant};
use smoltcp::wire::TcpPacket;

use self::connection::{Connection, LINGER, Owner, Tuple};
use self::listener::Listener;
use super::address::is_unicast;
use super::datagram::Datagram;
use super::error::SocketError;
use super::network::Network;
use super::ports::{Ports, Sharing};
use super::readiness::Readiness;
use super::routes::InterfaceId;

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

/// All of TCP.
#[derive(Default)]
pub struct Tcp {
    connections: Slab<Connection>,
    by_tuple: HashMap<Tuple, ConnectionId>,
    listeners: Slab<Listener>,
    by_endpoint: HashMap<SocketAddr, Vec<ListenerId>>,
    ports: Ports,
    /// Those who want to send now.
    dirty: VecDeque<ConnectionId>,
    /// Those whose interface has no room or does not run.
    stalled: Vec<ConnectionId>,
    timers: BTreeSet<(Instant, ConnectionId)>,
    time_wait: VecDeque<ConnectionId>,
    changes: Vec<Change>,
    /// How many connections are nobody's.
    orphans: usize,
}

/// Connections that are nobody's. Of more of them the peers are told, if they ask, that they are no more.
const ORPHANS: usize = 8192;

impl Tcp {
    /// Begins a connection to `remote`, from `local` where given (its port 0: an ephemeral one).
    pub fn connect(
        &mut self,
        local: Option<SocketAddr>,
        remote: SocketAddr,
        options: Options,
        network: &mut Network,
    ) -> Result<ConnectionId, SocketError> {
        let address = remote.ip();
        let is_foreign = local.is_some_and(|local| local.is_ipv4() != remote.is_ipv4());
        if remote.port() == 0
            || !is_unicast(address)
            || is_foreign
            || network.interfaces().any(|own| own.is_broadcast(address))
        {
            return Err(SocketError::InvalidDestination(remote));
        }
        let source = local.map(|local| local.ip()).filter(|ip| !ip.is_unspecified());
        let path = match options.device {
            None => network.route_to(remote, source)?,
            device => network.route_by(device, address, source)?,
        };
        if let Some(source) = source.filter(|source| !network.is_local(*source)) {
            return Err(SocketError::AddressNotAvailable(source));
        }
        let remote = network.endpoint(address, remote.port(), path.interface);
        let port = local.map_or(0, |local| local.port());
        let wanted = network.endpoint(source.unwrap_or(path.source), port, path.interface);
        let (local, bound) = self.bind(wanted, remote, network)?;
        let tuple = Tuple { local, remote };
        let connection = match self.by_tuple.contains_key(&tuple) {
            true => Err(SocketError::AddressInUse(local.port())),
            false => {
                let buffers = self.buffers(options);
                Connection::connect(tuple, path.interface, bound, options, buffers, network)
            }
        };
        if let (Err(_), Some(bound)) = (&connection, bound) {
            self.ports.release(bound, Sharing::default());
        }
        let mut connection = connection?;
        connection.narrow(network.path_mtu(path.interface, address), network);
        Ok(self.insert(connection))
    }

    /// Our end of a connection to `remote`, and what of it is held. A port that nobody asked for is held by nobody:
    /// connections to others may have the same one.
    fn bind(
        &mut self,
        wanted: SocketAddr,
        remote: SocketAddr,
        network: &mut Network,
    ) -> Result<(SocketAddr, Option<SocketAddr>), SocketError> {
        if wanted.port() != 0 {
            let bound = self.ports.take(wanted, Sharing::default(), &mut network.random)?;
            return Ok((bound, Some(bound)));
        }
        let with_port = |port| {
            let mut local = wanted;
            local.set_port(port);
            local
        };
        let is_new = |port| !self.by_tuple.contains_key(&Tuple { local: with_port(port), remote });
        let port = self.ports.ephemeral(wanted.ip(), &mut network.random, is_new)?;
        Ok((with_port(port), None))
    }

    /// The connection's ends: ours, and the peer's.
    pub fn addresses(&self, id: ConnectionId) -> Option<(SocketAddr, SocketAddr)> {
        self.connections.get(id.0).map(|connection| (connection.tuple.local, connection.tuple.remote))
    }

    /// The interface that a connection lives on.
    pub fn interface(&self, id: ConnectionId) -> Option<InterfaceId> {
        self.connections.get(id.0).map(|connection| connection.interface)
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
        let connection = self.connection(id)?;
        let count = connection.read(buffer, peek)?;
        // The window may have to be opened again.
        if !peek && connection.has_room() {
            self.mark_dirty(id);
        }
        Ok(count)
    }

    /// Whether so many bytes can still come that are not there yet.
    pub fn awaits(&self, id: ConnectionId, length: usize) -> bool {
        self.connections.get(id.0).is_some_and(|connection| connection.awaits(length))
    }

    /// The longest text of a segment that a connection sends.
    pub fn segment_size(&self, id: ConnectionId, network: &Network) -> Result<usize, SocketError> {
        let connection = self.connections.get(id.0).ok_or(SocketError::NoSuchSocket)?;
        Ok(connection.segment_size(network))
    }

    /// Queues data: as much as there is room for.
    pub fn write(&mut self, id: ConnectionId, data: &[u8]) -> Result<usize, SocketError> {
        let count = self.connection(id)?.write(data)?;
        self.mark_dirty(id);
        Ok(count)
    }

    /// Queues all of `data` or nothing.
    pub fn write_whole(&mut self, id: ConnectionId, data: &[u8]) -> Result<usize, SocketError> {
        self.connection(id)?.await_room(data.len())?;
        self.write(id, data)
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

    /// The settings of a connection.
    pub fn options(&self, id: ConnectionId) -> Result<Options, SocketError> {
        self.connections.get(id.0).map(Connection::options).ok_or(SocketError::NoSuchSocket)
    }

    /// Changes the settings of a connection, whose buffers stay as they are.
    pub fn set_options(&mut self, id: ConnectionId, options: Options) -> Result<(), SocketError> {
        self.connection(id)?.set_options(options);
        self.mark_dirty(id);
        Ok(())
    }

    /// Bytes that a connection can buffer: for reading and for writing.
    pub fn capacity(&self, id: ConnectionId) -> Result<(usize, usize), SocketError> {
        self.connections.get(id.0).map(Connection::capacity).ok_or(SocketError::NoSuchSocket)
    }

    /// The bytes that the next connection with these settings could buffer: for reading and for writing.
    pub fn buffers(&self, options: Options) -> (usize, usize) {
        self.shares(options, 0)
    }

    /// The same, as if there were as many `more` connections.
    fn shares(&self, options: Options, more: usize) -> (usize, usize) {
        let count = self.connections.len() + more;
        (buffers::size(options.receive_buffer, count), buffers::size(options.send_buffer, count))
    }

    /// Lets go of a connection: what was written is still delivered, then it ends. If something was not read,
    /// the peer is told by RST that it is lost (RFC 1122 section 4.2.2.13); so it is if the socket was set to linger no
    /// longer.
    pub fn close(&mut self, id: ConnectionId, now: Instant) {
        let Some(connection) = self.connections.get_mut(id.0) else { return };
        if connection.is_over() {
            return self.remove(id);
        }
        let linger = connection.options().linger;
        match connection.has_unread() || linger == Some(Duration::ZERO) {
            true => connection.abort(),
            false => connection.shutdown_write(),
        }
        let patience = linger.filter(|time| *time > Duration::ZERO).unwrap_or(LINGER);
        if connection.state() == State::TimeWait {
            self.keep_in_time_wait(id);
        }
        self.let_go(id, now + patience.min(LINGER));
    }

    /// Nobody looks after a connection any more; it may go on until the time given.
    fn let_go(&mut self, id: ConnectionId, until: Instant) {
        let Some(connection) = self.connections.get_mut(id.0) else { return };
        let before = std::mem::replace(&mut connection.owner, Owner::Nobody(until));
        self.orphans += usize::from(!matches!(before, Owner::Nobody(_)));
        match self.orphans > ORPHANS {
            true => self.remove(id),
            false => self.mark_dirty(id),
        }
    }

    /// Takes an incoming segment; whether anybody wanted it.
    pub fn receive(
        &mut self,
        interface: InterfaceId,
        datagram: &Datagram<'_>,
        network: &mut Network,
    ) -> bool {
        let segment = TcpPacket::new_checked(datagram.payload).ok();
        let Some(segment) = segment.filter(|_| datagram.has_good_checksum()) else {
            if let Some(interface) = network.interface_mut(interface) {
                interface.counters.rx_errors += 1;
            }
            return true;
        };
        let tuple = Tuple {
            local: network.endpoint(datagram.destination, segment.dst_port(), interface),
            remote: network.endpoint(datagram.source, segment.src_port(), interface),
        };
        if let Some(id) = self.by_tuple.get(&tuple).copied() {
            if self.options(id).is_ok_and(|own| own.device.is_some_and(|device| device != interface)) {
                return true;
            }
            let is_new = segment.syn() && !segment.ack() && self.gives_way(id);
            if !is_new {
                self.feed(id, datagram, network);
                return true;
            }
            self.by_tuple.remove(&tuple);
        }
        let is_request = segment.syn() && !segment.ack() && !segment.rst();
        match self.listener_for(&tuple, interface, &network.random) {
            Some(listener) if is_request => {
                self.receive_request(listener, tuple, interface, datagram, network);
                true
            }
            Some(listener) if segment.ack() && !segment.syn() && !segment.rst() => {
                self.receive_remembered(listener, tuple, interface, datagram, network)
            }
            _ => false,
        }
    }

    /// Whether a SYN may open a new connection between the same two ends: out of TIME-WAIT (RFC 9293
    /// section 3.10.7.4), or when all that is left of the old one is a handle.
    fn gives_way(&self, id: ConnectionId) -> bool {
        self.connections.get(id.0).is_none_or(|old| old.is_over() || old.state() == State::TimeWait)
    }

    /// The handshake of `tuple` failed elsewhere: ICMP says so, or the next hop does not answer ARP.
    pub fn unreachable(&mut self, local: SocketAddr, remote: SocketAddr, error: SocketError) {
        let Some(id) = self.by_tuple.get(&Tuple { local, remote }).copied() else { return };
        let Some(connection) = self.connections.get(id.0) else { return };
        // RFC 5927 section 5.2: an established connection survives; TCP's own timeout decides.
        if connection.state() == State::SynSent {
            self.fail(id, error);
        }
    }

    /// Whether there is a connection between the two.
    pub fn has(&self, local: SocketAddr, remote: SocketAddr) -> bool {
        self.by_tuple.contains_key(&Tuple { local, remote })
    }

    /// The path to `remote` carries packets of `mtu` bytes at most from now on.
    pub fn narrow(&mut self, remote: IpAddr, mtu: usize, network: &mut Network) {
        for (_, connection) in self.connections.iter_mut().filter(|(_, own)| own.tuple.remote.ip() == remote)
        {
            connection.narrow(mtu, network);
        }
    }

    /// What became ready since the last call.
    pub fn take_changes(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.changes)
    }

    /// How many connections there are, of handles and of nobody.
    #[cfg(any(test, feature = "internals"))]
    pub fn count(&self) -> usize {
        self.connections.len()
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
}

//! One TCP connection: a smoltcp socket in a set of its own.

mod patience;
mod segments;

use std::net::SocketAddr;

use smoltcp::iface::{SocketHandle, SocketSet};
use smoltcp::socket::tcp::{self, CongestionControl, Socket, SocketBuffer, State};
use smoltcp::time::{Duration, Instant};
use smoltcp::wire::{IpEndpoint, IpListenEndpoint, TcpSeqNumber};

use self::patience::Waiting;
use super::black_hole::BlackHole;
use super::guard::Guard;
use super::{ListenerId, Options, sequence};
use crate::stack::engine::Engine;
use crate::stack::error::SocketError;
use crate::stack::network::Network;
use crate::stack::readiness::Readiness;
use crate::stack::routes::InterfaceId;

/// The part of the send buffer that must be free for a connection to count as writable: waking a writer for less
/// is not worth it.
const WRITABLE: usize = 4;
/// Bytes of a segment on an Ethernet.
const SEGMENT: usize = 1460;
/// How long a closed socket may take to deliver its last data without progress.
pub const LINGER: Duration = Duration::from_secs(60);

/// The two ends, which name a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tuple {
    /// Our end.
    pub local: SocketAddr,
    /// The peer's.
    pub remote: SocketAddr,
}

/// Who looks after a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// A listener: the handshake is under way.
    Handshake(ListenerId),
    /// A listener: it waits to be accepted.
    Accept(ListenerId),
    /// A handle of the scheme.
    User,
    /// Nobody any more: it delivers its last data, until the given time.
    Nobody(Instant),
}

/// What a connection looked like before something happened to it.
#[derive(Clone, Copy, Debug)]
pub struct Snapshot {
    state: State,
    received: usize,
    writable: bool,
    queued: usize,
}

/// A connection.
pub struct Connection {
    /// Its two ends.
    pub tuple: Tuple,
    /// The interface that it lives on.
    pub interface: InterfaceId,
    /// The local endpoint that it holds, if any: not that of its listener, nor one that it was given.
    pub bound: Option<SocketAddr>,
    /// Who looks after it.
    pub owner: Owner,
    /// When its timer is set to.
    pub timer: Option<Instant>,
    /// It is in the queue of those who want to send.
    pub dirty: bool,
    set: SocketSet<'static>,
    socket: SocketHandle,
    error: Option<SocketError>,
    read_shut: bool,
    waiting: Option<Waiting>,
    /// It has sent something.
    spoke: bool,
    /// What follows the peer's FIN.
    end: Option<TcpSeqNumber>,
    /// In the place of the interface's engine, where the path carries less than the interface.
    narrow: Option<Box<Engine>>,
    black_hole: BlackHole,
    guard: Guard,
    options: Options,
    /// Room in the send buffer that somebody waits for.
    wanted: usize,
    /// Our initial sequence number.
    number: u32,
    /// The longest segment that the peer takes.
    longest: usize,
}

impl Connection {
    /// Begins the handshake with `tuple.remote`.
    pub fn connect(
        tuple: Tuple,
        interface: InterfaceId,
        bound: Option<SocketAddr>,
        options: Options,
        buffers: (usize, usize),
        network: &mut Network,
    ) -> Result<Self, SocketError> {
        let mut socket = new_socket(buffers);
        let unroutable = SocketError::NetworkUnreachable(tuple.remote.ip());
        let mtu = network.interface(interface).ok_or(unroutable)?.mtu();
        let number = sequence::initial(&tuple, &network.random, network.now);
        let mut engine = Engine::for_sequence(mtu, number, network.now);
        socket
            .connect(engine.context(), endpoint(tuple.remote), endpoint(tuple.local))
            .map_err(|_| SocketError::InvalidDestination(tuple.remote))?;
        Ok(Self::new(tuple, interface, bound, Owner::User, options, socket))
    }

    /// A connection that will answer the SYN it is given next, with this initial sequence number.
    pub fn listen(
        tuple: Tuple,
        interface: InterfaceId,
        listener: ListenerId,
        options: Options,
        buffers: (usize, usize),
        number: u32,
    ) -> Option<Self> {
        let mut socket = new_socket(buffers);
        let local = endpoint(tuple.local);
        socket.listen(IpListenEndpoint { addr: Some(local.addr), port: local.port }).ok()?;
        let connection = Self::new(tuple, interface, None, Owner::Handshake(listener), options, socket);
        Some(Self { number, ..connection })
    }

    fn new(
        tuple: Tuple,
        interface: InterfaceId,
        bound: Option<SocketAddr>,
        owner: Owner,
        options: Options,
        socket: Socket<'static>,
    ) -> Self {
        let mut set = SocketSet::new(Vec::with_capacity(1));
        let socket = set.add(socket);
        let mut connection = Self {
            tuple,
            interface,
            bound,
            owner,
            timer: None,
            dirty: false,
            set,
            socket,
            error: None,
            read_shut: false,
            waiting: None,
            spoke: false,
            end: None,
            narrow: None,
            black_hole: BlackHole::default(),
            guard: Guard::default(),
            options,
            wanted: 0,
            number: 0,
            longest: 0,
        };
        connection.set_options(options);
        connection
    }

    fn socket(&self) -> &Socket<'static> {
        self.set.get(self.socket)
    }

    fn socket_mut(&mut self) -> &mut Socket<'static> {
        self.set.get_mut(self.socket)
    }

    /// Bytes that wait to be read, and to be sent or acknowledged.
    pub fn waiting(&self) -> (usize, usize) {
        (self.socket().recv_queue(), self.socket().send_queue())
    }

    /// RFC 9293 section 3.3.2.
    pub fn state(&self) -> State {
        self.socket().state()
    }

    /// Whether the handshake is under way.
    pub fn is_connecting(&self) -> bool {
        matches!(self.state(), State::SynSent | State::SynReceived | State::Listen)
    }

    /// Whether nothing is left to be sent or received, RST included.
    pub fn is_over(&self) -> bool {
        self.state() == State::Closed && self.socket().local_endpoint().is_none()
    }

    /// What is ready.
    pub fn readiness(&self) -> Readiness {
        if self.is_connecting() {
            return Readiness::NONE;
        }
        let socket = self.socket();
        let read = socket.can_recv() || !socket.may_recv() || self.read_shut || self.error.is_some();
        let write = !socket.may_send() || self.is_writable();
        Readiness { read, write }
    }

    fn is_writable(&self) -> bool {
        let socket = self.socket();
        let capacity = socket.send_capacity();
        socket.may_send() && capacity - socket.send_queue() >= self.wanted.max(capacity / WRITABLE)
    }

    /// Takes the failure, which is told once.
    pub fn take_error(&mut self) -> Option<SocketError> {
        self.error.take()
    }

    /// Reads what has arrived; 0 is the peer's FIN. With `peek` it stays.
    pub fn read(&mut self, buffer: &mut [u8], peek: bool) -> Result<usize, SocketError> {
        if buffer.is_empty() || self.read_shut {
            return Ok(0);
        }
        if self.is_connecting() {
            return Err(SocketError::WouldBlock);
        }
        let socket = self.socket_mut();
        if socket.can_recv() {
            let read = if peek { socket.peek_slice(buffer) } else { socket.recv_slice(buffer) };
            let count = read.map_err(|_| SocketError::NotConnected)?;
            self.guard.read(if peek { 0 } else { count });
            return Ok(count);
        }
        if socket.may_recv() {
            return Err(SocketError::WouldBlock);
        }
        self.error.take().map_or(Ok(0), Err)
    }

    /// Whether so many bytes can still come that are not there yet. More than half the buffer is not waited for: its last
    /// bytes may be too few for the peer to fill them.
    pub fn awaits(&self, length: usize) -> bool {
        let socket = self.socket();
        let is_open = matches!(socket.state(), State::Established | State::FinWait1 | State::FinWait2);
        is_open && !self.read_shut && socket.recv_queue() < length.min(socket.recv_capacity() / 2)
    }

    /// Queues as much of `data` as there is room for, which is more than nothing.
    pub fn write(&mut self, data: &[u8]) -> Result<usize, SocketError> {
        if self.is_connecting() {
            return Err(SocketError::WouldBlock);
        }
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        match self.socket_mut().send_slice(data) {
            Ok(0) if !data.is_empty() => Err(SocketError::WouldBlock),
            Ok(count) => {
                self.guard.wrote(count);
                Ok(count)
            }
            Err(_) => Err(SocketError::Closed),
        }
    }

    /// Whether `length` bytes can be queued. If not now, the connection counts as writable when they can.
    pub fn await_room(&mut self, length: usize) -> Result<(), SocketError> {
        let (limit, queued) = (self.socket().send_capacity(), self.socket().send_queue());
        if length > limit {
            return Err(SocketError::MessageTooLong { length, limit });
        }
        let is_open = self.is_connecting() || self.socket().may_send();
        self.wanted = if is_open && limit - queued < length { length } else { 0 };
        if self.wanted == 0 { Ok(()) } else { Err(SocketError::WouldBlock) }
    }

    /// Sends FIN after what is queued.
    pub fn shutdown_write(&mut self) {
        self.socket_mut().close();
    }

    /// Reads end from now on.
    pub fn shutdown_read(&mut self) {
        self.read_shut = true;
    }

    /// What the program has set.
    pub fn options(&self) -> Options {
        self.options
    }

    /// Changes what the program has set.
    pub fn set_options(&mut self, options: Options) {
        self.options = options;
        let socket = self.socket_mut();
        if !options.keep_alive.is_on {
            socket.set_keep_alive(None);
        }
        socket.set_nagle_enabled(!options.no_delay);
        // smoltcp panics at 0, which is no limit.
        socket.set_hop_limit(options.hop_limit.filter(|limit| *limit != 0));
    }

    /// Bytes that can be buffered: for reading and for writing.
    pub fn capacity(&self) -> (usize, usize) {
        (self.socket().recv_capacity(), self.socket().send_capacity())
    }

    /// Sends RST.
    pub fn abort(&mut self) {
        self.socket_mut().abort();
    }

    /// The handshake failed for a reason that came by another way than TCP.
    pub fn fail(&mut self, error: SocketError) {
        self.error = Some(error);
        // Nothing is to be reset, but the socket must be closed; its RST goes where nobody listens.
        self.socket_mut().abort();
    }

    /// Whether something that arrived was not read.
    pub fn has_unread(&self) -> bool {
        self.socket().can_recv()
    }

    /// Whether there is room for as much that the peer should be told (RFC 9293 section 3.8.6.2.2).
    pub fn has_room(&self) -> bool {
        let view = self.view();
        view.room >= SEGMENT.min((view.room + view.waiting) / 2)
    }

    /// What to compare with later.
    pub fn snapshot(&self) -> Snapshot {
        let socket = self.socket();
        Snapshot {
            state: socket.state(),
            received: socket.recv_queue(),
            writable: self.is_writable(),
            queued: socket.send_queue(),
        }
    }

    /// Which directions became ready since `before`.
    pub fn changes_since(&mut self, before: Snapshot) -> Readiness {
        let state = self.state();
        if state != before.state {
            if state == State::Closed && self.error.is_none() {
                self.error = meaning_of_the_end(before.state);
            }
            return Readiness::BOTH;
        }
        Readiness {
            read: self.socket().recv_queue() > before.received,
            write: self.is_writable() && !before.writable,
        }
    }

    /// Whether the peer took data since `before`.
    pub fn progressed_since(&self, before: Snapshot) -> bool {
        self.socket().send_queue() < before.queued || self.state() != before.state
    }
}

/// Why the peer's RST, or the last acknowledgement, ended a connection in the state `before`.
fn meaning_of_the_end(before: State) -> Option<SocketError> {
    match before {
        State::SynSent | State::SynReceived => Some(SocketError::ConnectionRefused),
        State::LastAck | State::TimeWait | State::Closing | State::Closed | State::Listen => None,
        _ => Some(SocketError::ConnectionReset),
    }
}

fn new_socket((receive, send): (usize, usize)) -> Socket<'static> {
    let mut socket = tcp::Socket::new(SocketBuffer::new(vec![0; receive]), SocketBuffer::new(vec![0; send]));
    socket.set_congestion_control(CongestionControl::Cubic);
    socket
}

fn endpoint(address: SocketAddr) -> IpEndpoint {
    IpEndpoint { addr: address.ip().into(), port: address.port() }
}

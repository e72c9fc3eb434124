//! ICMP sockets (RFC 792, RFC 4443): echo, and the errors that concern UDP.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};

use slab::Slab;
use smoltcp::phy::ChecksumCapabilities;
use smoltcp::wire::{Icmpv4Message, Icmpv4Packet, Icmpv4Repr, IpProtocol};

use super::address::is_unicast;
use super::datagram::{self, Datagram};
use super::error::SocketError;
use super::icmpv6::{self, Message};
use super::network::Network;
use super::path_mtu::plateau;
use super::quoted::{Quoted, quoted};
use super::random::Random;
use super::readiness::Readiness;
use super::routes::InterfaceId;
use super::writers::Writers;

/// Bytes of an echo message before its data.
const HEADER: usize = 8;
/// Messages that wait to be read, and their bytes.
const QUEUE: usize = 64;
const RECEIVE_BUFFER: usize = 212_992;

/// Names a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IcmpId(usize);

/// What a socket is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Echo requests to a host and its replies.
    Echo,
    /// Errors about datagrams that were sent to a host.
    UdpErrors,
}

#[derive(Debug)]
struct Socket {
    purpose: Purpose,
    remote: IpAddr,
    /// RFC 792's identifier, ours alone.
    ident: u16,
    options: Options,
    received: VecDeque<Vec<u8>>,
    /// Bytes in `received`.
    size: usize,
}

impl Socket {
    /// Whether it takes what comes by `interface`.
    fn is_on(&self, interface: InterfaceId) -> bool {
        self.options.device.is_none_or(|own| own == interface)
    }

    /// The oldest message.
    fn take(&mut self) -> Option<Vec<u8>> {
        let message = self.received.pop_front()?;
        self.size -= message.len();
        Some(message)
    }

    /// Keeps a message; older ones make room for it.
    fn keep(&mut self, message: Vec<u8>) {
        while self.received.len() >= QUEUE || self.size + message.len() > RECEIVE_BUFFER {
            if self.take().is_none() {
                break;
            }
        }
        self.size += message.len();
        self.received.push_back(message);
    }
}

/// What a program can set of a socket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Whose it is: the uid that opened it.
    pub uid: u32,
    /// `SO_BINDTODEVICE`: what leaves and comes does so by this interface.
    pub device: Option<InterfaceId>,
    /// `IP_TTL`, `IPV6_UNICAST_HOPS`; `None` is the usual 64.
    pub hop_limit: Option<u8>,
    /// `IP_TOS`, `IPV6_TCLASS`.
    pub traffic_class: u8,
}

/// What an error says about a packet of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// It did not arrive.
    Error(SocketError),
    /// It was too long for its path, which carries so many bytes.
    PathMtu(usize),
}

/// All ICMP sockets.
#[derive(Default)]
pub struct Icmp {
    sockets: Slab<Socket>,
    by_ident: HashMap<u16, IcmpId>,
    writers: Writers<IcmpId>,
    changes: Vec<(IcmpId, Readiness)>,
}

impl Icmp {
    /// A socket towards `remote`.
    pub fn open(
        &mut self,
        purpose: Purpose,
        remote: IpAddr,
        random: &mut Random,
    ) -> Result<IcmpId, SocketError> {
        if !is_unicast(remote) {
            return Err(SocketError::InvalidDestination(SocketAddr::new(remote, 0)));
        }
        let first = random.next_u16();
        let ident = (0..=u16::MAX)
            .map(|step| first.wrapping_add(step))
            .find(|ident| !self.by_ident.contains_key(ident))
            .ok_or(SocketError::PortsExhausted)?;
        let (options, received) = (Options::default(), VecDeque::new());
        let socket = Socket { purpose, remote, ident, options, received, size: 0 };
        let id = IcmpId(self.sockets.insert(socket));
        if purpose == Purpose::Echo {
            self.by_ident.insert(ident, id);
        }
        Ok(id)
    }

    /// The host.
    pub fn remote(&self, id: IcmpId) -> Option<(Purpose, IpAddr)> {
        self.sockets.get(id.0).map(|socket| (socket.purpose, socket.remote))
    }

    /// The settings, to be changed.
    pub fn options(&mut self, id: IcmpId) -> Result<&mut Options, SocketError> {
        self.sockets.get_mut(id.0).map(|socket| &mut socket.options).ok_or(SocketError::NoSuchSocket)
    }

    /// What is ready.
    pub fn readiness(&self, id: IcmpId) -> Readiness {
        Readiness {
            read: self.sockets.get(id.0).is_none_or(|socket| !socket.received.is_empty()),
            write: !self.writers.waits(id),
        }
    }

    /// Reads the oldest message: for echo the sequence number (2 bytes, big endian) and the data; for errors
    /// the whole ICMP message. What does not fit is lost.
    pub fn read(&mut self, id: IcmpId, buffer: &mut [u8]) -> Result<usize, SocketError> {
        let socket = self.sockets.get_mut(id.0).ok_or(SocketError::NoSuchSocket)?;
        let message = socket.take().ok_or(SocketError::WouldBlock)?;
        let count = message.len().min(buffer.len());
        buffer[..count].copy_from_slice(&message[..count]);
        Ok(count)
    }

    /// Sends an echo request: `message` is the sequence number (2 bytes, big endian) and the data.
    pub fn write(&mut self, id: IcmpId, message: &[u8], network: &mut Network) -> Result<usize, SocketError> {
        let socket = self.sockets.get(id.0).ok_or(SocketError::NoSuchSocket)?;
        let ([high, low], data) = match (socket.purpose, message.split_first_chunk::<2>()) {
            (Purpose::Echo, Some((sequence, data))) => (*sequence, data),
            _ => return Err(SocketError::Malformed),
        };
        let path = network.route_by(socket.options.device, socket.remote, None)?;
        let limit = datagram::longest(socket.remote) - HEADER;
        if data.len() > limit {
            return Err(SocketError::MessageTooLong { length: data.len(), limit });
        }
        let packets = network.packets(&path, HEADER + data.len());
        self.writers.ask(id, path.interface, packets, network)?;
        let sequence = u16::from_be_bytes([high, low]);
        let mut packet = echo_request(path.source, socket.remote, socket.ident, sequence, data);
        datagram::mark(&mut packet, socket.options.traffic_class, socket.options.hop_limit);
        network.send(path.interface, path.next_hop, packet.into());
        Ok(message.len())
    }

    /// Closes a socket.
    pub fn close(&mut self, id: IcmpId) {
        self.writers.forget(id);
        if let Some(socket) = self.sockets.try_remove(id.0)
            && socket.purpose == Purpose::Echo
        {
            self.by_ident.remove(&socket.ident);
        }
    }

    /// Takes an incoming message. An error about a packet of ours is returned for the sockets that it concerns.
    pub fn receive(
        &mut self,
        interface: InterfaceId,
        datagram: &Datagram<'_>,
        network: &Network,
    ) -> Option<(Quoted, News)> {
        match (datagram.source, datagram.destination, datagram.protocol) {
            (IpAddr::V4(_), _, IpProtocol::Icmp) => self.receive_v4(interface, datagram, network),
            (IpAddr::V6(source), IpAddr::V6(destination), IpProtocol::Icmpv6) => {
                let message = icmpv6::parse(source, destination, datagram.payload)?;
                self.receive_v6(interface, datagram, message, network)
            }
            _ => None,
        }
    }

    fn receive_v4(
        &mut self,
        interface: InterfaceId,
        datagram: &Datagram<'_>,
        network: &Network,
    ) -> Option<(Quoted, News)> {
        let message = Icmpv4Packet::new_checked(datagram.payload).ok()?;
        if !message.verify_checksum() {
            return None;
        }
        match message.msg_type() {
            Icmpv4Message::EchoReply => {
                let sequence = message.echo_seq_no().to_be_bytes();
                let text = [&sequence, message.data()].concat();
                self.receive_reply(interface, datagram.source, message.echo_ident(), &text);
                None
            }
            Icmpv4Message::DstUnreachable | Icmpv4Message::TimeExceeded => {
                let quoted = quoted(message.data(), interface, network)?;
                if quoted.protocol == IpProtocol::Udp {
                    self.receive_error(interface, quoted.remote.ip(), datagram.payload);
                }
                Some((quoted, meaning(datagram.payload, message.data())?))
            }
            _ => None,
        }
    }

    fn receive_v6(
        &mut self,
        interface: InterfaceId,
        datagram: &Datagram<'_>,
        message: Message<'_>,
        network: &Network,
    ) -> Option<(Quoted, News)> {
        let (first, rest) = message.body.split_first_chunk::<4>()?;
        match message.kind {
            icmpv6::ECHO_REPLY => {
                let [high, low, ..] = *first;
                let text = message.body.get(2..)?;
                self.receive_reply(interface, datagram.source, u16::from_be_bytes([high, low]), text);
                None
            }
            icmpv6::DESTINATION_UNREACHABLE..=icmpv6::PARAMETER_PROBLEM => {
                let quoted = quoted(rest, interface, network)?;
                if quoted.protocol == IpProtocol::Udp {
                    self.receive_error(interface, quoted.remote.ip(), datagram.payload);
                }
                Some((quoted, meaning_v6(message.kind, message.code, u32::from_be_bytes(*first))?))
            }
            _ => None,
        }
    }

    /// `text` is the sequence number and the data.
    fn receive_reply(&mut self, interface: InterfaceId, source: IpAddr, ident: u16, text: &[u8]) {
        let Some(id) = self.by_ident.get(&ident).copied() else { return };
        if self.sockets.get(id.0).is_some_and(|socket| socket.remote == source && socket.is_on(interface)) {
            self.queue(id, text.to_vec());
        }
    }

    fn receive_error(&mut self, interface: InterfaceId, destination: IpAddr, message: &[u8]) {
        let is_concerned = |socket: &Socket| {
            socket.purpose == Purpose::UdpErrors && socket.remote == destination && socket.is_on(interface)
        };
        let concerned = self.sockets.iter().filter(|(_, socket)| is_concerned(socket));
        let concerned: Vec<_> = concerned.map(|(key, _)| IcmpId(key)).collect();
        for id in concerned {
            self.queue(id, message.to_vec());
        }
    }

    fn queue(&mut self, id: IcmpId, message: Vec<u8>) {
        if let Some(socket) = self.sockets.get_mut(id.0) {
            socket.keep(message);
            self.changes.push((id, Readiness::READ));
        }
    }

    /// Whether [`wake_writers`](Self::wake_writers) has something to do.
    pub fn is_due(&self, network: &Network) -> bool {
        self.writers.is_due(network)
    }

    /// Wakes the writers for whom there is room again.
    pub fn wake_writers(&mut self, network: &Network) {
        let woken = self.writers.take_woken(network);
        self.changes.extend(woken.into_iter().map(|id| (id, Readiness::WRITE)));
    }

    /// What became ready since the last call.
    pub fn take_changes(&mut self) -> Vec<(IcmpId, Readiness)> {
        std::mem::take(&mut self.changes)
    }
}

/// RFC 1122 section 3.2.2.1: an expired time to live ends no conversation.
fn meaning(message: &[u8], packet: &[u8]) -> Option<News> {
    const DESTINATION_UNREACHABLE: u8 = 3;
    match message {
        [DESTINATION_UNREACHABLE, 2 | 3, ..] => Some(News::Error(SocketError::ConnectionRefused)),
        [DESTINATION_UNREACHABLE, 4, _, _, _, _, high, low, ..] => {
            // Not all of the packet is quoted.
            let [_, _, length @ ..] = packet.first_chunk::<4>()?;
            let length = usize::from(u16::from_be_bytes(*length));
            match usize::from(u16::from_be_bytes([*high, *low])) {
                0 => Some(News::PathMtu(plateau(length))),
                mtu => (mtu < length).then_some(News::PathMtu(mtu)),
            }
        }
        [DESTINATION_UNREACHABLE, ..] => Some(News::Error(SocketError::HostUnreachable)),
        _ => None,
    }
}

/// RFC 4443 section 3: that there is no route, or no answer, and that nobody listens or knows the protocol.
fn meaning_v6(kind: u8, code: u8, parameter: u32) -> Option<News> {
    const NO_PORT: u8 = 4;
    const UNKNOWN_HEADER: u8 = 1;
    match (kind, code) {
        (icmpv6::DESTINATION_UNREACHABLE, NO_PORT) => Some(News::Error(SocketError::ConnectionRefused)),
        (icmpv6::DESTINATION_UNREACHABLE, _) => Some(News::Error(SocketError::HostUnreachable)),
        (icmpv6::PACKET_TOO_BIG, _) => Some(News::PathMtu(usize::try_from(parameter).ok()?)),
        (icmpv6::PARAMETER_PROBLEM, UNKNOWN_HEADER) => Some(News::Error(SocketError::ConnectionRefused)),
        _ => None,
    }
}

/// A packet with an echo request, behind its headroom.
fn echo_request(source: IpAddr, remote: IpAddr, ident: u16, seq_no: u16, data: &[u8]) -> Vec<u8> {
    match (source, remote) {
        (IpAddr::V6(source), IpAddr::V6(remote)) => {
            icmpv6::build(source, remote, icmpv6::ECHO_REQUEST, 0, 4 + data.len(), |body| {
                body[..2].copy_from_slice(&ident.to_be_bytes());
                body[2..4].copy_from_slice(&seq_no.to_be_bytes());
                body[4..].copy_from_slice(data);
            })
        }
        _ => {
            let request = Icmpv4Repr::EchoRequest { ident, seq_no, data };
            datagram::build(source, remote, IpProtocol::Icmp, request.buffer_len(), |payload| {
                request.emit(&mut Icmpv4Packet::new_unchecked(payload), &ChecksumCapabilities::default());
            })
        }
    }
}

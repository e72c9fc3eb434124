//! UDP (RFC 768): datagrams in queues, found by their local port.

mod options;

pub use self::options::{Options, buffer};

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;

use slab::Slab;
use smoltcp::phy::{Checksum, ChecksumCapabilities};
use smoltcp::time::Instant;
use smoltcp::wire::{IpAddress, IpProtocol, UdpPacket, UdpRepr};

use crate::stack::address::is_broadcast;
use crate::stack::datagram::{self, Datagram};
use crate::stack::error::SocketError;
use crate::stack::network::Network;
use crate::stack::packet::Packet;
use crate::stack::ports::Ports;
use crate::stack::readiness::Readiness;
use crate::stack::routes::InterfaceId;
use crate::stack::table::Entry;

/// Bytes of a UDP header.
const HEADER: usize = smoltcp::wire::UDP_HEADER_LEN;
/// What a queued datagram costs beside its bytes.
const OVERHEAD: usize = 64;

/// Names a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UdpId(usize);

#[derive(Debug)]
struct Socket {
    local: SocketAddr,
    remote: Option<SocketAddr>,
    received: VecDeque<(SocketAddr, Vec<u8>)>,
    /// Bytes in `received`, overhead included.
    size: usize,
    error: Option<SocketError>,
    options: Options,
    /// Which directions were shut down.
    shut: Readiness,
    /// The interface where a write found no room, and for how many packets.
    waits_for: Option<(InterfaceId, usize)>,
}

impl Socket {
    /// Whether a write has found no room, and would find none now.
    fn waits(&self, network: &Network) -> bool {
        self.waits_for.is_some_and(|(interface, packets)| network.is_full(interface, packets))
    }
}

/// All of UDP.
#[derive(Default)]
pub struct Udp {
    sockets: Slab<Socket>,
    by_port: HashMap<u16, Vec<UdpId>>,
    ports: Ports,
    waiting: Vec<UdpId>,
    changes: Vec<(UdpId, Readiness)>,
}

impl Udp {
    /// A socket that receives what is sent to `local` (its port 0: an ephemeral one; its unspecified address:
    /// any of ours), from `remote` alone where given.
    pub fn open(
        &mut self,
        local: SocketAddr,
        remote: Option<SocketAddr>,
        options: Options,
        network: &mut Network,
    ) -> Result<UdpId, SocketError> {
        let address = local.ip();
        let is_ours = address.is_unspecified()
            || network.is_local(address)
            || network.interfaces().any(|own| own.is_broadcast(address));
        if !is_ours {
            return Err(SocketError::AddressNotAvailable(address));
        }
        let local = match options.reuse_address {
            true => self.ports.share(local, &mut network.random)?,
            false => self.ports.take(local, &mut network.random)?,
        };
        let id = UdpId(self.sockets.insert(Socket {
            local,
            remote: None,
            received: VecDeque::new(),
            size: 0,
            error: None,
            options,
            shut: Readiness::NONE,
            waits_for: None,
        }));
        self.by_port.entry(local.port()).or_default().push(id);
        if let Some(remote) = remote
            && let Err(error) = self.connect(id, Some(remote), network)
        {
            self.close(id);
            return Err(error);
        }
        Ok(id)
    }

    /// Sends to `remote` and receives from it alone, or from anybody again.
    pub fn connect(
        &mut self,
        id: UdpId,
        remote: Option<SocketAddr>,
        network: &Network,
    ) -> Result<(), SocketError> {
        let mut remote = remote;
        if let Some(remote) = &mut remote {
            if remote.port() == 0 || remote.ip().is_unspecified() {
                return Err(SocketError::InvalidDestination(*remote));
            }
            let path = network.route_to(*remote, None)?;
            *remote = network.endpoint(remote.ip(), remote.port(), path.interface);
        }
        self.socket(id)?.remote = remote;
        Ok(())
    }

    /// All sockets, to be looked at.
    pub fn entries(&self) -> impl Iterator<Item = Entry> + '_ {
        self.sockets.iter().map(|(_, socket)| Entry {
            protocol: "udp",
            state: if socket.remote.is_some() { "connected" } else { "open" },
            local: socket.local,
            remote: socket.remote,
            received: socket.received.iter().map(|(_, data)| data.len()).sum(),
            queued: 0,
        })
    }

    /// Our end.
    pub fn local(&self, id: UdpId) -> Option<SocketAddr> {
        self.sockets.get(id.0).map(|socket| socket.local)
    }

    /// What is ready.
    pub fn readiness(&self, id: UdpId) -> Readiness {
        let Some(socket) = self.sockets.get(id.0) else { return Readiness::BOTH };
        Readiness {
            read: !socket.received.is_empty() || socket.error.is_some() || socket.shut.read,
            write: socket.waits_for.is_none(),
        }
    }

    /// Takes the pending error (`SO_ERROR`).
    pub fn take_error(&mut self, id: UdpId) -> Option<SocketError> {
        self.sockets.get_mut(id.0)?.error.take()
    }

    /// Reads the oldest datagram: its sender, how much of it fitted in `buffer`, and its length. What does
    /// not fit is lost, unless `peek`, which leaves the datagram. `Closed` when reads were shut down.
    pub fn receive_from(
        &mut self,
        id: UdpId,
        buffer: &mut [u8],
        peek: bool,
    ) -> Result<(SocketAddr, usize, usize), SocketError> {
        let socket = self.socket(id)?;
        if let Some(error) = socket.error.take() {
            return Err(error);
        }
        let nothing = if socket.shut.read { SocketError::Closed } else { SocketError::WouldBlock };
        let (sender, data) = socket.received.front().ok_or(nothing)?;
        let (sender, length) = (*sender, data.len());
        let count = length.min(buffer.len());
        buffer[..count].copy_from_slice(&data[..count]);
        if !peek {
            socket.received.pop_front();
            socket.size -= length + OVERHEAD;
        }
        Ok((sender, count, length))
    }

    /// Sends one datagram to `to`, or to the peer.
    pub fn send_to(
        &mut self,
        id: UdpId,
        data: &[u8],
        to: Option<SocketAddr>,
        network: &mut Network,
    ) -> Result<usize, SocketError> {
        let socket = self.socket(id)?;
        if let Some(error) = socket.error.take() {
            return Err(error);
        }
        if socket.shut.write {
            return Err(SocketError::Closed);
        }
        let Options { hop_limit, traffic_class, broadcast, send_buffer, .. } = socket.options;
        let remote = to.or(socket.remote).ok_or(SocketError::NotConnected)?;
        if remote.port() == 0 || remote.ip().is_unspecified() {
            return Err(SocketError::InvalidDestination(remote));
        }
        if remote.is_ipv4() != socket.local.is_ipv4() {
            return Err(SocketError::InvalidDestination(remote));
        }
        if !broadcast && network.interfaces().any(|own| own.is_broadcast(remote.ip())) {
            return Err(SocketError::BroadcastRefused);
        }
        let path = network.route_to(remote, Some(socket.local.ip()))?;
        let limit = (datagram::longest(remote.ip()) - HEADER).min(send_buffer);
        if data.len() > limit {
            return Err(SocketError::MessageTooLong { length: data.len(), limit });
        }
        let packets = network.packets(&path, HEADER + data.len());
        if network.is_full(path.interface, packets) {
            if socket.waits_for.replace((path.interface, packets)).is_none() {
                self.waiting.push(id);
            }
            return Err(SocketError::WouldBlock);
        }
        // A socket for all addresses, or for a broadcast, sends from the one towards its destination.
        let local = SocketAddr::new(path.source, socket.local.port());
        let mut packet = datagram(local, remote, data);
        datagram::mark(&mut packet, traffic_class, hop_limit);
        network.send(path.interface, path.next_hop, packet);
        Ok(data.len())
    }

    /// The settings.
    pub fn options(&self, id: UdpId) -> Result<Options, SocketError> {
        self.sockets.get(id.0).map(|socket| socket.options).ok_or(SocketError::NoSuchSocket)
    }

    /// Changes the settings; that of the port holds for the next one.
    pub fn set_options(&mut self, id: UdpId, options: Options) -> Result<(), SocketError> {
        self.socket(id)?.options = options;
        Ok(())
    }

    /// Ends reading or writing or both, of a socket that has a peer.
    pub fn shutdown(&mut self, id: UdpId, which: Readiness) -> Result<(), SocketError> {
        let socket = self.socket(id)?;
        socket.shut.read |= which.read;
        socket.shut.write |= which.write;
        self.changes.push((id, which));
        Ok(())
    }

    /// Closes a socket; its port is free again.
    pub fn close(&mut self, id: UdpId) {
        let Some(socket) = self.sockets.try_remove(id.0) else { return };
        self.ports.release(socket.local);
        if let Some(others) = self.by_port.get_mut(&socket.local.port()) {
            others.retain(|other| *other != id);
            if others.is_empty() {
                self.by_port.remove(&socket.local.port());
            }
        }
        self.waiting.retain(|other| *other != id);
    }

    /// Takes an incoming datagram; whether anybody wanted it.
    pub fn receive(&mut self, interface: InterfaceId, packet: &Datagram<'_>, network: &mut Network) -> bool {
        let (source, destination) = (IpAddress::from(packet.source), IpAddress::from(packet.destination));
        let parsed = UdpPacket::new_checked(packet.payload).ok().and_then(|udp| {
            UdpRepr::parse(&udp, &source, &destination, &checksums(packet.is_good))
                .ok()
                .map(|header| (header, udp))
        });
        let ends = parsed.as_ref().map(|(header, _)| {
            let to = network.endpoint(packet.destination, header.dst_port, interface);
            (to, network.endpoint(packet.source, header.src_port, interface))
        });
        let Some(own) = network.interface_mut(interface) else { return true };
        let (Some((_, udp)), Some((to, from))) = (parsed, ends) else {
            own.counters.rx_errors += 1;
            return true;
        };
        let to_all = own.is_broadcast(packet.destination) || packet.destination.is_multicast();
        let receivers = self.receivers(to, from, to_all);
        let (mut wanted, mut dropped) = (false, false);
        for id in receivers {
            wanted = true;
            dropped |= !self.queue(id, from, udp.payload());
        }
        own.counters.rx_dropped += u64::from(dropped);
        wanted
    }

    /// Who has sent the datagram that is received next.
    pub fn next_sender(&self, id: UdpId) -> Option<SocketAddr> {
        self.sockets.get(id.0)?.received.front().map(|(sender, _)| *sender)
    }

    /// All who get a broadcast; otherwise the one that fits best: connected before bound before any.
    fn receivers(&self, to: SocketAddr, from: SocketAddr, to_all: bool) -> Vec<UdpId> {
        let Some(candidates) = self.by_port.get(&to.port()) else { return Vec::new() };
        let matching = candidates.iter().filter_map(|id| {
            let socket = self.sockets.get(id.0)?;
            let local = socket.local.ip();
            let is_local =
                local.is_ipv4() == to.is_ipv4() && (local.is_unspecified() || local == to.ip() || to_all);
            // Whoever asks everybody (DHCP's client) wants anybody's answer.
            let is_remote = socket.remote.is_none_or(|remote| remote == from || is_broadcast(remote.ip()));
            let rank = u8::from(socket.remote.is_some()) * 2 + u8::from(!local.is_unspecified());
            (is_local && is_remote).then_some((rank, *id))
        });
        match to_all {
            true => matching.map(|(_, id)| id).collect(),
            false => matching.max_by_key(|(rank, _)| *rank).map(|(_, id)| id).into_iter().collect(),
        }
    }

    fn queue(&mut self, id: UdpId, from: SocketAddr, data: &[u8]) -> bool {
        let Some(socket) = self.sockets.get_mut(id.0) else { return false };
        if socket.shut.read || socket.size + data.len() + OVERHEAD > socket.options.receive_buffer {
            return false;
        }
        socket.size += data.len() + OVERHEAD;
        socket.received.push_back((from, data.to_vec()));
        self.changes.push((id, Readiness::READ));
        true
    }

    /// A datagram from `local` to `remote` could not be delivered: a connected socket is told.
    pub fn unreachable(&mut self, local: SocketAddr, remote: SocketAddr, error: SocketError) {
        let Some(candidates) = self.by_port.get(&local.port()) else { return };
        for id in candidates {
            let Some(socket) = self.sockets.get_mut(id.0) else { continue };
            if socket.remote == Some(remote) {
                socket.error = Some(error);
                self.changes.push((*id, Readiness::BOTH));
            }
        }
    }

    /// Whether a socket may have sent from `local` to `remote`.
    pub fn may_have_sent(&self, local: SocketAddr, remote: SocketAddr) -> bool {
        let Some(candidates) = self.by_port.get(&local.port()) else { return false };
        candidates.iter().filter_map(|id| self.sockets.get(id.0)).any(|socket| {
            let own = socket.local.ip();
            (own.is_unspecified() || own == local.ip()) && socket.remote.is_none_or(|known| known == remote)
        })
    }

    /// When [`poll`](Self::poll) is due.
    pub fn deadline(&self, network: &Network) -> Option<Instant> {
        let mut waiting = self.waiting.iter().filter_map(|id| self.sockets.get(id.0));
        waiting.any(|socket| !socket.waits(network)).then_some(network.now)
    }

    /// Wakes the writers for whom there is room again.
    pub fn poll(&mut self, network: &Network) {
        let Self { sockets, waiting, changes, .. } = self;
        waiting.retain(|id| {
            let Some(socket) = sockets.get_mut(id.0) else { return false };
            let waits = socket.waits(network);
            if !waits {
                socket.waits_for = None;
                changes.push((*id, Readiness::WRITE));
            }
            waits
        });
    }

    /// What became ready since the last call.
    pub fn take_changes(&mut self) -> Vec<(UdpId, Readiness)> {
        std::mem::take(&mut self.changes)
    }

    fn socket(&mut self, id: UdpId) -> Result<&mut Socket, SocketError> {
        self.sockets.get_mut(id.0).ok_or(SocketError::NoSuchSocket)
    }
}

/// Whether smoltcp looks at checksums that come in. Those that go out are filled in later.
fn checksums(is_good: bool) -> ChecksumCapabilities {
    let mut checksums = ChecksumCapabilities::default();
    checksums.udp = if is_good { Checksum::None } else { Checksum::Rx };
    checksums
}

/// A UDP packet, behind its headroom.
pub fn datagram(local: SocketAddr, remote: SocketAddr, data: &[u8]) -> Packet {
    let (source, destination) = (local.ip(), remote.ip());
    let bytes = datagram::build(source, destination, IpProtocol::Udp, HEADER + data.len(), |payload| {
        let header = UdpRepr { src_port: local.port(), dst_port: remote.port() };
        header.emit(
            &mut UdpPacket::new_unchecked(payload),
            &source.into(),
            &destination.into(),
            data.len(),
            |room| room.copy_from_slice(data),
            &checksums(true),
        );
    });
    Packet::unfinished(bytes)
}

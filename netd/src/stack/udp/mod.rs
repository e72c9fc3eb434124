//! UDP (RFC 768): datagrams in queues, found by their local port.

mod groups;
mod options;
mod receive;

pub use self::groups::{Joined, Member};
pub use self::options::{Options, buffer};

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;

use slab::Slab;
use smoltcp::phy::{Checksum, ChecksumCapabilities};
use smoltcp::wire::{IpProtocol, UdpPacket, UdpRepr};

use crate::stack::datagram;
use crate::stack::error::SocketError;
use crate::stack::network::{LOOPBACK, Network, Path};
use crate::stack::packet::Packet;
use crate::stack::ports::{Ports, Sharing};
use crate::stack::readiness::Readiness;
use crate::stack::table::Entry;
use crate::stack::writers::Writers;

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
    /// With whom its port is shared.
    sharing: Sharing,
    remote: Option<SocketAddr>,
    received: VecDeque<(SocketAddr, Vec<u8>)>,
    /// Bytes in `received`, overhead included.
    size: usize,
    error: Option<SocketError>,
    options: Options,
    /// Which directions were shut down.
    shut: Readiness,
}

/// All of UDP.
#[derive(Default)]
pub struct Udp {
    sockets: Slab<Socket>,
    by_port: HashMap<u16, Vec<UdpId>>,
    ports: Ports,
    writers: Writers<UdpId>,
    changes: Vec<(UdpId, Readiness)>,
}

impl Udp {
    /// A socket that receives what is sent to `local` (its port 0: an ephemeral one; its unspecified address:
    /// any of ours; a group: that), from `remote` alone where given.
    pub fn open(
        &mut self,
        local: SocketAddr,
        remote: Option<SocketAddr>,
        options: Options,
        network: &mut Network,
    ) -> Result<UdpId, SocketError> {
        let address = local.ip();
        let is_ours = address.is_unspecified()
            || address.is_multicast()
            || network.is_local(address)
            || network.interfaces().any(|own| own.is_broadcast(address));
        if !is_ours {
            return Err(SocketError::AddressNotAvailable(address));
        }
        let sharing = options.sharing();
        let local = self.ports.take(local, sharing, &mut network.random)?;
        options.joined.follow(&Joined::default(), network);
        let id = UdpId(self.sockets.insert(Socket {
            local,
            sharing,
            remote: None,
            received: VecDeque::new(),
            size: 0,
            error: None,
            options,
            shut: Readiness::NONE,
        }));
        self.by_port.entry(local.port()).or_default().push(id);
        if let Some(remote) = remote
            && let Err(error) = self.connect(id, Some(remote), network)
        {
            self.close(id, network);
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
            let path = self.socket(id)?.path(*remote, network)?;
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
            uid: socket.options.uid,
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
            write: !self.writers.waits(id),
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
        let Options { multicast_hop_limit, multicast_loop, .. } = socket.options;
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
        let path = socket.path(remote, network)?;
        let limit = (datagram::longest(remote.ip()) - HEADER).min(send_buffer);
        if data.len() > limit {
            return Err(SocketError::MessageTooLong { length: data.len(), limit });
        }
        let packets = network.packets(&path, HEADER + data.len());
        let local_port = socket.local.port();
        self.writers.ask(id, path.interface, packets, network)?;
        // A socket for all addresses, or for a broadcast, sends from the one towards its destination.
        let local = SocketAddr::new(path.source, local_port);
        let mut packet = datagram(local, remote, data);
        if !remote.ip().is_multicast() {
            datagram::mark(&mut packet, traffic_class, hop_limit);
            network.send(path.interface, path.next_hop, packet);
            return Ok(data.len());
        }
        if multicast_hop_limit > 0 {
            datagram::mark(&mut packet, traffic_class, Some(multicast_hop_limit));
            network.send(path.interface, path.next_hop, packet);
        }
        if multicast_loop && path.interface != LOOPBACK {
            let from = network.endpoint(local.ip(), local.port(), path.interface);
            self.receive_own(path.interface, (remote, from), data, &network.random);
        }
        Ok(data.len())
    }

    /// How a socket's datagrams reach `remote`.
    pub fn path(&self, id: UdpId, remote: SocketAddr, network: &Network) -> Result<Path, SocketError> {
        self.sockets.get(id.0).ok_or(SocketError::NoSuchSocket)?.path(remote, network)
    }

    /// The settings.
    pub fn options(&self, id: UdpId) -> Result<Options, SocketError> {
        self.sockets.get(id.0).map(|socket| socket.options.clone()).ok_or(SocketError::NoSuchSocket)
    }

    /// Changes the settings; that of the port holds for the next one.
    pub fn set_options(
        &mut self,
        id: UdpId,
        options: Options,
        network: &mut Network,
    ) -> Result<(), SocketError> {
        let socket = self.socket(id)?;
        options.joined.follow(&socket.options.joined, network);
        socket.options = options;
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

    /// Closes a socket: its port is free again, and its groups are left.
    pub fn close(&mut self, id: UdpId, network: &mut Network) {
        let Some(socket) = self.sockets.try_remove(id.0) else { return };
        Joined::default().follow(&socket.options.joined, network);
        self.ports.release(socket.local, socket.sharing);
        if let Some(others) = self.by_port.get_mut(&socket.local.port()) {
            others.retain(|other| *other != id);
            if others.is_empty() {
                self.by_port.remove(&socket.local.port());
            }
        }
        self.writers.forget(id);
    }

    /// Who has sent the datagram that is received next.
    pub fn next_sender(&self, id: UdpId) -> Option<SocketAddr> {
        self.sockets.get(id.0)?.received.front().map(|(sender, _)| *sender)
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
    pub fn take_changes(&mut self) -> Vec<(UdpId, Readiness)> {
        std::mem::take(&mut self.changes)
    }

    fn socket(&mut self, id: UdpId) -> Result<&mut Socket, SocketError> {
        self.sockets.get_mut(id.0).ok_or(SocketError::NoSuchSocket)
    }
}

impl Socket {
    fn path(&self, remote: SocketAddr, network: &Network) -> Result<Path, SocketError> {
        let (group, source) = (remote.ip(), Some(self.local.ip()));
        let is_scoped = matches!(remote, SocketAddr::V6(remote) if remote.scope_id() != 0);
        match self.options.multicast_interface {
            _ if self.options.device.is_some() => network.route_by(self.options.device, group, source),
            Some(interface) if group.is_multicast() && !is_scoped => {
                network.on_link(interface, group, source)
            }
            _ => network.route_to(remote, source),
        }
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

//! Raw IP sockets: whole packets of one version and one protocol.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use slab::Slab;
use smoltcp::wire::{Icmpv6Packet, IpProtocol, IpVersion, Ipv4Packet, Ipv6Packet};

use super::datagram::Datagram;
use super::error::SocketError;
use super::icmpv6;
use super::ipv4;
use super::network::Network;
use super::readiness::Readiness;
use super::wire::HEADROOM;
use super::writers::Writers;

/// Bytes that wait to be read.
const RECEIVE_BUFFER: usize = 212_992;

/// Names a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RawId(usize);

#[derive(Debug)]
struct Socket {
    version: IpVersion,
    protocol: IpProtocol,
    received: VecDeque<Vec<u8>>,
    size: usize,
}

/// All raw sockets.
#[derive(Default)]
pub struct Raw {
    sockets: Slab<Socket>,
    writers: Writers<RawId>,
    changes: Vec<(RawId, Readiness)>,
}

impl Raw {
    /// A socket for `protocol`'s packets.
    pub fn open(&mut self, version: IpVersion, protocol: u8) -> RawId {
        let protocol = IpProtocol::from(protocol);
        RawId(self.sockets.insert(Socket { version, protocol, received: VecDeque::new(), size: 0 }))
    }

    /// There is a socket.
    pub fn is_open(&self) -> bool {
        !self.sockets.is_empty()
    }

    /// The version, and the protocol's number.
    pub fn protocol(&self, id: RawId) -> Option<(IpVersion, u8)> {
        self.sockets.get(id.0).map(|socket| (socket.version, socket.protocol.into()))
    }

    /// What is ready.
    pub fn readiness(&self, id: RawId) -> Readiness {
        Readiness {
            read: self.sockets.get(id.0).is_none_or(|socket| !socket.received.is_empty()),
            write: !self.writers.waits(id),
        }
    }

    /// Reads the oldest packet. What does not fit is lost.
    pub fn read(&mut self, id: RawId, buffer: &mut [u8]) -> Result<usize, SocketError> {
        let socket = self.sockets.get_mut(id.0).ok_or(SocketError::NoSuchSocket)?;
        let packet = socket.received.pop_front().ok_or(SocketError::WouldBlock)?;
        socket.size -= packet.len();
        let count = packet.len().min(buffer.len());
        buffer[..count].copy_from_slice(&packet[..count]);
        Ok(count)
    }

    /// Sends a whole packet. Its lengths must be right and its protocol the socket's; an unspecified source
    /// is filled in, as is the checksum of IPv4's header and of an ICMPv6 message (RFC 3542 section 3.1).
    pub fn write(&mut self, id: RawId, packet: &[u8], network: &mut Network) -> Result<usize, SocketError> {
        let socket = self.sockets.get(id.0).ok_or(SocketError::NoSuchSocket)?;
        let destination = match socket.version {
            IpVersion::Ipv4 => sound_v4(packet, socket.protocol),
            IpVersion::Ipv6 => sound_v6(packet, socket.protocol),
        };
        let destination = destination.filter(|destination| !destination.is_unspecified());
        let path = network.route(destination.ok_or(SocketError::Malformed)?)?;
        let limit = network.mtu(&path);
        if packet.len() > limit {
            return Err(SocketError::MessageTooLong { length: packet.len(), limit });
        }
        self.writers.ask(id, path.interface, 1, network)?;
        let mut bytes = vec![0; HEADROOM];
        bytes.extend_from_slice(packet);
        match path.source {
            IpAddr::V4(source) => complete_v4(&mut bytes[HEADROOM..], source),
            IpAddr::V6(source) => complete_v6(&mut bytes[HEADROOM..], source),
        }
        network.send_unchanged(path.interface, path.next_hop, bytes.into());
        Ok(packet.len())
    }

    /// Closes a socket.
    pub fn close(&mut self, id: RawId) {
        self.sockets.try_remove(id.0);
        self.writers.forget(id);
    }

    /// Gives every socket of its protocol a copy of an incoming packet; whether there was one.
    pub fn receive(&mut self, datagram: &Datagram<'_>) -> bool {
        let mut wanted = false;
        for (key, socket) in &mut self.sockets {
            let is_v4 = socket.version == IpVersion::Ipv4;
            if socket.protocol != datagram.protocol || is_v4 != datagram.source.is_ipv4() {
                continue;
            }
            wanted = true;
            if socket.size + datagram.bytes.len() <= RECEIVE_BUFFER {
                socket.size += datagram.bytes.len();
                socket.received.push_back(datagram.bytes.to_vec());
                self.changes.push((RawId(key), Readiness::READ));
            }
        }
        wanted
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
    pub fn take_changes(&mut self) -> Vec<(RawId, Readiness)> {
        std::mem::take(&mut self.changes)
    }
}

/// Where a packet of `protocol` goes whose header is right.
fn sound_v4(packet: &[u8], protocol: IpProtocol) -> Option<IpAddr> {
    let header = Ipv4Packet::new_checked(packet).ok()?;
    let is_whole = usize::from(header.total_len()) == packet.len();
    let is_sound = header.version() == 4 && usize::from(header.header_len()) >= ipv4::HEADER;
    (is_whole && is_sound && header.next_header() == protocol).then_some(header.dst_addr().into())
}

fn sound_v6(packet: &[u8], protocol: IpProtocol) -> Option<IpAddr> {
    let header = Ipv6Packet::new_checked(packet).ok()?;
    let is_whole = header.total_len() == packet.len();
    let is_sound = header.version() == 6 && header.next_header() == protocol;
    (is_whole && is_sound).then_some(header.dst_addr().into())
}

fn complete_v4(packet: &mut [u8], source: Ipv4Addr) {
    let mut header = Ipv4Packet::new_unchecked(packet);
    if header.src_addr().is_unspecified() {
        header.set_src_addr(source);
    }
    header.fill_checksum();
}

fn complete_v6(packet: &mut [u8], source: Ipv6Addr) {
    let mut header = Ipv6Packet::new_unchecked(packet);
    if header.src_addr().is_unspecified() {
        header.set_src_addr(source);
    }
    let (source, destination) = (header.src_addr(), header.dst_addr());
    if header.next_header() == IpProtocol::Icmpv6 && header.payload_mut().len() >= icmpv6::HEADER {
        Icmpv6Packet::new_unchecked(header.payload_mut()).fill_checksum(&source, &destination);
    }
}

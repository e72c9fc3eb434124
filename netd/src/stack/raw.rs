//! Raw IP sockets: whole IPv4 packets of one protocol.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr};

use slab::Slab;
use smoltcp::wire::{IpProtocol, Ipv4Packet};

use super::datagram::Datagram;
use super::error::SocketError;
use super::ipv4;
use super::network::Network;
use super::readiness::Readiness;
use super::wire::HEADROOM;

/// Bytes that wait to be read.
const RECEIVE_BUFFER: usize = 212_992;

/// Names a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RawId(usize);

#[derive(Debug)]
struct Socket {
    protocol: IpProtocol,
    received: VecDeque<Vec<u8>>,
    size: usize,
}

/// All raw sockets.
#[derive(Default)]
pub struct Raw {
    sockets: Slab<Socket>,
    changes: Vec<(RawId, Readiness)>,
}

impl Raw {
    /// A socket for `protocol`'s packets.
    pub fn open(&mut self, protocol: u8) -> RawId {
        let protocol = IpProtocol::from(protocol);
        RawId(self.sockets.insert(Socket { protocol, received: VecDeque::new(), size: 0 }))
    }

    /// The protocol's number.
    pub fn protocol(&self, id: RawId) -> Option<u8> {
        self.sockets.get(id.0).map(|socket| socket.protocol.into())
    }

    /// What is ready.
    pub fn readiness(&self, id: RawId) -> Readiness {
        Readiness {
            read: self.sockets.get(id.0).is_none_or(|socket| !socket.received.is_empty()),
            write: true,
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
    /// is filled in, as is the header checksum.
    pub fn write(&mut self, id: RawId, packet: &[u8], network: &mut Network) -> Result<usize, SocketError> {
        let socket = self.sockets.get(id.0).ok_or(SocketError::NoSuchSocket)?;
        let header = Ipv4Packet::new_checked(packet).map_err(|_| SocketError::Malformed)?;
        let is_whole = usize::from(header.total_len()) == packet.len();
        let destination = header.dst_addr();
        let is_sound = header.version() == 4 && usize::from(header.header_len()) >= ipv4::HEADER;
        if !is_whole || !is_sound || header.next_header() != socket.protocol || destination.is_unspecified() {
            return Err(SocketError::Malformed);
        }
        let path = network.route(destination.into())?;
        let limit = network.mtu(&path);
        if packet.len() > limit {
            return Err(SocketError::MessageTooLong { length: packet.len(), limit });
        }
        let mut bytes = vec![0; HEADROOM];
        bytes.extend_from_slice(packet);
        let mut header = Ipv4Packet::new_unchecked(&mut bytes[HEADROOM..]);
        if header.src_addr() == Ipv4Addr::UNSPECIFIED
            && let IpAddr::V4(source) = path.source
        {
            header.set_src_addr(source);
        }
        header.fill_checksum();
        network.send_unchanged(path.interface, path.next_hop, bytes);
        Ok(packet.len())
    }

    /// Closes a socket.
    pub fn close(&mut self, id: RawId) {
        self.sockets.try_remove(id.0);
    }

    /// Gives every socket of its protocol a copy of an incoming packet; whether there was one.
    pub fn receive(&mut self, datagram: &Datagram<'_>) -> bool {
        let mut wanted = false;
        for (key, socket) in &mut self.sockets {
            if socket.protocol != datagram.protocol {
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

    /// What became ready since the last call.
    pub fn take_changes(&mut self) -> Vec<(RawId, Readiness)> {
        std::mem::take(&mut self.changes)
    }
}

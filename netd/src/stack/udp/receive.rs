//! The way of a datagram to those who want it.

use std::net::SocketAddr;

use smoltcp::wire::{IpAddress, UdpPacket, UdpRepr};

use super::{OVERHEAD, Socket, Udp, UdpId, checksums};
use crate::stack::address::is_broadcast;
use crate::stack::datagram::Datagram;
use crate::stack::error::SocketError;
use crate::stack::groups::is_everybody;
use crate::stack::network::Network;
use crate::stack::readiness::Readiness;
use crate::stack::routes::InterfaceId;

/// Whom a datagram is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Audience {
    /// The socket that fits best.
    One,
    /// All of its port: a broadcast.
    All,
    /// Those of its port who are in the group on this interface.
    Group(InterfaceId),
}

impl Udp {
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
        let audience = match packet.destination {
            group if group.is_multicast() => Audience::Group(interface),
            address if own.is_broadcast(address) => Audience::All,
            _ => Audience::One,
        };
        let receivers = self.receivers(to, from, audience);
        let (mut wanted, mut dropped) = (false, false);
        for id in receivers {
            wanted = true;
            dropped |= !self.queue(id, from, udp.payload());
        }
        own.counters.rx_dropped += u64::from(dropped);
        wanted
    }

    /// Gives a datagram to a group to its members here: the sender's interface does not carry it back.
    pub(super) fn receive_own(
        &mut self,
        interface: InterfaceId,
        to: SocketAddr,
        from: SocketAddr,
        data: &[u8],
    ) {
        for id in self.receivers(to, from, Audience::Group(interface)) {
            self.queue(id, from, data);
        }
    }

    /// Who gets a datagram.
    fn receivers(&self, to: SocketAddr, from: SocketAddr, audience: Audience) -> Vec<UdpId> {
        let Some(candidates) = self.by_port.get(&to.port()) else { return Vec::new() };
        let matching = candidates.iter().filter_map(|id| {
            let socket = self.sockets.get(id.0)?;
            let is_meant = socket.is_meant(to, audience) && socket.listens_to(from);
            is_meant.then_some((socket.precision(), *id))
        });
        match audience {
            Audience::One => matching.max_by_key(|(rank, _)| *rank).map(|(_, id)| id).into_iter().collect(),
            Audience::All | Audience::Group(_) => matching.map(|(_, id)| id).collect(),
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
            (own.is_unspecified() || own.is_multicast() || own == local.ip())
                && socket.remote.is_none_or(|known| known == remote)
        })
    }
}

impl Socket {
    /// Whether what is sent to `to` is for it.
    fn is_meant(&self, to: SocketAddr, audience: Audience) -> bool {
        let local = self.local.ip();
        if local.is_ipv4() != to.is_ipv4() {
            return false;
        }
        let is_bound_so = local.is_unspecified() || local == to.ip();
        match audience {
            Audience::One => is_bound_so,
            Audience::All => true,
            Audience::Group(interface) => {
                is_bound_so && (is_everybody(to.ip()) || self.options.joined.has(to.ip(), interface))
            }
        }
    }

    /// Whether it wants what `from` sends. Whoever asks everybody (DHCP's client) wants anybody's answer.
    fn listens_to(&self, from: SocketAddr) -> bool {
        self.remote.is_none_or(|remote| remote == from || is_broadcast(remote.ip()))
    }

    /// How well it fits, if it does: connected before bound before any.
    fn precision(&self) -> u8 {
        u8::from(self.remote.is_some()) * 2 + u8::from(!self.local.ip().is_unspecified())
    }
}

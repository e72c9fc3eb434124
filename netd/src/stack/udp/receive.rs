//! The way of a datagram to those who want it.

use std::net::SocketAddr;

use smoltcp::wire::{IpAddress, UdpPacket, UdpRepr};

use super::{OVERHEAD, Socket, Udp, UdpId, checksums};
use crate::stack::address::is_broadcast;
use crate::stack::datagram::Datagram;
use crate::stack::error::SocketError;
use crate::stack::groups::is_everybody;
use crate::stack::network::Network;
use crate::stack::random::Random;
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
        let (Some((_, udp)), Some((to, from))) = (parsed, ends) else {
            if let Some(own) = network.interface_mut(interface) {
                own.counters.rx_errors += 1;
            }
            return true;
        };
        let is_broadcast =
            |address| network.interface(interface).is_some_and(|own| own.is_broadcast(address));
        let audience = match packet.destination {
            group if group.is_multicast() => Audience::Group(interface),
            address if is_broadcast(address) => Audience::All,
            _ => Audience::One,
        };
        let (mut wanted, mut dropped) = (false, false);
        for id in self.receivers(interface, (to, from), audience, &network.random) {
            wanted = true;
            dropped |= !self.queue(id, from, udp.payload());
        }
        if dropped && let Some(own) = network.interface_mut(interface) {
            own.counters.rx_dropped += 1;
        }
        wanted
    }

    /// Gives a datagram to a group to its members here: the sender's interface does not carry it back.
    pub(super) fn receive_own(
        &mut self,
        interface: InterfaceId,
        (to, from): (SocketAddr, SocketAddr),
        data: &[u8],
        random: &Random,
    ) {
        for id in self.receivers(interface, (to, from), Audience::Group(interface), random) {
            self.queue(id, from, data);
        }
    }

    /// Who gets a datagram. Of several that fit equally well it is the last one, or always the same one for a sender if
    /// they share the port as one user's.
    fn receivers(
        &self,
        interface: InterfaceId,
        (to, from): (SocketAddr, SocketAddr),
        audience: Audience,
        random: &Random,
    ) -> Vec<UdpId> {
        let Some(candidates) = self.by_port.get(&to.port()) else { return Vec::new() };
        let matching = candidates.iter().filter_map(|id| {
            let socket = self.sockets.get(id.0)?;
            let is_on = socket.options.device.is_none_or(|own| own == interface);
            let is_meant = is_on && socket.is_meant(to, audience) && socket.listens_to(from);
            is_meant.then_some((socket, *id))
        });
        if audience != Audience::One {
            return matching.map(|(_, id)| id).collect();
        }
        let matching: Vec<_> = matching.collect();
        let Some((best, last)) = matching.iter().max_by_key(|(socket, _)| socket.precision()) else {
            return Vec::new();
        };
        if best.sharing.with_own.is_none() || matching.len() == 1 {
            return vec![*last];
        }
        let shares = |socket: &Socket| {
            socket.precision() == best.precision() && socket.sharing.with_own == best.sharing.with_own
        };
        let sharers: Vec<_> =
            matching.iter().filter(|(socket, _)| shares(socket)).map(|(_, id)| *id).collect();
        random.one_of(&sharers, &(to, from)).copied().into_iter().collect()
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

    /// How well it fits, if it does: connected before bound to an address, before bound to an interface, before any.
    fn precision(&self) -> (bool, bool, bool) {
        (self.remote.is_some(), !self.local.ip().is_unspecified(), self.options.device.is_some())
    }
}

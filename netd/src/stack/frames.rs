//! The way of a frame in, from its driver to the packet in it.

use config::filter::LinkType;
use scheme::pcapng::Direction;
use scheme::vlan::TAG;
use scheme::vnet::{self, Checksum};
use smoltcp::wire::{EthernetAddress, EthernetFrame, EthernetProtocol, IpProtocol};

use super::datagram::Datagram;
use super::interface::Link;
use super::ipv6::Contents;
use super::packet::Packet;
use super::routes::InterfaceId;
use super::{Stack, address, ipv4, vlan};

impl Stack {
    /// Takes a frame from a driver, of which nothing is known.
    #[cfg(any(test, feature = "internals"))]
    pub fn receive(&mut self, id: InterfaceId, frame: &[u8]) {
        self.receive_with(id, frame, vnet::Header::default());
    }

    /// Takes a frame from a driver, which says this of it.
    pub fn receive_with(&mut self, id: InterfaceId, frame: &[u8], said: vnet::Header) {
        let is_good = matches!(said.checksum, Checksum::Partial { .. } | Checksum::Good);
        let is_whole = said.vlan.is_none() && !matches!(said.checksum, Checksum::Partial { .. });
        if !is_whole && self.is_watched(id) {
            // Who looks at it is to see it as it would be on a wire.
            let frame = Packet::received(frame, said).finished();
            return self.receive_checked(id, &frame, None, is_good);
        }
        self.receive_checked(id, frame, said.vlan, is_good);
    }

    /// Somebody sees packets as they come.
    pub(super) fn is_watched(&self, id: InterfaceId) -> bool {
        self.raw.is_open() || self.network.with_vlans(id).any(|own| !own.captures.is_empty())
    }

    /// Takes a frame whose TCP or UDP checksum is good, or is to be looked at. `tag` is what its tag said, if that was taken
    /// off.
    pub(super) fn receive_checked(&mut self, id: InterfaceId, frame: &[u8], tag: Option<u16>, is_good: bool) {
        let now = self.network.now;
        let Some(interface) = self.network.interface_mut(id) else { return };
        if !interface.up {
            return;
        }
        let length = frame.len() + if tag.is_some() { TAG } else { 0 };
        interface.counters.rx_packets += 1;
        interface.counters.rx_bytes += length as u64;
        interface.captures.record(LinkType::Ethernet, Direction::Received, frame, now);
        self.receive_counted(id, frame, tag, is_good);
    }

    /// Takes a frame that was counted.
    pub(super) fn receive_counted(&mut self, id: InterfaceId, frame: &[u8], tag: Option<u16>, is_good: bool) {
        let Some(interface) = self.network.interface_mut(id) else { return };
        let Ok(ethernet) = EthernetFrame::new_checked(frame) else {
            interface.counters.rx_errors += 1;
            return;
        };
        let (source, destination) = (ethernet.src_addr(), ethernet.dst_addr());
        let is_for_us = !destination.is_unicast() || interface.ethernet_address() == Some(destination);
        if !is_for_us || !source.is_unicast() {
            interface.counters.rx_dropped += 1;
            return;
        }
        match ethernet.ethertype() {
            vlan::TAGGED => self.receive_tagged(id, frame, tag, is_good),
            _ if vlan::number(tag) != 0 => self.receive_of_vlan(id, vlan::number(tag), frame, is_good),
            EthernetProtocol::Arp => self.receive_arp(id, ethernet.payload()),
            EthernetProtocol::Ipv4 => self.receive_ipv4(id, source, ethernet.payload(), is_good),
            EthernetProtocol::Ipv6 => self.receive_ipv6(id, source, ethernet.payload(), is_good),
            _ => interface.counters.rx_dropped += 1,
        }
    }

    fn receive_arp(&mut self, id: InterfaceId, payload: &[u8]) {
        let now = self.network.now;
        let Some(interface) = self.network.interface_mut(id) else { return };
        interface.receive_arp(payload, now);
        self.receive_claim(id, payload);
    }

    pub(super) fn receive_ipv4(
        &mut self,
        id: InterfaceId,
        source: EthernetAddress,
        payload: &[u8],
        is_good: bool,
    ) {
        let now = self.network.now;
        let datagram = match ipv4::open(payload) {
            Some(Contents::Whole(datagram)) => Datagram { is_good, ..datagram },
            Some(Contents::Piece(piece)) => return self.receive_ipv4_piece(id, source, &piece),
            Some(Contents::Nothing) | None => return self.count_error(id),
        };
        let is_lease = self.receive_lease(id, &datagram, source);
        let is_martian = datagram.source.is_multicast()
            || address::is_broadcast(datagram.source)
            || datagram.destination.is_loopback()
            || self.network.is_local(datagram.source);
        let Some(interface) = self.network.interface_mut(id) else { return };
        let is_link_wide = interface.is_link_wide(datagram.destination);
        let is_martian = is_martian || interface.is_broadcast(datagram.source);
        if is_martian || !(is_link_wide || interface.has_address(datagram.destination)) {
            interface.counters.rx_dropped += 1;
            return;
        }
        if let Link::Ethernet { neighbours, .. } = &mut interface.link {
            neighbours.confirm(datagram.source, source, now);
        }
        if datagram.protocol == IpProtocol::Igmp {
            self.network.receive_igmp(id, &datagram);
        }
        // Who has no address cannot be answered (RFC 1122 section 3.2.2).
        let may_be_answered = !is_link_wide && !is_lease && !datagram.source.is_unspecified();
        self.deliver(id, &datagram, may_be_answered);
    }
}

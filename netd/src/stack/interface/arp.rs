//! ARP (RFC 826): what an interface asks, answers, and says of its own addresses.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::{IpNet, Ipv4Net};
use smoltcp::time::Instant;
use smoltcp::wire::{ArpOperation, ArpPacket, ArpRepr, EthernetAddress, EthernetProtocol};

use super::{Interface, Link};
use crate::stack::wire::HEADROOM;

impl Interface {
    /// Announces the addresses whose announcement is due.
    pub fn poll_claims(&mut self, now: Instant) {
        for address in self.claims.poll(now) {
            self.announce(address);
        }
    }

    /// Tells the link where `address` is (RFC 5227 section 2.3).
    pub fn announce(&mut self, address: Ipv4Addr) {
        self.send_arp(ArpOperation::Request, address, EthernetAddress::BROADCAST, address);
    }

    /// Asks the link who has `address`, without claiming it (RFC 5227 section 2.1.1).
    pub fn probe(&mut self, address: Ipv4Addr) {
        self.send_arp(ArpOperation::Request, Ipv4Addr::UNSPECIFIED, EthernetAddress::BROADCAST, address);
    }

    /// Takes an ARP packet: answers it if it asks for us, and learns from it if it is meant for us and comes from where a
    /// neighbour can be.
    pub fn receive_arp(&mut self, payload: &[u8], now: Instant) {
        let Some(arp) = ArpPacket::new_checked(payload).ok().and_then(|packet| ArpRepr::parse(&packet).ok())
        else {
            self.counters.rx_errors += 1;
            return;
        };
        let ArpRepr::EthernetIpv4 {
            operation,
            source_hardware_addr: sender,
            source_protocol_addr: sender_ip,
            target_protocol_addr: target_ip,
            ..
        } = arp
        else {
            return;
        };
        let (sender_at, target_at) = (IpAddr::V4(sender_ip), IpAddr::V4(target_ip));
        if !self.has_address(target_at) || self.has_address(sender_at) || !sender.is_unicast() {
            return;
        }
        let Link::Ethernet { neighbours, .. } = &self.link else { return };
        // A router may be outside of the network; then it was asked for. Who probes (RFC 5227 section 2.1.1) has no
        // address, but is to hear that this one is taken.
        let in_network = self.addresses.iter().any(|own| own.contains(&sender_at));
        if (in_network || neighbours.has(sender_at)) && !sender_ip.is_unspecified() {
            self.meet(sender_at, sender, now);
        }
        if operation == ArpOperation::Request {
            self.send_arp(ArpOperation::Reply, target_ip, sender, sender_ip);
        }
    }

    pub(super) fn ask_arp(&mut self, target: Ipv4Addr) {
        let mut own = self.addresses.iter().filter_map(|own| match own {
            IpNet::V4(own) => Some(own),
            IpNet::V6(_) => None,
        });
        let Some(source) = own.clone().find(|own| own.contains(&target)).or(own.next()).map(Ipv4Net::addr)
        else {
            return;
        };
        self.send_arp(ArpOperation::Request, source, EthernetAddress::BROADCAST, target);
    }

    fn send_arp(
        &mut self,
        operation: ArpOperation,
        source: Ipv4Addr,
        target: EthernetAddress,
        target_ip: Ipv4Addr,
    ) {
        let Some(own) = self.ethernet_address() else { return };
        let arp = ArpRepr::EthernetIpv4 {
            operation,
            source_hardware_addr: own,
            source_protocol_addr: source,
            // What is asked for is not known yet.
            target_hardware_addr: if target.is_broadcast() { EthernetAddress([0; 6]) } else { target },
            target_protocol_addr: target_ip,
        };
        let mut packet = vec![0; HEADROOM + arp.buffer_len()];
        arp.emit(&mut ArpPacket::new_unchecked(&mut packet[HEADROOM..]));
        self.frame(packet.into(), target, EthernetProtocol::Arp);
    }
}

//! An interface's IPv6: what its link says, and what comes of it.

use std::net::{IpAddr, Ipv6Addr};

use ipnet::{IpNet, Ipv6Net};
use smoltcp::time::Instant;
use smoltcp::wire::EthernetAddress;

use super::Interface;
use crate::stack::icmpv6::Message;
use crate::stack::ipv6::Header;
use crate::stack::ndisc::{Context, Ipv6Link};
use crate::stack::packet::Packet;
use crate::stack::random::Random;

impl Interface {
    /// The Ethernet address is `own` from now on, and the link is up or not.
    pub fn start_ipv6(&mut self, own: EthernetAddress, now: Instant, random: &mut Random) {
        self.with_ipv6(now, random, |ipv6, context| ipv6.start(own, context));
    }

    /// The link has come up.
    pub fn link_up_ipv6(&mut self, now: Instant, random: &mut Random) {
        self.with_ipv6(now, random, |ipv6, context| ipv6.link_up(context));
    }

    /// Adds a static address, which is ours once nobody has objected. Loopback's is at once.
    pub fn add_ipv6(&mut self, address: Ipv6Net, now: Instant, random: &mut Random) {
        match &self.ipv6 {
            Some(_) => self.with_ipv6(now, random, |ipv6, context| ipv6.add_static(address, context)),
            None => self.addresses.push(address.into()),
        }
    }

    /// Takes the static addresses away for which `is_gone` says so, and returns them.
    pub fn remove_ipv6(
        &mut self,
        is_gone: impl Fn(Ipv6Net) -> bool,
        now: Instant,
        random: &mut Random,
    ) -> Vec<Ipv6Addr> {
        let mut gone = Vec::new();
        self.with_ipv6(now, random, |ipv6, context| gone = ipv6.remove_static(is_gone, context));
        gone
    }

    /// Takes a message of neighbour discovery or MLD, which `from` sent.
    pub fn receive_ndisc(
        &mut self,
        packet: Header<'_>,
        message: &Message<'_>,
        from: EthernetAddress,
        now: Instant,
        random: &mut Random,
    ) {
        self.with_ipv6(now, random, |ipv6, context| ipv6.receive(packet, message, from, context));
    }

    /// Does what is due; the packets whose next hop is given up are returned.
    pub fn poll_ipv6(&mut self, now: Instant, random: &mut Random) -> Vec<Packet> {
        let Some(mut ipv6) = self.ipv6.take() else { return Vec::new() };
        let (packets, undeliverable) = ipv6.poll(&mut Context { groups: &mut self.groups, now, random });
        self.ipv6 = Some(ipv6);
        for (destination, packet) in packets {
            self.send(destination.into(), packet, now);
        }
        self.counters.neighbour_failures += undeliverable.len() as u64;
        undeliverable
    }

    /// Brings the addresses to what the link's IPv6 says; whether that is another than before.
    pub fn follow_ipv6(&mut self) -> bool {
        let Some(ipv6) = &mut self.ipv6 else { return false };
        if !ipv6.take_change() {
            return false;
        }
        let own: Vec<_> = ipv6.addresses().map(|own| IpNet::V6(own.net)).collect();
        self.addresses.retain(|known| known.addr().is_ipv4());
        self.addresses.extend(own);
        true
    }

    /// The longest packet to `next_hop`, in bytes: IPv6 routers may tell that the link carries less than the NIC does.
    pub fn mtu_towards(&self, next_hop: IpAddr) -> usize {
        let told = self.ipv6.as_ref().filter(|_| next_hop.is_ipv6()).and_then(|ipv6| ipv6.routers().mtu());
        told.unwrap_or(self.mtu).min(self.mtu)
    }

    /// Our address for packets to `destination`.
    pub fn source_ipv6(&self, destination: Ipv6Addr, now: Instant) -> Option<Ipv6Addr> {
        match &self.ipv6 {
            Some(ipv6) => ipv6.source(destination, now),
            None => Some(Ipv6Addr::LOCALHOST),
        }
    }

    pub(super) fn with_ipv6(
        &mut self,
        now: Instant,
        random: &mut Random,
        change: impl FnOnce(&mut Ipv6Link, &mut Context<'_>),
    ) {
        if let Some(ipv6) = &mut self.ipv6 {
            change(ipv6, &mut Context { groups: &mut self.groups, now, random });
        }
    }
}

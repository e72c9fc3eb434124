//! The groups that an interface is in, and what its link is told of them.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;
use smoltcp::time::Instant;

use super::{Interface, Link};
use crate::stack::datagram::Datagram;
use crate::stack::random::Random;

impl Interface {
    /// Joins `group` once more.
    pub fn join(&mut self, group: IpAddr, now: Instant, random: &mut Random) {
        match group {
            IpAddr::V6(group) if self.ipv6.is_some() => {
                self.with_ipv6(now, random, |ipv6, context| ipv6.join(group, context));
            }
            group => {
                let is_new = self.groups.join(group);
                self.tell(group, true, now, is_new);
            }
        }
    }

    /// Takes one joining of `group` back.
    pub fn leave(&mut self, group: IpAddr, now: Instant, random: &mut Random) {
        match group {
            IpAddr::V6(group) if self.ipv6.is_some() => {
                self.with_ipv6(now, random, |ipv6, context| ipv6.leave(group, context));
            }
            group => {
                let is_last = self.groups.leave(group);
                self.tell(group, false, now, is_last);
            }
        }
    }

    fn tell(&mut self, group: IpAddr, joined: bool, now: Instant, is_news: bool) {
        if let (IpAddr::V4(group), Link::Ethernet { igmp, .. }) = (group, &mut self.link)
            && is_news
        {
            igmp.change(group, joined, now);
        }
    }

    /// The link has come up: nobody there was told of our groups.
    pub fn tell_groups(&mut self, now: Instant) {
        let all: Vec<_> = self.groups.iter().collect();
        for group in all {
            self.tell(group, true, now, true);
        }
    }

    /// Takes an IGMP message.
    pub fn receive_igmp(&mut self, packet: &Datagram<'_>, now: Instant, random: &mut Random) {
        if let Link::Ethernet { igmp, .. } = &mut self.link
            && !igmp.receive(packet, now, random)
        {
            self.counters.rx_errors += 1;
        }
    }

    /// Sends the IGMP messages that are due.
    pub fn poll_igmp(&mut self, now: Instant, random: &mut Random) {
        let own = self.addresses.iter().find_map(|own| match own {
            IpNet::V4(own) => Some(own.addr()),
            IpNet::V6(_) => None,
        });
        let Link::Ethernet { igmp, .. } = &mut self.link else { return };
        let groups = self.groups.iter().filter_map(|group| match group {
            IpAddr::V4(group) => Some(group),
            IpAddr::V6(_) => None,
        });
        for (destination, packet) in igmp.poll(groups, own.unwrap_or(Ipv4Addr::UNSPECIFIED), now, random) {
            self.send(destination.into(), packet.into(), now);
        }
    }
}

//! IPv6 on one Ethernet link: our addresses, our neighbours and our routers (RFC 4861, RFC 4862).
//!
//! Addresses are made of the Ethernet address (RFC 4291 appendix A). RFC 7217's, which tell a host's networks nothing
//! about each other, need a secret that outlives the process, and there is no place for one yet.

mod addresses;
mod message;
mod routers;
mod solicitation;

use std::net::{IpAddr, Ipv6Addr};

use ipnet::Ipv6Net;
use smoltcp::time::{Duration, Instant};
use smoltcp::wire::EthernetAddress;

pub use self::addresses::{Address, Origin};
pub use self::message::{ALL_NODES, ALL_ROUTERS, solicited_node};

use self::addresses::{Addresses, Event};
use self::message::{Ndisc, NeighborAdvertisement, PrefixInformation, RouterAdvertisement};
use self::routers::Routers;
use self::solicitation::Solicitations;
use super::earlier;
use super::groups::Groups;
use super::icmpv6::Message;
use super::ipv6::Header;
use super::mld::{self, Mld};
use super::neighbours::{self, Neighbours};
use super::packet::Packet;
use super::random::Random;
use super::selection;

/// A lifetime without end (RFC 4861 section 4.6.2).
const FOREVER: u32 = u32::MAX;
/// Addresses are made of prefixes of this length (RFC 2464 section 4).
const AUTONOMOUS: u8 = 64;
/// Packets that wait to be sent, beyond which nobody is answered: a driver may take none for long.
const MOST_ANSWERS: usize = 64;
/// Between two words in the log about an address that another host uses.
const WARNING_INTERVAL: Duration = Duration::from_secs(10);

/// When so many seconds are over; none if that is never.
fn lifetime(seconds: u32, now: Instant) -> Option<Instant> {
    (seconds != FOREVER).then_some(now + Duration::from_secs(seconds.into()))
}

/// A packet, behind its headroom, and whom on the link it is for.
pub type Outgoing = (Ipv6Addr, Packet);

/// What a link's IPv6 needs of its surroundings.
pub struct Context<'a> {
    /// The interface's groups.
    pub groups: &'a mut Groups,
    /// The time.
    pub now: Instant,
    /// For delays.
    pub random: &'a mut Random,
}

/// IPv6 on a link.
pub struct Ipv6Link {
    own: Option<EthernetAddress>,
    /// Who is where.
    pub neighbours: Neighbours<Packet>,
    addresses: Addresses,
    routers: Routers,
    solicitations: Solicitations,
    mld: Mld,
    outgoing: Vec<Outgoing>,
    is_changed: bool,
    /// When another host's use of an address of ours was last told.
    warned: Option<Instant>,
}

impl Default for Ipv6Link {
    fn default() -> Self {
        Self {
            own: None,
            neighbours: Neighbours::new(neighbours::NDISC),
            addresses: Addresses::default(),
            routers: Routers::default(),
            solicitations: Solicitations::default(),
            mld: Mld::default(),
            outgoing: Vec::new(),
            is_changed: false,
            warned: None,
        }
    }
}

impl Ipv6Link {
    /// The interface has the Ethernet address `own` from now on. Addresses that were made of another one go.
    pub fn start(&mut self, own: EthernetAddress, context: &mut Context<'_>) {
        if self.own.replace(own) == Some(own) {
            return;
        }
        for address in self.addresses.remove(|known| known.origin != Origin::Static) {
            self.leave(solicited_node(address), context);
        }
        self.is_changed = true;
        let link_local = Ipv6Net::new_assert(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), AUTONOMOUS);
        self.add(with_identifier(link_local, own), Origin::LinkLocal, FOREVER, FOREVER, context);
        self.solicitations.start(context.now, context.random);
    }

    /// The link has come up: there may be other routers and neighbours, and nobody was told of our groups.
    pub fn link_up(&mut self, context: &mut Context<'_>) {
        self.addresses.try_again(context.now, context.random);
        self.addresses.doubt(context.now);
        self.routers.doubt();
        self.is_changed = true;
        self.solicitations.start(context.now, context.random);
        for group in ipv6_groups(context.groups) {
            self.mld.change(group, true, context.now);
        }
    }

    /// Joins `group`.
    pub fn join(&mut self, group: Ipv6Addr, context: &mut Context<'_>) {
        if context.groups.join(group.into()) {
            self.mld.change(group, true, context.now);
        }
    }

    /// Leaves `group`.
    pub fn leave(&mut self, group: Ipv6Addr, context: &mut Context<'_>) {
        if context.groups.leave(group.into()) {
            self.mld.change(group, false, context.now);
        }
    }

    /// Adds an address of the administrator's, once it is known that nobody else has it.
    pub fn add_static(&mut self, net: Ipv6Net, context: &mut Context<'_>) {
        self.add(net, Origin::Static, FOREVER, FOREVER, context);
    }

    /// Takes away the administrator's addresses for which `is_gone` says so, and returns them.
    pub fn remove_static(
        &mut self,
        is_gone: impl Fn(Ipv6Net) -> bool,
        context: &mut Context<'_>,
    ) -> Vec<Ipv6Addr> {
        let gone = self.addresses.remove(|own| own.origin == Origin::Static && is_gone(own.net));
        for address in &gone {
            self.leave(solicited_node(*address), context);
            self.is_changed = true;
        }
        gone
    }

    fn add(&mut self, net: Ipv6Net, origin: Origin, valid: u32, preferred: u32, context: &mut Context<'_>) {
        if self.addresses.add(net, origin, valid, preferred, context.now, context.random) {
            // Who asks for the same address at the same time is to be heard (RFC 4862 section 5.4.2).
            self.join(solicited_node(net.addr()), context);
        }
    }

    /// Takes a message that came by `packet`, whose checksum is right, from the Ethernet address `from`.
    pub fn receive(
        &mut self,
        packet: Header<'_>,
        message: &Message<'_>,
        from: EthernetAddress,
        context: &mut Context<'_>,
    ) {
        let source = packet.source;
        if message.kind == mld::QUERY {
            if packet.hop_limit == 1 && source.is_unicast_link_local() {
                self.mld.receive(message, context.now, context.random);
            }
            return;
        }
        // RFC 4861 section 6.1 and 7.1: it comes from this link, and not from ourselves.
        if packet.hop_limit != 255 || self.own == Some(from) {
            return;
        }
        match message::parse(message) {
            Some(Ndisc::NeighborSolicitation { target, sender }) => {
                self.receive_solicitation(source, target, sender, context.now);
            }
            Some(Ndisc::NeighborAdvertisement(told)) => {
                self.receive_advertisement(&told, packet.destination.is_multicast(), context.now);
            }
            Some(Ndisc::RouterAdvertisement(told)) if source.is_unicast_link_local() => {
                self.receive_router(source, &told, context);
            }
            _ => (),
        }
    }

    /// RFC 4861 section 7.2.3, RFC 4862 section 5.4.3.
    fn receive_solicitation(
        &mut self,
        source: Ipv6Addr,
        target: Ipv6Addr,
        sender: Option<EthernetAddress>,
        now: Instant,
    ) {
        let (Some(own), is_question) = (self.own, source.is_unspecified()) else { return };
        if is_question && self.addresses.object(target) {
            return self.warn_of_duplicate(target);
        }
        if !self.addresses.ours().any(|known| known.net.addr() == target) || source.is_multicast() {
            return;
        }
        if let Some(sender) = sender.filter(|_| !is_question) {
            let waiting = self.neighbours.hear(source.into(), sender, now);
            self.outgoing.extend(waiting.into_iter().map(|packet| (source, packet)));
        }
        let destination = if is_question { ALL_NODES } else { source };
        if self.outgoing.len() < MOST_ANSWERS {
            self.outgoing
                .push((destination, message::neighbor_advertisement(destination, target, own).into()));
        }
    }

    /// RFC 4861 section 7.2.5, RFC 4862 section 5.4.4.
    fn receive_advertisement(&mut self, told: &NeighborAdvertisement, to_all: bool, now: Instant) {
        let target = told.target;
        if self.addresses.object(target) {
            return self.warn_of_duplicate(target);
        }
        if self.addresses.ours().any(|own| own.net.addr() == target) {
            return self.warn_of_conflict(target, now);
        }
        let is_solicited = told.is_solicited && !to_all;
        let waiting =
            self.neighbours.advertised(target.into(), told.address, is_solicited, told.overrides, now);
        self.outgoing.extend(waiting.into_iter().map(|packet| (target, packet)));
        if !told.is_router && self.routers.resign(target) {
            self.is_changed = true;
        }
    }

    /// RFC 4861 section 6.3.4, RFC 4862 section 5.5.3.
    fn receive_router(&mut self, router: Ipv6Addr, told: &RouterAdvertisement, context: &mut Context<'_>) {
        // Who routes to a network of its own, and nowhere else, answers for no other (RFC 7559 section 2.1).
        if told.lifetime > 0 {
            self.solicitations.stop();
        }
        if let Some(sender) = told.sender {
            let waiting = self.neighbours.hear(router.into(), sender, context.now);
            self.outgoing.extend(waiting.into_iter().map(|packet| (router, packet)));
        }
        self.is_changed |= self.routers.learn(router, told, context.now);
        for told in told.prefixes.iter().filter(|told| told.autonomous) {
            self.autoconfigure(told, context);
        }
    }

    fn autoconfigure(&mut self, told: &PrefixInformation, context: &mut Context<'_>) {
        let (prefix, Some(own)) = (told.prefix, self.own) else { return };
        let makes_sense = prefix.prefix_len() == AUTONOMOUS
            && told.preferred <= told.valid
            && !prefix.addr().is_unicast_link_local()
            && !prefix.addr().is_multicast();
        if !makes_sense {
            return;
        }
        let is_known = self.addresses.refresh(prefix, told.valid, told.preferred, context.now);
        if !is_known && told.valid > 0 {
            let net = with_identifier(prefix, own);
            self.add(net, Origin::Advertised, told.valid, told.preferred, context);
        }
    }

    fn warn_of_conflict(&mut self, address: Ipv6Addr, now: Instant) {
        if self.warned.is_none_or(|before| now >= before + WARNING_INTERVAL) {
            self.warned = Some(now);
            log::warn!("{address}, which is ours, is used by another host as well");
        }
    }

    fn warn_of_duplicate(&self, address: Ipv6Addr) {
        log::warn!("{address} is not used: another host of the link has it");
    }

    /// Does what is due: packets to be sent, each with whom it is for, and packets whose next hop is given up.
    pub fn poll(&mut self, context: &mut Context<'_>) -> (Vec<Outgoing>, Vec<Packet>) {
        let undeliverable = self.poll_neighbours(context.now);
        let Some(own) = self.own else { return (Vec::new(), undeliverable) };
        for event in self.addresses.poll(context.now) {
            match event {
                Event::Ask(address) => {
                    let group = solicited_node(address);
                    let question = message::neighbor_solicitation(Ipv6Addr::UNSPECIFIED, group, address, own);
                    self.outgoing.push((group, question.into()));
                }
                Event::Ours(address) => {
                    self.is_changed = true;
                    // Who knew it elsewhere, and the router, is told at once (RFC 9131 section 6.1).
                    let advertisement = message::neighbor_advertisement(ALL_NODES, address, own);
                    self.outgoing.push((ALL_NODES, advertisement.into()));
                }
                Event::Gone(address) => {
                    self.is_changed = true;
                    self.leave(solicited_node(address), context);
                }
            }
        }
        self.is_changed |= self.routers.poll(context.now);
        let source = self.addresses.link_local().unwrap_or(Ipv6Addr::UNSPECIFIED);
        if self.solicitations.poll(context.now, context.random) {
            self.outgoing.push((ALL_ROUTERS, message::router_solicitation(source, own).into()));
        }
        let reports = self.mld.poll(ipv6_groups(context.groups), source, context.now, context.random);
        self.outgoing.extend(reports.into_iter().map(|(group, report)| (group, report.into())));
        (std::mem::take(&mut self.outgoing), undeliverable)
    }

    fn poll_neighbours(&mut self, now: Instant) -> Vec<Packet> {
        let due = self.neighbours.poll(now);
        for probe in due.probes {
            if let IpAddr::V6(neighbour) = probe {
                let question = self.question(neighbour, now);
                self.outgoing.extend(question);
            }
        }
        for lost in due.lost {
            if let IpAddr::V6(neighbour) = lost {
                self.is_changed |= self.routers.is_silent(neighbour);
            }
        }
        due.undeliverable
    }

    /// Asks where `neighbour` is: all who could be it, or itself where it was known. The question, and whom it is for.
    pub fn question(&self, neighbour: Ipv6Addr, now: Instant) -> Option<Outgoing> {
        let source = self.source(neighbour, now)?;
        let destination = match self.neighbours.address(neighbour.into()) {
            Some(_) => neighbour,
            None => solicited_node(neighbour),
        };
        let question = message::neighbor_solicitation(source, destination, neighbour, self.own?);
        Some((destination, question.into()))
    }

    /// When [`poll`](Self::poll) is due, and [`take_change`](Self::take_change) after it.
    pub fn deadline(&self, now: Instant) -> Option<Instant> {
        let pending = (self.is_changed || !self.outgoing.is_empty()).then_some(now);
        let due = [
            self.neighbours.deadline(),
            self.addresses.deadline(),
            self.routers.deadline(),
            self.mld.deadline(),
        ];
        due.into_iter().fold(earlier(pending, self.solicitations.deadline()), earlier)
    }

    /// Whether addresses, routers, prefixes or name servers are others than at the last call.
    pub fn take_change(&mut self) -> bool {
        std::mem::take(&mut self.is_changed)
    }

    /// Our addresses.
    pub fn addresses(&self) -> impl Iterator<Item = &Address> {
        self.addresses.ours()
    }

    /// What routers have told.
    pub fn routers(&self) -> &Routers {
        &self.routers
    }

    /// Our address for packets to `destination`.
    pub fn source(&self, destination: Ipv6Addr, now: Instant) -> Option<Ipv6Addr> {
        let candidates = self
            .addresses
            .ours()
            .map(|own| selection::Candidate { own: own.net, is_deprecated: own.is_deprecated(now) });
        selection::source(destination, candidates)
    }
}

/// The address of `prefix` that is made of an Ethernet address (RFC 4291 appendix A).
fn with_identifier(prefix: Ipv6Net, own: EthernetAddress) -> Ipv6Net {
    let [a, b, c, d, e, f] = own.0;
    let identifier = u64::from_be_bytes([a ^ 2, b, c, 0xff, 0xfe, d, e, f]);
    let address = u128::from(prefix.network()) | u128::from(identifier);
    Ipv6Net::new_assert(address.into(), AUTONOMOUS)
}

fn ipv6_groups(groups: &Groups) -> impl Iterator<Item = Ipv6Addr> {
    groups.iter().filter_map(|group| match group {
        IpAddr::V6(group) => Some(group),
        IpAddr::V4(_) => None,
    })
}

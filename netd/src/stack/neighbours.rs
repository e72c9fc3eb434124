//! Who has which Ethernet address: what ARP (RFC 826, RFC 1122 section 2.3.2) and neighbour discovery (RFC 4861 section
//! 7.3) have in common.

use std::collections::HashMap;
use std::collections::VecDeque;
use std::net::IpAddr;

use smoltcp::time::{Duration, Instant};
use smoltcp::wire::EthernetAddress;

/// How long an answer is believed without a sign of life.
#[derive(Clone, Copy, Debug)]
pub struct Lifetime(Duration);

/// ARP's; RFC 1122 section 2.3.2.1 asks for a minute.
pub const ARP: Lifetime = Lifetime(Duration::from_secs(60));
/// RFC 4861's REACHABLE_TIME.
pub const NDISC: Lifetime = Lifetime(Duration::from_secs(30));
/// Between two requests for one address.
const PROBE_INTERVAL: Duration = Duration::from_secs(1);
/// Requests without an answer after which a neighbour is given up.
const PROBES: u8 = 3;
/// Entries; a stranger on the link must not make us grow.
const CAPACITY: usize = 256;
/// Packets that wait for all neighbours. One more costs the neighbour with the most its oldest (RFC 1122
/// section 2.3.2.2 asks for the latest one).
const QUEUE: usize = 128;

#[derive(Debug)]
struct Entry<P> {
    address: Option<EthernetAddress>,
    confirmed: Instant,
    /// Requests sent since the last answer.
    probes: u8,
    next_probe: Instant,
    waiting: VecDeque<P>,
}

/// What to do with a packet for a neighbour.
#[derive(Debug, PartialEq, Eq)]
pub enum Resolution<P> {
    /// Send it there; `probe` asks for a request beside, since the answer is old.
    Known {
        /// The frame, headroom and all, given back.
        packet: P,
        /// Where to.
        address: EthernetAddress,
        /// Whether to send a request as well.
        probe: bool,
    },
    /// It waits in the table; `probe` asks for a request.
    Waiting {
        /// Whether to send a request.
        probe: bool,
        /// How many older packets had to make room.
        dropped: usize,
    },
}

/// What is due: requests to send, and packets whose neighbour was given up.
#[derive(Debug, PartialEq, Eq)]
pub struct Due<P> {
    /// Addresses to ask for.
    pub probes: Vec<IpAddr>,
    /// Packets that cannot be delivered.
    pub undeliverable: Vec<P>,
    /// Who did not answer.
    pub lost: Vec<IpAddr>,
}

/// One protocol's table of one interface, with the packets `P` that wait.
#[derive(Debug)]
pub struct Neighbours<P> {
    entries: HashMap<IpAddr, Entry<P>>,
    lifetime: Duration,
    deadline: Option<Instant>,
}

impl<P> Neighbours<P> {
    /// An empty table.
    pub fn new(Lifetime(lifetime): Lifetime) -> Self {
        Self { entries: HashMap::new(), lifetime, deadline: None }
    }

    /// Finds the address of `next_hop` for `packet`, or keeps the packet until it is known.
    pub fn resolve(&mut self, next_hop: IpAddr, packet: P, now: Instant) -> Resolution<P> {
        let mut dropped = 0;
        if !self.entries.contains_key(&next_hop) {
            dropped += self.make_room();
        }
        let entry = self.entries.entry(next_hop).or_insert_with(|| Entry {
            address: None,
            confirmed: now,
            probes: 0,
            next_probe: now,
            waiting: VecDeque::new(),
        });
        let stale = entry.address.is_none() || now >= entry.confirmed + self.lifetime;
        let probe = stale && entry.probes == 0;
        if probe {
            entry.probes = 1;
            entry.next_probe = now + PROBE_INTERVAL;
            self.deadline = earlier(self.deadline, entry.next_probe);
        }
        match entry.address {
            Some(address) => Resolution::Known { packet, address, probe },
            None => {
                entry.waiting.push_back(packet);
                dropped += self.bound_waiting(next_hop);
                Resolution::Waiting { probe, dropped }
            }
        }
    }

    /// `neighbour` says that it is at `address`; the packets that waited for it are returned.
    pub fn learn(&mut self, neighbour: IpAddr, address: EthernetAddress, now: Instant) -> Vec<P> {
        if !self.entries.contains_key(&neighbour) {
            self.make_room();
        }
        let entry = self.entries.entry(neighbour).or_insert_with(|| Entry {
            address: None,
            confirmed: now,
            probes: 0,
            next_probe: now,
            waiting: VecDeque::new(),
        });
        entry.address = Some(address);
        entry.confirmed = now;
        entry.probes = 0;
        entry.waiting.drain(..).collect()
    }

    /// A packet came from `neighbour` at `address`: a sign of life, if that is what we know.
    pub fn confirm(&mut self, neighbour: IpAddr, address: EthernetAddress, now: Instant) {
        if let Some(entry) = self.entries.get_mut(&neighbour)
            && entry.address == Some(address)
        {
            entry.confirmed = now;
            entry.probes = 0;
        }
    }

    /// `neighbour` happens to say that it is at `address`, which proves nothing about the way there (RFC 4861 section
    /// 7.2.3): it is asked when it is needed. The packets that waited for it are returned.
    pub fn hear(&mut self, neighbour: IpAddr, address: EthernetAddress, now: Instant) -> Vec<P> {
        if self.address(neighbour) == Some(address) {
            return Vec::new();
        }
        self.learn(neighbour, address, now - self.lifetime)
    }

    /// `neighbour` advertises itself, at `address` if that is told (RFC 4861 section 7.2.5): as the answer to a
    /// question, or `overriding` what was known. The packets that waited for it are returned.
    pub fn advertised(
        &mut self,
        neighbour: IpAddr,
        address: Option<EthernetAddress>,
        is_answer: bool,
        overriding: bool,
        now: Instant,
    ) -> Vec<P> {
        let stale = now - self.lifetime;
        let Some(entry) = self.entries.get_mut(&neighbour) else { return Vec::new() };
        let Some(address) = address.or(entry.address) else { return Vec::new() };
        let is_other = entry.address.is_some_and(|known| known != address);
        if is_other && !overriding {
            entry.confirmed = entry.confirmed.min(stale);
            return Vec::new();
        }
        match (is_answer, entry.address == Some(address)) {
            (true, _) => self.learn(neighbour, address, now),
            (false, true) => Vec::new(),
            (false, false) => self.learn(neighbour, address, stale),
        }
    }

    /// Where `neighbour` is, as far as that is known.
    pub fn address(&self, neighbour: IpAddr) -> Option<EthernetAddress> {
        self.entries.get(&neighbour)?.address
    }

    /// Whether `neighbour` is known or asked for.
    pub fn has(&self, neighbour: IpAddr) -> bool {
        self.entries.contains_key(&neighbour)
    }

    /// All of them, in order: the address if it is known, and what that is worth.
    pub fn list(&self, now: Instant) -> Vec<(IpAddr, Option<EthernetAddress>, &'static str)> {
        let state = |entry: &Entry<P>| match entry.address {
            None => "incomplete",
            Some(_) if now < entry.confirmed + self.lifetime => "reachable",
            Some(_) => "stale",
        };
        let mut list: Vec<_> =
            self.entries.iter().map(|(neighbour, entry)| (*neighbour, entry.address, state(entry))).collect();
        list.sort();
        list
    }

    /// What is due at `now`.
    pub fn poll(&mut self, now: Instant) -> Due<P> {
        let mut due = Due { probes: Vec::new(), undeliverable: Vec::new(), lost: Vec::new() };
        if self.deadline.is_none_or(|deadline| now < deadline) {
            return due;
        }
        self.entries.retain(|neighbour, entry| {
            if entry.probes == 0 || now < entry.next_probe {
                return true;
            }
            if entry.probes >= PROBES {
                due.undeliverable.extend(entry.waiting.drain(..));
                due.lost.push(*neighbour);
                return false;
            }
            entry.probes += 1;
            entry.next_probe = now + PROBE_INTERVAL;
            due.probes.push(*neighbour);
            true
        });
        self.deadline =
            self.entries.values().filter(|entry| entry.probes > 0).map(|entry| entry.next_probe).min();
        due
    }

    /// Forgets everybody; how many packets waited.
    pub fn forget_all(&mut self) -> usize {
        self.deadline = None;
        self.entries.drain().map(|(_, entry)| entry.waiting.len()).sum()
    }

    /// When [`poll`](Self::poll) is due.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Forgets whom nobody heard of for longest, if need be; how many packets waited for it.
    fn make_room(&mut self) -> usize {
        if self.entries.len() < CAPACITY {
            return 0;
        }
        let oldest =
            self.entries.iter().min_by_key(|(_, entry)| entry.confirmed).map(|(neighbour, _)| *neighbour);
        let forgotten = oldest.and_then(|oldest| self.entries.remove(&oldest));
        forgotten.map_or(0, |entry| entry.waiting.len())
    }

    /// Drops a packet if too many wait; how many were dropped. The longest queue gives it up, and among equals that of
    /// `latest`, who came last: whoever waited before keeps waiting.
    fn bound_waiting(&mut self, latest: IpAddr) -> usize {
        let waiting: usize = self.entries.values().map(|entry| entry.waiting.len()).sum();
        if waiting <= QUEUE {
            return 0;
        }
        let longest = self.entries.iter_mut().max_by_key(|(at, entry)| (entry.waiting.len(), **at == latest));
        longest.map_or(0, |(_, entry)| usize::from(entry.waiting.pop_front().is_some()))
    }
}

fn earlier(deadline: Option<Instant>, other: Instant) -> Option<Instant> {
    Some(deadline.map_or(other, |deadline| deadline.min(other)))
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const ROUTER: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 2, 2));
    const MAC: EthernetAddress = EthernetAddress([0x52, 0x55, 10, 0, 2, 2]);

    fn at(seconds: i64) -> Instant {
        Instant::from_secs(seconds)
    }

    #[test]
    fn packets_wait_for_the_answer_and_then_go() {
        let mut table = Neighbours::new(ARP);
        assert_eq!(table.resolve(ROUTER, vec![1], at(0)), Resolution::Waiting { probe: true, dropped: 0 });
        assert_eq!(table.resolve(ROUTER, vec![2], at(0)), Resolution::Waiting { probe: false, dropped: 0 });
        assert_eq!(table.learn(ROUTER, MAC, at(0)), [vec![1], vec![2]]);
        let known = Resolution::Known { packet: vec![3], address: MAC, probe: false };
        assert_eq!(table.resolve(ROUTER, vec![3], at(59)), known);
    }

    #[test]
    fn a_silent_neighbour_is_asked_three_times_and_given_up() {
        let mut table = Neighbours::new(ARP);
        table.resolve(ROUTER, vec![1], at(0));
        assert_eq!(table.poll(at(1)).probes, [ROUTER]);
        assert_eq!(table.poll(at(2)).probes, [ROUTER]);
        let due = table.poll(at(3));
        assert_eq!((due.probes, due.undeliverable, due.lost), (vec![], vec![vec![1]], vec![ROUTER]));
        assert_eq!(table.deadline(), None);
        assert_eq!(table.resolve(ROUTER, vec![2], at(4)), Resolution::Waiting { probe: true, dropped: 0 });
    }

    #[test]
    fn an_old_answer_is_used_while_it_is_checked_again() {
        let mut table = Neighbours::new(ARP);
        table.learn(ROUTER, MAC, at(0));
        let stale = Resolution::Known { packet: vec![1], address: MAC, probe: true };
        assert_eq!(table.resolve(ROUTER, vec![1], at(60)), stale);
        table.confirm(ROUTER, MAC, at(60));
        assert!(table.poll(at(70)).probes.is_empty());
    }

    #[test]
    fn an_advertisement_changes_what_it_may_change() {
        let (host, other) = (IpAddr::V6("fe80::2".parse().unwrap()), EthernetAddress([2, 0, 0, 0, 0, 9]));
        let mut table = Neighbours::new(NDISC);
        table.advertised(host, Some(MAC), true, true, at(0));
        assert!(!table.has(host), "nobody asked");
        table.resolve(host, vec![1], at(0));
        assert_eq!(table.advertised(host, Some(MAC), true, false, at(0)), [vec![1]]);
        table.advertised(host, Some(other), false, false, at(1));
        assert_eq!(table.address(host), Some(MAC), "it does not override");
        let checked = Resolution::Known { packet: vec![2], address: MAC, probe: true };
        assert_eq!(table.resolve(host, vec![2], at(2)), checked, "but it makes one wonder");
        table.advertised(host, Some(other), true, true, at(3));
        let known = Resolution::Known { packet: vec![3], address: other, probe: false };
        assert_eq!(table.resolve(host, vec![3], at(4)), known);
        table.hear(host, MAC, at(5));
        let heard = Resolution::Known { packet: vec![4], address: MAC, probe: true };
        assert_eq!(table.resolve(host, vec![4], at(6)), heard);
    }

    #[test]
    fn strangers_cannot_make_the_table_grow() {
        let mut table = Neighbours::<Vec<u8>>::new(ARP);
        for host in 0..10_000_u32 {
            table.learn(Ipv4Addr::from(host).into(), MAC, at(i64::from(host)));
        }
        assert_eq!(table.entries.len(), CAPACITY);
    }

    #[test]
    fn packets_for_the_silent_are_bounded_and_starve_nobody() {
        let mut table = Neighbours::new(ARP);
        table.resolve(ROUTER, vec![1], at(0));
        let dropped: usize = (0..40_000_u32)
            .map(|count| match table.resolve(Ipv4Addr::from(count % 200).into(), vec![0], at(0)) {
                Resolution::Waiting { dropped, .. } => dropped,
                known @ Resolution::Known { .. } => panic!("{known:?}"),
            })
            .sum();
        assert_eq!(dropped, 40_000 + 1 - QUEUE);
        assert_eq!(table.learn(ROUTER, MAC, at(1)), [vec![1]]);
    }
}

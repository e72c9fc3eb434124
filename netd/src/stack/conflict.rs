//! Who has an address (RFC 5227): asking before it is used, telling the link, and defending it.

use std::net::{IpAddr, Ipv4Addr};

use smoltcp::time::{Duration, Instant};

use super::random::Random;

/// Probes for one address (RFC 5227 section 1.1).
const PROBE_COUNT: u8 = 3;
/// The longest wait before the first. This and the next three are a tenth of the RFC's, as its authors' second
/// is long on the links of today and somebody waits for the address.
const PROBE_WAIT: Duration = Duration::from_millis(100);
/// The shortest wait between two.
const PROBE_MIN: Duration = Duration::from_millis(100);
/// The longest.
const PROBE_MAX: Duration = Duration::from_millis(200);
/// After the last, before the address is ours.
const ANNOUNCE_WAIT: Duration = Duration::from_millis(200);
/// Announcements of one address.
const ANNOUNCE_COUNT: u8 = 2;
/// Between two.
const ANNOUNCE_INTERVAL: Duration = Duration::from_secs(2);
/// A second conflict within this time is no accident.
const DEFEND_INTERVAL: Duration = Duration::from_secs(10);

/// Asks whether anybody has an address.
#[derive(Debug)]
pub struct Probing {
    /// The address.
    pub address: Ipv4Addr,
    left: u8,
    next: Instant,
}

/// What is next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Ask once more.
    Probe,
    /// Nobody answered: the address is ours.
    Free,
}

impl Probing {
    /// Asks from now on.
    pub fn new(address: Ipv4Addr, random: &mut Random, now: Instant) -> Self {
        let next = now + between(Duration::ZERO, PROBE_WAIT, random);
        Self { address, left: PROBE_COUNT, next }
    }

    /// What is due.
    pub fn poll(&mut self, random: &mut Random, now: Instant) -> Option<Step> {
        if now < self.next {
            return None;
        }
        let Some(left) = self.left.checked_sub(1) else { return Some(Step::Free) };
        self.left = left;
        self.next = now + if left > 0 { between(PROBE_MIN, PROBE_MAX, random) } else { ANNOUNCE_WAIT };
        Some(Step::Probe)
    }

    /// When [`poll`](Self::poll) is due.
    pub fn deadline(&self) -> Instant {
        self.next
    }
}

/// The addresses of an interface as its link knows them.
#[derive(Debug, Default)]
pub struct Claims {
    announcements: Vec<Announcement>,
    /// When an address of ours was last defended against another host.
    defended: Option<Instant>,
}

#[derive(Debug)]
struct Announcement {
    address: Ipv4Addr,
    left: u8,
    next: Instant,
}

impl Claims {
    /// The link is to be told of `address`.
    pub fn announce(&mut self, address: IpAddr, now: Instant) {
        // Neighbour discovery has announcements of its own.
        let IpAddr::V4(address) = address else { return };
        self.forget(address.into());
        self.announcements.push(Announcement { address, left: ANNOUNCE_COUNT, next: now });
    }

    /// `address` is not ours any more.
    pub fn forget(&mut self, address: IpAddr) {
        self.announcements.retain(|own| own.address != address);
    }

    /// The addresses whose announcement is due.
    pub fn poll(&mut self, now: Instant) -> Vec<Ipv4Addr> {
        let mut due = Vec::new();
        for own in self.announcements.iter_mut().filter(|own| own.next <= now) {
            due.push(own.address);
            own.left -= 1;
            own.next = now + ANNOUNCE_INTERVAL;
        }
        self.announcements.retain(|own| own.left > 0);
        due
    }

    /// When [`poll`](Self::poll) is due.
    pub fn deadline(&self) -> Option<Instant> {
        self.announcements.iter().map(|own| own.next).min()
    }

    /// Another host claims an address of ours. Whether we may defend it: not twice within ten seconds.
    pub fn contest(&mut self, now: Instant) -> bool {
        let may_defend = self.defended.is_none_or(|before| now >= before + DEFEND_INTERVAL);
        if may_defend {
            self.defended = Some(now);
        }
        may_defend
    }
}

fn between(shortest: Duration, longest: Duration, random: &mut Random) -> Duration {
    let range = longest.total_micros().saturating_sub(shortest.total_micros()).max(1);
    shortest + Duration::from_micros(random.next_u64() % range)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);

    #[test]
    fn an_address_is_asked_for_three_times_within_a_second() {
        let (start, mut random) = (Instant::from_secs(1000), Random::new([1, 2]));
        let mut probing = Probing::new(ADDRESS, &mut random, start);
        for _ in 0..3 {
            assert_eq!(probing.poll(&mut random, probing.deadline()), Some(Step::Probe));
            assert_eq!(probing.poll(&mut random, probing.deadline() - Duration::from_micros(1)), None);
        }
        assert_eq!(probing.poll(&mut random, probing.deadline()), Some(Step::Free));
        assert!(probing.deadline() < start + Duration::from_secs(1));
    }

    #[test]
    fn an_address_is_announced_twice() {
        let start = Instant::from_secs(1000);
        let mut claims = Claims::default();
        claims.announce(ADDRESS.into(), start);
        claims.announce(ADDRESS.into(), start);
        assert_eq!(claims.poll(start), [ADDRESS]);
        assert_eq!(claims.deadline(), Some(start + ANNOUNCE_INTERVAL));
        assert_eq!(claims.poll(start + ANNOUNCE_INTERVAL), [ADDRESS]);
        assert_eq!(claims.deadline(), None);
    }
}

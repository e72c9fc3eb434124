//! Our IPv6 addresses on a link: whether anybody else has them (RFC 4862 section 5.4), and for how long they are ours.

use std::net::Ipv6Addr;

use ipnet::Ipv6Net;
use smoltcp::time::{Duration, Instant};

use super::lifetime;
use crate::stack::earlier;
use crate::stack::random::Random;

/// Before the first question on a link, at most (RFC 4862 section 5.4.2): hosts that come up together do not ask
/// together.
const MOST_DELAY: Duration = Duration::from_secs(1);
/// How long an answer is waited for: RFC 4861's RETRANS_TIMER.
const PATIENCE: Duration = Duration::from_secs(1);
/// An advertisement that nobody signed takes no address away sooner (RFC 4862 section 5.5.3).
const TWO_HOURS: Duration = Duration::from_secs(2 * 60 * 60);
/// Addresses of one link: routers must not make us grow.
const CAPACITY: usize = 32;

/// Why we have an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Every interface has one.
    LinkLocal,
    /// A router advertised its prefix.
    Advertised,
    /// The administrator says so.
    Static,
}

/// Whether an address may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nobody was asked yet: that is to be done at the time given.
    Fresh(Instant),
    /// Nobody has objected yet: from the time given on it is ours.
    Tentative(Instant),
    /// It is ours.
    Ours,
    /// It is somebody else's.
    Duplicate,
}

/// An address.
#[derive(Clone, Copy, Debug)]
pub struct Address {
    /// With the length of its prefix.
    pub net: Ipv6Net,
    /// Why we have it.
    pub origin: Origin,
    state: State,
    /// New connections do not use it from then on.
    preferred_until: Option<Instant>,
    valid_until: Option<Instant>,
}

/// What happens to an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// It is to be asked who has it.
    Ask(Ipv6Addr),
    /// It is ours from now on.
    Ours(Ipv6Addr),
    /// Its time is over.
    Gone(Ipv6Addr),
}

/// All addresses of one link.
#[derive(Debug, Default)]
pub struct Addresses(Vec<Address>);

impl Addresses {
    /// Adds an address that is not there yet, for some seconds; whether there was room for it.
    pub fn add(
        &mut self,
        net: Ipv6Net,
        origin: Origin,
        valid: u32,
        preferred: u32,
        now: Instant,
        random: &mut Random,
    ) -> bool {
        let is_known = self.0.iter().any(|own| own.net.addr() == net.addr());
        if is_known || self.0.len() >= CAPACITY {
            return false;
        }
        self.0.push(Address {
            net,
            origin,
            state: fresh(now, random),
            preferred_until: lifetime(preferred, now),
            valid_until: lifetime(valid, now),
        });
        true
    }

    /// Takes away those for which `is_gone` says so, and returns them.
    pub fn remove(&mut self, is_gone: impl Fn(&Address) -> bool) -> Vec<Ipv6Addr> {
        self.0.extract_if(.., |own| is_gone(own)).map(|own| own.net.addr()).collect()
    }

    /// A router gives the address of `prefix` new lifetimes; whether there is one.
    pub fn refresh(&mut self, prefix: Ipv6Net, valid: u32, preferred: u32, now: Instant) -> bool {
        let known =
            self.0.iter_mut().find(|own| own.origin == Origin::Advertised && own.net.trunc() == prefix);
        let Some(own) = known else { return false };
        own.preferred_until = lifetime(preferred, now);
        let wanted = lifetime(valid, now);
        let (least, remaining) = (Some(now + TWO_HOURS), own.valid_until);
        if lasts_longer(wanted, least) || lasts_longer(wanted, remaining) {
            own.valid_until = wanted;
        } else if lasts_longer(remaining, least) {
            own.valid_until = least;
        }
        true
    }

    /// Somebody else has `address`, or wants it as well; whether that was news about a question of ours.
    pub fn object(&mut self, address: Ipv6Addr) -> bool {
        let asked = self.0.iter_mut().find(|own| own.net.addr() == address && own.is_tentative());
        asked.is_some_and(|own| {
            own.state = State::Duplicate;
            true
        })
    }

    /// The link may be another one: addresses that none of its routers has advertised yet are for want of others.
    pub fn doubt(&mut self, now: Instant) {
        for own in self.0.iter_mut().filter(|own| own.origin == Origin::Advertised) {
            own.preferred_until = Some(own.preferred_until.map_or(now, |until| until.min(now)));
        }
    }

    /// On another link nobody else may have what somebody else had.
    pub fn try_again(&mut self, now: Instant, random: &mut Random) {
        for own in self.0.iter_mut().filter(|own| own.state == State::Duplicate) {
            own.state = fresh(now, random);
        }
    }

    /// What is due at `now`.
    pub fn poll(&mut self, now: Instant) -> Vec<Event> {
        let expired = self.remove(|own| own.valid_until.is_some_and(|until| until <= now));
        let mut events: Vec<_> = expired.into_iter().map(Event::Gone).collect();
        for own in &mut self.0 {
            match own.state {
                State::Fresh(at) if at <= now => {
                    own.state = State::Tentative(now + PATIENCE);
                    events.push(Event::Ask(own.net.addr()));
                }
                State::Tentative(at) if at <= now => {
                    own.state = State::Ours;
                    events.push(Event::Ours(own.net.addr()));
                }
                _ => (),
            }
        }
        events
    }

    /// When [`poll`](Self::poll) is due.
    pub fn deadline(&self) -> Option<Instant> {
        let due = self.0.iter().map(|own| match own.state {
            State::Fresh(at) | State::Tentative(at) => earlier(Some(at), own.valid_until),
            State::Ours | State::Duplicate => own.valid_until,
        });
        due.flatten().min()
    }

    /// Those that are ours.
    pub fn ours(&self) -> impl Iterator<Item = &Address> {
        self.0.iter().filter(|own| own.state == State::Ours)
    }

    /// The link-local one, if it is ours.
    pub fn link_local(&self) -> Option<Ipv6Addr> {
        self.ours().find(|own| own.origin == Origin::LinkLocal).map(|own| own.net.addr())
    }
}

impl Address {
    /// Whether new connections should use another one.
    pub fn is_deprecated(&self, now: Instant) -> bool {
        self.preferred_until.is_some_and(|until| until <= now)
    }

    fn is_tentative(&self) -> bool {
        matches!(self.state, State::Fresh(_) | State::Tentative(_))
    }
}

fn fresh(now: Instant, random: &mut Random) -> State {
    State::Fresh(now + Duration::from_micros(random.next_u64() % MOST_DELAY.total_micros()))
}

/// No end is the latest one.
fn lasts_longer(one: Option<Instant>, other: Option<Instant>) -> bool {
    match (one, other) {
        (None, other) => other.is_some(),
        (Some(_), None) => false,
        (Some(one), Some(other)) => one > other,
    }
}

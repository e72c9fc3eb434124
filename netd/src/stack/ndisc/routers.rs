//! What routers have told about a link (RFC 4861 section 6.3, RFC 8106): who routes, what is near, whom to ask for names.

use std::net::Ipv6Addr;

use ipnet::Ipv6Net;
use smoltcp::time::Instant;

use super::lifetime;
use super::message::RouterAdvertisement;

/// Routers, prefixes and name servers that are kept of each kind: advertisements must not make us grow.
const CAPACITY: usize = 16;
/// No link may carry less (RFC 8200 section 5).
const LEAST_MTU: u32 = 1280;

/// Something, until its lifetime ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry<T> {
    value: T,
    until: Option<Instant>,
    /// Others go first: it did not answer when it was asked last, or the link has come up since it was heard of.
    is_doubtful: bool,
}

/// A default router.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Router {
    address: Ipv6Addr,
    preference: i8,
}

/// All of it.
#[derive(Debug, Default)]
pub struct Routers {
    routers: Vec<Entry<Router>>,
    prefixes: Vec<Entry<Ipv6Net>>,
    name_servers: Vec<Entry<Ipv6Addr>>,
    /// What the link carries, if a router says less than its kind of link does.
    mtu: Option<u32>,
}

impl Routers {
    /// Takes what `router` says, all but the prefixes of which hosts make addresses. Whether anything is another now.
    pub fn learn(&mut self, router: Ipv6Addr, told: &RouterAdvertisement, now: Instant) -> bool {
        let before = (self.default_routers(), self.prefixes(), self.name_servers(), self.mtu);
        let is_this = |known: &Router| known.address == router;
        let news = Router { address: router, preference: told.preference };
        set(&mut self.routers, news, is_this, told.lifetime.into(), now);
        let near =
            told.prefixes.iter().filter(|told| told.on_link && !told.prefix.addr().is_unicast_link_local());
        for told in near {
            set(&mut self.prefixes, told.prefix, |known| *known == told.prefix, told.valid, now);
        }
        for (server, lifetime) in &told.name_servers {
            set(&mut self.name_servers, *server, |known| known == server, *lifetime, now);
        }
        self.mtu = told.mtu.filter(|mtu| *mtu >= LEAST_MTU).or(self.mtu);
        before != (self.default_routers(), self.prefixes(), self.name_servers(), self.mtu)
    }

    /// `router` does not answer: others go first. Whether it is a router.
    pub fn is_silent(&mut self, router: Ipv6Addr) -> bool {
        let known = self.routers.iter_mut().find(|known| known.value.address == router);
        known.is_some_and(|known| !std::mem::replace(&mut known.is_doubtful, true))
    }

    /// The link has come up: it may be another one, whose routers and name servers go first.
    pub fn doubt(&mut self) {
        self.routers.iter_mut().for_each(|known| known.is_doubtful = true);
        self.name_servers.iter_mut().for_each(|known| known.is_doubtful = true);
    }

    /// `router` is none any more (RFC 4861 section 7.2.5). Whether it was one.
    pub fn resign(&mut self, router: Ipv6Addr) -> bool {
        let before = self.routers.len();
        self.routers.retain(|known| known.value.address != router);
        self.routers.len() != before
    }

    /// Forgets what is over; whether anything was.
    pub fn poll(&mut self, now: Instant) -> bool {
        let mut is_over = false;
        drop_old(&mut self.routers, now, &mut is_over);
        drop_old(&mut self.prefixes, now, &mut is_over);
        drop_old(&mut self.name_servers, now, &mut is_over);
        is_over
    }

    /// When [`poll`](Self::poll) is due.
    pub fn deadline(&self) -> Option<Instant> {
        let routers = self.routers.iter().filter_map(|known| known.until);
        let prefixes = self.prefixes.iter().filter_map(|known| known.until);
        let name_servers = self.name_servers.iter().filter_map(|known| known.until);
        routers.chain(prefixes).chain(name_servers).min()
    }

    /// The default routers, the best one first (RFC 4861 section 6.3.6, RFC 4191 section 3.2).
    pub fn default_routers(&self) -> Vec<Ipv6Addr> {
        let mut routers: Vec<_> = self.routers.iter().collect();
        routers.sort_by_key(|known| (known.is_doubtful, -known.value.preference));
        routers.into_iter().map(|known| known.value.address).collect()
    }

    /// The prefixes whose addresses are on the link.
    pub fn prefixes(&self) -> Vec<Ipv6Net> {
        self.prefixes.iter().map(|known| known.value).collect()
    }

    /// Name servers, the first one first.
    pub fn name_servers(&self) -> Vec<Ipv6Addr> {
        let mut servers: Vec<_> = self.name_servers.iter().collect();
        servers.sort_by_key(|known| known.is_doubtful);
        servers.into_iter().map(|known| known.value).collect()
    }

    /// The link's MTU, if a router tells one.
    pub fn mtu(&self) -> Option<usize> {
        self.mtu.and_then(|mtu| usize::try_from(mtu).ok())
    }
}

/// Keeps `value` for some seconds in place of the entry that `is_this`; for 0 seconds: not at all.
fn set<T>(entries: &mut Vec<Entry<T>>, value: T, is_this: impl Fn(&T) -> bool, seconds: u32, now: Instant) {
    let entry = Entry { value, until: lifetime(seconds, now), is_doubtful: false };
    match entries.iter().position(|known| is_this(&known.value)) {
        Some(place) if seconds == 0 => drop(entries.remove(place)),
        Some(place) => entries[place] = entry,
        None if seconds > 0 && entries.len() < CAPACITY => entries.push(entry),
        None => (),
    }
}

fn drop_old<T>(entries: &mut Vec<Entry<T>>, now: Instant, is_over: &mut bool) {
    let before = entries.len();
    entries.retain(|known| known.until.is_none_or(|until| until > now));
    *is_over |= entries.len() != before;
}

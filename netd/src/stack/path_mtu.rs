//! What paths carry, as routers on them have told (RFC 1191, RFC 8201).

use std::collections::HashMap;
use std::net::IpAddr;

use smoltcp::time::{Duration, Instant};

/// How long a router is believed (RFC 1191 section 6.3, RFC 8201 section 4): the path may have become another.
const LIFETIME: Duration = Duration::from_secs(600);
/// Destinations that are remembered: those who send ICMP must not make us grow.
const CAPACITY: usize = 256;
/// Less is not believed for IPv4: segments would be all header. What is less is fragmented on the way.
const LEAST_V4: usize = 552;
/// No link may carry less for IPv6 (RFC 8201 section 4).
const LEAST_V6: usize = 1280;
/// What links carry, for routers that do not tell (RFC 1191 section 7).
const PLATEAUS: [usize; 5] = [8166, 4352, 2002, 1492, 1006];

/// What was told.
#[derive(Debug, Default)]
pub struct PathMtus(HashMap<IpAddr, (usize, Instant)>);

impl PathMtus {
    /// The path to `destination` carries packets of `mtu` bytes: what the path carries now, if that is news.
    pub fn learn(&mut self, destination: IpAddr, mtu: usize, now: Instant) -> Option<usize> {
        let mtu = match destination {
            IpAddr::V4(_) => mtu.max(LEAST_V4),
            IpAddr::V6(_) if mtu < LEAST_V6 => return None,
            IpAddr::V6(_) => mtu,
        };
        if self.of(destination, now).is_some_and(|known| known <= mtu) {
            return None;
        }
        if self.0.len() >= CAPACITY && !self.0.contains_key(&destination) {
            let oldest = self.0.iter().min_by_key(|(_, (_, until))| *until).map(|(known, _)| *known);
            oldest.and_then(|oldest| self.0.remove(&oldest));
        }
        self.0.insert(destination, (mtu, now + LIFETIME));
        Some(mtu)
    }

    /// What the path to `destination` carries, if a router told that lately.
    pub fn of(&self, destination: IpAddr, now: Instant) -> Option<usize> {
        if self.0.is_empty() {
            return None;
        }
        self.0.get(&destination).filter(|(_, until)| now < *until).map(|(mtu, _)| *mtu)
    }
}

/// What a router means that found a packet of `length` bytes too long and did not tell its MTU.
pub fn plateau(length: usize) -> usize {
    PLATEAUS.into_iter().find(|mtu| *mtu < length).unwrap_or(LEAST_V4)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn what_is_told_is_believed_for_a_while_and_never_without_end() {
        let (mut paths, host) = (PathMtus::default(), IpAddr::V4(Ipv4Addr::new(10, 1, 1, 1)));
        let at = Instant::from_secs;
        assert_eq!(paths.learn(host, 1400, at(0)), Some(1400));
        assert_eq!(paths.learn(host, 1450, at(1)), None, "no path grows by being too small");
        assert_eq!(paths.learn(host, 68, at(2)), Some(LEAST_V4));
        assert_eq!((paths.of(host, at(601)), paths.of(host, at(602))), (Some(LEAST_V4), None));
        assert_eq!(paths.learn("2001:db8::1".parse().unwrap(), 1279, at(0)), None);
        for stranger in 0..10_000_u32 {
            paths.learn(Ipv4Addr::from(stranger).into(), 1000, at(i64::from(stranger)));
        }
        assert_eq!(paths.0.len(), CAPACITY);
        assert_eq!([65_535, 1500, 1492, 600].map(plateau), [8166, 1492, 1006, 552]);
    }
}
